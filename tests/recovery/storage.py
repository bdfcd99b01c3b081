"""A storage that fails while a file names an error."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.files import File

from longshore.files.storage.local import LocalStorage

# This file beside the storage's folder names the error: EIO, of a disk that does not respond, or
# ENOSPC, of a full disk, which can still be read and emptied.
FAULT = "storage-fault"


class FaultyStorage(LocalStorage):
    def _save(self, name: str, content: "File[bytes]") -> str:
        self.fail_if("EIO", "ENOSPC")
        return super()._save(name, _FailingFile(content, self))

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        self.fail_if("EIO")
        opened: File[bytes] = super()._open(name, mode)  # type: ignore[misc]
        return opened

    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        self.fail_if("EIO")
        return super().read_range(key, start, end)

    def delete(self, name: str) -> None:
        self.fail_if("EIO")
        super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        self.fail_if("EIO")
        return super().listdir(path)

    def fail_if(self, *names: str) -> None:
        """Raise OSError if the current fault is one of these."""
        try:
            name = (Path(self.location).parent / FAULT).read_text()
        except FileNotFoundError:
            return
        if name in names:
            number = getattr(errno, name)
            raise OSError(number, os.strerror(number))


class _FailingFile(File):  # type: ignore[type-arg]  # generic in its stubs only
    """The content of a file; writing it may fail between two blocks."""

    def __init__(self, content: "File[bytes]", storage: FaultyStorage) -> None:
        source: IO[Any] | None = content.file
        super().__init__(source, content.name)
        self._content = content
        self._storage = storage

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        for chunk in self._content.chunks(chunk_size):
            yield chunk
            self._storage.fail_if("EIO", "ENOSPC")
