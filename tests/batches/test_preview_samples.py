"""Samples of files: whole records of the beginning, of text that may be compressed."""

import gzip
import json
from contextlib import suppress

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from batches.execution.sample import MAX_BYTES, take_sample
from batches.parsing.errors import InputError
from batches.spec import InputFormat, InputOptions
from longshore.files.compression import Compression, compress

OPTIONS = InputOptions()
ROWS = b"".join(b'%d,"a, ""b""\nc",%d\n' % (number, number**3) for number in range(200_000))
CSV = b"id,text,cube\n" + ROWS
JSON = json.dumps([{"id": number, "text": 'a"]}[{'} for number in range(60_000)]).encode()
JSONL = b"".join(b'{"id": %d, "text": "a\\"]}"}\n' % number for number in range(80_000))


def first(content: bytes) -> bytes:
    return content[:MAX_BYTES]


def test_a_small_file_is_its_own_sample() -> None:
    sample = take_sample(CSV[:1000], None, OPTIONS)
    assert (sample.content, sample.is_cut, sample.share) == (CSV[:1000], False, 1)
    assert b"".join(sample.read(0, 4)) == b"id,t"


def test_a_cut_csv_file_ends_after_a_whole_record() -> None:
    assert len(CSV) > MAX_BYTES
    sample = take_sample(first(CSV), len(CSV), OPTIONS)
    assert sample.is_cut
    assert CSV.startswith(sample.content)
    assert sample.content.count(b"\n") % 2 == 1  # The header, and two lines for each record.
    assert CSV[len(sample.content) :].split(b",")[0].isdigit()
    assert sample.share == pytest.approx(len(sample.content) / len(CSV), rel=1e-6)


def test_a_file_of_the_maximum_may_go_on() -> None:
    assert take_sample(first(CSV), None, OPTIONS).is_cut
    assert not take_sample(first(CSV)[:-1], None, OPTIONS).is_cut


@pytest.mark.parametrize("file_format", [None, InputFormat.JSON])
def test_a_cut_json_array_is_closed(file_format: InputFormat | None) -> None:
    sample = take_sample(first(JSON), len(JSON), InputOptions(format=file_format))
    records = json.loads(sample.content)
    assert records == json.loads(JSON)[: len(records)]
    assert len(records) > 10_000


def test_cut_json_lines_end_after_a_line() -> None:
    sample = take_sample(first(JSONL), len(JSONL), OPTIONS)
    lines = sample.content.splitlines()
    assert [json.loads(line)["id"] for line in lines] == list(range(len(lines)))


@pytest.mark.parametrize("compression", [Compression.GZIP, Compression.ZSTD])
@pytest.mark.parametrize("content", [CSV, JSON, JSONL])
def test_a_compressed_file_is_decompressed_up_to_the_maximum(
    content: bytes, compression: Compression
) -> None:
    compressed = b"".join(compress([content], compression))
    sample = take_sample(first(compressed), len(compressed), OPTIONS)
    assert sample.compression is compression
    assert sample.is_cut
    assert len(sample.content) <= MAX_BYTES + 1
    assert 0 < sample.share < 1
    # The share estimates the size of the whole file.
    assert len(sample.content) / sample.share == pytest.approx(len(content), rel=0.5)


@pytest.mark.slow
def test_the_end_of_a_cut_compressed_file_may_be_missing() -> None:
    noise = b"id,n\n" + b"".join(b"%d,%d\n" % (n, n * 2654435761 % 2**32) for n in range(200_000))
    compressed = gzip.compress(noise)
    cut = compressed[: len(compressed) // 8]
    sample = take_sample(cut, len(compressed), OPTIONS)
    assert sample.is_cut
    assert noise.startswith(sample.content)
    # If the client does not say that the file goes on, it is truncated.
    with pytest.raises(InputError, match="truncated"):
        take_sample(cut, None, OPTIONS)


@pytest.mark.slow
def test_a_bomb_is_decompressed_up_to_the_maximum_only() -> None:
    bomb = zstandard.compress(b"a,b\n" + b"1,2\n" * 100_000_000)
    sample = take_sample(bomb, None, OPTIONS)
    assert len(sample.content) <= MAX_BYTES
    assert sample.is_cut


@pytest.mark.parametrize("magic", [b"PK\x03\x04", b"PAR1"])
def test_a_workbook_cannot_be_cut(magic: bytes) -> None:
    content = magic + b"\0" * 100
    assert not take_sample(content, None, OPTIONS).is_cut
    with pytest.raises(InputError, match="as a whole"):
        take_sample(content, 5_000_000, OPTIONS)


@pytest.mark.parametrize("content", [b'"' + b"x" * MAX_BYTES, b"[" + b'{"a": "' + b"x" * MAX_BYTES])
def test_a_record_larger_than_a_sample_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="The first record"):
        take_sample(first(content), None, OPTIONS)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_cut_file_of_wide_characters_stays_readable(encoding: str) -> None:
    content = CSV.decode()[:600_000].encode(encoding)
    sample = take_sample(first(content), len(content), OPTIONS)
    text = sample.content.decode(encoding)
    assert text.endswith("\n")
    assert CSV.decode().startswith(text)


@given(st.binary(max_size=2_000), st.integers(1, 10_000))
def test_any_bytes_have_a_sample_or_a_clear_error(content: bytes, more: int) -> None:
    with suppress(InputError):
        sample = take_sample(content, len(content) + more, OPTIONS)
        assert 0 < sample.share <= 1
