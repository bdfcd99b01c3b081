"""Exports and batches that exist: wait, cancel, download, undo."""

import sys
import time
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

from longshore_client.downloads import download_files
from longshore_client.errors import JobFailed
from longshore_client.transport import Transport

UNFINISHED = {"requested", "queued", "processing"}
MAX_POLL_SECONDS = 5.0


class Job:
    """An export or batch. data: its JSON in the last response."""

    collection: ClassVar[str]

    def __init__(self, transport: Transport, data: dict[str, Any]) -> None:
        self._transport, self.data = transport, data
        self.id: str = data["id"]
        self._path = f"{self.collection}/{self.id}"

    @property
    def status(self) -> str:
        return str(self.data["status"])

    @property
    def records_count(self) -> int | None:
        count: int | None = self.data["records_count"]
        return count

    def refresh(self) -> Self:
        self.data = self._transport.request("GET", self._path)
        return self

    def wait(self, timeout: float | None = None, *, progress: bool = False) -> Self:
        """Wait until the job is completed.

        timeout: in seconds; None waits without a limit.
        progress: show the progress on stderr if it is a terminal.

        Raises JobFailed if the job ends without success, and TimeoutError.
        """
        started, pause, shows = time.monotonic(), 0.2, progress and sys.stderr.isatty()
        while self.status in UNFINISHED:
            if shows:
                sys.stderr.write(f"\r{self.id} {self.status} {self.data['progress']}%\x1b[K")
            if timeout is not None and time.monotonic() - started + pause > timeout:
                raise TimeoutError(f"{self.id} is still {self.status} after {timeout} s.")
            time.sleep(pause)
            pause = min(pause * 1.5, MAX_POLL_SECONDS)
            self.refresh()
        if shows:
            sys.stderr.write(f"\r{self.id} {self.status}\x1b[K\n")
        if self.status != "completed":
            message = f"{self.id} is {self.status}, not completed."
            error = self.data["error"] or {"error": self.status, "message": message}
            details = {"id": self.id, "status": self.status}
            raise JobFailed(error["error"], error["message"], details)
        return self

    def cancel(self) -> Self:
        self.data = self._transport.request("POST", f"{self._path}/cancel")
        return self

    def delete(self) -> None:
        """Delete the job and its files."""
        self._transport.request("DELETE", self._path)


class Export(Job):
    collection = "/v1/exports"

    def preview(self) -> Any:
        """Return the preview that the request of this export has now."""
        request = self.data["request"]
        return self._transport.request("POST", f"{self.collection}/preview", json=request)

    def manifest(self) -> Any:
        """Return the description of the files of the completed export, such as `snapshot_at`."""
        return self._transport.request("GET", f"{self._path}/manifest")

    def download(self, target: str | PathLike[str]) -> Path:
        """Download the files of the completed export. Returns the path of the file or folder.

        Continues an interrupted download, renews expired links, and compares the SHA-256 of each
        file. A file gets its final name when it is complete.

        target: a file, or a folder if it exists or the export has several files. With a name that
            ends in `.zip`: one archive of all files, whose download starts again if interrupted.
        """
        return download_files(self._transport, self._path, self.data["files"], Path(target))


class Batch(Job):
    collection = "/v1/batches"

    @property
    def stats(self) -> dict[str, int]:
        """The number of rows by outcome: created, updated, unchanged, deleted, failed."""
        stats: dict[str, int] = self.data["stats"]
        return stats

    def errors(self) -> Iterator[dict[str, Any]]:
        """Yield the errors of rows: row, column, value, code, message."""
        return self._transport.pages(f"{self._path}/errors", {"limit": 100})

    def undo(self, *, idempotency_key: str | None = None) -> "Batch":
        """Return the batch that reverses this one."""
        return Batch(self._transport, self._transport.create(f"{self._path}/undo", idempotency_key))
