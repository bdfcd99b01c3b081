"""Exports as the API shows them."""

from rest_framework import serializers
from rest_framework.reverse import reverse

from exports.models import Export, ExportFile, Status
from exports.storage import signed_url


class ExportFileSerializer(serializers.ModelSerializer[ExportFile]):
    class Meta:
        model = ExportFile
        fields = ("name", "rows", "bytes", "sha256")


class ExportSerializer(serializers.ModelSerializer[Export]):
    """An export; what is not yet known is null. Needs the request in its context."""

    id = serializers.CharField(source="public_id")
    object = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    progress = serializers.IntegerField()
    download_url = serializers.SerializerMethodField()
    files = ExportFileSerializer(many=True)

    class Meta:
        model = Export
        fields = (
            "id",
            "object",
            "number",
            "url",
            "resource",
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
            "request",
        )

    def get_object(self, export: Export) -> str:
        return "export"

    def get_url(self, export: Export) -> str:
        return str(reverse("export", [export.public_id], request=self.context["request"]))

    def get_status(self, export: Export) -> str:
        return export.shown_status

    def get_download_url(self, export: Export) -> str | None:
        """A fresh link of a few minutes, once the file is ready."""
        if export.shown_status is not Status.COMPLETED:
            return None
        return next(
            (signed_url(file, self.context["request"])[0] for file in export.files.all()), None
        )
