"""What webhooks tell of exports: the export as the API shows it, with a link that works."""

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects
from django.db.models.functions import Now

from exports.api.serializers import ExportSerializer
from exports.models import Export, ExportFile, Status
from exports.storage import signed_url
from webhooks import outbox
from webhooks.events import EventType

_TYPES = {
    Status.QUEUED: EventType.EXPORT_QUEUED,
    Status.PROCESSING: EventType.EXPORT_STARTED,
    Status.COMPLETED: EventType.EXPORT_CREATED,
    Status.FAILED: EventType.EXPORT_FAILED,
    Status.TIMED_OUT: EventType.EXPORT_FAILED,
    Status.CANCELED: EventType.EXPORT_CANCELED,
    Status.EXPIRED: EventType.EXPORT_EXPIRED,
}


def publish(export: Export) -> None:
    """Write down an export's new status, in the transaction that changes it.

    export: as it is in the database.
    """
    prefetch_related_objects([export], "files")
    # A link would be too old by the time that it is sent.
    data = dict(ExportSerializer(export).data) | {"download_url": None}
    named = export.request.get("type") or ""
    event_type = _TYPES[Status(export.status)]
    outbox.publish(export.organization_id, event_type, data, export.resource, named)


def with_links(exports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Exports as they were told of, each with a link to its first file if that is still there."""
    ready = [export["id"] for export in exports if export["status"] == Status.COMPLETED]
    if not ready:
        return list(exports)
    files = ExportFile.objects.select_related("export").filter(
        export__public_id__in=ready,
        export__status=Status.COMPLETED,
        export__expires_at__gt=Now(),
        export__deleted_at=None,
    )
    firsts = files.order_by("export_id", "pk").distinct("export_id")
    links = {file.export.public_id: signed_url(file)[0] for file in firsts}
    return [export | {"download_url": links.get(export["id"])} for export in exports]
