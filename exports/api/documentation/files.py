"""The operations on the files of an export, as the API's description has them."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers

from exports.api.examples import COMPLETED, EXPORTS, LINK
from exports.errors import ExportErrorCode
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.openapi import NOT_FOUND, answer, error_responses, operation

_NOT_READY = ApiError(
    ExportErrorCode.EXPORT_NOT_READY,
    "The export is processing; its progress is 40%.",
    {"status": "processing", "progress": 40, "error": None},
)
_EXPIRED = ApiError(
    ExportErrorCode.EXPORT_EXPIRED, "The export's files were deleted at 2024-12-26T14:30:00Z."
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
    errors=[NOT_FOUND, _NOT_READY, _EXPIRED],
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
    errors=[NOT_FOUND, _NOT_READY, _EXPIRED],
    examples=[
        answer(
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
        OpenApiParameter(
            "Range",
            location=OpenApiParameter.HEADER,
            description="Only these bytes, to go on with a download.",
            examples=[OpenApiExample("All but the first megabyte", value="bytes=1048576-")],
        ),
    ],
    responses={
        (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
        (206, "application/octet-stream"): OpenApiResponse(
            OpenApiTypes.BINARY, "The bytes of the range."
        ),
        **error_responses(
            [
                NOT_FOUND,
                ApiError(ExportErrorCode.EXPORT_EXPIRED, "The link has expired."),
                ApiError(ErrorCode.NOT_ACCEPTABLE, details={"accepted": ["application/json"]}),
                ApiError(
                    ErrorCode.RANGE_NOT_SATISFIABLE,
                    "The file has 391824 bytes, and none of this range.",
                    {"bytes": 391_824},
                ),
                ApiError(ErrorCode.INTERNAL_ERROR),
            ]
        ),
    },
)
