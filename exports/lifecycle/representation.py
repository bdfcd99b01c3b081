"""Exports in responses of the API and in webhook events."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exports.lifecycle.storage import EXPORT_FILES
from exports.models import STATUS_CHOICES, Export, ExportEvent, ExportFile, Status
from longshore.api.serializers import ModelSerializer
from longshore.jobs.api.serializers import JobEventSerializer, JobSerializer


class ExportFileSerializer(ModelSerializer[ExportFile]):
    class Meta:
        model = ExportFile
        fields = ("name", "rows", "bytes", "sha256")


class ExportEventSerializer(JobEventSerializer[ExportEvent]):
    """A change of the status of an export."""

    class Meta(JobEventSerializer.Meta):
        model = ExportEvent


class ExportSerializer(JobSerializer[Export]):
    """An export. Values that are not known yet are null."""

    object_name = "export"
    view_name = "export-detail"

    number = serializers.IntegerField(
        source="organization_number", help_text="Number of the export within its organization."
    )
    download_url = serializers.SerializerMethodField()
    files = ExportFileSerializer(many=True)
    type = serializers.SerializerMethodField(help_text="The named export of the request.")
    warnings = serializers.SerializerMethodField(
        help_text="Requested values that the files omit, one sentence each."
    )

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
        # Always present; optional in the published description, from which clients are generated.
        extra_kwargs: ClassVar = {"expires_at": {"required": False}}

    def get_type(self, export: Export) -> str | None:
        code: str | None = export.request.get("type")
        return code

    def get_warnings(self, export: Export) -> list[str]:
        return list(export.spec.get("warnings", ()))

    @extend_schema_field(serializers.ChoiceField(STATUS_CHOICES))
    def get_status(self, export: Export) -> str:
        return super().get_status(export)

    def get_download_url(self, export: Export) -> str | None:
        """Link to the first file of a completed export; works for a few minutes."""
        if export.shown_status is not Status.COMPLETED:
            return None
        request = self.context.get("request")
        return next((EXPORT_FILES.url(file, request)[0] for file in export.files.all()), None)


class ExportEventDataSerializer(ExportSerializer):
    """An export in events and webhooks, without the body of its request."""

    omitted = ("request",)

    def get_download_url(self, export: Export) -> str | None:
        """Link to the first file of a completed export; works for a few minutes."""
        # The sender signs the link. A link signed now would expire before the event is sent.
        return None
