"""The operations on exports and resources, as the API's description has them."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    inline_serializer,
)
from rest_framework import serializers

from accounts.errors import ApiError, ErrorCode
from accounts.openapi import error_responses, operation
from exports.api.body import EXAMPLES, ExportRequestSerializer
from exports.api.serializers import ExportableSerializer, ExportSerializer
from exports.formats import formats
from exports.models import Status
from resources.api.documentation import BAD_PAGES, bad_input
from resources.api.serializers import ResourceSummarySerializer
from resources.registry import registry

EXPORTS, RESOURCES = "Exports", "Resources"

_EXPORT = {
    "id": "exp_01jd8x5m3v9q7r2t4w6y8z0abc",
    "object": "export",
    "number": 1042,
    "url": "https://longshore.example/v1/exports/exp_01jd8x5m3v9q7r2t4w6y8z0abc",
    "resource": "contact",
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
    "request": EXAMPLES[1].value,
}
_LINK = "https://longshore.example/v1/exports/files/NDI:1tQx…/contacts-20241225T143000Z-z0abc.csv"
_COMPLETED = _EXPORT | {
    "status": "completed",
    "started_at": "2024-12-25T14:30:00.200000Z",
    "completed_at": "2024-12-25T14:30:01.650000Z",
    "estimated_completion": None,
    "processed_count": 4211,
    "progress": 100,
    "download_url": _LINK,
    "files": [
        {
            "name": "contacts-20241225T143000Z-z0abc.csv",
            "rows": 4211,
            "bytes": 391_824,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        }
    ],
}


def _answer(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=["200", "201"])


_REFUSED = [
    bad_input(
        ErrorCode.INVALID_RESOURCE,
        "resource",
        "invalid_resource",
        "Unsupported resource type: invalid_resource",
        registry.names(),
    ),
    bad_input(ErrorCode.INVALID_FORMAT, "format", "pdf", "Unsupported format: pdf", list(formats)),
    bad_input(
        ErrorCode.INVALID_COMPRESSION,
        "compression",
        "rar",
        "Unsupported compression: rar",
        ["none", "gzip", "zstd"],
    ),
    bad_input(
        ErrorCode.INVALID_FILTER,
        "options.stauts",
        "delivered",
        "shipment has no filter 'stauts'; did you mean 'status'?",
        ["id", "type", "status", "provider"],
    ),
    bad_input(
        ErrorCode.INVALID_COLUMN,
        "csv_field_options.columns.adress",
        True,
        "contact has no column 'adress'",
        ["id", "name", "email", "address"],
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
        "0 is no limit",
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
_NOT_FOUND = ApiError(ErrorCode.NOT_FOUND)
_TIMEOUT = ApiError(ErrorCode.TIMEOUT)
_FORMAT_LIMIT = ApiError(
    ErrorCode.FORMAT_LIMIT,
    "Flattened, the file has more than 1,600 columns, of which metadata alone has 1,812.",
)


@extend_schema_field(
    {"type": "array", "items": {"oneOf": [{"type": "array", "items": {}}, {"type": "object"}]}}
)
class RowsField(serializers.JSONField):
    """Cells in the order of the header, or objects where the format has objects."""


class PreviewSerializer(serializers.Serializer[Any]):
    """What a file would be."""

    header = serializers.ListField(child=serializers.CharField())
    header_is_partial = serializers.BooleanField(
        help_text="Whether the file may have more columns: flattened columns are those of the "
        "previewed rows."
    )
    rows = RowsField(help_text="The first rows: of CSV the text of each cell, of JSON the objects.")
    records_count = serializers.IntegerField()
    records_count_is_estimate = serializers.BooleanField(
        help_text="Whether counting would have taken too long."
    )
    estimated_bytes = serializers.IntegerField(help_text="Before compression.")
    estimated_seconds = serializers.FloatField(help_text="From the first row to the file.")


create_export = operation(
    "create_export",
    tag=EXPORTS,
    summary="Ask for a file",
    description=(
        "Checks the request, stores it and hands it to a worker. The answer comes at once; ask "
        "again at its `url` until `status` is `completed`, then follow `download_url`. "
        "Everything that is wrong with a request is said in one answer, and nothing is queued."
    ),
    request=ExportRequestSerializer,
    responses={201: OpenApiResponse(ExportSerializer, "Queued.")},
    parameters=[
        OpenApiParameter(
            "Location",
            OpenApiTypes.URI,
            OpenApiParameter.HEADER,
            response=[201],
            description="Where the export is.",
        )
    ],
    errors=_REFUSED,
    examples=[*EXAMPLES, _answer("Queued", _EXPORT)],
)
preview_export = operation(
    "preview_export",
    tag=EXPORTS,
    summary="Look at a file before asking for it",
    description=(
        "Takes the body of a request for an export, and shows the first 20 rows as the file "
        "would have them, how many there are, and how large the file would be. Where no order "
        "is asked for, the rows are the newest. Nothing is stored, and the scope `read` is "
        "enough."
    ),
    request=ExportRequestSerializer,
    responses={200: OpenApiResponse(PreviewSerializer, "The first rows.")},
    errors=[*_REFUSED, _FORMAT_LIMIT, _TIMEOUT],
    examples=[
        *EXAMPLES,
        _answer(
            "Two contacts",
            {
                "header": ["id", "name", "email", "phone", "groups"],
                "header_is_partial": False,
                "rows": [
                    ["con_01jd8x", "Zoë Ünal", "zoe@example.org", "+14155550100", "Crew, Dock"],
                    ["con_01jd8w", "Łukasz Żak", "", "", "Crew"],
                ],
                "records_count": 2,
                "records_count_is_estimate": False,
                "estimated_bytes": 145,
                "estimated_seconds": 1.0,
            },
        ),
    ],
)
list_exports = operation(
    "list_exports",
    tag=EXPORTS,
    summary="List exports",
    description="The exports of the organization, newest first.",
    responses={200: OpenApiResponse(ExportSerializer(many=True), "A page.")},
    parameters=[
        OpenApiParameter(name, description="One, or several with commas between.", enum=accepted)
        for name, accepted in (
            ("resource", registry.names()),
            ("status", list(Status.values)),
            ("format", list(formats)),
        )
    ],
    errors=[
        bad_input(
            ErrorCode.INVALID_FILTER, "status", "done", "Unknown status: done", Status.values
        ),
        *BAD_PAGES,
    ],
    examples=[_answer("One completed export", _COMPLETED)],
)
get_export = operation(
    "get_export",
    tag=EXPORTS,
    summary="Look at an export",
    description="Its status, its progress and, once it is completed, its file.",
    responses={200: OpenApiResponse(ExportSerializer, "The export.")},
    errors=[_NOT_FOUND],
    examples=[_answer("Queued", _EXPORT), _answer("Completed", _COMPLETED)],
)
download_export = operation(
    "download_export",
    tag=EXPORTS,
    summary="Get a link to the file",
    description="The link needs no API key and works for a few minutes; ask again for another.",
    responses={
        200: inline_serializer(
            "Download",
            {"url": serializers.URLField(), "expires_at": serializers.DateTimeField()},
        )
    },
    errors=[
        _NOT_FOUND,
        ApiError(
            ErrorCode.EXPORT_NOT_READY,
            "The export is processing; its progress is 40%.",
            {"status": "processing", "progress": 40, "error": None},
        ),
        ApiError(
            ErrorCode.EXPORT_EXPIRED,
            "The export's files were deleted at 2024-12-26T14:30:00Z.",
        ),
    ],
    examples=[_answer("Link", {"url": _LINK, "expires_at": "2024-12-25T14:36:40.123456Z"})],
)
get_file = extend_schema(
    operation_id="get_file",
    tags=[EXPORTS],
    summary="Follow a link",
    description="The file behind a `download_url`, where the server itself keeps the files.",
    auth=[],
    parameters=[
        OpenApiParameter("name", location=OpenApiParameter.PATH),
        OpenApiParameter("signature", required=True, description="As in the link."),
    ],
    responses={
        (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
        **error_responses(
            [
                _NOT_FOUND,
                ApiError(ErrorCode.EXPORT_EXPIRED, "The link has expired."),
                ApiError(ErrorCode.NOT_ACCEPTABLE, details={"accepted": ["application/json"]}),
                ApiError(ErrorCode.INTERNAL_ERROR),
            ]
        ),
    },
)
list_resources = operation(
    "list_resources",
    tag=RESOURCES,
    summary="List what there is",
    description="Every kind of records that can be exported and listed.",
    responses={
        200: inline_serializer(
            "ResourceList",
            {
                "next": serializers.CharField(allow_null=True),
                "previous": serializers.CharField(allow_null=True),
                "results": ResourceSummarySerializer(many=True),
            },
        )
    },
)
get_resource = operation(
    "get_resource",
    tag=RESOURCES,
    summary="Describe a kind of records",
    description=(
        "Its columns with what each holds and which operators filter by it, its relations, and "
        "what its exports can be: all that a form for exports needs to know."
    ),
    responses={200: OpenApiResponse(ExportableSerializer, "The description.")},
    parameters=[OpenApiParameter("name", location="path", enum=registry.names())],
    errors=[
        ApiError(
            ErrorCode.NOT_FOUND, "There is no resource 'nope'.", {"accepted": registry.names()}
        )
    ],
)
