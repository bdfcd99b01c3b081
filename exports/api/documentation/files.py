"""Operations on the files of an export in the API description."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers

from exports.api import error_examples as errors
from exports.api.examples import COMPLETED, EXPORTS_TAG, LINK
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.exception_handler import not_acceptable
from longshore.api.openapi import NOT_FOUND, error_responses, operation, response_example

manifest = operation(
    "get_export_manifest",
    tag=EXPORTS_TAG,
    summary="Retrieve the manifest of an export",
    description=(
        "Returns the files with their rows, bytes and SHA-256, the columns, the filters, and the "
        "time of the database snapshot. The storage has the same manifest as `manifest.json`."
    ),
    responses={200: OpenApiTypes.OBJECT},
    errors=[NOT_FOUND, errors.NOT_READY, errors.FILES_EXPIRED],
)
download = operation(
    "download_export",
    tag=EXPORTS_TAG,
    summary="Create download links",
    description="The links need no API key and work for a few minutes. Call again for new ones.",
    responses={
        200: inline_serializer(
            "Download",
            {
                "url": serializers.URLField(help_text="Link of the first file."),
                "expires_at": serializers.DateTimeField(),
                "files": inline_serializer(
                    "DownloadFile",
                    {"name": serializers.CharField(), "url": serializers.URLField()},
                    many=True,
                ),
            },
        )
    },
    errors=[NOT_FOUND, errors.NOT_READY, errors.FILES_EXPIRED],
    examples=[
        response_example(
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
    tags=[EXPORTS_TAG],
    summary="Download a file",
    description="Serves the file of a `download_url`, if the files are stored in a local folder.",
    auth=[],
    parameters=[
        OpenApiParameter("name", location=OpenApiParameter.PATH),
        OpenApiParameter("signature", required=True, description="From the link."),
        OpenApiParameter(
            "Range",
            location=OpenApiParameter.HEADER,
            description="Bytes to return, to resume a download.",
            examples=[OpenApiExample("All but the first megabyte", value="bytes=1048576-")],
        ),
    ],
    responses={
        (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
        (206, "application/octet-stream"): OpenApiResponse(
            OpenApiTypes.BINARY, "The requested range of bytes."
        ),
        **error_responses(
            [
                NOT_FOUND,
                errors.LINK_EXPIRED,
                not_acceptable(["application/json"]),
                errors.RANGE_NOT_SATISFIABLE,
                ApiError(ErrorCode.INTERNAL_ERROR),
            ]
        ),
    },
)
