"""Admits jobs within the limits of an organization: one place for creation and retry.

All checks are exact under `lock`, which serializes the requests of one organization.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Sum
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from psycopg import sql

from longshore.accounts.models import Organization
from longshore.api.errors import ApiError
from longshore.jobs.errors import JobErrorCode
from longshore.jobs.kinds import JobKind, Limits
from longshore.jobs.models import Job, JobQuerySet

J = TypeVar("J", bound=Job)

# When to try again if no unfinished job has an estimated completion.
_DEFAULT_RETRY_SECONDS = 30
# The names of the quotas: fields of `JobLimits`.
UNFINISHED, DAILY, STORED_BYTES = "unfinished", "daily", "stored_bytes"

# SQL texts, because Django needs longer to build these queries than PostgreSQL to run them, and
# creations of one organization wait for each other meanwhile.
_LOCK = sql.SQL("SELECT FROM {organizations} WHERE id = %s FOR NO KEY UPDATE")
_UNFINISHED = sql.SQL(
    """(
    SELECT count(*) FROM {jobs}
    WHERE deleted_at IS NULL AND organization_id = %(organization)s
        AND status = ANY (%(unfinished)s)
)"""
)
# `sum` of bigint is numeric.
_STORED_BYTES = sql.SQL(
    """(
    SELECT coalesce(sum(stored_bytes), 0)::bigint FROM {jobs}
    WHERE organization_id = %(organization)s AND stored_bytes > 0
)"""
)
_USED = sql.SQL(
    """
SELECT {unfinished}, coalesce((
    SELECT jobs FROM {usage} WHERE organization_id = %(organization)s AND day = %(today)s
), 0), {stored_bytes}
"""
)
_ADMIT = sql.SQL(
    """
WITH counted AS (
    INSERT INTO {usage} AS usage (organization_id, last_number, day, jobs)
    VALUES (%(organization)s, %(new)s, %(today)s, 1)
    ON CONFLICT (organization_id) DO UPDATE SET
        last_number = usage.last_number + excluded.last_number,
        day = excluded.day,
        jobs = CASE WHEN usage.day = excluded.day THEN usage.jobs + 1 ELSE 1 END
    RETURNING last_number, jobs
)
SELECT last_number, {unfinished}, jobs - 1, {stored_bytes} FROM counted
"""
)


@dataclass(frozen=True)
class Quotas:
    """Limits on what an organization uses: unfinished jobs, jobs per day, stored bytes.

    has_stored_bytes: whether the quota of stored bytes applies.
    """

    kind: JobKind[Any]
    organization_id: str
    limits: Limits
    has_stored_bytes: bool = True

    def used(self) -> dict[str, int]:
        """Return what the organization uses of each quota, by name, in one query."""
        return self._named(self._execute(_USED, sums_bytes=True))

    def check(self) -> None:
        """Raise ApiError if one more job would exceed a quota, in one query.

        Exact only under `lock`; without it, a cheap check before expensive work.
        """
        sums_bytes = self._max_stored_bytes is not None
        self._check(self._named(self._execute(_USED, sums_bytes=sums_bytes)))

    def admit(self, *, is_new: bool) -> int:
        """Count one more job that is created or retried. Call it under `lock`.

        Returns the number of the newest job in its organization. Raises ApiError if the job would
        exceed a quota: the caller rolls back its transaction, which has counted the job.
        """
        sums_bytes = self._max_stored_bytes is not None
        last_number, *used = self._execute(_ADMIT, sums_bytes=sums_bytes, new=int(is_new))
        self._check(self._named(used))
        return last_number

    def _check(self, used: dict[str, int]) -> None:
        kind, limits = self.kind, self.limits
        if used[UNFINISHED] >= limits.unfinished:
            wait = _seconds_until_one_ends(kind, self.organization_id)
            raise too_many_unfinished(kind, limits.unfinished, wait)
        if limits.daily is not None and used[DAILY] >= limits.daily:
            now = datetime.now(UTC)
            wait = ceil((next_day(now) - now).total_seconds())
            raise too_many_today(kind, used[DAILY], limits.daily, wait)
        maximum = self._max_stored_bytes
        if maximum is not None and used[STORED_BYTES] >= maximum:
            raise too_many_stored_bytes(kind, used[STORED_BYTES], maximum)

    def _named(self, used: Sequence[int]) -> dict[str, int]:
        return dict(zip((UNFINISHED, DAILY, STORED_BYTES), used, strict=True))

    @property
    def _max_stored_bytes(self) -> int | None:
        return self.limits.stored_bytes if self.has_stored_bytes else None

    def _execute(self, statement: sql.SQL, *, sums_bytes: bool, **values: int) -> Sequence[int]:
        """Run a statement of this module and return its row.

        sums_bytes: whether to sum the stored bytes, which reads all jobs with files; otherwise 0.
        """
        tables = {
            "jobs": sql.Identifier(self.kind.job._meta.db_table),
            "usage": sql.Identifier(self.kind.usage._meta.db_table),
        }
        parts = {
            "unfinished": _UNFINISHED.format(**tables),
            "stored_bytes": _STORED_BYTES.format(**tables) if sums_bytes else sql.SQL("0"),
        }
        known: dict[str, Any] = {
            "organization": self.organization_id,
            "unfinished": [str(status) for status in self.kind.unfinished],
            "today": _today(),
        }
        with connection.cursor() as cursor:
            cursor.execute(statement.format(**tables, **parts).as_string(None), known | values)
            row: Sequence[int] = cursor.fetchone()
        return row


def lock(organization_id: str) -> None:
    """Lock an organization until the end of the transaction.

    Without the lock, concurrent requests could all take the last place within a limit. No error if
    the organization does not exist: it may be deleted while its jobs end.
    Raises TransactionManagementError outside a transaction, where the lock would end at once.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("The lock of an organization needs a transaction.")
    statement = _LOCK.format(organizations=sql.Identifier(Organization._meta.db_table))
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), [organization_id])


