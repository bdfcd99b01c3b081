"""The operations that take a request for an export, as the API's description has them."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_field,
)
from rest_framework import serializers

from exports.api.body import ExportRequestSerializer
from exports.api.examples import (
    EXPORTS,
    OVER_QUOTA,
    QUEUED,
    REFUSED,
    REQUESTS,
    TOO_MANY_EXPORTS,
    TOO_MANY_REQUESTS,
)
from exports.lifecycle.representation import ExportSerializer
from exports.sql.discovery import too_many_columns
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.openapi import KEY_ERRORS, OF_A_KEY, answer, operation
from longshore.resources.reading import AnswerTooLarge

_FORMAT_LIMIT = ApiError(
    ErrorCode.FORMAT_LIMIT,
    str(too_many_columns("metadata", 1812)),
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
    rows_are_missing = serializers.BooleanField(
        help_text="Whether there may be rows, but finding the first would have taken too long."
    )
    records_count = serializers.IntegerField()
    records_count_is_estimate = serializers.BooleanField(
        help_text="Whether counting would have taken too long."
    )
    estimated_bytes = serializers.IntegerField(
        allow_null=True, help_text="Before compression; null where rows are missing."
    )
    estimated_seconds = serializers.FloatField(help_text="From the first row to the file.")
    warnings = serializers.ListField(
        child=serializers.CharField(),
        help_text="What was asked for and the file leaves out, in sentences.",
    )


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
        *KEY_ERRORS,
        TOO_MANY_EXPORTS,
        TOO_MANY_REQUESTS,
        *OVER_QUOTA,
        ApiError(
            ErrorCode.TOO_MANY_RECORDS,
            "The export has 1,204,331 records, and 1,000,000 are allowed. "
            "Filter more, or set a limit.",
            {"records_count": 1204331, "maximum": 1000000},
        ),
        ApiError(
            ErrorCode.EMPTY_EXPORT,
            "No records match, and the request sets `empty` to `error`.",
            {"records_count": 0},
        ),
    ],
    examples=[*REQUESTS, answer("Queued", QUEUED)],
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
    errors=[
        *REFUSED,
        TOO_MANY_REQUESTS,
        _FORMAT_LIMIT,
        AnswerTooLarge(25_165_824, "metadata"),
    ],
    examples=[
        *REQUESTS,
        answer(
            "Two contacts",
            {
                "header": ["id", "name", "email", "phone", "groups"],
                "header_is_partial": False,
                "rows": [
                    ["con_01jd8x", "Zoë Ünal", "zoe@example.org", "+14155550100", "Crew, Dock"],
                    ["con_01jd8w", "Łukasz Żak", "", "", "Crew"],
                ],
                "rows_are_missing": False,
                "records_count": 2,
                "records_count_is_estimate": False,
                "estimated_bytes": 145,
                "estimated_seconds": 1.0,
                "warnings": [],
            },
        ),
    ],
)
