"""What the page of the mapping shows: headers with their columns, options, and a preview."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batches.admin.wizard.bodies import DELIMITERS, MAX_HEADERS, dialect_of
from batches.admin.wizard.previews import HEADER, Result
from batches.execution.preview import Preview
from batches.execution.sample import MAX_BYTES
from batches.models import Batch
from batches.request.charsets import ENCODINGS
from batches.spec import (
    NO_QUOTE,
    Action,
    Duplicates,
    InputFormat,
    OnError,
    Only,
)
from batches.targets import Targets
from longshore.api.errors import shortened
from longshore.resources.registry import Resource, registry
from longshore.resources.timezones import TIMEZONES

# They can only be read as a whole.
_TABLES = (InputFormat.XLSX, InputFormat.PARQUET)
_MAX_TABLE_COLUMNS = 30


@dataclass(frozen=True)
class Header:
    """A header of the input.

    target: the column that it sets; "" if it is ignored.
    known: whether the target is in the list of columns.
    reason: why the column is proposed; "" if nothing is proposed.
    alternatives: names of other columns that it may set.
    """

    position: int
    name: str
    samples: list[str]
    target: str
    known: bool
    reason: str
    alternatives: list[str]
    problem: str

    @property
    def place(self) -> str:
        return f"{HEADER}{self.name}"


def headers_of(batch: Batch, body: Mapping[str, Any], result: Result) -> list[Header]:
    """Return the headers of the previewed input, or those that the request maps.

    None are known if the input cannot be read.
    """
    offered = {name for _, names in offered_columns(batch) for name in names}
    columns: Sequence[Mapping[str, Any]] = [
        {"header": header, "target": target}
        for header, target in (body.get("mapping") or {}).items()
    ]
    samples: Mapping[str, list[str]] = {}
    if result.preview:
        columns, samples = result.preview.columns, result.preview.samples
    return [
        Header(
            position,
            column["header"],
            samples.get(column["header"], []),
            column["target"] or "",
            (column["target"] or "") in offered,
            column.get("reason", ""),
            [each["target"] for each in column.get("alternatives", ())],
            result.messages.get(f"{HEADER}{shortened(column['header'])}", ""),
        )
        for position, column in enumerate(columns)
    ]


def offered_columns(batch: Batch) -> list[tuple[str, list[str]]]:
    """Return the columns that headers may set, in groups."""
    resource = registry.get(batch.resource)
    if resource is None:
        return []
    targets = Targets(resource)
    related = [
        name
        for relation in targets.relations.values()
        for name in (
            relation.name,
            *(f"{relation.name}.{each}" for each in targets.identifying_fields(relation)),
        )
    ]
    groups = [
        ("Columns", [targets.primary_key.name, *resource.writable_columns]),
        ("Related records, by label or field", related),
        ("Records that belong to it", list(targets.parts)),
    ]
    return [(label, names) for label, names in groups if names]


def form_context(batch: Batch, body: Mapping[str, Any], result: Result) -> dict[str, Any]:
    """Return the context of the form."""
    headers, resource = headers_of(batch, body, result), registry.get(batch.resource)
    csv, on_error = body.get("csv") or {}, body.get("on_error")
    limited = isinstance(on_error, Mapping)
    pattern = body.get("datetime_format") or (
        result.preview.datetime_format if result.preview else None
    )
    shown = headers[:MAX_HEADERS]
    return {
        "body": body,
        "csv": csv,
        "headers": shown,
        "header_names": json.dumps([each.name for each in shown]),
        "is_large_table": _is_large_table(batch, result),
        "too_many_headers": len(headers) if len(headers) > MAX_HEADERS else 0,
        "max_headers": MAX_HEADERS,
        "offered": offered_columns(batch),
        "identified_by": _identified_by(resource) if resource else "",
        "actions": _actions(resource),
        "onlys": [(each.value, label) for each, label in _ONLY.items()],
        "duplicates": [(each.value, label) for each, label in _DUPLICATES.items()],
        "on_error": "max_errors" if limited else on_error or OnError.SKIP.value,
        "on_errors": _ON_ERROR,
        "max_errors": on_error.get("max_errors", "") if isinstance(on_error, Mapping) else "",
        "pattern": pattern or "",
        "zones": sorted(TIMEZONES),
        "default_zone": batch.organization.timezone,
        "delimiters": _DELIMITERS,
        "delimiter": _name_of(csv.get("delimiter")),
        "quotes": _QUOTES,
        "encodings": ENCODINGS,
        "unescapes": csv.get("unescape_formulas", True),
        "corrected": len(body.get("corrections") or ()),
        "dropped_corrections": _dropped_corrections(batch, body),
    }


def result_context(batch: Batch, body: Mapping[str, Any], result: Result) -> dict[str, Any]:
    """Return the context of the preview."""
    found = result.preview
    context: dict[str, Any] = {
        "result": result,
        "batch": batch,
        "headers": headers_of(batch, body, result)[:MAX_HEADERS],
        "messages": result.messages,
    }
    if found is None:
        return context
    columns = list(dict.fromkeys(name for row in found.rows for name in row["values"] or ()))
    shown = columns[:_MAX_TABLE_COLUMNS]
    return context | {
        "preview": found,
        "columns": shown,
        "other_columns": len(columns) - len(shown),
        "rows": [
            {
                "row": row["row"],
                "action": row["action"] or "failed",
                "outcome": _OUTCOMES.get(row["action"] or "", "failed"),
                "cells": [(row["values"] or {}).get(name) for name in shown],
            }
            for row in found.rows
        ],
        "read_as": list(_read_as(found)),
    }


def _is_large_table(batch: Batch, result: Result) -> bool:
    """Return whether each preview of an input opens a large file as a whole."""
    is_table = result.preview is not None and result.preview.detected["format"] in _TABLES
    return is_table and (batch.input_bytes or 0) > MAX_BYTES


def _dropped_corrections(batch: Batch, body: Mapping[str, Any]) -> int:
    """Return the number of corrected rows that another dialect makes useless."""
    is_same_dialect = dialect_of(body) == dialect_of(batch.request)
    return 0 if is_same_dialect else len(batch.request.get("corrections") or ())


def _read_as(found: Preview) -> Iterator[tuple[str, str]]:
    about = ""
    if found.rows_are_estimate:
        about = "at least " if found.detected["format"] in _TABLES else "about "
    yield "Rows", f"{about}{found.estimated_rows:,}"
    yield "Format", str(found.detected["format"]).upper()
    for name in ("compression", "encoding", "sheet"):
        if (value := found.detected.get(name)) and value != "none":
            yield name.capitalize(), str(value)
    if value := found.detected.get("delimiter"):
        yield "Delimiter", dict(_DELIMITERS).get(_name_of(value), repr(value))


def _identified_by(resource: Resource) -> str:
    targets = Targets(resource)
    key = " and ".join(column.name for column in targets.key)
    return f"{targets.primary_key.name}, else by {key}" if key else targets.primary_key.name


def _actions(resource: Resource | None) -> list[tuple[str, str]]:
    supported = resource.actions if resource else ()
    return [(each.value, label) for each, label in _ACTIONS.items() if each.value in supported]


def _name_of(delimiter: str | None) -> str:
    return next((name for name, each in DELIMITERS.items() if each == delimiter), "")


# The outcomes of the actions of a preview, for their colors.
_OUTCOMES = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "unchanged": "unchanged",
}
_ACTIONS = {
    Action.MERGE: "Create, and update those that exist",
    Action.OVERWRITE: "Create and update, then delete all that are not in the file",
    Action.DELETE: "Delete the records that the file names",
}
_ONLY = {
    Only.CREATE: "Only create; rows of existing records are errors",
    Only.UPDATE: "Only update; rows of new records are errors",
}
_DUPLICATES = {
    Duplicates.IGNORE_ALL: "All of them are errors",
    Duplicates.USE_FIRST: "Use the first row, the others are errors",
}
_ON_ERROR = [
    (OnError.SKIP.value, "Skip them, write the others"),
    (OnError.ABORT.value, "Write all rows or none"),
    ("max_errors", "Write nothing above a number of rows"),
]
_DELIMITERS = [
    ("comma", "Comma ,"),
    ("semicolon", "Semicolon ;"),
    ("tab", "Tab"),
    ("bar", "Vertical bar |"),
]
_QUOTES = [('"', 'Double quote "'), ("'", "Apostrophe '"), (NO_QUOTE, "None")]
