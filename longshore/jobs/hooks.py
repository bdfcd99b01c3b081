"""What a kind of job does of its own when the status of a job changes."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import inf
from typing import Any, ClassVar, Generic, TypeVar

from longshore.api import idempotency
from longshore.jobs import counters
from longshore.jobs.kinds import JobKind
from longshore.jobs.models import Job
from longshore.jobs.statuses import TERMINAL

J = TypeVar("J", bound=Job)


class LifecycleHooks(Generic[J]):
    """The part of `longshore.jobs.lifecycle.Lifecycle` that a kind of job overrides."""

    # Fields beyond those of `Job` that a restart resets and a deletion clears.
    restart_values: ClassVar[Mapping[str, Any]] = {}
    deletion_values: ClassVar[Mapping[str, Any]] = {}
    # Ends the message of a job that exceeded its time limit.
    time_limit_advice: ClassVar[str] = ""

    def __init__(self, kind: JobKind[J]) -> None:
        self.kind = kind

    def lifetime(self, job: J) -> timedelta:
        """Return the time from the creation of a job to its expiry, unless its status changes."""
        return self.kind.retention()

    def changed(self, job: J) -> None:
        """Handle a new status of a job, in the transaction that changes it.

        job: as it is in the database.
        """
        if job.status in TERMINAL:
            counters.add(self.kind, job)

    def deleted(self, job: J) -> None:
        """Delete what other tables hold of a job, in the transaction that soft-deletes it."""
        idempotency.purge_responses(job.organization_id, job.public_id)

    def check_retry(self, job: J) -> None:
        """Raise ApiError if an ended job cannot run again, for example without its input."""

    def delete_attempts(self, job: J, claims: Iterable[str], deadline: float = inf) -> bool:
        """Delete the files that attempts of a job wrote, but not its input.

        claims: the tokens of the attempts. A later attempt may be running: keep its files.
        deadline: on the monotonic clock; send no request to the storage after it.
        Returns False if a file is left. Callers also expect the errors of the storage.
        """
        storage = self.kind.storage
        return storage is None or storage.delete_attempts(job, claims, deadline)

    def delete_files(self, job: J, deadline: float = inf) -> bool:
        """Delete all files of a job at the end of its life: those of its attempts, and its input.

        deadline, returns: as for `delete_attempts`.
        """
        return self.delete_attempts(job, job.claims, deadline)

    def orphans(self, older_than: timedelta) -> Iterable[str]:
        """Yield the storage keys of files that belong to no job and are older than this."""
        return () if self.kind.storage is None else self.kind.storage.orphans(older_than)

    def count_failures(self, job: J) -> int:
        """Return the number of attempts whose failure counts against the job."""
        return len(job.claims)
