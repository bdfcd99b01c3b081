"""Status, progress, times and history of a job, as admin pages show them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import TextChoices

from longshore.jobs.admin.presentation import EMPTY, Table, duration, exact_time, nowrap, table

# Colors of Unfold's labels.
STATUS_COLORS = {
    "requested": "info",
    "queued": "info",
    "processing": "primary",
    "completed": "success",
    "failed": "danger",
    "timed_out": "danger",
    "canceled": "warning",
    "expired": "default",
}


class ShownJob(Protocol):
    """What the pages read of a job.

    shown_status: the status, but `expired` as soon as the retention of a completed job has ended.
    progress: percent of the rows written.
    """

    @property
    def status(self) -> str: ...
    @property
    def shown_status(self) -> TextChoices: ...
    @property
    def processed_count(self) -> int: ...
    @property
    def records_count(self) -> int | None: ...
    @property
    def progress(self) -> int: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def completed_at(self) -> datetime | None: ...
    @property
    def estimated_completion(self) -> datetime | None: ...
    @property
    def expires_at(self) -> datetime: ...


class ShownEvent(Protocol):
    """What the pages read of a change of a job's status."""

    @property
    def created_at(self) -> datetime: ...
    @property
    def attempt(self) -> int: ...
    @property
    def reason(self) -> str: ...
    def get_status_display(self) -> str: ...


def progress_context(job: ShownJob, unit: str) -> dict[str, Any]:
    """Return the context of the progress bar.

    unit: the things that `processed_count` counts, such as `rows`.
    `percent` is None while the total is unknown: the bar then moves back and forth.
    """
    is_running = job.status in ("requested", "queued", "processing")
    has_total = job.records_count is not None or job.status != "processing"
    processed, total = f"{job.processed_count:,}", f"{job.records_count or 0:,}"
    match job.status:
        case "requested":
            text = "Waiting for the input"
        case "queued":
            text = "Waiting for a worker"
        case "processing":
            text = f"{processed} of {total} {unit}" if has_total else f"{processed} {unit} so far"
        case "failed" | "timed_out" | "canceled":
            text = f"Stopped after {processed} {unit}"
        case _:
            text = f"{total} {unit}"
    return {
        "job": job,
        "is_running": is_running,
        "percent": job.progress if has_total else None,
        "text": text,
    }


def times(job: ShownJob) -> list[tuple[str, str, str]]:
    """Return title, relative time and exact time of each step of a job, past or expected."""
    started, ended = job.started_at, job.completed_at
    steps = [("Created", job.created_at, naturaltime(job.created_at))]
    if started:
        waited = f"after {duration(started - job.created_at)} in the queue"
        steps.append(("Started", started, waited))
    if started and ended:
        steps.append(("Ended", ended, f"after {duration(ended - started)} of processing"))
    if job.estimated_completion and job.status == "processing":
        estimate = job.estimated_completion
        steps.append(("Estimated end", estimate, naturaltime(estimate)))
    if job.status in ("completed", "expired"):
        title = "Files expired" if job.shown_status == "expired" else "Files expire"
        steps.append((title, job.expires_at, naturaltime(job.expires_at)))
    return [(title, relative, exact_time(when)) for title, when, relative in steps]


def history(events: Iterable[ShownEvent]) -> Table:
    """Return the changes of a job's status, in the given order, as a table."""
    rows = [
        [
            nowrap(exact_time(event.created_at)),
            event.get_status_display(),
            str(event.attempt or EMPTY),
            event.reason or EMPTY,
        ]
        for event in events
    ]
    return table("History", ["Time", "Status", "Attempt", "Reason"], rows)
