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
from accounts.openapi import KEY_REUSED, OF_A_KEY, error_responses, operation
from exports.api.body import ExportRequestSerializer
from exports.api.examples import COMPLETED, LINK, QUEUED, REFUSED, REQUESTS
from exports.api.serializers import (
    ExportableSerializer,
    ExportEventSerializer,
    ExportSerializer,
    ExportTypeSerializer,
)
from exports.formats import formats
from exports.lifecycle import RETRYABLE
from exports.models import Status
from resources.api.documentation import BAD_PAGES, bad_input
from resources.api.serializers import ResourceSummarySerializer
from resources.export_types import export_types
from resources.registry import registry

EXPORTS, RESOURCES = "Exports", "Resources"

_NOT_FOUND = ApiError(ErrorCode.NOT_FOUND)
_TIMEOUT = ApiError(ErrorCode.TIMEOUT)
_FORMAT_LIMIT = ApiError(
    ErrorCode.FORMAT_LIMIT,
    "Flattened, the file has more than 1,600 columns, of which metadata alone gives 1,812 or more: "
    "leave it out, or take it merged",
)


TOO_MANY_EXPORTS = ApiError(
    ErrorCode.TOO_MANY_EXPORTS,
    "10 exports are unfinished, and no more are allowed. Wait for one, or cancel it.",
    {"maximum": 10, "retry_after": 12},
)


