"""The interface of storages: what Longshore needs beyond Django's storage API."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import ClassVar

from django.core.files.storage import Storage
from django.utils import timezone

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LinkTarget:
    """The stored file of a download link.

    key: of the file in the storage.
    filename: the name that the browser saves the file under.
    content_type: of the download.
    url: absolute URL of Longshore's endpoint for the file, for storages without URLs of their own.
    identifier: identifies the file to that endpoint; part of the signature.
    """

    key: str
    filename: str
    content_type: str
    url: str
    identifier: str


class FileStorage(Storage, ABC):
    """A Django storage with ranges, download links, folders and a probe.

    `save`, `open`, `delete`, `size` and `listdir` are those of Django. A save must not return
    before the file is durable.

    verifies_writes: `save` compares the stored bytes with the given bytes. If false, the caller
        must read the file back.
    """

    verifies_writes: ClassVar[bool]

    @abstractmethod
    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, but not including, `end`, in blocks."""

    @abstractmethod
    def link(self, target: LinkTarget, seconds: int) -> str:
        """Return a URL that downloads the file without an API key.

        seconds: time after which the link has expired.
        """

    @abstractmethod
    def probe(self) -> None:
        """Raise an exception if the storage cannot be used now. Fast enough for health checks."""

    @abstractmethod
    def _delete_contents(self, path: str, deadline: float) -> bool:
        """Do the work of `delete_folder`; may raise any error."""

    def delete_folder(self, path: str, deadline: float = inf) -> bool:
        """Delete a folder with all its files and folders.

        deadline: on the monotonic clock; no request is sent to the storage after it.
        Returns whether no file of it is left, also for a missing folder. Errors are logged.
        """
        try:
            return self._delete_contents(path, deadline)
        except FileNotFoundError:
            return True
        except Exception:
            # Storages raise errors of many kinds. None may stop the caller, which has other
            # folders to delete and a status to set.
            logger.exception("The files in %s could not be deleted.", path)
            return False

    def try_delete(self, key: str) -> bool:
        """Delete a file if it exists. On an error, log it and return False."""
        try:
            self.delete(key)
        except Exception:
            # See delete_folder.
            logger.exception("The file %s could not be deleted.", key)
            return False
        return True

    def remove_empty_folder(self, path: str) -> None:
        """Remove a folder if it is empty. Does nothing in buckets, which have no folders."""

    def orphans(
        self, root: str, known_attempts: Callable[[str], Collection[str]], older_than: timedelta
    ) -> Iterator[str]:
        """Yield the keys of files that belong to no attempt of any job.

        root: of the layout `<root>/<organization>/<job>/<attempt>/<file>`.
        known_attempts: returns the attempts of all jobs of an organization, given its id.
        older_than: age of a file at least; a new attempt may not be known yet.
        """
        newest = timezone.now() - older_than
        for organization in self._folders(root):
            known = set(known_attempts(organization))
            for job in self._folders(f"{root}/{organization}"):
                path = f"{root}/{organization}/{job}"
                for attempt in set(self._folders(path)) - known:
                    yield from self._files_before(f"{path}/{attempt}", newest)

    def _folders(self, path: str) -> list[str]:
        try:
            return self.listdir(path)[0]
        except FileNotFoundError:
            return []

    def _files_before(self, path: str, newest: datetime) -> Iterator[str]:
        folders, names = self.listdir(path)
        for name in names:
            if self.get_modified_time(f"{path}/{name}") < newest:
                yield f"{path}/{name}"
        for folder in folders:
            yield from self._files_before(f"{path}/{folder}", newest)
