"""Pieces of one file: their concatenation is a file that independent readers accept."""

import gzip
import io
import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.files.compression import Compression
from longshore.files.pieces import Crc, Piece, file_end

Texts = list[list[bytes]]


def joined(texts: Texts, compression: Compression, tail: bytes) -> bytes:
    """Return the file of pieces, each given by its blocks."""
    pieces = [Piece(compression, is_first=number == 0) for number in range(len(texts))]
    content = b""
    for piece, blocks in zip(pieces, texts, strict=True):
        content += b"".join(piece.compress(blocks))
    return content + file_end(compression, tail, sum((each.text for each in pieces), Crc()))


@given(st.lists(st.lists(st.binary(max_size=2000)), min_size=1), st.binary(max_size=3))
def test_a_gzip_file_is_one_member(texts: Texts, tail: bytes) -> None:
    expected = b"".join(b"".join(blocks) for blocks in texts) + tail
    content = joined(texts, Compression.GZIP, tail)
    assert gzip.decompress(content) == expected
    reader = zlib.decompressobj(wbits=31)
    assert reader.decompress(content) == expected
    assert (reader.eof, reader.unused_data) == (True, b"")


def test_large_pieces_make_one_member() -> None:
    texts = [[os.urandom(1 << 20), b"x" * (3 << 20)], [b""], [os.urandom(5 << 20)]]
    content = joined(texts, Compression.GZIP, b"]")
    with gzip.open(io.BytesIO(content)) as file:
        assert file.read() == b"".join(map(b"".join, texts)) + b"]"


def test_without_compression_the_end_is_the_tail() -> None:
    assert joined([[b"[1"], [b",2"]], Compression.NONE, b"]") == b"[1,2]"
    assert file_end(Compression.NONE, b"", Crc()) == b""


@pytest.mark.parametrize("sizes", [(0, 0), (3, 0), (0, 3), (5, 70_000)])
def test_the_sum_of_checksums_is_that_of_the_bytes(sizes: tuple[int, int]) -> None:
    first, second = map(os.urandom, sizes)
    total = Crc().updated(first) + Crc().updated(second)
    assert total == Crc(zlib.crc32(first + second), sum(sizes))
