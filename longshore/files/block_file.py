"""Adapts an iterator of blocks to the file object that storages save."""

import io
from collections.abc import Iterable, Iterator

from django.core.files import File


class BlockFile(File):  # type: ignore[type-arg]  # generic in its stubs only
    """The content of a file to save, produced while it is saved. Can be read once.

    content_type: the media type that object storages store with the file.
    """

    def __init__(self, blocks: Iterable[bytes], content_type: str) -> None:
        self._blocks = iter(blocks)
        # BufferedReader returns full-size reads: boto3 takes a short read for the end of the file,
        # and then reads all other parts into memory.
        super().__init__(io.BufferedReader(BlockReader(self._blocks)))
        self.content_type = content_type

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Return the blocks as they are: cutting them to `chunk_size` would copy them twice."""
        return self._blocks


class BlockReader(io.RawIOBase):
    """A raw file object that reads from an iterator of blocks."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._block = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        while not self._block:
            try:
                self._block = memoryview(next(self._blocks))
            except StopIteration:
                return 0
        size = min(len(buffer), len(self._block))
        buffer[:size] = self._block[:size]
        self._block = self._block[size:]
        return size
