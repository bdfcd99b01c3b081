"""Pieces of one file that several processes write: compression, and checksums that can be added.

The pieces in their order, followed by `file_end`, are the file. A gzip file is still a single
member, because browsers and many libraries read only the first one: each piece is raw deflate that
ends at a byte, only the first has the header, and the CRC-32 at the end is combined from those of
the pieces. Pieces of a zstd file would be frames of their own, and pandas and zstandard, among
others, read only the first frame without an error, so there are none.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from isal import isal_zlib

from longshore.files.compression import GZIP_LEVEL, Compression

# The compressions of files that pieces can make.
DIVISIBLE = (Compression.NONE, Compression.GZIP)
# Deflate without the header and trailer of a gzip file.
_RAW_WINDOW_BITS = -15
# No flags, no time, unknown operating system: the header that isal writes.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True)
class Crc:
    """The CRC-32 and the number of consecutive bytes. The sum of two is that of their bytes."""

    value: int = 0
    size: int = 0

    def updated(self, block: bytes) -> "Crc":
        """Return the sum with the bytes that follow."""
        return Crc(isal_zlib.crc32(block, self.value), self.size + len(block))

    def __add__(self, other: "Crc") -> "Crc":
        value = isal_zlib.crc32_combine(self.value, other.value, other.size)
        return Crc(value, self.size + other.size)


class Piece:
    """Compresses one piece of a file, with a compression of DIVISIBLE.

    text: the checksum of what was compressed so far.
    """

    def __init__(self, compression: Compression, *, is_first: bool) -> None:
        self.text = Crc()
        self._compression = compression
        self._is_first = is_first

    def compress(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the bytes of the piece, in blocks of any size."""
        if self._compression is Compression.NONE:
            yield from self._counted(blocks)
            return
        if self._is_first:
            yield _GZIP_HEADER
        deflate = isal_zlib.compressobj(GZIP_LEVEL, wbits=_RAW_WINDOW_BITS)
        for block in self._counted(blocks):
            if compressed := deflate.compress(block):
                yield compressed
        yield deflate.flush(isal_zlib.Z_FULL_FLUSH)

    def _counted(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.text = self.text.updated(block)
            yield block


def file_end(compression: Compression, tail: bytes, text: Crc) -> bytes:
    """Return the bytes after the last piece; empty if there are none.

    tail: the end of the uncompressed file, which no piece contains.
    text: the checksum of the uncompressed pieces.
    """
    if compression is Compression.NONE:
        return tail
    deflate = isal_zlib.compressobj(GZIP_LEVEL, wbits=_RAW_WINDOW_BITS)
    text = text.updated(tail)
    end = deflate.compress(tail) + deflate.flush()
    return end + struct.pack("<II", text.value, text.size % 2**32)
