"""Requests for exports, and what may be answered, as the API's description shows them."""

from drf_spectacular.utils import OpenApiExample

from exports.formats import formats
from longshore.api import admission
from longshore.api.errors import ApiError, ErrorCode
from longshore.files.compression import Compression
from longshore.resources.api.documentation import bad_input
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry

# The tag of all operations on them.
EXPORTS = "Exports"

REQUESTS = [
    OpenApiExample(
        "Delivered parcels of a month",
        summary="A spreadsheet of the parcels delivered in December, times as in New York",
        value={
            "resource": "shipment",
            "format": "csv",
            "options": {
                "status": "delivered,completed",
                "provider": "fedex,ups,usps",
                "created_at": "bwi:2024-12-01,2024-12-31",
                "order_by": "created_at",
                "limit": "all",
            },
            "csv_field_options": {
                "timezone": "America/New_York",
                "datetime_format": "MM/dd/yyyy hh:mm:ss a",
                "columns": {
                    "id": True,
                    "tracking_number": "Tracking number",
                    "provider": "Carrier",
                    "status": True,
                    "location.name": "Shipped from",
                    "created_at": "Created",
                },
                "column_order": ["created_at", "tracking_number"],
            },
        },
        request_only=True,
    ),
    OpenApiExample(
        "Everyone in a group",
        summary="The people of one group, newest first",
        value={
            "resource": "contact",
            "options": {"group_id": "grp_01jd8x5m", "order_by": "created_at", "direction": "desc"},
            "csv_field_options": {"columns": ["id", "name", "email", "phone", "groups"]},
        },
        request_only=True,
    ),
    OpenApiExample(
        "Everything, for a program",
        summary="All items with all their structure, one JSON object a line, compressed",
        value={"resource": "item", "format": "jsonl", "compression": "gzip"},
        request_only=True,
    ),
    OpenApiExample(
        "By predicates",
        summary="Parcels that people at a domain get from one dock, whose number says so",
        value={
            "resource": "shipment",
            "filters": {
                "status_in": ["delivered", "completed"],
                "created_at_gteq": "2024-12-01",
                "destination_contact_email_end": "@example.com",
                "tracking_number_or_order_number_start": "1Z9",
                "location_name_eq": "Dock 4",
            },
        },
        request_only=True,
    ),
    OpenApiExample(
        "People with their groups",
        summary="Contacts and, inside each, its groups with their locations' names",
        value={
            "resource": "contact",
            "format": "json",
            "fields": ["name", "email", "groups.*", "groups.location.name"],
        },
        request_only=True,
    ),
    OpenApiExample(
        "Labels to look at",
        summary="The last hundred labels that a person should review, by a key inside a column",
        value={
            "resource": "shipping_label_inference",
            "options": {
                "status": "needs_review",
                "metadata.service": "inbound",
                "order_by": "-created_at",
                "limit": 100,
            },
            "csv_field_options": {"delimiter": ";", "bom": True},
        },
        request_only=True,
    ),
    OpenApiExample(
        "Orders of a quarter",
        summary="A named export: its columns, its order and its date are declared",
        value={"type": "order_list", "date_from": "2025-01-01", "date_to": "2025-03-31"},
        request_only=True,
    ),
]

QUEUED = {
    "id": "exp_01jd8x5m3v9q7r2t4w6y8z0abc",
    "object": "export",
    "number": 1042,
    "url": "https://longshore.example/v1/exports/exp_01jd8x5m3v9q7r2t4w6y8z0abc",
    "resource": "contact",
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
    "request": REQUESTS[1].value,
}
LINK = (
    "https://longshore.example/v1/exports/files/contacts-20241225T143000Z-z0abc.csv"
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
            "name": "contacts-20241225T143000Z-z0abc.csv",
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
        "shipment has no filter 'stauts'; did you mean 'status'?",
        ["id", "type", "status", "provider"],
    ),
    bad_input(
        ErrorCode.INVALID_FILTER,
        "filters.notes_starts",
        "Fragile",
        "'notes_starts' ends in no matcher; did you mean 'start'?",
        ["eq", "in", "start", "cont"],
    ),
    bad_input(
        ErrorCode.INVALID_COLUMN,
        "csv_field_options.columns.adress",
        True,
        "contact has no column 'adress'",
        ["id", "name", "email", "address"],
    ),
    bad_input(
        ErrorCode.INVALID_INCLUDE,
        "includes.0",
        "group",
        "contact cannot include 'group'; did you mean 'groups'?",
        ["groups", "groups.location", "groups.parent", "locations"],
    ),
    bad_input(
        ErrorCode.INVALID_ORDERING,
        "options.order_by",
        "metadata",
        "shipment cannot be ordered by 'metadata'",
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
