"""What the page of the mapping shows: headers with their columns, options, and a preview."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from batches.admin.wizard.bodies import DELIMITERS, DIALECT, MAX_HEADERS, dialect_of
from batches.execution.preview import Preview, preview_input
from batches.execution.sample import MAX_BYTES
from batches.lifecycle import creation
from batches.models import Batch
from batches.request.charsets import ENCODINGS
from batches.request.parser import parse_batch
from batches.spec import (
    NO_QUOTE,
    Action,
    Duplicates,
    InputFormat,
    OnError,
    Only,
)
from batches.targets import Targets
from longshore.accounts import audit
from longshore.api.concurrency import admitted
from longshore.api.errors import ApiError, InvalidInput, shortened
from longshore.resources.registry import Resource, registry
from longshore.resources.timezones import TIMEZONES

_PREVIEW = "batches.preview_batch"
_DELETED = "The file has been deleted. Upload it again."
# They can only be read as a whole.
_TABLES = (InputFormat.XLSX, InputFormat.PARQUET)
_MAX_TABLE_COLUMNS = 30
# The controls of problems, by the fields of the request that differ from their names.
_PLACES = {f"csv.{name}": name for name in DIALECT}
_HEADER = "header:"
_MAPPING = "mapping."


@dataclass(frozen=True)
class PlacedProblem:
    """A message and the control that it belongs to; place: "" for the whole form."""

    place: str
    message: str


@dataclass(frozen=True)
class Result:
    """How the input would be read with a request.

    preview: None if the request is not valid, or if the input cannot be read.
    """

    problems: list[PlacedProblem] = field(default_factory=list)
    preview: Preview | None = None

    @cached_property
    def messages(self) -> Mapping[str, str]:
        """The messages of each place."""
        found: dict[str, str] = {}
        for each in self.problems:
            found[each.place] = " ".join(filter(None, (found.get(each.place), each.message)))
        return found


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
        return f"{_HEADER}{self.name}"


def read(batch: Batch, body: Mapping[str, Any]) -> Result:
    """Preview the input of a batch with a request, within the limits of the API."""
    if not creation.has_input(batch):
        return Result([PlacedProblem("", _DELETED)])
    try:
        spec = parse_batch(body, batch.organization, has_file=True).spec
        with admitted(batch.organization_id, spare=1):
            found = preview_input(batch, spec)
    except ApiError as error:
        return refused(error)
    except FileNotFoundError:
        return Result([PlacedProblem("", _DELETED)])
    return Result(_problems(found), found)


def refused(error: ApiError, read: Result | None = None) -> Result:
    """Return the result of a request that is refused. read: what is known of the input."""
    preview = read.preview if read else None
    if isinstance(error, InvalidInput):
        problems = [PlacedProblem(_place(each.field), each.message) for each in error.problems]
        return Result(problems, preview)
    return Result([PlacedProblem("", error.message)], preview)


def record_preview(request: HttpRequest, batch: Batch, result: Result) -> None:
    """Record that a person has seen rows of the input."""
    if result.preview and request.user.has_perm(_PREVIEW):
        message = f"Previewed {batch.input_name} of {batch} as {batch.resource}."
        audit.record_preview(request, batch.organization_id, message)


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
            result.messages.get(f"{_HEADER}{shortened(column['header'])}", ""),
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


def _problems(found: Preview) -> list[PlacedProblem]:
    problems = [
        PlacedProblem(_place(str(each["field"])), each["message"]) for each in found.problems
    ]
    headers = {shortened(each["header"]) for each in found.columns}
    placed = [
        PlacedProblem(f"{_HEADER}{each.place}", each.message) if each.place in headers else each
        for each in problems
    ]
    for each in found.ambiguities:
        placed.append(PlacedProblem(f"{_HEADER}{shortened(each['header'])}", each["message"]))
    return placed


def _place(name: str) -> str:
    if name.startswith(_MAPPING):
        return f"{_HEADER}{name.removeprefix(_MAPPING)}"
    return _PLACES.get(name, name)


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
    Action.OVERWRITE: "As above, then delete all that are not in the file",
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
