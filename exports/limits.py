"""What an organization may ask for at most: the settings, or what staff say of it alone."""

from dataclasses import dataclass
from math import ceil

from django.conf import settings
from django.utils import timezone

from accounts.errors import ApiError, ErrorCode
from accounts.models import Organization
from exports.models import UNFINISHED, Export, ExportLimits, ExportQuerySet

# All files of an export are listed, linked to and described together.
MOST_FILES = 1000
# When to ask again where no export says when it will end.
_USUAL_SECONDS = 30


@dataclass(frozen=True)
class Limits:
    """unfinished: exports at the same time. records, seconds, bytes: of one. None is no limit."""

    unfinished: int
    records: int | None
    seconds: int
    bytes: int | None


def limits_of(organization_id: str) -> Limits:
    own = ExportLimits.objects.filter(pk=organization_id).first() or ExportLimits()
    return Limits(
        unfinished=own.unfinished or settings.EXPORT_MAX_UNFINISHED,
        records=own.records or settings.EXPORT_MAX_RECORDS,
        seconds=own.seconds or settings.EXPORT_TIME_LIMIT_SECONDS,
        bytes=own.bytes or settings.EXPORT_MAX_BYTES,
    )


def lock(organization_id: str) -> None:
    """Let racing requests of an organization come one after the other.

    From here to the end of the transaction, or each would be the last one that is allowed.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=organization_id)


def unfinished_of(organization_id: str) -> ExportQuerySet:
    """The exports that count against the limit; exact only under the `lock`."""
    return Export.objects.visible().filter(organization_id=organization_id, status__in=UNFINISHED)


def admit_one_more(unfinished: ExportQuerySet, limit: int) -> None:
    """Raises ApiError where that would be too many unfinished exports.

    unfinished: of an organization, as `unfinished_of` has them.
    """
    if unfinished.count() < limit:
        return
    times = unfinished.filter(estimated_completion__gt=timezone.now())
    first = times.order_by("estimated_completion").first()
    seconds = _USUAL_SECONDS
    if first and first.estimated_completion:
        seconds = ceil((first.estimated_completion - timezone.now()).total_seconds())
    text = f"{limit} exports are unfinished, and no more are allowed. Wait for one, or cancel it."
    details = {"maximum": limit, "retry_after": max(1, seconds)}
    raise ApiError(ErrorCode.TOO_MANY_EXPORTS, text, details)


def too_many_records(count: int, limit: int, *, or_more: bool = False) -> ApiError:
    """or_more: whether the export was stopped before all were counted."""
    there = f"{count:,} or more" if or_more else f"{count:,}"
    text = (
        f"The export has {there} records, and {limit:,} are allowed. Filter more, or set a limit."
    )
    details = {"records_count": count, "maximum": limit}
    return ApiError(ErrorCode.TOO_MANY_RECORDS, text, details)


def too_many_bytes(limit: int) -> ApiError:
    text = f"The export's files have more than {limit:,} bytes. Filter more, or compress them."
    return ApiError(ErrorCode.FILE_TOO_LARGE, text, {"maximum": limit})


def too_many_files() -> ApiError:
    text = f"The export has more than {MOST_FILES:,} files. Allow more rows in each."
    return ApiError(ErrorCode.INVALID_LIMIT, text, {"maximum": MOST_FILES})


def empty() -> ApiError:
    text = "Nothing matches, and the request wants that to be an error."
    return ApiError(ErrorCode.EMPTY_EXPORT, text, {"records_count": 0})
