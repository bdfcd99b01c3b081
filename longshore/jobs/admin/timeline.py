"""The history of a job: changes of its status, and what the staff did with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from longshore.accounts import audit
from longshore.accounts.admin.history import label
from longshore.accounts.models import AuditAction, AuditEntry
from longshore.jobs.admin.presentation import duration, exact_time
from longshore.jobs.admin.progress import STATUS_COLORS
from longshore.jobs.models import Job
from longshore.jobs.statuses import Status

MAX_STEPS = 200
_MAX_ENTRIES = 100
_STAFF_COLOR = "default"


@dataclass(frozen=True)
class TimelineStep:
    """A line of the history.

    attempt: its number; 0 if the step belongs to no attempt.
    after: time since the step before, such as `2.5 s`.
    """

    title: str
    detail: str
    color: str
    when: datetime
    time: str
    attempt: int = 0
    after: str = ""


def entries_of(job: Job) -> list[AuditEntry]:
    """Return the newest entries of a job in the audit log, newest first."""
    return list(audit.entries_of(type(job), str(job.pk))[:_MAX_ENTRIES])


def creator(job: Job) -> str:
    """Return the name of the person who created a job in the admin; "" if nobody did."""
    # Not from `entries_of`, which lacks the oldest entries of a job that has many.
    additions = audit.entries_of(type(job), str(job.pk)).filter(action=AuditAction.ADD)
    return additions.values_list("username", flat=True).first() or ""


def steps(job: Job, entries: Iterable[AuditEntry]) -> list[TimelineStep]:
    """Return the history, newest first, at most MAX_STEPS lines.

    entries: of the audit log.
    """
    events = job.newest_events()[-MAX_STEPS:]
    found = [_step_of_event(after, before) for before, after in pairwise([None, *events])]
    found += [_step_of_entry(entry) for entry in entries]
    return sorted(found, key=lambda step: step.when, reverse=True)[:MAX_STEPS]


def _step_of_event(event: Any, before: Any) -> TimelineStep:
    return TimelineStep(
        title=str(event.get_status_display()),
        detail=event.reason,
        color=STATUS_COLORS[Status(event.status)],
        when=event.created_at,
        time=exact_time(event.created_at),
        attempt=event.attempt,
        after=duration(event.created_at - before.created_at) if before else "",
    )


def _step_of_entry(entry: AuditEntry) -> TimelineStep:
    verb = label(entry.action.removesuffix("_job").removesuffix("_selected"))
    title = "Created" if entry.action == AuditAction.ADD else verb
    return TimelineStep(
        title=f"{title} by {entry.username}",
        detail=entry.message,
        color=_STAFF_COLOR,
        when=entry.created_at,
        time=exact_time(entry.created_at),
    )
