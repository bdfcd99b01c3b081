"""Compressed files are of one piece, which every reader takes, however many threads wrote them."""

import gzip
import random
import zlib
from collections.abc import Iterator

import pytest
import zstandard
from pytest_django import Settings

from exports.spec import Compression
from longshore.files.compression import compressed

SIZES = {
    "nothing": [],
    "an empty block": [0],
    "a byte": [1],
    "a piece": [1 << 20],
    "many": [100_000] * 70,
    "one large": [5_000_000, 3],
}


@pytest.fixture(params=[1, 2, 5])
def threads(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> int:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    settings.EXPORT_CONNECTIONS = request.param
    return int(request.param)


def blocks(sizes: list[int]) -> Iterator[bytes]:
    source = random.Random(7)  # noqa: S311
    for size in sizes:
        yield bytes(source.choices(b"abcdefgh \n,", k=size))


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_gzip_is_one_member(threads: int, sizes: list[int]) -> None:
    content = b"".join(blocks(sizes))
    written = b"".join(compressed(blocks(sizes), Compression.GZIP))
    assert gzip.decompress(written) == content
    reader = zlib.decompressobj(wbits=31)
    assert reader.decompress(written) == content
    assert (reader.eof, reader.unused_data) == (True, b"")


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_zstd_is_one_frame_with_a_checksum(threads: int, sizes: list[int]) -> None:
    content = b"".join(blocks(sizes))
    written = b"".join(compressed(blocks(sizes), Compression.ZSTD))
    reader = zstandard.ZstdDecompressor().decompressobj()
    assert reader.decompress(written) == content
    assert reader.unused_data == b""
    if written:
        assert zstandard.get_frame_parameters(written).has_checksum


def test_threads_cost_hardly_any_size(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    sizes = []
    for settings.EXPORT_CONNECTIONS in (1, 4):
        written = compressed(blocks([100_000] * 70), Compression.GZIP)
        sizes.append(sum(map(len, written)))
    assert sizes[1] < sizes[0] * 1.01
