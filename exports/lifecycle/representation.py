"""Exports, and what there is to export, as the API shows them."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exports.formats import formats
from exports.lifecycle.storage import signed_url
from exports.models import STATUS_CHOICES, Export, ExportEvent, ExportFile, Status
from exports.spec import Nesting
from longshore.api.links import absolute
from longshore.files.compression import Compression
from longshore.resources.api.serializers import ResourceSerializer
from longshore.resources.export_types import ExportType
from longshore.resources.registry import Resource


class ExportFileSerializer(serializers.ModelSerializer[ExportFile]):
    class Meta:
        model = ExportFile
        fields = ("name", "rows", "bytes", "sha256")


class ExportEventSerializer(serializers.ModelSerializer[ExportEvent]):
    """A change of an export's status."""

    class Meta:
        model = ExportEvent
        fields = ("status", "attempt", "reason", "created_at")


@extend_schema_field(
    {
        "type": ["object", "null"],
        "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
        "required": ["error", "message"],
    }
)
class FailureField(serializers.JSONField):
    """Why an export failed, in the words of the API's errors."""


@extend_schema_field({"type": "object"})
class RequestField(serializers.JSONField):
    """The body of a request, as it came."""


class ExportSerializer(serializers.ModelSerializer[Export]):
    """An export; what is not yet known is null. Links are of the request in its context."""

    id = serializers.CharField(source="public_id")
    object = serializers.SerializerMethodField()
    number = serializers.IntegerField(
        source="organization_number", help_text="Counts the exports of the organization."
    )
    url = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    progress = serializers.IntegerField()
    download_url = serializers.SerializerMethodField()
    files = ExportFileSerializer(many=True)
    error = FailureField()
    type = serializers.SerializerMethodField(help_text="The named type that was asked for.")
    metadata = serializers.SerializerMethodField(help_text="That of the request.")
    warnings = serializers.SerializerMethodField(
        help_text="What was asked for and the file leaves out, in sentences."
    )
    request = RequestField()

    class Meta:
        model = Export
        fields = (
            "id",
            "object",
            "number",
            "url",
            "resource",
            "type",
            "date_from",
            "date_to",
            "format",
            "compression",
            "status",
            "created_at",
            "started_at",
            "completed_at",
            "expires_at",
            "estimated_completion",
            "records_count",
            "processed_count",
            "progress",
            "download_url",
            "files",
            "error",
            "warnings",
            "metadata",
            "request",
        )

    def get_object(self, export: Export) -> str:
        return "export"

    def get_url(self, export: Export) -> str:
        return absolute(reverse("export", args=[export.public_id]), self.context.get("request"))

    def get_type(self, export: Export) -> str | None:
        code: str | None = export.request.get("type")
        return code

    def get_metadata(self, export: Export) -> dict[str, Any]:
        return export.request.get("metadata") or {}

    def get_warnings(self, export: Export) -> list[str]:
        return list(export.spec.get("warnings", ()))

    @extend_schema_field(serializers.ChoiceField(STATUS_CHOICES))
    def get_status(self, export: Export) -> str:
        return export.shown_status

    def get_download_url(self, export: Export) -> str | None:
        """A fresh link of a few minutes, once the file is ready."""
        if export.shown_status is not Status.COMPLETED:
            return None
        request = self.context.get("request")
        return next((signed_url(file, request)[0] for file in export.files.all()), None)


class AnnouncedExportSerializer(ExportSerializer):
    """An export in events and webhooks: all that a receiver needs, without the request's body."""

    request = None  # type: ignore[assignment]  # How REST framework removes an inherited field.

    class Meta(ExportSerializer.Meta):
        fields = tuple(  # type: ignore[assignment]
            name for name in ExportSerializer.Meta.fields if name != "request"
        )

    def get_download_url(self, export: Export) -> str | None:
        """A fresh link of a few minutes, once the file is ready."""
        # Signed only as an event is sent: a link of now would be too old by then.
        return None


class ExportTypeSerializer(serializers.Serializer[ExportType]):
    """An export that goes by a name."""

    code = serializers.CharField(help_text="What `type` of a request takes.")
    name = serializers.CharField()
    resource = serializers.CharField()
    columns = serializers.DictField(
        child=serializers.CharField(), help_text="The header of each column, in order."
    )
    date = serializers.CharField(help_text="What `date_from` and `date_to` apply to.")
    order_by = serializers.CharField(help_text="Unless the request has its own order.")
    options = serializers.DictField(help_text="Filters that always apply.")


class ExportableSerializer(ResourceSerializer):
    """A resource, with what its exports can be."""

    formats = serializers.SerializerMethodField(help_text="The formats of its exports.")
    compressions = serializers.SerializerMethodField(help_text="How a text format is packed.")
    nestings = serializers.SerializerMethodField(
        help_text="What a file does with values that have parts: `csv_field_options.properties`."
    )

    def get_formats(self, resource: Resource) -> list[str]:
        return list(formats)

    def get_compressions(self, resource: Resource) -> list[str]:
        return [str(compression) for compression in Compression]

    def get_nestings(self, resource: Resource) -> list[str]:
        return [str(nesting) for nesting in Nesting]
