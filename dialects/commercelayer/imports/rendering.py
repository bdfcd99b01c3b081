"""Renders imports from the native representation of batches."""

from collections.abc import Iterable, Mapping
from typing import Any

from batches.models import BatchError
from dialects.commercelayer.documents import BASE_ATTRIBUTES, Shown
from dialects.commercelayer.jobs.attributes import extras_of
from dialects.commercelayer.jobs.rendering import job_attributes

TYPE = "imports"
ATTRIBUTES = (
    *("resource_type", "format", "parent_resource_id", "status"),
    *("started_at", "completed_at", "interrupted_at", "inputs", "inputs_size"),
    *("errors_count", "warnings_count", "processed_count", "errors_log", "warnings_log"),
    *("skip_errors", "attachment_url", *BASE_ATTRIBUTES),
)
RELATIONSHIPS = ("events",)


def render_import(
    batch: Mapping[str, Any],
    attachment_url: str | None = None,
    errors: Iterable[BatchError] = (),
) -> Shown:
    """Return a batch as documents show it.

    batch: as the native API or an event shows it. attachment_url: link to its input.
    errors: some of the errors of its rows.
    """
    extras = extras_of(batch["metadata"])
    warnings = batch["warnings"]
    shown = job_attributes(batch)
    attributes = {
        **shown,
        "format": _format(batch["input"] or {}),
        "parent_resource_id": extras.get("parent_resource_id"),
        "skip_errors": extras.get("skip_errors", False),
        # The input is behind the attachment's link. Clients expect a list.
        "inputs": [],
        "inputs_size": extras.get("inputs_size", batch["records_count"]),
        "errors_count": batch["stats"]["failed"],
        "warnings_count": len(warnings),
        "errors_log": {**shown["errors_log"], **_log(errors)},
        "warnings_log": {"base": list(warnings)} if warnings else {},
        "attachment_url": attachment_url,
    }
    return Shown(TYPE, batch["id"], attributes, RELATIONSHIPS)


def _format(found: Mapping[str, Any]) -> str | None:
    """Return the format of an input; from its name if it has not been read yet."""
    if found.get("format"):
        return str(found["format"])
    name = str(found.get("name", "")).removesuffix(".gz")
    return name.rpartition(".")[2] or None


def _log(errors: Iterable[BatchError]) -> dict[str, dict[str, list[str]]]:
    """Return the messages of errors by the number of their row and by their column."""
    log: dict[str, dict[str, list[str]]] = {}
    for error in errors:
        row = log.setdefault(str(error.row or "base"), {})
        row.setdefault(error.column or "base", []).append(error.message)
    return log
