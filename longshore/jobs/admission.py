"""Admits jobs within the limits of an organization: one place for creation and retry.

All checks are exact under `lock`, which serializes the requests of one organization.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any, TypeVar

from django.db import connection
from django.db.models import BigIntegerField, Count, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
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
# The quota of jobs per day.
DAILY = "daily"

_COUNT = sql.SQL(
    """
INSERT INTO {usage} AS usage (organization_id, last_number, day, jobs)
VALUES (%s, %s, %s, 1)
ON CONFLICT (organization_id) DO UPDATE SET
    last_number = usage.last_number + excluded.last_number,
    day = excluded.day,
    jobs = CASE WHEN usage.day = excluded.day THEN usage.jobs + 1 ELSE 1 END
RETURNING last_number
"""
)


@dataclass(frozen=True)
class Quota:
    """A limit on what an organization uses.

    name: that of the limit, a field of `JobLimits`.
    used: a query of one number for the organization `OuterRef("pk")`; no row means 0.
    maximum: None for no limit. A job is admitted while less than this is used.
    refusal: returns the error to raise, given the number used.
    """

    name: str
    used: QuerySet[Any, Any]
    maximum: int | None
    refusal: Callable[[int], ApiError]


def lock(organization_id: str) -> None:
    """Lock an organization until the end of the transaction.

    Without the lock, concurrent requests could all take the last place within a limit.
    """
    # `first` executes the query. No error if the row is missing: the organization may be deleted
    # while its jobs end.
    Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).first()


def unfinished_of(kind: JobKind[J], organization_id: str | OuterRef) -> JobQuerySet[J]:
    """Return the jobs that count against the limit of unfinished jobs."""
    return kind.jobs.visible().filter(organization_id=organization_id, status__in=kind.unfinished)


def quotas(
    kind: JobKind[Any], organization_id: str, limits: Limits, *, has_stored_bytes: bool = True
) -> list[Quota]:
    """Return the quotas of a job: unfinished jobs, jobs per day, stored bytes.

    has_stored_bytes: whether the quota of stored bytes applies to the job.
    """
    unfinished = unfinished_of(kind, OuterRef("pk")).order_by().values("organization")
    usage = kind.usage._default_manager.filter(organization=OuterRef("pk"), day=_today())

    def unfinished_refusal(used: int) -> ApiError:
        wait = _seconds_until_one_ends(kind, organization_id)
        return too_many_unfinished(kind, limits.unfinished, wait)

    def daily_refusal(used: int) -> ApiError:
        now = datetime.now(UTC)
        wait = ceil((next_day(now) - now).total_seconds())
        return too_many_today(kind, used, limits.daily or 0, wait)

    found = [
        Quota(
            "unfinished",
            unfinished.values(count=Count("pk")),
            limits.unfinished,
            unfinished_refusal,
        ),
        Quota(DAILY, usage.values("jobs"), limits.daily, daily_refusal),
    ]
    if has_stored_bytes:
        found.append(
            Quota(
                "stored_bytes",
                _stored(kind, OuterRef("pk")),
                limits.stored_bytes,
                lambda used: too_many_stored_bytes(kind, used, limits.stored_bytes or 0),
            )
        )
    return found


def check(organization_id: str, checked: Iterable[Quota]) -> None:
    """Raise ApiError if one more job would exceed a quota, in one query for all quotas.

    Exact only under `lock`; without it, a cheap check before expensive work.
    """
    limited = [quota for quota in checked if quota.maximum is not None]
    numbers = used(organization_id, limited) if limited else {}
    for quota in limited:
        number = numbers.get(quota.name, 0)
        if quota.maximum is not None and number >= quota.maximum:
            raise quota.refusal(number)


def used(organization_id: str, quotas: Sequence[Quota]) -> dict[str, int]:
    """Return what an organization uses of each quota, by name, in one query.

    Empty if the organization does not exist.
    """
    numbers = {
        quota.name: Coalesce(Subquery(quota.used), Value(0), output_field=BigIntegerField())
        for quota in quotas
    }
    row = Organization.objects.filter(pk=organization_id).values_list(*numbers.values()).first()
    return dict(zip(numbers, row or (), strict=bool(row)))


def next_day(now: datetime) -> datetime:
    """Return the end of the day, in UTC, to which daily quotas apply."""
    return datetime.combine(now.date() + timedelta(days=1), time(), UTC)


def admit(
    kind: JobKind[Any], organization_id: str, checked: Iterable[Quota], *, is_new: bool
) -> int:
    """Count one more job that is created or retried. Call it under `lock`.

    Returns the number of the newest job in its organization. Raises ApiError if the job would
    exceed a quota.
    """
    check(organization_id, checked)
    usage = sql.Identifier(kind.usage._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(usage=usage), [organization_id, int(is_new), _today()])
        return int(cursor.fetchone()[0])


def stored_bytes_of(kind: JobKind[Any], organization_id: str) -> int:
    """Return the size of all files of an organization in storage, of deleted jobs too."""
    return next(iter(_stored(kind, organization_id)), 0)


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


def _stored(kind: JobKind[Any], organization_id: str | OuterRef) -> QuerySet[Any, int]:
    """Return a query of the sum of `stored_bytes`; no row if there are no files."""
    stored = kind.jobs.filter(organization=organization_id, stored_bytes__gt=0).order_by()
    sums = stored.values("organization").annotate(sum=Sum("stored_bytes"))
    sizes: QuerySet[Any, int] = sums.values_list("sum", flat=True)
    return sizes


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