def unfinished_of(kind: JobKind[J], organization_id: str) -> JobQuerySet[J]:
    """Return the jobs that count against the limit of unfinished jobs."""
    return kind.jobs.visible().filter(organization_id=organization_id, status__in=kind.unfinished)


def next_day(now: datetime) -> datetime:
    """Return the end of the day, in UTC, to which daily quotas apply."""
    return datetime.combine(now.date() + timedelta(days=1), time(), UTC)


def stored_bytes_of(kind: JobKind[Any], organization_id: str) -> int:
    """Return the size of all files of an organization in storage, of deleted jobs too."""
    files = kind.jobs.filter(organization=organization_id, stored_bytes__gt=0)
    used: int = files.aggregate(bytes=Sum("stored_bytes", default=0))["bytes"]
    return used


def admit_stored_bytes(kind: JobKind[Any], organization_id: str, size: int) -> None:
    """Raise ApiError if files of `size` bytes would exceed the storage quota.

    Call it in the transaction that stores `size`: if there is a quota, the transaction holds the
    `lock` from here on.
    """
    maximum = kind.limits(organization_id).stored_bytes
    if maximum is None:
        return
    lock(organization_id)
    used = stored_bytes_of(kind, organization_id)
    if used + size > maximum:
        raise too_many_stored_bytes(kind, used, maximum)


def too_many_unfinished(kind: JobKind[Any], maximum: int, seconds: int) -> ApiError:
    """Return the error for the limit of unfinished jobs.

    seconds: until a job may end.
    """
    text = (
        f"{maximum} {kind.plural} are unfinished, which is the limit: "
        "wait for one to end, or cancel one."
    )
    return ApiError(kind.unfinished_error, text, {"maximum": maximum, "retry_after": seconds})


def too_many_today(kind: JobKind[Any], used: int, maximum: int, seconds: int) -> ApiError:
    """Return the error for the daily quota.

    seconds: until the next day begins, in UTC.
    """
    text = (
        f"{used:,} {kind.plural} were created or retried today (UTC); "
        f"the limit is {maximum:,} per day."
    )
    details = {"maximum": maximum, "used": used, "retry_after": seconds}
    return ApiError(JobErrorCode.DAILY_QUOTA_EXCEEDED, text, details)


def too_many_stored_bytes(kind: JobKind[Any], used: int, maximum: int) -> ApiError:
    text = (
        f"The files of the organization's {kind.plural} have {used:,} bytes; "
        f"the limit is {maximum:,}. Delete {kind.plural}, or wait until some expire."
    )
    details = {"maximum": maximum, "used": used}
    return ApiError(JobErrorCode.STORAGE_QUOTA_EXCEEDED, text, details)


def _today() -> date:
    return datetime.now(UTC).date()


def _seconds_until_one_ends(kind: JobKind[Any], organization_id: str) -> int:
    unfinished = unfinished_of(kind, organization_id)
    times = unfinished.filter(estimated_completion__gt=timezone.now())
    first = times.order_by("estimated_completion").first()
    if first is None or first.estimated_completion is None:
        return _DEFAULT_RETRY_SECONDS
    wait: timedelta = first.estimated_completion - timezone.now()
    return max(1, ceil(wait.total_seconds()))
