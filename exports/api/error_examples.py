"""Errors of exports in the API description, made by the code of the endpoints."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from exports.api import errors, waiting
from exports.formats.workbook import MAX_COLUMNS, too_many_columns
from exports.lifecycle import limits
from exports.lifecycle.transitions import readable_spec
from exports.models import Export, Status
from exports.request.parser import parse_export
from longshore.api import concurrency
from longshore.api.openapi import raised, raised_errors, unknown_name
from longshore.resources.api.documentation import unknown_field
from longshore.resources.export_types import export_types
from longshore.resources.reading import ResponseTooLarge
from longshore.resources.registry import registry


def invalid_bodies() -> Iterator[dict[str, Any]]:
    """Yield request bodies, each with one error; most of them need a resource.

    A project may declare any name: a name that must be unknown is chosen among unknown ones.
    """
    yield {"resource": unknown_name("invalid_resource", registry.names())}
    yield {"type": unknown_name("orders", export_types.codes())}
    resource = next((each for each in registry if each.date_field), None)
    if resource is None or resource.date_field is None:
        return
    date, unknown = resource.date_field, unknown_field(resource, "color")
    for change in (
        {"date_from": "2025-04-01", "date_to": "2025-01-01"},
        {"format": "pdf"},
        {"compression": "rar"},
        {"options": {unknown_field(resource, date[:-1]): "2024-12-25"}},
        {"filters": {f"{date}_greater": "2024-12-25"}},
        {"csv_field_options": {"columns": {unknown: True}}},
        {"includes": [unknown]},
        {"options": {"order_by": unknown}},
        {"options": {"limit": 0}},
        {"csv_field_options": {"timezone": "Mars/Olympus"}},
        {"csv_field_options": {"datetime_format": "yyyy-bb"}},
    ):
        yield {"resource": resource.name, **change}


INVALID_BODIES = raised_errors(partial(parse_export, body) for body in invalid_bodies())
INVALID_WAIT = waiting.invalid_wait("60")
TOO_MANY_REQUESTS = concurrency.too_many(2)
TOO_MANY_RECORDS = limits.too_many_records(1_204_331, 1_000_000)
EMPTY_EXPORT = limits.empty()
FORMAT_LIMIT = errors.format_limit(too_many_columns(MAX_COLUMNS + 1))
ANSWER_TOO_LARGE = ResponseTooLarge(25_165_824, "metadata")
NOT_READY = errors.not_ready(
    Export(status=Status.PROCESSING, records_count=4211, processed_count=1685)
)
FILES_EXPIRED = errors.files_expired(
    Export(status=Status.EXPIRED, expires_at=datetime(2024, 12, 26, 14, 30, tzinfo=UTC))
)
OBSOLETE_SPEC = raised(lambda: readable_spec(Export(spec={"version": 0})))
