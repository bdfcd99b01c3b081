"""Renders exports from their native representation."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from dialects.commercelayer.documents import BASE_ATTRIBUTES, Shown, moment
from dialects.commercelayer.jobs.attributes import extras_of
from dialects.commercelayer.jobs.rendering import job_attributes
from exports.lifecycle.storage import EXPORT_FILES
from exports.models import Export

TYPE = "exports"
# Attributes from the request of an export, and their values if it does not have them. Clients
# expect empty objects and lists, not null.
_REQUESTED: dict[str, Any] = {"includes": [], "fields": [], "filters": {}, "dry_data": False}
ATTRIBUTES = (
    *("resource_type", "format", "status", *_REQUESTED, "jwt_filters"),
    *("started_at", "completed_at", "estimated_completion_at", "interrupted_at"),
    *("records_count", "processed_count", "progress", "attachment_url", "errors_log"),
    *BASE_ATTRIBUTES,
)
RELATIONSHIPS = ("events",)


def render_export(export: Mapping[str, Any], request: HttpRequest | None = None) -> Shown:
    """Return an export as documents show it.

    export: as the native API shows it. request: supplies the host of the attachment's URL.
    """
    requested = export["request"]
    attributes = {
        **job_attributes(export),
        "format": export["format"],
        **{name: requested.get(name) or empty for name, empty in _REQUESTED.items()},
        "jwt_filters": extras_of(export["metadata"]).get("jwt_filters", False),
        "estimated_completion_at": moment(export["estimated_completion"]),
        "records_count": export["records_count"],
        "progress": export["progress"],
        "attachment_url": _attachment_url(export, request),
    }
    return Shown(TYPE, export["id"], attributes, RELATIONSHIPS)


def _attachment_url(export: Mapping[str, Any], request: HttpRequest | None) -> str | None:
    """Return the link to the file of an export, or to an archive of its files."""
    if export["download_url"] and len(export["files"]) > 1:
        # Made through another API. A link to the first file would hide the others.
        return EXPORT_FILES.zip_url(Export(public_id=export["id"]), request)[0]
    url: str | None = export["download_url"]
    return url
