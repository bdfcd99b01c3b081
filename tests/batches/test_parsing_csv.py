"""CSV: dialects, encodings, malformed rows and escaped formulas, against the real PostgreSQL."""

import gzip
import re
import zlib

import pytest
from psycopg.errors import QueryCanceled

from batches.errors import BatchErrorCode
from batches.parsing.errors import InputError
from tests.batches.parsed import opened, staged

pytestmark = pytest.mark.django_db


def test_nulls_and_empty_texts_differ() -> None:
    found = staged(opened(b'a,b\n1,\n2,""\n"x\ny","q""q"\n'))
    assert found.rows == {1: ["1", None], 2: ["2", ""], 3: ["x\ny", 'q"q']}
    assert found.parsed.rows == 3
    assert not found.malformed


def test_ragged_rows_keep_the_numbers_of_others() -> None:
    found = staged(opened(b"a,b\n1,2\n1,2,3\n\nx\n4,5\n"))
    assert found.rows == {1: ["1", "2"], 4: ["4", "5"]}
    assert [each[:3] for each in found.malformed] == [
        (2, "", "malformed_row"),
        (3, "", "malformed_row"),
    ]
    assert found.malformed[0][3] == (
        "The row has 3 cells; the header has 2. Quote cells that contain the delimiter ','."
    )
    assert found.sources == {2: "1,2,3", 3: "x"}
    assert (found.parsed.rows, found.parsed.malformed) == (4, 2)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"a,b", b"a,b\n", b"a,b\n\n\n"])
