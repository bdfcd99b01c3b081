"""The statuses of jobs in this dialect, as values and as SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q

from longshore.jobs.statuses import Status

PENDING, IN_PROGRESS, COMPLETED, INTERRUPTED = (
    "pending",
    "in_progress",
    "completed",
    "interrupted",
)
STATUSES = (PENDING, IN_PROGRESS, COMPLETED, INTERRUPTED)
_STATUSES = {
    Status.REQUESTED: PENDING,
    Status.QUEUED: PENDING,
    Status.PROCESSING: IN_PROGRESS,
    Status.COMPLETED: COMPLETED,
    # Clients wait for `completed` or `interrupted`: `failed` would make them wait for ever.
    Status.FAILED: INTERRUPTED,
    Status.TIMED_OUT: INTERRUPTED,
    Status.CANCELED: INTERRUPTED,
}
# Of an expired job: it was completed once, unless it was never started.
_EXPIRED = {COMPLETED: False, INTERRUPTED: True}
# An expired job was completed once, unless it was never started.
STATUS_SQL = "CASE {row}.status " + " ".join(
    [
        *(f"WHEN '{status.value}' THEN '{shown}'" for status, shown in _STATUSES.items()),
        f"ELSE CASE WHEN {{row}}.started_at IS NULL THEN '{INTERRUPTED}' ELSE '{COMPLETED}' END",
        "END",
    ]
)


def with_statuses(statuses: Sequence[str]) -> Q:
    """Select the jobs with one of these statuses, by the stored ones."""
    found = Q(status__in=[status for status, shown in _STATUSES.items() if shown in statuses])
    for shown, is_unstarted in _EXPIRED.items():
        if shown in statuses:
            found |= Q(status=Status.EXPIRED, started_at__isnull=is_unstarted)
    return found


def status_of(job: Mapping[str, Any]) -> str:
    """Return the status of a job as the native API shows it."""
    status = Status(job["status"])
    if status is Status.EXPIRED:
        return COMPLETED if job["started_at"] else INTERRUPTED
    return _STATUSES[status]
