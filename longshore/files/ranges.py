"""HTTP range requests (RFC 9110, section 14): resume a download, or read a part of a file."""

import io
import re
from typing import IO

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class RangeNotSatisfiable(Exception):
    """The requested range lies outside the file."""


def parse_range(header: str, size: int) -> range | None:
    """Parse a Range header.

    size: of the file, in bytes.
    Returns the byte positions to send; None to send the whole file, because the header is absent or
    malformed, or names several ranges (RFC 9110 allows a server to ignore them).
    Raises RangeNotSatisfiable.
    """
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        positions = range(max(0, size - int(last)), size)
    else:
        positions = range(int(first), min(size, int(last) + 1) if last else size)
        if last and int(last) < int(first):
            return None
    if not positions:
        raise RangeNotSatisfiable
    return positions


class FileRange(io.RawIOBase):
    """A read-only file object over a range of another file. Closing it closes that file.

    A web server can send it like a whole file, without holding a thread.
    """

    def __init__(self, file: IO[bytes], positions: range) -> None:
        self._file = file
        self._positions = positions
        file.seek(positions.start)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: len(self._positions)}
        start = self._positions.start
        return self._file.seek(start + origin[whence] + offset) - start

    def tell(self) -> int:
        return self._file.tell() - self._positions.start

    def read(self, size: int = -1) -> bytes:
        remaining = max(0, len(self._positions) - self.tell())
        return self._file.read(remaining if size < 0 else min(size, remaining))

    def close(self) -> None:
        self._file.close()
        super().close()
