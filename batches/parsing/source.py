"""The stored bytes of an input, as blocks in order or as a file that can seek."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

# Returns the stored bytes from a position up to, but not including, another.
Read: TypeAlias = Callable[[int, int], Iterator[bytes]]

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True)
class Source:
    """The stored input: `size` bytes that `read` returns."""

    read: Read
    size: int

    def blocks(self) -> Iterator[bytes]:
        """Return all bytes in order."""
        return self.read(0, self.size)

    def head(self, size: int) -> bytes:
        """Return the first bytes."""
        return b"".join(self.read(0, min(size, self.size)))

    def file(self) -> io.BufferedReader:
        """Return a file that can seek."""
        return io.BufferedReader(_RangeFile(self), _BUFFER_BYTES)


class _RangeFile(io.RawIOBase):
    """A raw file over the ranges of a source. Each read is one request to the storage."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._source.size}
        position = origin[whence] + offset
        if position < 0:
            raise ValueError(f"{position} is not a position in a file.")
        self._position = position
        return position

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        end = min(self._position + len(buffer), self._source.size)
        if end <= self._position:
            return 0
        data = b"".join(self._source.read(self._position, end))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
