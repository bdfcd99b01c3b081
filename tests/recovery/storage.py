"""A storage that fails as long as a file says so."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.files import File

from longshore.files.storage.local import LocalStorage

# Lies beside the storage's folder and names the error: EIO, of a disk that does not answer, or
# ENOSPC, of one that is full and can be read and emptied.
FAULT = "storage-fault"


class FaultyStorage(LocalStorage):
    def _save(self, name: str, content: "File[bytes]") -> str:
        self._fail("EIO", "ENOSPC")
        return super()._save(name, _Watched(content, self))

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        self._fail("EIO")
        opened: File[bytes] = super()._open(name, mode)  # type: ignore[misc]
        return opened

    def blocks(self, name: str, start: int, end: int) -> Iterator[bytes]:
        self._fail("EIO")
        return super().blocks(name, start, end)

    def delete(self, name: str) -> None:
        self._fail("EIO")
        super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        self._fail("EIO")
        return super().listdir(path)

    def _fail(self, *names: str) -> None:
        """Raises OSError where the fault is one of these."""
        try:
            name = (Path(self.location).parent / FAULT).read_text()
        except FileNotFoundError:
            return
        if name in names:
            number = getattr(errno, name)
            raise OSError(number, os.strerror(number))

    def still_writes(self) -> None:
        self._fail("EIO", "ENOSPC")


class _Watched(File):  # type: ignore[type-arg]  # generic in its stubs only
    """A file whose bytes may stop half-way to the disk."""

    def __init__(self, content: "File[bytes]", storage: FaultyStorage) -> None:
        source: IO[Any] | None = content.file
        super().__init__(source, content.name)
        self._content = content
        self._storage = storage

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        for chunk in self._content.chunks(chunk_size):
            yield chunk
            self._storage.still_writes()