def test_empty_inputs(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        staged(opened(content))
    assert caught.value.code is BatchErrorCode.EMPTY_INPUT


def test_limit() -> None:
    content = b"a,b\n1,2\n3\n4,5\n6\n7,8\n"
    found = staged(opened(content), limit=2)
    assert (list(found.rows), [row for row, *_ in found.malformed]) == ([1], [2])
    assert found.parsed.rows == 2
    found = staged(opened(content), limit=3)
    assert (list(found.rows), [row for row, *_ in found.malformed]) == ([1, 3], [2])


def test_a_byte_order_mark_inside_of_the_file_is_text() -> None:
    found = staged(opened("\ufeffa,b\n\ufeff1,2\n\ufeff3,4\n".encode()))
    assert found.rows == {1: ["\ufeff1", "2"], 2: ["\ufeff3", "4"]}


def test_large_rows() -> None:
    large = b"x" * (3 << 20)
    found = staged(opened(b"a,b\n1,2\n" + large + b",3\n4,5\n"))
    assert found.rows == {1: ["1", "2"], 2: [large.decode(), "3"], 3: ["4", "5"]}
    content = b"a,b\n1,2\n3\n" + b"x" * (40 << 20) + b",3\n4,5\n"
    with pytest.raises(InputError, match="Row 3 has more than 16,777,216 bytes"):
        staged(opened(content))


def test_not_utf8_after_the_sample() -> None:
    rows = b"1,2\n" * 300_000
    with pytest.raises(InputError, match=r"Row 300,001 contains the byte 0xE9, which is not utf-8"):
        staged(opened(b"a,b\n" + rows + "é,1\n".encode("cp1252")))


def test_escaped_formulas() -> None:
    content = b"a,'=b\n'=1+1,'+49 30 123456\n\"x;'=y\",'-1-2\n"
    assert opened(content).headers() == ["a", "=b"]
    found = staged(opened(content))
    assert found.rows == {1: ["=1+1", "'+49 30 123456"], 2: ["x;=y", "-1-2"]}
    assert staged(opened(content, unescape_formulas=False)).rows[1][0] == "'=1+1"


@pytest.mark.slow
def test_every_row_is_ragged() -> None:
    found = staged(opened(b"a,b\n" + b"1,2,3\n" * 60_000, delimiter=","))
    assert not found.rows
    assert (found.parsed.rows, found.parsed.malformed) == (60_000, 60_000)
    assert [row for row, *_ in found.malformed] == list(range(1, 60_001))
    mixed = staged(opened(b"a,b\n" + b"1,2,3\n4,5\n6\n7\n" * 20_000, delimiter=","))
    assert list(mixed.rows) == list(range(2, 80_001, 4))
    assert mixed.parsed.malformed == 60_000


def test_quotes() -> None:
    content = b"'a','b'\n'x, y','it''s'\n\"q\",'1\n2'\n,''\n"
    found = staged(opened(content))
    assert found.rows == {1: ["x, y", "it's"], 2: ['"q"', "1\n2"], 3: [None, ""]}
    assert not found.malformed
    plain = staged(opened(b"a,'b'\n\"x,'y'\nz,\"\n", quote="none"))
    assert plain.rows == {1: ['"x', "'y'"], 2: ["z", '"']}


@pytest.mark.slow
def test_truncated_compression() -> None:
    rows = b"".join(b"%d,%d\n" % (number, zlib.crc32(b"%d" % number)) for number in range(200_000))
    content = gzip.compress(b"a,b\n" + rows, 1)
    with pytest.raises(InputError, match="The compressed file is truncated") as caught:
        staged(opened(content[:-10]))
    read = re.search(r"The file was read up to row ([0-9,]+)\.$", caught.value.message)
    assert read is not None
    assert 100_000 < int(read[1].replace(",", "")) <= 200_000
    assert staged(opened(content[:-10]), limit=100).parsed.rows == 100
    assert staged(opened(content)).parsed.rows == 200_000


def test_cancel() -> None:
    source = opened(b"a\n" + b"1\n" * 10)
    source.cancel()
    with pytest.raises(QueryCanceled):
        staged(source)


def test_too_many_columns() -> None:
    header = ",".join(f"c{number}" for number in range(1_599)).encode()
    with pytest.raises(InputError, match="1,599 columns; the maximum is 1,598"):
        opened(header + b"\n")
    names = [f"{'x' * 100}{number}" for number in range(1_598)]
    row = ",".join(map(str, range(1_598)))
    found = staged(opened(f"{','.join(names)}\n{row}\n".encode()))
    assert found.rows == {1: row.split(",")}
    wide = ",".join(["a long text of many characters"] * 1_598)
    with pytest.raises(InputError, match="too many values in 1,598 columns"):
        staged(opened(f"{','.join(names)}\n{wide}\n".encode()))


def test_a_closing_quote_is_missing() -> None:
    with pytest.raises(InputError, match="Row 2 has an opening quote without a closing one"):
        staged(opened(b'a,b\n1,2\n3,"4\n5,6\n'))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'"a\n\x00",b\n1,2\n', "header of column 1 contains a NUL"),
        (b"a\x00,b\n1,2\n", "not text"),
        (b"a,,b\n1,2,3\n", "The header of column 2 is empty"),
        (b"a,b,a\n1,2,3\n", "The columns 1 and 3 have the same header 'a'"),
        (b'"a,b\n1,2\n', "The header cannot be read"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"%PDF-1.4 ...", "PDF"),
    ],
)
def test_refused_files(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        staged(opened(content))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_nul_character_is_an_error_of_its_row(encoding: str) -> None:
    text = 'a,b\n1,2\n3,"\0x\n,"\n\0,\0\n\0\n5,6\n'
    found = staged(opened(text.encode(encoding)))
    assert found.rows == {1: ["1", "2"], 5: ["5", "6"]}
    sentence = "contains a NUL character, which no text may contain."
    assert found.malformed == [
        (2, "b", "malformed_row", f"b {sentence}"),
        (3, "a", "malformed_row", f"a {sentence}"),
        (3, "b", "malformed_row", f"b {sentence}"),
        (4, "", "malformed_row", "The row has 1 cell; the header has 2."),
    ]
    assert (found.parsed.rows, found.parsed.malformed) == (5, 3)
    assert found.sources[2] == '3,"\ufffdx\n,"'
    assert found.sources[4] == "\ufffd"
    assert staged(opened(text.encode(encoding)), limit=2).parsed.malformed == 1
