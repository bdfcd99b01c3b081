"""Compression of a text file: what it is called, and how it is written."""

import os
from collections.abc import Iterable, Iterator
from typing import Protocol

import zstandard
from django.conf import settings
from isal import isal_zlib

from exports.spec import Compression
from longshore.files.prefetch import overlapped

ENDINGS = {Compression.NONE: "", Compression.GZIP: ".gz", Compression.ZSTD: ".zst"}
CONTENT_TYPES = {Compression.GZIP: "application/gzip", Compression.ZSTD: "application/zstd"}

# Level 2 of isal compresses as well as level 6 of zlib, several times faster.
_GZIP_LEVEL = 2
_GZIP_WINDOW = 31  # 32 KiB of history, and the header and trailer of a gzip file.
_ZSTD_LEVEL = 3


# A gzip file without name and time, by an unknown system.
_GZIP_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
# Each piece begins with no history, which costs a thousandth of the size.
_PIECE_BYTES = 1 << 20


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def compressed(blocks: Iterable[bytes], compression: Compression) -> Iterator[bytes]:
    """The bytes of a file from those of its content, in blocks as they come."""
    if compression is Compression.NONE:
        yield from blocks
        return
    # One thread has enough to do with reading.
    threads = min(settings.EXPORT_CONNECTIONS, os.cpu_count() or 1) - 1
    compressor: _Compressor
    if compression is Compression.GZIP:
        if threads > 1:
            yield from _gzip_in_threads(blocks, threads)
            return
        compressor = isal_zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    else:
        # As one frame in any case: few readers expect several.
        zstd = zstandard.ZstdCompressor(
            _ZSTD_LEVEL, write_checksum=True, threads=threads if threads > 1 else 0
        )
        compressor = zstd.compressobj()
    for block in blocks:
        if written := compressor.compress(block):
            yield written
    yield compressor.flush()


def _gzip_in_threads(blocks: Iterable[bytes], threads: int) -> Iterator[bytes]:
    """One gzip member of pieces that are compressed apart, as browsers read no more than one."""
    checksum = size = 0

    def counted() -> Iterator[bytes]:
        nonlocal checksum, size
        for piece in _pieces(blocks):
            checksum = isal_zlib.crc32(piece, checksum)
            size += len(piece)
            yield piece

    yield _GZIP_HEADER
    yield from overlapped(_deflated, counted(), ahead=threads, threads=threads)
    # An empty last block, which says that it is the last one.
    yield b"\x03\x00" + checksum.to_bytes(4, "little") + (size % (1 << 32)).to_bytes(4, "little")


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    gathered: list[bytes] = []
    size = 0
    for block in blocks:
        gathered.append(block)
        size += len(block)
        if size >= _PIECE_BYTES:
            yield b"".join(gathered)
            gathered.clear()
            size = 0
    if gathered:
        yield b"".join(gathered)


def _deflated(piece: bytes) -> bytes:
    """Blocks of deflate, none of them the last, that end with a whole byte."""
    compressor = isal_zlib.compressobj(_GZIP_LEVEL, wbits=-15)
    return compressor.compress(piece) + compressor.flush(isal_zlib.Z_SYNC_FLUSH)
