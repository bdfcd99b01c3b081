"""The preview of an export in the API description."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers

from exports.api import error_examples as errors
from exports.api.examples import EXPORTS_TAG, REQUESTS
from exports.api.request_serializers import ExportRequestSerializer
from longshore.api.openapi import operation, response_example


@extend_schema_field(
    {"type": "array", "items": {"oneOf": [{"type": "array", "items": {}}, {"type": "object"}]}}
)
class RowsField(serializers.JSONField):
    """Arrays of cells in the order of the header; objects in formats of objects."""


class PreviewSerializer(serializers.Serializer[Any]):
    """The first rows of a file, and its estimated size."""

    header = serializers.ListField(child=serializers.CharField())
    header_is_partial = serializers.BooleanField(
        help_text="Whether the file may have more columns: the previewed rows alone determine the "
        "flattened columns."
    )
    rows = RowsField(help_text="The first rows: arrays of cell texts for CSV, objects for JSON.")
    rows_are_missing = serializers.BooleanField(
        help_text="Whether the query for the first rows reached its time limit."
    )
    records_count = serializers.IntegerField()
    records_count_is_estimate = serializers.BooleanField(
        help_text="Whether the count reached its time limit and is an estimate."
    )
    estimated_bytes = serializers.IntegerField(
        allow_null=True, help_text="Before compression; null if rows are missing."
    )
    estimated_seconds = serializers.FloatField(
        help_text="From the start of the export to the complete file."
    )
    warnings = serializers.ListField(
        child=serializers.CharField(),
        help_text="Requested values that the file omits, one sentence each.",
    )


preview = operation(
    "preview_export",
    tag=EXPORTS_TAG,
    summary="Preview an export",
    description=(
        "Takes the same body as the creation of an export. Returns the first 20 rows as the file "
        "would contain them, the number of rows and the estimated size of the file. Without "
        "`order_by`, the rows are the newest. Nothing is stored; the scope `read` is enough."
    ),
    request=ExportRequestSerializer,
    responses={200: OpenApiResponse(PreviewSerializer, "The first rows.")},
    errors=[
        *errors.INVALID_BODIES,
        errors.TOO_MANY_REQUESTS,
        errors.FORMAT_LIMIT,
        errors.ANSWER_TOO_LARGE,
    ],
    examples=[
        *REQUESTS,
        response_example(
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