def _answer(name: str, value: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, response_only=True, status_codes=["200", "201"])


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
    responses={
        201: OpenApiResponse(ExportSerializer, "Queued."),
        200: OpenApiResponse(ExportSerializer, "An unfinished export of the same."),
    },
    parameters=[
        OpenApiParameter(
            "Location",
            OpenApiTypes.URI,
            OpenApiParameter.HEADER,
            response=[201],
            description="Where the export is.",
        ),
        *OF_A_KEY,
    ],
    errors=[
        *REFUSED,
        KEY_REUSED,
        TOO_MANY_EXPORTS,
        ApiError(
            ErrorCode.TOO_MANY_RECORDS,
            "The export has 1,204,331 records, and 1,000,000 are allowed. "
            "Filter more, or set a limit.",
            {"records_count": 1204331, "maximum": 1000000},
        ),
        ApiError(
            ErrorCode.EMPTY_EXPORT,
            "Nothing matches, and the request wants that to be an error.",
            {"records_count": 0},
        ),
    ],
    examples=[*REQUESTS, _answer("Queued", QUEUED)],
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
    errors=[*REFUSED, _FORMAT_LIMIT, _TIMEOUT],
    examples=[
        *REQUESTS,
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
            ("type", export_types.codes()),
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
    examples=[_answer("One completed export", COMPLETED)],
)
get_export = operation(
    "get_export",
    tag=EXPORTS,
    summary="Look at an export",
    description="Its status, its progress and, once it is completed, its file.",
    responses={200: OpenApiResponse(ExportSerializer, "The export.")},
    errors=[_NOT_FOUND],
    examples=[_answer("Queued", QUEUED), _answer("Completed", COMPLETED)],
)
_NOT_READY = ApiError(
    ErrorCode.EXPORT_NOT_READY,
    "The export is processing; its progress is 40%.",
    {"status": "processing", "progress": 40, "error": None},
)
_EXPIRED = ApiError(
    ErrorCode.EXPORT_EXPIRED, "The export's files were deleted at 2024-12-26T14:30:00Z."
)
cancel_export = operation(
    "cancel_export",
    tag=EXPORTS,
    summary="Cancel an export",
    description="Ends it, whether it waits or is being written; the database is free at once.",
    request=None,
    responses={200: OpenApiResponse(ExportSerializer, "Canceled.")},
    errors=[
        _NOT_FOUND,
        ApiError(
            ErrorCode.INVALID_STATUS,
            "The export is completed; it can be canceled when it is queued or processing.",
            {"status": "completed", "accepted": ["queued", "processing"]},
        ),
    ],
)
retry_export = operation(
    "retry_export",
    tag=EXPORTS,
    summary="Ask for an ended export again",
    description="The same request, under the same id, of the records that there are now.",
    request=None,
    responses={200: OpenApiResponse(ExportSerializer, "Queued.")},
    errors=[
        _NOT_FOUND,
        ApiError(
            ErrorCode.INVALID_STATUS,
            "The export is completed; it can be retried when it is failed or timed_out or canceled"
            " or expired.",
            {"status": "completed", "accepted": [status.value for status in RETRYABLE]},
        ),
        TOO_MANY_EXPORTS,
        ApiError(ErrorCode.STORAGE_UNAVAILABLE),
    ],
    examples=[_answer("Queued", QUEUED)],
)
delete_export = operation(
    "delete_export",
    tag=EXPORTS,
    summary="Delete an export",
    description="With its files, at once; one that is being written ends.",
    responses={204: OpenApiResponse(description="Gone.")},
    errors=[_NOT_FOUND],
)
list_events = operation(
    "list_export_events",
    tag=EXPORTS,
    summary="See what happened to an export",
    description="Every change of its status, oldest first.",
    responses={
        200: inline_serializer(
            "ExportEventList",
            {
                "next": serializers.CharField(allow_null=True),
                "previous": serializers.CharField(allow_null=True),
                "results": ExportEventSerializer(many=True),
            },
        )
    },
    errors=[_NOT_FOUND],
    examples=[
        _answer(
            "A worker was lost",
            {
                "next": None,
                "previous": None,
                "results": [
                    {"status": status, "attempt": attempt, "reason": reason, "created_at": time}
                    for status, attempt, reason, time in (
                        ("queued", 0, "", "2024-12-25T14:30:00.102Z"),
                        ("processing", 1, "", "2024-12-25T14:30:00.140Z"),
                        (
                            "queued",
                            1,
                            "The attempt ended in the loss of its worker.",
                            "2024-12-25T14:30:19.007Z",
                        ),
                        ("processing", 2, "", "2024-12-25T14:30:25.031Z"),
                        ("completed", 2, "", "2024-12-25T14:31:40.815Z"),
                    )
                ],
            },
        )
    ],
)
get_manifest = operation(
    "get_export_manifest",
    tag=EXPORTS,
    summary="See what the files hold",
    description=(
        "The files with rows, bytes and SHA-256, the columns and filters, and the moment of the "
        "database that all of them show. It lies beside the files as `manifest.json`."
    ),
    responses={200: OpenApiTypes.OBJECT},
    errors=[_NOT_FOUND, _NOT_READY, _EXPIRED],
)
download_export = operation(
    "download_export",
    tag=EXPORTS,
    summary="Get a link to the file",
    description="The link needs no API key and works for a few minutes; ask again for another.",
    responses={
        200: inline_serializer(
            "Download",
            {
                "url": serializers.URLField(help_text="Of the first file."),
                "expires_at": serializers.DateTimeField(),
                "files": inline_serializer(
                    "DownloadFile",
                    {"name": serializers.CharField(), "url": serializers.URLField()},
                    many=True,
                ),
            },
        )
    },
    errors=[_NOT_FOUND, _NOT_READY, _EXPIRED],
    examples=[
        _answer(
            "Link",
            {
                "url": LINK,
                "expires_at": "2024-12-25T14:36:40.123456Z",
                "files": [{"name": COMPLETED["files"][0]["name"], "url": LINK}],
            },
        )
    ],
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
list_types = operation(
    "list_export_types",
    tag=EXPORTS,
    summary="List named exports",
    description="What `type` of a request may be, and what each stands for.",
    responses={
        200: inline_serializer(
            "ExportTypeList",
            {
                "next": serializers.CharField(allow_null=True),
                "previous": serializers.CharField(allow_null=True),
                "results": ExportTypeSerializer(many=True),
            },
        )
    },
    examples=[
        _answer(
            "One type",
            {
                "code": "dispute_list",
                "name": "Disputes",
                "resource": "dispute",
                "columns": {"id": "Dispute ID", "status": "Status", "amount_float": "Amount"},
                "date": "created_at",
                "order_by": "created_at",
                "options": {"transaction.is_test": False},
            },
        )
    ],
)
get_resource = operation(
    "get_resource",
    tag=RESOURCES,
    summary="Describe a kind of records",
    description=(
        "Its columns with what each holds and which operators and matchers filter by it, its "
        "relations, and what its exports can be: all that a form for exports needs to know."
    ),
    responses={200: OpenApiResponse(ExportableSerializer, "The description.")},
    parameters=[OpenApiParameter("name", location="path", enum=registry.names())],
    errors=[
        ApiError(
            ErrorCode.NOT_FOUND, "There is no resource 'nope'.", {"accepted": registry.names()}
        )
    ],
)
