"""The registry of the kinds of job. An app registers each of its kinds in `AppConfig.ready`.

Imports no models, so that the Celery application can import it before Django is set up.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from longshore.jobs.statuses import RETRYABLE, UNFINISHED, Lane, Status

if TYPE_CHECKING:
    from longshore.api.errors import BaseErrorCode
    from longshore.jobs.models import Job, JobEvent, JobQuerySet, JobTurn, JobUsage
    from longshore.jobs.storage import JobStorage

J = TypeVar("J", bound="Job")


class Limits(Protocol):
    """Limits of one organization for one kind of job; None means no limit.

    unfinished: requested, queued and processing jobs at the same time.
    daily: jobs created or retried on one day, in UTC.
    seconds: duration of one attempt.
    stored_bytes: size of the files of all jobs of the kind together.
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

    plural: the plural in lower case, such as `exports`: the prefix of the kind's Celery tasks and
        metrics. Letters and underscores only.
    queues: the name of the queue of each lane.
    limits: returns the limits of an organization, given its id.
    retention: returns how long a completed job keeps its files.
    record_retention: returns how long the row of an ended job is kept.
    unfinished_error: the code of the API's error for too many unfinished jobs.
    storage: of the files, which are deleted with their organization; None for a kind without files.
    retryable: the ended statuses in which a job can be retried.
    bytes_field: the field of a completed job with the number of bytes that it wrote or read.
    """

    job: "type[J]"
    event: "type[JobEvent]"
    turn: "type[JobTurn]"
    usage: "type[JobUsage]"
    plural: str
    queues: Mapping[Lane, str]
    limits: Callable[[str], Limits]
    retention: Callable[[], timedelta]
    record_retention: Callable[[], timedelta]
    unfinished_error: "BaseErrorCode"
    storage: "JobStorage[J] | None" = None
    retryable: tuple[Status, ...] = RETRYABLE
    bytes_field: str = "stored_bytes"

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z_]+", self.plural):
            text = f"The plural {self.plural!r} may contain only letters a-z and underscores."
            raise ValueError(text)

    @property
    def name(self) -> str:
        """The singular, such as `export`; also the name of foreign keys to the job."""
        return str(self.job._meta.model_name)

    @property
    def title(self) -> str:
        """The plural for people, such as `Exports`."""
        return self.plural.replace("_", " ").capitalize()

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The statuses that jobs of this kind can have: the choices of the model's field."""
        field: Any = self.job._meta.get_field("status")
        return tuple(Status(value) for value, _ in field.choices)

    @property
    def unfinished(self) -> tuple[Status, ...]:
        """The statuses of unfinished jobs; in all of them a job can be canceled."""
        return tuple(status for status in UNFINISHED if status in self.statuses)

    def task(self, name: str) -> str:
        """Return the full name of one of the kind's Celery tasks, such as `exports.run`."""
        return f"{self.plural}.{name}"

    @property
    def jobs(self) -> "JobQuerySet[J]":
        """All jobs, soft-deleted ones included."""
        return cast("JobQuerySet[J]", self.job._default_manager.all())


_kinds: dict[str, JobKind[Any]] = {}


def register(kind: JobKind[Any]) -> None:
    """Add a kind to the metrics, the heartbeats of workers and the deletion of organizations.

    Raises ValueError if a registered kind has the same name or plural.
    """
    for other in _kinds.values():
        if kind.name == other.name or kind.plural == other.plural:
            raise ValueError(f"A kind of job {kind.name!r} ({kind.plural}) is already registered.")
    _kinds[kind.name] = kind


def unregister(kind: JobKind[Any]) -> None:
    """Remove a kind that `register` added."""
    del _kinds[kind.name]


def registered() -> tuple[JobKind[Any], ...]:
    """Return all kinds, in the order of their registration."""
    return tuple(_kinds.values())
