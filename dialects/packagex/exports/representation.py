"""Exports in the words of PackageX, made from those of the native API and of its events."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from rest_framework import serializers

from dialects.packagex.jobs import changed_at, shown_status
from exports.lifecycle.representation import ExportSerializer
from exports.lifecycle.storage import EXPORT_FILES
from exports.models import Export, Status

CSV_FORMATS = ("csv",)
JSON_FORMATS = ("json", "jsonl")
# Of an export that is shown as failed, because PackageX cancels no exports.
_CANCELED = {"error": "canceled", "message": "The export was canceled."}


class ShownExportSerializer(ExportSerializer):
    """The native representation of an export, with only the fields that `show_export` reads."""

    omitted = (
        *("object", "number", "url", "type", "date_from", "date_to", "compression"),
        *("processed_count", "progress", "warnings", "metadata", "request"),
    )
    # Their number is shown; an export may have many.
    files: Any = serializers.SlugRelatedField("name", many=True, read_only=True)


def show_export(native: Mapping[str, Any], request: HttpRequest | None = None) -> dict[str, Any]:
    """Return an export. The first seven fields are those of PackageX's document.

    native: the export in the native API or in an event.
    request: supplies the host of links; None for that of `BASE_URL`.
    """
    return {
        "id": native["id"],
        "resource": native["resource"],
        "status": shown_status(native),
        "created_at": _seconds(native["created_at"]),
        "estimated_completion": _seconds(native["estimated_completion"]),
        "download_url": download_url(native, request),
        "expires_at": _seconds(native["expires_at"]),
        "object": "export",
        "updated_at": _seconds(changed_at(native)),
        "count_total": native["records_count"],
        "count_batches": len(native["files"]),
        "error": _CANCELED if native["status"] == Status.CANCELED else native["error"],
    }


def download_url(native: Mapping[str, Any], request: HttpRequest | None) -> str | None:
    """Return the link to all rows of a completed export: to its file, or to a ZIP of its files."""
    url: str | None = native["download_url"]
    if url is None or len(native["files"]) == 1:
        return url
    return EXPORT_FILES.zip_url(Export(public_id=native["id"]), request)[0]


def _seconds(text: str | None) -> str | None:
    """Return a time of the native API without a fraction of its second, as documented."""
    return None if text is None else f"{text[:19]}Z"
