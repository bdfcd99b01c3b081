"""Decompresses gzip and zstd block by block, with a limit on the decompressed size."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import zstandard
from django.conf import settings
from isal import igzip_lib, isal_zlib

from batches.parsing.errors import InputError
from longshore.files.compression import Compression

GZIP_MAGIC, ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

# A file may decompress to this size, or to this ratio of its compressed size if that is more. Rows
# of data compress up to 30 times; a bomb compresses more than a thousand times. The setting
# BATCH_MAX_DECOMPRESSED_BYTES is the limit of all files: their rows are staged in the database.
MAX_BYTES, MAX_RATIO = 1 << 30, 64
# Bytes that are decompressed at once. The output of one step is in memory: 1 KiB of zstd may
# become 32 MiB, 16 KiB of gzip 16 MiB.
_STEPS = {Compression.GZIP: 1 << 14, Compression.ZSTD: 1 << 10}
_OUTPUT_BYTES = 1 << 18
# 32 KiB of history, and the header and trailer of a gzip file.
_GZIP_WINDOW_BITS = 31
# The decompressor allocates the window that the file asks for. Levels up to 20 need at most 32 MiB.
_MAX_ZSTD_WINDOW = 1 << 25


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def max_decompressed_bytes(size: int) -> int:
    """Return the bytes to which a file of a size may decompress."""
    maximum: int = settings.BATCH_MAX_DECOMPRESSED_BYTES
    return min(max(MAX_BYTES, MAX_RATIO * size), maximum)


def decompressed(blocks: Iterable[bytes], compression: Compression, size: int) -> Iterator[bytes]:
    """Decompress a file.

    size: bytes of the compressed file.
    Raises InputError if the file is truncated or corrupt, or decompresses to too many bytes.
    """
    if compression is Compression.NONE:
        yield from blocks
        return
    maximum = max_decompressed_bytes(size)
    total = 0
    try:
        for block in _joined(_members(blocks, compression)):
            total += len(block)
            if total > maximum:
                raise InputError(
                    f"The file decompresses to more than {maximum:,} bytes, the maximum for a file "
                    f"of {size:,} bytes. Send it uncompressed, or in several batches."
                )
            yield block
    except (igzip_lib.IsalError, zstandard.ZstdError) as error:  # type: ignore[misc]  # its stub
        if "memory" in str(error):
            raise InputError(
                f"The file needs a window of more than {_MAX_ZSTD_WINDOW:,} bytes. Compress it "
                "without --long and --ultra."
            ) from error
        raise InputError(f"The {compression} file is damaged: {error}.") from error


def _members(blocks: Iterable[bytes], compression: Compression) -> Iterator[bytes]:
    """Decompress concatenated gzip members or zstd frames."""
    new, step = _NEW[compression], _STEPS[compression]
    stream = new()
    has_begun = False
    for block in blocks:
        for start in range(0, len(block), step):
            data = block[start : start + step]
            while data:
                if stream.eof:
                    # Some programs fill the end of a gzip file with zeros.
                    data = data.lstrip(b"\0")
                    if not data:
                        break
                    # isal waits for the rest of a header, whatever its first bytes are.
                    if compression is Compression.GZIP and data[:1] != GZIP_MAGIC[:1]:
                        raise InputError("The gzip file is damaged: it has more after its end.")
                    stream = new()
                has_begun = True
                yield stream.decompress(data)
                data = stream.unused_data if stream.eof else b""
    if has_begun and not stream.eof:
        raise InputError("The compressed file is truncated: its end is missing. Upload it again.")


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces to blocks."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) >= _OUTPUT_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)


def _new_gzip() -> _Decompressor:
    return isal_zlib.decompressobj(_GZIP_WINDOW_BITS)


def _new_zstd() -> _Decompressor:
    return zstandard.ZstdDecompressor(max_window_size=_MAX_ZSTD_WINDOW).decompressobj()


_NEW: dict[Compression, Callable[[], _Decompressor]] = {
    Compression.GZIP: _new_gzip,
    Compression.ZSTD: _new_zstd,
}
