"""Limits of every export, and the errors of exports that exceed a limit.

`exports.models.ExportLimits` has the limits of an organization.
"""

import json
from typing import Any

from exports.errors import ExportErrorCode
from exports.spec import ExportSpec
from longshore.api.errors import ApiError, ErrorCode
from longshore.jobs.errors import JobErrorCode

# All files of an export are listed, linked and described in one response.
MAX_FILES = 1000
# Maximum size of a request, and of its spec, as JSON: both are stored with the export.
MAX_REQUEST_BYTES = 256 << 10


def check_request(request: Any, spec: ExportSpec) -> None:
    """Raise ApiError if a request or its spec is too large to be stored."""
    for name, value in (("request", request), ("request's spec", spec.to_json())):
        used = len(json.dumps(value))
        if used > MAX_REQUEST_BYTES:
            text = (
                f"The {name} has {used:,} bytes as JSON; the limit is {MAX_REQUEST_BYTES:,}. "
                "Use shorter filters, or several exports."
            )
            details = {"maximum": MAX_REQUEST_BYTES, "used": used}
            raise ApiError(ErrorCode.REQUEST_TOO_LARGE, text, details)


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
