"""A storage that fails, or is slow, while a file names the fault."""

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from django.core.files import File

from longshore.files.storage.local import LocalStorage

# This file beside the storage's folder names the fault: EIO, of a disk that does not respond,
# ENOSPC, of a full disk, which can still be read and emptied, or SLOW.
FAULT = "storage-fault"
# Delay of each block of a slow storage.
_SLOW_SECONDS = 0.1


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
        return self._delayed(super().read_range(key, start, end))

    def delete(self, name: str) -> None:
        self.fail_if("EIO")
        super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        self.fail_if("EIO")
        return super().listdir(path)

    def fail_if(self, *names: str) -> None:
        """Raise OSError if the current fault is one of these."""
        name = self._fault()
        if name in names:
            number = getattr(errno, name)
            raise OSError(number, os.strerror(number))

    def delay(self) -> None:
        """Wait if the storage is slow."""
        if self._fault() == "SLOW":
            time.sleep(_SLOW_SECONDS)

    def _delayed(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.delay()
            yield block

    def _fault(self) -> str:
        """Return the name of the current fault, or ""."""
        try:
            return (Path(self.location).parent / FAULT).read_text()
        except FileNotFoundError:
            return ""


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
            self._storage.delay()
