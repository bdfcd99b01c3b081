"""Limits of every export, and the errors of exports that exceed a limit.

`exports.models.ExportLimits` has the limits of an organization.
"""

from exports.errors import ExportErrorCode
from exports.models import ExportLimits
from exports.spec import ExportSpec
from longshore.api.errors import ApiError, ErrorCode
from longshore.jobs.errors import JobErrorCode

# All files of an export are listed, linked and described in one response.
MAX_FILES = 1000


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
