"""Parts of a file for who goes on with a download (RFC 9110, section 14)."""

import io
import re
from typing import IO

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Unsatisfiable(Exception):
    """The file has no such bytes."""


def requested(header: str, size: int) -> range | None:
    """The bytes that a Range header names; None for all, also where it cannot be understood.

    Several ranges are answered with the whole file, as every server may. Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        chosen = range(max(0, size - int(last)), size)
    else:
        chosen = range(int(first), min(size, int(last) + 1) if last else size)
        if last and int(last) < int(first):
            return None
    if not chosen:
        raise Unsatisfiable
    return chosen


class Section(io.RawIOBase):
    """These bytes of a file, as a file of their own; closing it closes the file.

    The web server reads it without a thread of ours, as it does a whole file.
    """

    def __init__(self, file: IO[bytes], chosen: range) -> None:
        self._file = file
        self._chosen = chosen
        file.seek(chosen.start)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: len(self._chosen)}[whence]
        return self._file.seek(self._chosen.start + start + offset) - self._chosen.start

    def tell(self) -> int:
        return self._file.tell() - self._chosen.start

    def read(self, size: int = -1) -> bytes:
        left = max(0, len(self._chosen) - self.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def close(self) -> None:
        self._file.close()
        super().close()
