"""Converts the form of the mapping to the body of a request for a batch."""

import json
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import BadRequest
from django.http import QueryDict

from batches.request.body import BATCH_BODY
from batches.spec import Mode, OnError
from longshore.database.texts import storable

# Values of controls whose values a form cannot send unchanged.
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
DIALECT = ("delimiter", "quote", "encoding")
# Fields of a request that have a control, beside the mapping and `on_error`.
_CONTROLS = ("action", "only", "duplicate_handling", "timezone", "datetime_format")
_MAX_ERRORS = "max_errors"
# How a request is sent, and the number of deletions, which each dry run finds anew.
_LEFT_OUT = ("data", "upload", "dedupe", "mode", "dry_run", "confirm_deletes")
# They describe one file.
_OF_FILE = ("corrections", "format", "compression")
# A page with more headers, each with a list of all columns, would be too large.
MAX_HEADERS = 400


def starting_body(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a stored request to the body of a dry run."""
    names = (name for name in BATCH_BODY.names if name in request and name not in _LEFT_OUT)
    return {**{name: request[name] for name in names}, "mode": Mode.ASYNC.value, "dry_run": True}


def for_another_file(request: Mapping[str, Any], *, is_same_organization: bool) -> dict[str, Any]:
    """Convert a stored request to the body of a dry run of another file.

    Other organizations lack the saved mapping that the request may name.
    """
    body = {name: value for name, value in starting_body(request).items() if name not in _OF_FILE}
    if not is_same_organization:
        body.pop("mapping_name", None)
    if csv := body.pop("csv", None):
        body["csv"] = {name: value for name, value in csv.items() if name not in DIALECT}
    return body


def dialect_of(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the dialect of CSV that a request names."""
    return {name: value for name, value in (request.get("csv") or {}).items() if name in DIALECT}


def with_dialect(body: Mapping[str, Any], form: QueryDict) -> dict[str, Any]:
    """Return a body with the dialect of CSV that a form names; "" stands for detection.

    Another dialect may have other headers and rows, so the mapping and corrections are left out.
    """
    if not any(name in form for name in DIALECT):
        return dict(body)
    csv = {name: value for name, value in (body.get("csv") or {}).items() if name not in DIALECT}
    csv |= _dialect(form)
    changed = dict(body) | {"csv": csv}
    changed.pop("mapping", None)
    if dialect_of(changed) != dialect_of(body):
        changed.pop("corrections", None)
    return changed


def body_of(form: QueryDict, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that a form describes.

    request: the current request of the batch. Fields without a control in the form keep their
        values.
    Raises BadRequest for a form that the page cannot send.
    """
    given = {name: form.get(name, "").strip() for name in _CONTROLS}
    csv = _dialect(form)
    if "unescape_formulas" not in form:
        csv["unescape_formulas"] = False
    mapping = _mapping(form)
    is_same_dialect = _dialect(form) == dialect_of(request)
    if is_same_dialect and len(mapping) == MAX_HEADERS:
        # The page does not show the other headers.
        mapping = (request.get("mapping") or {}) | mapping
    body = starting_body(request) | given
    body |= {
        "csv": csv,
        "decimal_separator": form.get("decimal_separator", "."),
        "on_error": _on_error(form),
        "mapping": mapping,
    }
    if len(mapping) < MAX_HEADERS:
        # The mapping names every header.
        body.pop("mapping_name", None)
    if "discard_corrections" in form or not is_same_dialect:
        body.pop("corrections", None)
    return {name: value for name, value in body.items() if value not in ("", {})}


def _mapping(form: QueryDict) -> dict[str, str | None]:
    """Return the mapping of a form: the headers as JSON, because forms change line breaks."""
    try:
        headers = json.loads(form.get("headers") or "[]")
    except (ValueError, RecursionError):
        headers = None
    targets = form.getlist("target")
    is_valid = (
        isinstance(headers, list)
        and len(headers) == len(targets)
        and all(isinstance(header, str) and storable(header) for header in headers)
        and all(map(storable, targets))
    )
    if not is_valid:
        raise BadRequest("The form does not have one storable column for each header.")
    return {header: target or None for header, target in zip(headers, targets, strict=True)}


def _dialect(form: QueryDict) -> dict[str, Any]:
    given = {name: form.get(name, "") for name in DIALECT}
    given["delimiter"] = DELIMITERS.get(given["delimiter"], given["delimiter"])
    return {name: value for name, value in given.items() if value}


def _on_error(form: QueryDict) -> Any:
    choice = form.get("on_error", "")
    if choice != _MAX_ERRORS:
        return choice or OnError.SKIP.value
    text = form.get(_MAX_ERRORS, "").strip()
    is_whole = text.isascii() and text.isdigit() and len(text) < 20
    return {_MAX_ERRORS: int(text) if is_whole else text}
