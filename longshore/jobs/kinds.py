"""The registry of the kinds of job. An app registers each of its kinds in `AppConfig.ready`.

Imports no models, so that the Celery application can import it before Django is set up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from longshore.jobs.statuses import QUEUED_AT_ONCE, Lane, Status

if TYPE_CHECKING:
    from longshore.api.errors import BaseErrorCode
    from longshore.jobs.models import Job, JobEvent, JobQuerySet, JobTurn, JobUsage

J = TypeVar("J", bound="Job")


class Limits(Protocol):
    """Limits of one organization for one kind of job; None means no limit.

    unfinished: queued and processing jobs at the same time. daily: jobs created or retried on one
    day, in UTC. seconds: duration of one attempt. stored_bytes: size of the files of all jobs of
    the kind together.
    """

    @property
    def unfinished(self) -> int: ...
    @property
    def daily(self) -> int | None: ...
    @property
    def seconds(self) -> int: ...
    @property
    def stored_bytes(self) -> int | None: ...


@dataclass(frozen=True)
class FixedLimits:
    """Limits of a kind of job that are the same for every organization."""

    unfinished: int
    daily: int | None
    seconds: int
    stored_bytes: int | None


@dataclass(frozen=True)
class JobKind(Generic[J]):
    """One kind of job: its models, queues and rules.

    queues: the name of the queue of each lane.
    limits: returns the limits of an organization, given its id.
    retention: returns how long a completed job keeps its files.
    record_retention: returns how long the row of an ended job is kept.
    unfinished_error: the code of the API's error for too many unfinished jobs.
    statuses: the statuses that jobs of this kind can have.
    """

    job: "type[J]"
    event: "type[JobEvent]"
    turn: "type[JobTurn]"
    usage: "type[JobUsage]"
    queues: Mapping[Lane, str]
    limits: Callable[[str], Limits]
    retention: Callable[[], timedelta]
    record_retention: Callable[[], timedelta]
    unfinished_error: "BaseErrorCode"
    statuses: tuple[Status, ...] = QUEUED_AT_ONCE

    @property
    def name(self) -> str:
        """The singular, such as `export`; also the name of foreign keys to the job."""
        return str(self.job._meta.model_name)

    @property
    def plural(self) -> str:
        """The plural in lower case, such as `exports`: the prefix of the kind's Celery tasks."""
        return str(self.job._meta.verbose_name_plural)

    def task(self, name: str) -> str:
        """Return the full name of one of the kind's Celery tasks, such as `exports.run`."""
        return f"{self.plural}.{name}"

    @property
    def jobs(self) -> "JobQuerySet[J]":
        """All jobs, soft-deleted ones included."""
        return cast("JobQuerySet[J]", self.job._default_manager.all())


_kinds: dict[str, JobKind[Any]] = {}


def register(kind: JobKind[Any]) -> None:
    """Add a kind to the metrics and to the heartbeats of workers."""
    _kinds[kind.name] = kind


def unregister(kind: JobKind[Any]) -> None:
    """Remove a kind that `register` added."""
    del _kinds[kind.name]


def registered() -> tuple[JobKind[Any], ...]:
    """Return all kinds, in the order of their registration."""
    return tuple(_kinds.values())
