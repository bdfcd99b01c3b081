"""Exports in the words of 29next: in responses and in webhooks."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exports.models import Export, Status
from longshore.api.links import absolute
from longshore.api.serializers import DateTimeField

# The vendor has `pending` and `available` only. An export that will not become available must not
# look as if it would.
STATUSES: Mapping[str, str] = {
    Status.QUEUED: "pending",
    Status.PROCESSING: "pending",
    Status.COMPLETED: "available",
    Status.FAILED: "failed",
    Status.TIMED_OUT: "failed",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "expired",
}


class ExportSerializer(serializers.Serializer[Any]):
    """An export."""

    id = serializers.IntegerField(
        source="number", help_text="Number of the export within the organization."
    )
    created_at = DateTimeField()
    type = serializers.SerializerMethodField(
        help_text="Code of the export type. An export that another API created without a type has "
        "the name of its resource."
    )
    status = serializers.SerializerMethodField()
    date_from = serializers.CharField(
        allow_null=True, help_text="Start of the range, as in the request."
    )
    date_to = serializers.CharField(
        allow_null=True, help_text="End of the range, as in the request. It is included."
    )
    url = serializers.SerializerMethodField(help_text="URL of the export in this API.")

    def to_representation(self, instance: Export | Mapping[str, Any]) -> dict[str, Any]:
        """Render a row, or the native representation in the data of an event."""
        native = _native(instance) if isinstance(instance, Export) else instance
        return dict(super().to_representation(native))

    def get_type(self, native: Mapping[str, Any]) -> str:
        return str(native["type"] or native["resource"])

    @extend_schema_field(serializers.ChoiceField([*dict.fromkeys(STATUSES.values())]))
    def get_status(self, native: Mapping[str, Any]) -> str:
        return STATUSES[native["status"]]

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, native: Mapping[str, Any]) -> str:
        return export_url(native["number"], self.context.get("request"))


def _native(export: Export) -> dict[str, Any]:
    """Return the members of the native representation that the serializer reads."""
    return {
        "number": export.organization_number,
        "created_at": export.created_at,
        "type": export.request.get("type"),
        "resource": export.resource,
        "status": export.shown_status,
        "date_from": export.date_from,
        "date_to": export.date_to,
    }


def export_url(number: int, request: HttpRequest | None = None) -> str:
    """Return the URL of an export in this API, on `BASE_URL` without a request."""
    return absolute(f"{reverse('nextcommerce-export-detail', args=[number])}/", request)
