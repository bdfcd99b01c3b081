"""Compression of a text file: what it is called, and how it is written."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import zstandard
from isal import isal_zlib

from exports.spec import Compression

ENDINGS = {Compression.NONE: "", Compression.GZIP: ".gz", Compression.ZSTD: ".zst"}
CONTENT_TYPES = {Compression.GZIP: "application/gzip", Compression.ZSTD: "application/zstd"}

# Level 2 of isal compresses as well as level 6 of zlib, several times faster.
_GZIP_LEVEL = 2
_GZIP_WINDOW = 31  # 32 KiB of history, and the header and trailer of a gzip file.
_ZSTD_LEVEL = 3


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


def compressed(blocks: Iterable[bytes], compression: Compression) -> Iterator[bytes]:
    """The bytes of a file from those of its content, in blocks as they come."""
    if compression is Compression.NONE:
        yield from blocks
        return
    compressor: _Compressor
    if compression is Compression.GZIP:
        compressor = isal_zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    else:
        compressor = zstandard.ZstdCompressor(_ZSTD_LEVEL, write_checksum=True).compressobj()
    for block in blocks:
        if written := compressor.compress(block):
            yield written
    yield compressor.flush()
