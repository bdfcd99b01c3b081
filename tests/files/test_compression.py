"""Compressed files are one gzip member or zstd frame, whatever the number of threads."""

import gzip
import random
import threading
import zlib
from collections.abc import Iterator

import pytest
import zstandard

from longshore.files.compression import Compression, compress

# Maps any byte to one of eleven: text that can be compressed.
LETTERS = bytes(b"abcdefgh \n,"[byte % 11] for byte in range(256))
SIZES = {
    "no block": [],
    "an empty block": [0],
    "a byte": [1],
    "a block of 1 MiB": [1 << 20],
    "many blocks": [100_000] * 70,
    "a large block": [5_000_000, 3],
}


@pytest.fixture(params=[0, 1, 2, 4])
def threads(request: pytest.FixtureRequest, many_cpus: None) -> int:
    return int(request.param)


@pytest.fixture
def many_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)


def blocks(sizes: list[int]) -> Iterator[bytes]:
    source = random.Random(7)  # noqa: S311
    for size in sizes:
        yield source.randbytes(size).translate(LETTERS)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_gzip_is_one_member(threads: int, sizes: list[int]) -> None:
    content = b"".join(blocks(sizes))
    compressed = b"".join(compress(blocks(sizes), Compression.GZIP, threads))
    assert gzip.decompress(compressed) == content
    reader = zlib.decompressobj(wbits=31)
    assert reader.decompress(compressed) == content
    assert (reader.eof, reader.unused_data) == (True, b"")


@pytest.mark.slow
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_zstd_is_one_frame_with_a_checksum(threads: int, sizes: list[int]) -> None:
    content = b"".join(blocks(sizes))
    compressed = b"".join(compress(blocks(sizes), Compression.ZSTD, threads))
    reader = zstandard.ZstdDecompressor().decompressobj()
    assert reader.decompress(compressed) == content
    assert reader.unused_data == b""
    if compressed:
        assert zstandard.get_frame_parameters(compressed).has_checksum


def test_without_compression_the_blocks_stay_as_they_are() -> None:
    assert list(compress([b"a", b"", b"b"], Compression.NONE, 4)) == [b"a", b"", b"b"]


def test_threads_add_hardly_any_bytes(many_cpus: None) -> None:
    sizes = [
        sum(map(len, compress(blocks([100_000] * 70), Compression.GZIP, threads)))
        for threads in (1, 4)
    ]
    assert sizes[1] < sizes[0] * 1.01


@pytest.mark.slow
@pytest.mark.parametrize("compression", [Compression.GZIP, Compression.ZSTD])
def test_an_error_of_the_source_is_raised_and_ends_the_threads(
    threads: int, compression: Compression
) -> None:
    def failing() -> Iterator[bytes]:
        yield from blocks([1 << 20] * 10)
        raise ValueError("the source failed")

    before = threading.active_count()
    with pytest.raises(ValueError, match="the source failed"):
        list(compress(failing(), compression, threads))
    assert threading.active_count() == before


def test_a_reader_that_stops_early_ends_the_threads(threads: int) -> None:
    before = threading.active_count()
    compressed = compress(blocks([1 << 20] * 30), Compression.GZIP, threads)
    assert next(compressed)
    compressed.close()  # type: ignore[attr-defined]  # a generator
    assert threading.active_count() == before
