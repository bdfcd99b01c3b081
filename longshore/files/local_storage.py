"""Files in a folder of this machine, kept as a storage of objects would keep them."""

import errno
import mmap
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from longshore.files.prefetch import overlapped

_LINUX = sys.platform == "linux"
# Of a file that is put on the disk and compared at a time; two such windows are in memory.
_WINDOW_BYTES = 2 << 20
_READ_BYTES = 1 << 20


class LocalStorage(FileSystemStorage):
    """Django's, but a saved file is on the disk, was compared with what was to be saved, and does
    not stay in memory: on Linux it is the disk itself that is read.

    Large files that are read once would push the database's pages out of the machine's cache.
    """

    def _save(self, name: str, content: Any) -> str:
        # Django makes it, empty: its folders, its permissions, and that it is nobody else's.
        saved: str = super()._save(name, ContentFile(b""))  # type: ignore[misc]
        path = self.path(saved)
        with open(path, "wb") as file, open(path, "rb") as written:

            def write_and_compare(window: list[bytes]) -> None:
                start = file.tell()
                file.writelines(window)
                file.flush()
                _put_on_disk(file.fileno(), start, file.tell())
                if any(written.read(len(block)) != block for block in window):
                    raise OSError(errno.EIO, "the disk holds other than was written", path)
                _forget(file.fileno(), start, file.tell())

            # While the disk is busy, the next window comes.
            for _ in overlapped(write_and_compare, _windows(content.chunks())):
                pass
        # The name is an entry of its folder, and that of another, up to the first.
        folder = path
        while folder != self.location:
            folder = os.path.dirname(folder)
            _sync_folder(folder)
        return saved

    def blocks(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """What a file holds from `start` on and before `end`, from the disk."""
        with open(self.path(name), "rb", buffering=0) as file:
            file.seek(start)
            while block := file.read(min(_READ_BYTES, end - file.tell())):
                yield block
            _forget(file.fileno(), start, end)


def _windows(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """All blocks, gathered; the last window may be small or empty."""
    window: list[bytes] = []
    size = 0
    for block in blocks:
        window.append(block)
        size += len(block)
        if size >= _WINDOW_BYTES:
            yield window
            window, size = [], 0
    yield window


def _put_on_disk(file: int, start: int, end: int) -> None:
    os.fsync(file)
    _forget(file, start, end)


def _forget(file: int, start: int, end: int) -> None:
    """What is on the disk need not stay in memory."""
    if _LINUX:
        # Only whole pages are let go, the first of which may hold what came before.
        start -= start % mmap.PAGESIZE
        os.posix_fadvise(file, start, end - start, os.POSIX_FADV_DONTNEED)


def _sync_folder(path: str) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
