"""Status, progress and times of a job, as admin pages show them."""

from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime

from longshore.jobs.admin.presentation import duration, exact_time
from longshore.jobs.models import Job
from longshore.jobs.statuses import UNFINISHED, Status

# Colors of Unfold's labels.
STATUS_COLORS = {
    Status.REQUESTED: "info",
    Status.QUEUED: "info",
    Status.PROCESSING: "primary",
    Status.COMPLETED: "success",
    Status.FAILED: "danger",
    Status.TIMED_OUT: "danger",
    Status.CANCELED: "warning",
    Status.EXPIRED: "default",
}


def progress_context(job: Job, unit: str) -> dict[str, Any]:
    """Return the context of the progress bar.

    unit: the things that `processed_count` counts, such as `rows`.
    `percent` is None while the total is unknown: the bar then moves back and forth.
    """
    has_total = job.records_count is not None or job.status != Status.PROCESSING
    processed, total = f"{job.processed_count:,}", f"{job.records_count or 0:,}"
    match job.status:
        case Status.REQUESTED:
            text = "Waiting for the input"
        case Status.QUEUED:
            text = "Waiting for a worker"
        case Status.PROCESSING:
            text = f"{processed} of {total} {unit}" if has_total else f"{processed} {unit} so far"
        case Status.FAILED | Status.TIMED_OUT | Status.CANCELED:
            text = f"Stopped after {processed} {unit}"
        case _:
            text = f"{total} {unit}"
    return {
        "job": job,
        "is_unfinished": job.status in UNFINISHED,
        "percent": job.progress if has_total else None,
        "text": text,
    }


def times(job: Job) -> list[tuple[str, str, str]]:
    """Return title, relative time and exact time of each step of a job, past or expected."""
    started, ended = job.started_at, job.completed_at
    steps = [("Created", job.created_at, naturaltime(job.created_at))]
    if started:
        # The start of the last attempt. A job may have waited for a retry or for its input.
        steps.append(("Started", started, f"{duration(started - job.created_at)} after creation"))
    if started and ended:
        steps.append(("Ended", ended, f"after {duration(ended - started)} of processing"))
    if job.estimated_completion and job.status == Status.PROCESSING:
        estimate = job.estimated_completion
        steps.append(("Estimated end", estimate, naturaltime(estimate)))
    if job.status in (Status.COMPLETED, Status.EXPIRED):
        title = "Files expired" if job.shown_status == Status.EXPIRED else "Files expire"
        steps.append((title, job.expires_at, naturaltime(job.expires_at)))
    return [(title, relative, exact_time(when)) for title, when, relative in steps]
