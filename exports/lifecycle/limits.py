"""What an organization may ask for at most: the settings, or what staff say of it alone."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import (
    BigIntegerField,
    Count,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from exports.errors import ExportErrorCode
from exports.models import (
    UNFINISHED,
    Export,
    ExportLimits,
    ExportQuerySet,
    ExportUsage,
)
from exports.spec import ExportSpec
from longshore.accounts.models import Organization
from longshore.api.errors import ApiError, ErrorCode
from longshore.jobs.errors import JobErrorCode

# All files of an export are listed, linked to and described together.
MAX_FILES = 1000
# Of a request, and of the spec that it is understood to mean: both are stored with the export.
MAX_REQUEST_BYTES = 256 << 10
# When to ask again where no export says when it will end.
_DEFAULT_SECONDS = 30

_COUNT = """
INSERT INTO exports_exportusage AS usage (organization_id, last_number, day, exports)
VALUES (%s, %s, %s, 1)
ON CONFLICT (organization_id) DO UPDATE SET
    last_number = usage.last_number + excluded.last_number,
    day = excluded.day,
    exports = CASE WHEN usage.day = excluded.day THEN usage.exports + 1 ELSE 1 END
RETURNING last_number
"""


@dataclass(frozen=True)
class Limits:
    """What one organization is allowed; None is no limit.

    unfinished: exports at the same time. records, seconds, bytes: of one export. daily: exports
    created or retried on a day, in UTC. stored_bytes: of the files of all its exports together.
    """

    unfinished: int
    records: int | None
    seconds: int
    bytes: int | None
    daily: int | None
    stored_bytes: int | None


def limits_of(organization_id: str) -> Limits:
    own = ExportLimits.objects.filter(pk=organization_id).first() or ExportLimits()
    return Limits(
        unfinished=own.unfinished or settings.EXPORT_MAX_UNFINISHED,
        records=own.records or settings.EXPORT_MAX_RECORDS,
        seconds=own.seconds or settings.EXPORT_TIME_LIMIT_SECONDS,
        bytes=own.bytes or settings.EXPORT_MAX_BYTES,
        daily=own.daily or settings.EXPORT_MAX_DAILY,
        stored_bytes=own.stored_bytes or settings.EXPORT_MAX_STORED_BYTES,
    )


def lock(organization_id: str) -> None:
    """Let racing requests of an organization follow one another to the end of the transaction.

    Otherwise each of them would be the last one that is allowed.
    """
    # Evaluated, and not required to exist: an organization may be deleted as its exports end.
    Organization.objects.select_for_update(no_key=True).filter(pk=organization_id).first()


def unfinished_of(organization_id: str | OuterRef) -> ExportQuerySet:
    """The exports that count against the limit; exact only under the `lock`."""
    return Export.objects.visible().filter(organization_id=organization_id, status__in=UNFINISHED)


def admit_one_more(organization_id: str, allowed: Limits) -> None:
    """Raise ApiError if one more export would be over a limit.

    Exact only under `lock`; without it, a cheap look before expensive work.
    """
    unfinished = unfinished_of(OuterRef("pk")).order_by().values("organization")
    used = ExportUsage.objects.filter(organization=OuterRef("pk"), day=_today())
    numbers = Organization.objects.filter(pk=organization_id).values_list(
        Coalesce(Subquery(unfinished.values(count=Count("pk"))), 0),
        Coalesce(Subquery(used.values("exports")), 0),
        Coalesce(Subquery(_stored(OuterRef("pk"))), Value(0), output_field=BigIntegerField()),
    )
    for count, exports, stored in numbers:
        if count >= allowed.unfinished:
            raise _too_many_unfinished(organization_id, allowed.unfinished)
        if allowed.daily is not None and exports >= allowed.daily:
            raise _too_many_today(exports, allowed.daily)
        if allowed.stored_bytes is not None and stored >= allowed.stored_bytes:
            raise too_many_stored_bytes(stored, allowed.stored_bytes)


def count_one_more(organization_id: str, *, new: bool) -> int:
    """Count an export that is created or retried; the number of the newest in its organization.

    To be called under `lock`, once one more is admitted.
    """
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [organization_id, int(new), _today()])
        return int(cursor.fetchone()[0])


def stored_bytes_of(organization_id: str) -> int:
    """Bytes of all files that an organization has in storage, of deleted exports too."""
    return next(iter(_stored(organization_id)), 0)


def admit_stored_bytes(organization_id: str, size: int) -> None:
    """Raise ApiError if files of `size` bytes would be over the quota.

    To be called in the transaction that stores `size`: from here on it holds the lock.
    """
    maximum = limits_of(organization_id).stored_bytes
    if maximum is None:
        return
    lock(organization_id)
    used = stored_bytes_of(organization_id)
    if used + size > maximum:
        raise too_many_stored_bytes(used, maximum)


def check_request(request: Any, spec: ExportSpec) -> None:
    """Raise ApiError if a request, or what it is understood to mean, is too large to be stored."""
    for name, value in (("request", request), ("request's meaning", spec.to_json())):
        used = len(json.dumps(value))
        if used > MAX_REQUEST_BYTES:
            text = (
                f"The {name} has {used:,} bytes as JSON, and {MAX_REQUEST_BYTES:,} are allowed. "
                "Use shorter filters, or several exports."
            )
            details = {"maximum": MAX_REQUEST_BYTES, "used": used}
            raise ApiError(ErrorCode.REQUEST_TOO_LARGE, text, details)


def _stored(organization_id: str | OuterRef) -> QuerySet[Any, int]:
    """The sum of `stored_bytes`; no row if there are no files."""
    stored = Export.objects.filter(organization=organization_id, stored_bytes__gt=0).order_by()
    sums = stored.values("organization").annotate(sum=Sum("stored_bytes"))
    return sums.values_list("sum", flat=True)


def _today() -> date:
    return datetime.now(UTC).date()


def _too_many_today(used: int, limit: int) -> ApiError:
    now = datetime.now(UTC)
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    text = f"{used:,} exports were created or retried today (UTC), and {limit:,} are allowed a day."
    wait = ceil((midnight - now).total_seconds())
    details = {"maximum": limit, "used": used, "retry_after": wait}
    return ApiError(JobErrorCode.DAILY_QUOTA_EXCEEDED, text, details)


def _too_many_unfinished(organization_id: str, limit: int) -> ApiError:
    unfinished = unfinished_of(organization_id)
    times = unfinished.filter(estimated_completion__gt=timezone.now())
    first = times.order_by("estimated_completion").first()
    seconds = _DEFAULT_SECONDS
    if first and first.estimated_completion:
        seconds = ceil((first.estimated_completion - timezone.now()).total_seconds())
    text = f"{limit} exports are unfinished, and no more are allowed. Wait for one, or cancel it."
    details = {"maximum": limit, "retry_after": max(1, seconds)}
    return ApiError(ExportErrorCode.TOO_MANY_EXPORTS, text, details)


def too_many_records(count: int, limit: int, *, or_more: bool = False) -> ApiError:
    """or_more: whether the export was stopped before all were counted."""
    there = f"{count:,} or more" if or_more else f"{count:,}"
    text = (
        f"The export has {there} records, and {limit:,} are allowed. Filter more, or set a limit."
    )
    details = {"records_count": count, "maximum": limit}
    return ApiError(JobErrorCode.TOO_MANY_RECORDS, text, details)


def too_many_bytes(limit: int) -> ApiError:
    text = f"The export's files have more than {limit:,} bytes. Filter more, or compress them."
    return ApiError(JobErrorCode.FILE_TOO_LARGE, text, {"maximum": limit})


def too_many_stored_bytes(used: int, maximum: int) -> ApiError:
    text = (
        f"The organization's files have {used:,} bytes, and {maximum:,} are allowed: "
        "there is no room for this export. Delete exports, or wait until some expire."
    )
    details = {"maximum": maximum, "used": used}
    return ApiError(JobErrorCode.STORAGE_QUOTA_EXCEEDED, text, details)


def too_many_files() -> ApiError:
    text = f"The export has more than {MAX_FILES:,} files. Allow more rows in each."
    return ApiError(ErrorCode.INVALID_LIMIT, text, {"maximum": MAX_FILES})


def empty() -> ApiError:
    text = "No records match, and the request sets `empty` to `error`."
    return ApiError(ExportErrorCode.EMPTY_EXPORT, text, {"records_count": 0})
