"""Events of exports: the export as the API shows it, without its request, with a fresh link.

Deleting an export deletes its events; `export.deleted` alone stays.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects
from django.db.models.functions import Now

from exports.lifecycle.representation import AnnouncedExportSerializer
from exports.lifecycle.storage import signed_url
from exports.models import Export, ExportFile, Status
from longshore.api import idempotency
from webhooks import outbox
from webhooks.events import EventType

# Maximum of files in an event: an export has up to a thousand, and fifty subscriptions may get it.
MAX_FILES = 100
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
    _publish(export, _TYPES[Status(export.status)])


def publish_deletion(export: Export) -> None:
    """Store `export.deleted` in place of everything else that events and answers hold of an export.

    Call it in the transaction that deletes the export. The event says which export it was, but
    names no files and repeats no text of the client, such as filters, metadata or dates.
    """
    outbox.withdraw(export.organization_id, export.public_id)
    idempotency.forget(export.organization_id, export.public_id)
    cleared: dict[str, Any] = {"date_from": None, "date_to": None, "warnings": [], "metadata": {}}
    _publish(export, EventType.EXPORT_DELETED, files=[], error=None, **cleared)


def _publish(export: Export, event_type: EventType, **changes: Any) -> None:
    data = dict(AnnouncedExportSerializer(export).data)
    data |= {"files": data["files"][:MAX_FILES]} | changes
    named = export.request.get("type") or ""
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
