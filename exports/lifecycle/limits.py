"""Limits of every export, and the errors of exports that exceed a limit.

`exports.models.ExportLimits` has the limits of an organization.
"""

from dataclasses import dataclass

from exports.errors import ExportErrorCode
from exports.lifecycle.transitions import EXPORTS
from exports.models import ExportLimits
from exports.spec import ExportSpec
from longshore.api.errors import ApiError, ErrorCode
from longshore.jobs.admission import too_many_stored_bytes
from longshore.jobs.errors import JobErrorCode

# All files of an export are listed, linked and described in one response.
MAX_FILES = 1000


@dataclass(frozen=True)
class AttemptLimits:
    """The limits that a running attempt checks.

    allowed: the limits of the organization.
    records: the maximum of the export; None without a limit.
    used_bytes: bytes that the organization had in storage when the attempt began; None without a
        quota.
    """

    allowed: ExportLimits
    records: int | None
    used_bytes: int | None

    def check(self, rows: int, size: int) -> None:
        """Raise ApiError if an export with this many rows and bytes exceeds a limit."""
        max_bytes, quota, used = self.allowed.bytes, self.allowed.stored_bytes, self.used_bytes
        if self.records is not None and rows > self.records:
            raise too_many_records(rows, self.records, or_more=True)
        if max_bytes is not None and size > max_bytes:
            raise too_many_bytes(max_bytes)
        if quota is not None and used is not None and used + size > quota:
            raise too_many_stored_bytes(EXPORTS, used, quota)


def max_records(spec: ExportSpec, allowed: ExportLimits) -> int | None:
    """Return the lower limit, of the export or of its organization; None without a limit."""
    maxima = (spec.max_records, allowed.records)
    return min((each for each in maxima if each is not None), default=None)


def too_many_records(count: int, limit: int, *, or_more: bool = False) -> ApiError:
    """Return the error for an export with more records than its limit.

    or_more: whether the export was stopped before all records were counted.
    """
    records = f"{count:,} or more" if or_more else f"{count:,}"
    text = (
        f"The export has {records} records; the limit is {limit:,}. "
        "Add filters, or set `options.limit`."
    )
    details = {"records_count": count, "maximum": limit}
    return ApiError(JobErrorCode.TOO_MANY_RECORDS, text, details)


def too_many_bytes(limit: int) -> ApiError:
    text = (
        f"The files of the export have more than {limit:,} bytes, the limit. "
        "Add filters, or compress the files."
    )
    return ApiError(JobErrorCode.FILE_TOO_LARGE, text, {"maximum": limit})


def too_many_files() -> ApiError:
    text = f"The export has more than {MAX_FILES:,} files. Increase `max_rows_per_file`."
    return ApiError(ErrorCode.INVALID_LIMIT, text, {"maximum": MAX_FILES})


def empty() -> ApiError:
    text = "No records match, and the request sets `empty` to `error`."
    return ApiError(ExportErrorCode.EMPTY_EXPORT, text, {"records_count": 0})
