"""Webhook events of exports: the export as the API shows it, without its request.

Deleting an export deletes its events, except `export.deleted`.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects

from exports.lifecycle.representation import ExportEventDataSerializer
from exports.lifecycle.storage import signed_url
from exports.models import Export, ExportFile, Status
from webhooks import outbox
from webhooks.events import EventType

# Maximum number of files in an event. An export has up to 1,000 files, and each of up to 50
# subscriptions receives the event.
MAX_EVENT_FILES = 100
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
    """Store the event of an export's new status, in the transaction that changes the status.

    export: as it is in the database.
    """
    prefetch_related_objects([export], "files")
    _publish(export, _TYPES[Status(export.status)])


def delete_events(export: Export) -> None:
    """Delete the events of an export, with their deliveries."""
    outbox.delete_events(export.organization_id, export.public_id)


def publish_deletion(export: Export) -> None:
    """Store `export.deleted`, in the transaction that deletes the export.

    The event identifies the export, but lists no files and repeats no text of the client, such as
    filters, metadata or dates.
    """
    cleared: dict[str, Any] = {"date_from": None, "date_to": None, "warnings": [], "metadata": {}}
    _publish(export, EventType.EXPORT_DELETED, files=[], error=None, **cleared)


def _publish(export: Export, event_type: EventType, **changes: Any) -> None:
    data = dict(ExportEventDataSerializer(export).data)
    data |= {"files": data["files"][:MAX_EVENT_FILES]} | changes
    preset = export.request.get("type") or ""
    outbox.publish(export.organization_id, event_type, data, export.resource, preset)


def with_links(exports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return exports of stored events, each with a presigned URL of its first file.

    The URL is null if the file is not available any more.
    """
    completed = [export["id"] for export in exports if export["status"] == Status.COMPLETED]
    if not completed:
        return list(exports)
    ready = Export.objects.ready().filter(public_id__in=completed)
    files = ExportFile.objects.select_related("export").filter(export__in=ready)
    firsts = files.order_by("export_id", "pk").distinct("export_id")
    links = {file.export.public_id: signed_url(file)[0] for file in firsts}
    return [export | {"download_url": links.get(export["id"])} for export in exports]
