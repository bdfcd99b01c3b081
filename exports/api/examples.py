"""Requests for exports, and what may be answered, as the API's description shows them."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

from exports.formats import formats
from longshore.api import admission
from longshore.api.errors import ApiError, ErrorCode
from longshore.files.compression import Compression
from longshore.resources.api.documentation import bad_input
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry
from longshore.resources.request_examples import request_examples, sample_resource

# The tag of all operations on them.
EXPORTS = "Exports"

REQUESTS = [
    OpenApiExample(each.title, summary=each.summary, value=each.body, request_only=True)
    for each in request_examples
]
_RESOURCE, _PLURAL = sample_resource()

QUEUED: dict[str, Any] = {
    "id": "exp_01jd8x5m3v9q7r2t4w6y8z0abc",
    "object": "export",
    "number": 1042,
    "url": "https://longshore.example/v1/exports/exp_01jd8x5m3v9q7r2t4w6y8z0abc",
    "resource": _RESOURCE,
    "type": None,
    "date_from": None,
    "date_to": None,
    "format": "csv",
    "compression": "none",
    "status": "queued",
    "created_at": "2024-12-25T14:30:00.123456Z",
    "started_at": None,
    "completed_at": None,
    "expires_at": "2024-12-26T14:30:00.123456Z",
    "estimated_completion": "2024-12-25T14:30:02.123456Z",
    "records_count": 4211,
    "processed_count": 0,
    "progress": 0,
    "download_url": None,
    "files": [],
    "error": None,
    "warnings": [],
    "metadata": {},
    "request": {"resource": _RESOURCE},
}
LINK = (
    f"https://longshore.example/v1/exports/files/{_PLURAL}-20241225T143000Z-z0abc.csv"
    "?signature=exp_01jd8x5m3v9q7r2t4w6y8z0abc%2F…"
)
COMPLETED = QUEUED | {
    "status": "completed",
    "started_at": "2024-12-25T14:30:00.200000Z",
    "completed_at": "2024-12-25T14:30:01.650000Z",
    "estimated_completion": None,
    "processed_count": 4211,
    "progress": 100,
    "download_url": LINK,
    "files": [
        {
            "name": f"{_PLURAL}-20241225T143000Z-z0abc.csv",
            "rows": 4211,
            "bytes": 391_824,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        }
    ],
}

REFUSED = [
    bad_input(
        ErrorCode.INVALID_RESOURCE,
        "resource",
        "invalid_resource",
        "Unsupported resource type: invalid_resource",
        registry.names(),
    ),
    bad_input(
        ErrorCode.INVALID_TYPE,
        "type",
        "orders",
        "Unsupported export type: orders",
        export_types.codes(),
    ),
    bad_input(
        ErrorCode.INVALID_DATE_RANGE,
        "date_from",
        "2025-04-01",
        "'2025-04-01' is after '2025-01-01'",
        "a date that is not after date_to",
    ),
    bad_input(ErrorCode.INVALID_FORMAT, "format", "pdf", "Unsupported format: pdf", list(formats)),
    bad_input(
        ErrorCode.INVALID_COMPRESSION,
        "compression",
        "rar",
        "Unsupported compression: rar",
        [compression.value for compression in Compression],
    ),
    bad_input(
        ErrorCode.INVALID_FILTER,
        "options.stauts",
        "delivered",
        f"{_RESOURCE} has no filter 'stauts'; did you mean 'status'?",
        ["id", "status", "created_at"],
    ),
    bad_input(
        ErrorCode.INVALID_FILTER,
        "filters.notes_starts",
        "Fragile",
        "'notes_starts' does not end with a matcher; did you mean 'start'?",
        ["eq", "in", "start", "cont"],
    ),
    bad_input(
        ErrorCode.INVALID_COLUMN,
        "csv_field_options.columns.adress",
        True,
        f"{_RESOURCE} has no column 'adress'",
        ["id", "name", "email", "address"],
    ),
    bad_input(
        ErrorCode.INVALID_INCLUDE,
        "includes.0",
        "group",
        f"{_RESOURCE} cannot include 'group'; did you mean 'groups'?",
        ["groups", "groups.location", "groups.parent", "locations"],
    ),
    bad_input(
        ErrorCode.INVALID_ORDERING,
        "options.order_by",
        "metadata",
        f"{_RESOURCE} cannot be ordered by 'metadata'",
        ["id", "type", "status", "created_at"],
    ),
    bad_input(
        ErrorCode.INVALID_LIMIT,
        "options.limit",
        0,
        "0 is not a valid limit.",
        '"all" or a whole number from 1',
    ),
    bad_input(
        ErrorCode.INVALID_TIMEZONE,
        "csv_field_options.timezone",
        "Mars/Olympus",
        "Unknown time zone: Mars/Olympus",
        "an IANA name such as America/New_York or UTC",
    ),
    bad_input(
        ErrorCode.INVALID_DATETIME_FORMAT,
        "csv_field_options.datetime_format",
        "yyyy-bb",
        "The datetime pattern 'yyyy-bb' holds 'bb', which is not known",
        "the letters y Y M L d D E a H h k K m s S Q w G z Z X x VV, others in '…'",
    ),
]
TOO_MANY_REQUESTS = admission.too_many(2)
TOO_MANY_EXPORTS = ApiError(
    ErrorCode.TOO_MANY_EXPORTS,
    "10 exports are unfinished, and no more are allowed. Wait for one, or cancel it.",
    {"maximum": 10, "retry_after": 12},
)
OVER_QUOTA = (
    ApiError(
        ErrorCode.DAILY_QUOTA_EXCEEDED,
        "10,000 exports were created or retried today (UTC), and 10,000 are allowed a day.",
        {"maximum": 10_000, "used": 10_000, "retry_after": 34_200},
    ),
    ApiError(
        ErrorCode.STORAGE_QUOTA_EXCEEDED,
        "The organization's files have 1,099,511,627,776 bytes, and 1,099,511,627,776 are "
        "allowed: there is no room for this export. Delete exports, or wait until some expire.",
        {"maximum": 2**40, "used": 2**40},
    ),
)
