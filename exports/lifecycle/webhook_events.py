"""The webhook events of exports, and the links in them."""

from collections.abc import Sequence
from typing import Any

from exports.lifecycle.representation import ExportEventDataSerializer
from exports.lifecycle.storage import EXPORT_FILES
from exports.models import Export, ExportFile, Status
from webhooks.events import EventType
from webhooks.job_events import JobEvents

EXPORT_EVENTS: JobEvents[Export] = JobEvents(
    types={
        Status.QUEUED: EventType.EXPORT_QUEUED,
        Status.PROCESSING: EventType.EXPORT_STARTED,
        Status.COMPLETED: EventType.EXPORT_CREATED,
        Status.FAILED: EventType.EXPORT_FAILED,
        Status.TIMED_OUT: EventType.EXPORT_FAILED,
        Status.CANCELED: EventType.EXPORT_CANCELED,
        Status.EXPIRED: EventType.EXPORT_EXPIRED,
    },
    deletion=EventType.EXPORT_DELETED,
    serializer=ExportEventDataSerializer,
    cleared={"date_from": None, "date_to": None, "warnings": []},
)


def with_links(exports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return exports of stored events, each with a presigned URL of its first file.

    The URL is null if the file is not available any more.
    """
    completed = [export["id"] for export in exports if export["status"] == Status.COMPLETED]
    if not completed:
        return list(exports)
    ready = Export.objects.ready().filter(public_id__in=completed)
    # Each of the deferred values may have 256 KiB.
    found = ExportFile.objects.select_related("export").defer("export__request", "export__spec")
    files = found.filter(export__in=ready)
    firsts = files.order_by("export_id", "pk").distinct("export_id")
    links = {file.export.public_id: EXPORT_FILES.url(file)[0] for file in firsts}
    return [export | {"download_url": links.get(export["id"])} for export in exports]
