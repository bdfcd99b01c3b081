"""The operations on exports in the description of the dialect."""

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from dialects.packagex import documentation
from dialects.packagex.documentation import FAILURE, INTEGER, LINK, STRING, TIME, nullable, record
from dialects.packagex.exports.parameters import (
    EXPORT_PARAMETERS,
    INCLUDES,
    PAGE_PARAMETERS,
    STATUSES,
)
from exports.api.request_serializers import ExportRequestSerializer

TAG = "Exports"
_EXAMPLE = {
    "resource": "shipment",
    "options": {"limit": 1000, "created_at": "gte:2024-01-01"},
    "csv_field_options": {
        "timezone": "America/New_York",
        "datetime_format": "MM/dd/yyyy hh:mm:ss a",
        "columns": {"id": True, "tracking_number": True, "status": True, "created_at": True},
    },
}
_EXPORT = record(
    {
        "id": STRING,
        "resource": STRING,
        "status": {**STRING, "enum": list(STATUSES)},
        "created_at": TIME,
        "estimated_completion": nullable(TIME),
        "download_url": LINK,
        "expires_at": TIME,
        "object": STRING,
        "updated_at": TIME,
        "count_total": nullable(INTEGER),
        "count_batches": INTEGER,
        "error": FAILURE,
    },
    _csv_url=LINK,
    _json_url=LINK,
    _csv_error_url=LINK,
    _csv_sanitized_url=LINK,
)
exports = {
    "list": documentation.operation(
        "exports.list",
        tag=TAG,
        description="List exports. The oldest comes first.",
        response=documentation.enveloped(_EXPORT, is_list=True),
        parameters=documentation.parameters_of(EXPORT_PARAMETERS, PAGE_PARAMETERS),
    ),
    "create": documentation.operation(
        "exports.create",
        tag=TAG,
        description="Create an export. A worker writes its file: CSV, with the given "
        "`csv_field_options`, or JSON if the request has none. Poll it until `status` is "
        "`completed`. The fields of the native API are accepted, too.",
        request=ExportRequestSerializer,
        response=documentation.around(_EXPORT),
        statuses=(200, 201),
        examples=[OpenApiExample("Shipments", value=_EXAMPLE, request_only=True)],
        is_idempotent=True,
    ),
    "retrieve": documentation.operation(
        "exports.retrieve",
        tag=TAG,
        description="Retrieve an export. The links of its files are added on request.",
        response=documentation.around(_EXPORT),
        parameters=documentation.parameters_of(INCLUDES),
        errors=documentation.NOT_FOUND,
    ),
}
error_file = documentation.operation(
    "exports.errors",
    tag=TAG,
    description="Download the errors of an export. The link is the `_csv_error_url` of the export.",
    response=OpenApiResponse(STRING, "A row with the code and the message."),
    media_type="text/csv",
    parameters=[OpenApiParameter("signature", description="The signature of the link.")],
    errors={**documentation.NOT_FOUND, 410: "The link has expired."},
)
