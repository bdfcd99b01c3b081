"""Compression of text files: names, file extensions, content types, and the compressors.

Parquet and XLSX files are compressed inside; they do not pass through here.
"""

import os
from collections import deque
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Protocol

import zstandard
from isal import igzip_threaded, isal_zlib


class Compression(StrEnum):
    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


EXTENSIONS = {Compression.NONE: "", Compression.GZIP: ".gz", Compression.ZSTD: ".zst"}
CONTENT_TYPES = {Compression.GZIP: "application/gzip", Compression.ZSTD: "application/zstd"}

# Level 2 of isal compresses as well as level 6 of zlib, several times faster.
GZIP_LEVEL = 2
# 32 KiB of history, and the header and trailer of a gzip file.
_GZIP_WINDOW_BITS = 31
ZSTD_LEVEL = 3


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def compress(
    blocks: Iterable[bytes], compression: Compression, threads: int = 1
) -> Iterator[bytes]:
    """Compress a file block by block.

    threads: compressing threads; one CPU is left to the calling thread. Up to 1: compress in the
        calling thread.
    Yields blocks of any size. The file is a single gzip member or zstd frame, because browsers and
    many libraries read only the first one.
    """
    if compression is Compression.NONE:
        yield from blocks
        return
    threads = min(threads, (os.cpu_count() or 1) - 1)
    compressor: _Compressor
    if compression is Compression.GZIP:
        if threads > 1:
            yield from _gzip_in_threads(blocks, threads)
            return
        compressor = isal_zlib.compressobj(GZIP_LEVEL, wbits=_GZIP_WINDOW_BITS)
    else:
        zstd = zstandard.ZstdCompressor(
            ZSTD_LEVEL, write_checksum=True, threads=threads if threads > 1 else 0
        )
        compressor = zstd.compressobj()
    for block in blocks:
        if compressed := compressor.compress(block):
            yield compressed
    yield compressor.flush()


def _gzip_in_threads(blocks: Iterable[bytes], threads: int) -> Iterator[bytes]:
    output = _Output()
    # Closing also ends the threads, whether or not the blocks were read to their end.
    opened = igzip_threaded.open(  # type: ignore[no-untyped-call]
        output, "wb", GZIP_LEVEL, threads=threads
    )
    with opened as writer:
        for block in blocks:
            writer.write(block)
            yield from output.drain()
    yield from output.drain()


class _Output:
    """Collects what the compressing threads write until the reading thread takes it."""

    def __init__(self) -> None:
        self._blocks: deque[bytes] = deque()

    def write(self, block: bytes) -> int:
        self._blocks.append(block)
        return len(block)

    def flush(self) -> None:
        """Do nothing: every block is available at once. File objects must have this method."""

    def drain(self) -> Iterator[bytes]:
        while self._blocks:
            yield self._blocks.popleft()
