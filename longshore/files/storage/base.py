"""The interface of storages: what Longshore needs beyond Django's storage API."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from math import inf
from operator import itemgetter
from typing import IO, ClassVar, Protocol

from django.core.files.storage import Storage
from django.utils import timezone
from redis.exceptions import RedisError

from longshore.cache import cache

logger = logging.getLogger(__name__)

# Limits of S3.
MIN_PART_BYTES = 5 << 20
MAX_PARTS = 10_000
# The position before the first job of the first organization.
_START = ("", "")


class PartsNotSupported(Exception):
    """The server of the storage cannot make a file of parts and compare its checksum."""


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


@dataclass(frozen=True)
class UploadTarget:
    """The future file of an upload link.

    key: of the file in the storage, for storages that receive uploads themselves.
    url: absolute URL of Longshore's endpoint for the upload, for all other storages.
    identifier: identifies the upload to that endpoint; part of the signature.
    """

    key: str
    url: str
    identifier: str


@dataclass(frozen=True)
class UploadLink:
    """A request by which a client uploads a file, with the file as its body."""

    url: str
    method: str = "PUT"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SavedPart:
    """A part of a file in the storage.

    tag: identifies the saved bytes.
    crc32: of the bytes.
    """

    number: int
    tag: str
    crc32: int


class SavePart(Protocol):
    """Saves a part of a file. Raises PartsNotSupported.

    number: 1 to `MAX_PARTS`. A part with the same number is replaced.
    content: at least `MIN_PART_BYTES`, unless the part is the last one.
    crc32: of the content, which the storage compares.
    """

    def __call__(self, number: int, content: IO[bytes], crc32: int, /) -> SavedPart: ...


class FileStorage(Storage, ABC):
    """A Django storage with ranges, links, folders and a probe.

    `save`, `open`, `delete`, `size` and `listdir` are those of Django. A save must not return
    before the file is durable.

    verifies_writes: `save` compares the stored bytes with the given bytes. If false, the caller
        must read the file back.
    receives_uploads: clients upload to the storage, which shows a file when it is complete. If
        false, they upload to Longshore.
    search_seconds: time limit of one search for orphans.
    """

    verifies_writes: ClassVar[bool]
    receives_uploads: ClassVar[bool]
    search_seconds: ClassVar[float] = 45.0

    @abstractmethod
    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, but not including, `end`, in blocks.

        Raises FileNotFoundError if the file does not exist.
        """

    @property
    def receives_parts(self) -> bool:
        """Whether several processes can upload the parts of one file: see `start_parts`."""
        return False

    def start_parts(self, key: str, content_type: str) -> str:
        """Begin a file that is saved in parts. Return the identifier of its upload.

        The deletion of the file's folder does not end the upload: complete or abort it.
        Raises PartsNotSupported, as the other methods of parts do.
        """
        raise NotImplementedError

    def part_saver(self, key: str, upload: str) -> "SavePart":
        """Return a function that saves a part; it may be called in other threads.

        key, upload: as for `start_parts`.
        """
        raise NotImplementedError

    def complete_parts(self, key: str, upload: str, parts: Sequence[SavedPart], crc32: int) -> None:
        """Make the file of its parts, in the order of their numbers.

        parts: those that are not listed are dropped.
        crc32: of the whole file, which the storage compares.
        """
        raise NotImplementedError

    def abort_parts(self, key: str, upload: str) -> bool:
        """Delete the parts of an upload that was not completed.

        Returns whether nothing of it is left, also if it does not exist. Errors are logged.
        """
        return True

    @abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Store a second file with the content of another one, without reading it if possible.

        source, target: keys. The target does not exist.
        Raises FileNotFoundError if the source does not exist.
        """

    @abstractmethod
    def link(self, target: LinkTarget, seconds: int) -> str:
        """Return a URL that downloads the file without an API key.

        seconds: time after which the link has expired.
        """

    @abstractmethod
    def upload_link(self, target: UploadTarget, seconds: int) -> UploadLink:
        """Return a request that uploads a file without an API key.

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
        if time.monotonic() > deadline:
            return False
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

        A search ends after `search_seconds`, or if the caller stops. The next search of the same
        root continues after the last job that was searched, so several searches together cover any
        number of jobs.

        root: of the layout `<root>/<organization>/<job>/<attempt>/<file>`.
        known_attempts: returns the attempts of all jobs of an organization, given its id.
        older_than: age of a file at least; a new attempt may not be known yet.
        """
        newest = timezone.now() - older_than
        end = time.monotonic() + self.search_seconds
        key = f"orphans:{root}"
        start = position = _position(key)
        try:
            for organization, jobs in groupby(self._jobs_after(start, root), itemgetter(0)):
                known = set(known_attempts(organization))
                for _, job in jobs:
                    path = f"{root}/{organization}/{job}"
                    for attempt in set(self._folders(path)) - known:
                        yield from self._files_before(f"{path}/{attempt}", newest)
                    position = (organization, job)
                    if time.monotonic() > end:
                        return
            position = _START
        finally:
            with suppress(RedisError):
                cache.set(key, position, timeout=None)

    def _jobs_after(self, start: tuple[str, str], root: str) -> Iterator[tuple[str, str]]:
        """Yield the organization and the name of each folder of a job after a position, sorted."""
        for organization in self._folders(root):
            if organization >= start[0]:
                for job in self._folders(f"{root}/{organization}"):
                    if (organization, job) > start:
                        yield organization, job

    def _folders(self, path: str) -> list[str]:
        return sorted(self._list(path)[0])

    def _files_before(self, path: str, newest: datetime) -> Iterator[str]:
        folders, names = self._list(path)
        for name in names:
            file = f"{path}/{name}"
            try:
                modified = self.get_modified_time(file)
            except FileNotFoundError:
                # A worker may delete the files of its attempt at any time.
                continue
            if modified < newest:
                yield file
        for folder in folders:
            yield from self._files_before(f"{path}/{folder}", newest)

    def _list(self, path: str) -> tuple[list[str], list[str]]:
        """Return the folders and the files of a folder; nothing for a missing folder."""
        try:
            return self.listdir(path)
        except FileNotFoundError:
            return [], []


def _position(key: str) -> tuple[str, str]:
    """Return the organization and the job after which a search for orphans continues."""
    # The cache stores JSON, which has no tuples.
    position: list[str] | None = None
    with suppress(RedisError):
        position = cache.get(key)
    return (position[0], position[1]) if position else _START
