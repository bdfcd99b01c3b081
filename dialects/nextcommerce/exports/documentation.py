"""Operations on exports in the description of the dialect."""

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from dialects.nextcommerce.documentation import operation
from dialects.nextcommerce.exports.representation import ExportSerializer
from dialects.nextcommerce.exports.requests import ExportFiltersSerializer, NewExportSerializer
from longshore.api.openapi import response_example
from longshore.jobs.api.documentation import Operations

_TAG = "exports"
_PENDING = {
    "id": 42,
    "created_at": "2025-04-01T12:00:00Z",
    "type": "order_list",
    "status": "pending",
    "date_from": "2025-01-01T00:00:00Z",
    "date_to": "2025-03-31T23:59:59Z",
    "url": "https://longshore.example.com/api/admin/exports/42/",
}
_TYPES = inline_serializer(
    "ExportTypes",
    {
        "types": inline_serializer(
            "ExportType",
            {"code": serializers.CharField(), "name": serializers.CharField()},
            many=True,
        )
    },
)
_DOWNLOAD = inline_serializer("ExportDownload", {"url": serializers.URLField()})

exports: Operations = {
    "list": operation(
        "exportsList",
        tag=_TAG,
        summary="List exports",
        description="Newest first. Unknown parameters have no effect.",
        response=ExportSerializer(many=True),
        parameters=[ExportFiltersSerializer],
        errors={404: "The cursor does not belong to this list."},
        examples=[response_example("One export", _PENDING | {"status": "available"})],
    ),
    "create": operation(
        "exportsCreate",
        tag=_TAG,
        summary="Create an export",
        description="Validates the request and queues the export. Poll it until its status is not "
        "`pending`, or subscribe to `export.created`.",
        request=NewExportSerializer,
        response=ExportSerializer,
        status=201,
        errors={
            409: "The Idempotency-Key was used with another request.",
            422: "The export exceeds a limit of the organization.",
        },
        examples=[response_example("Queued", _PENDING)],
        is_idempotent=True,
    ),
    "types": operation(
        "exportsTypesRetrieve",
        tag=_TAG,
        summary="List the export types",
        response=_TYPES,
    ),
    "retrieve": operation(
        "exportsRetrieve",
        tag=_TAG,
        summary="Retrieve an export",
        response=ExportSerializer,
        of_one=True,
        examples=[response_example("Available", _PENDING | {"status": "available"})],
    ),
    "download": operation(
        "exportsDownloadRetrieve",
        tag=_TAG,
        summary="Retrieve the link to the file of an available export",
        description="The link works for a few minutes. An export of another API may have several "
        "files: the link is then to a ZIP archive of them.",
        response=_DOWNLOAD,
        of_one=True,
        errors={
            409: "The export is not available yet, or will not become available.",
            410: "The file was deleted when the retention ended.",
        },
    ),
}
