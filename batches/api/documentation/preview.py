"""The preview of a batch in the API description."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from batches.api import error_examples as errors
from batches.api.examples import BATCHES_TAG
from batches.request.body import PREVIEW_BODY
from longshore.api import concurrency
from longshore.api.body.schema import serializer_class
from longshore.api.openapi import operation

PreviewRequestSerializer = serializer_class(PREVIEW_BODY)


class BatchPreviewFormSerializer(serializers.Serializer[Any]):
    """A request with a file, or with the beginning of one."""

    request = PreviewRequestSerializer(help_text="The request as JSON.")
    file = serializers.FileField(help_text="The file, or its first mebibyte.")


class BatchPreviewSerializer(serializers.Serializer[Any]):
    """How a file would be read."""

    detected = serializers.DictField(help_text="Format, compression, encoding and dialect.")
    columns = serializers.ListField(
        child=serializers.DictField(),
        help_text="For each header: `header` and `target`; of a proposal also `score`, `reason` "
        "and `alternatives`.",
    )
    mapping = serializers.DictField(
        child=serializers.CharField(allow_null=True),
        help_text="The mapping to send as `mapping` in the request for the batch.",
    )
    timezone = serializers.CharField()
    datetime_format = serializers.CharField(
        allow_null=True,
        help_text="The pattern of the request, or the pattern that fits all dates of the file.",
    )
    dates = serializers.ListField(child=serializers.DictField())
    rows = serializers.ListField(
        child=serializers.DictField(),
        help_text="The first records as they would be read: `row`, `action`, `id` and `values`, "
        "with the records that belong to them as lists of objects.",
    )
    samples = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="The first distinct values of each header.",
    )
    errors = serializers.ListField(  # type: ignore[assignment]  # a field of this name, not the property
        child=serializers.DictField(), help_text="The first errors."
    )
    errors_count = serializers.IntegerField(help_text="Errors of the rows that were read.")
    problems = serializers.ListField(
        child=serializers.DictField(), help_text="Why a batch with this mapping would fail."
    )
    ambiguities = serializers.ListField(
        child=serializers.DictField(),
        help_text="Questions that the file does not answer, such as the order of day and month.",
    )
    warnings = serializers.ListField(child=serializers.CharField())
    estimated_rows = serializers.IntegerField(help_text="Rows of the whole file.")
    rows_are_estimate = serializers.BooleanField()


preview = operation(
    "preview_batch",
    tag=BATCHES_TAG,
    summary="Preview a batch",
    description=(
        "Reads a file, or its beginning, as a batch would: returns the headers with a proposed "
        "mapping, the detected dialect, the first rows, and what is wrong or ambiguous. Nothing is "
        "stored; the scope `read` is enough."
    ),
    request={"multipart/form-data": BatchPreviewFormSerializer},
    responses={200: OpenApiResponse(BatchPreviewSerializer, "How the file would be read.")},
    errors=[
        *errors.INVALID_BODIES,
        errors.FILE_REQUIRED,
        errors.PREVIEW_TOO_LARGE,
        concurrency.too_many(2),
    ],
)
