"""Files in a folder of this machine: durable, verified, and not kept in the page cache."""

import errno
import mmap
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from longshore.files import signed_links
from longshore.files.prefetch import map_ahead
from longshore.files.storage.base import FileStorage, LinkTarget, UploadLink, UploadTarget

_HAS_FADVISE = sys.platform == "linux"
_READ_BYTES = 1 << 20


class LocalStorage(FileStorage, FileSystemStorage):
    """Django's file system storage, with durable and verified writes.

    `save` flushes the file to disk and compares it with the given content. On Linux the comparison
    reads the disk, not the page cache. Files leave the page cache: large files that are read once
    would push the pages of the database out of it.

    window_bytes: size of the window that is flushed and compared at once; two are in memory.
    """

    verifies_writes = True
    receives_uploads = False
    window_bytes = 2 << 20

    def _save(self, name: str, content: Any) -> str:
        # Django creates the empty file: its folders, its permissions, and an unused name.
        saved: str = super()._save(name, ContentFile(b""))  # type: ignore[misc]
        path = self.path(saved)
        try:
            self._write(path, content.chunks())
            self._flush_folders(path)
        except BaseException:
            # The caller does not know the name of the file, so it cannot delete it.
            with suppress(OSError):
                os.unlink(path)
            raise
        return saved

    def _flush_folders(self, path: str) -> None:
        """Make the name of a file durable: flush its folder, and the parents, which may be new."""
        folder = path
        while folder != self.location:
            folder = os.path.dirname(folder)
            _flush_folder(folder)

    def _write(self, path: str, blocks: Iterable[bytes]) -> None:
        """Write the blocks into an existing file, flush them and compare them."""
        with open(path, "wb") as file, open(path, "rb") as stored:

            def write_and_compare(window: list[bytes]) -> None:
                start = file.tell()
                file.writelines(window)
                file.flush()
                self.flush_to_disk(file.fileno(), start, file.tell())
                if any(stored.read(len(block)) != block for block in window):
                    raise OSError(errno.EIO, "the stored bytes differ from the written bytes", path)
                _drop_from_cache(file.fileno(), start, file.tell())

            # The next window is produced while the disk is busy.
            for _ in map_ahead(write_and_compare, self._windows(blocks)):
                pass

    def flush_to_disk(self, file: int, start: int, end: int) -> None:
        """Make the written bytes of a file durable, and drop them from the page cache.

        file: file descriptor.
        start, end: range of the bytes.
        """
        os.fsync(file)
        _drop_from_cache(file, start, end)

    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        with open(self.path(key), "rb", buffering=0) as file:
            file.seek(start)
            while block := file.read(min(_READ_BYTES, end - file.tell())):
                yield block
            _drop_from_cache(file.fileno(), start, end)

    def copy(self, source: str, target: str) -> None:
        """Give the file a second name: stored files never change, so no byte is copied.

        File systems without hard links, or with no more of them for this file, get a real copy.
        """
        path = self.path(target)
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        try:
            try:
                os.link(self.path(source), path)
            except FileNotFoundError:
                raise
            except OSError:
                self._write(path, self.read_range(source, 0, self.size(source)))
            self._flush_folders(path)
        except BaseException:
            with suppress(OSError):
                os.unlink(path)
            # Only an empty folder can be removed.
            with suppress(OSError):
                os.rmdir(folder)
            raise

    def link(self, target: LinkTarget, seconds: int) -> str:
        """Return a signed URL of Longshore's endpoint, which checks the age of the signature."""
        return signed_links.signed_url(target.url, target.identifier)

    def upload_link(self, target: UploadTarget, seconds: int) -> UploadLink:
        """Return a signed URL of Longshore's endpoint, which checks the age of the signature."""
        return UploadLink(signed_links.signed_url(target.url, target.identifier))

    def probe(self) -> None:
        """Write, read and delete a small file, because disks fill up and become read-only."""
        name = self.save("readyz", ContentFile(b"ready"))
        try:
            with self.open(name) as file:
                if file.read() != b"ready":
                    raise OSError(errno.EIO, "the stored bytes differ from the written bytes", name)
        finally:
            self.delete(name)

    def _delete_contents(self, path: str, deadline: float) -> bool:
        folders, names = self.listdir(path)
        deleted = [self.delete_folder(f"{path}/{folder}", deadline) for folder in folders]
        if not all(deleted):
            return False
        for name in names:
            if time.monotonic() > deadline:
                return False
            deleted.append(self.try_delete(f"{path}/{name}"))
        return all(deleted) and self.try_delete(path)

    def remove_empty_folder(self, path: str) -> None:
        with suppress(OSError):
            self.delete(path)

    def _windows(self, blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
        """Group the blocks into windows; the last window may be small or empty."""
        window: list[bytes] = []
        size = 0
        for block in blocks:
            window.append(block)
            size += len(block)
            if size >= self.window_bytes:
                yield window
                window, size = [], 0
        yield window


def _drop_from_cache(file: int, start: int, end: int) -> None:
    """Drop flushed bytes of a file from the page cache."""
    if _HAS_FADVISE:
        # Linux drops whole pages only: include the page that the previous range ended in.
        start -= start % mmap.PAGESIZE
        os.posix_fadvise(file, start, end - start, os.POSIX_FADV_DONTNEED)


def _flush_folder(path: str) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
