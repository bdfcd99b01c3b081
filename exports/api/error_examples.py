"""Errors of exports in the API description, made by the code of the endpoints."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from exports.api import errors
from exports.formats.base import FormatLimit
from exports.formats.workbook import MAX_COLUMNS, Workbook
from exports.lifecycle import limits
from exports.models import Export, Status
from exports.request.parser import parse_export
from longshore.api import admission
from longshore.api.errors import ApiError
from longshore.api.openapi import raised
from longshore.resources.reading import ResponseTooLarge
from longshore.resources.registry import registry


def invalid_bodies() -> Iterator[dict[str, Any]]:
    """Yield request bodies, each with one error; most of them need a resource."""
    yield {"resource": "invalid_resource"}
    yield {"type": "orders"}
    resource = next(iter(registry), None)
    if resource is None:
        return
    date = resource.date_field
    for change in (
        {"date_from": "2025-04-01", "date_to": "2025-01-01"},
        {"format": "pdf"},
        {"compression": "rar"},
        {"options": {date[:-1]: "2024-12-25"}},
        {"filters": {f"{date}_greater": "2024-12-25"}},
        {"csv_field_options": {"columns": {"colour": True}}},
        {"includes": ["colour"]},
        {"options": {"order_by": "colour"}},
        {"options": {"limit": 0}},
        {"csv_field_options": {"timezone": "Mars/Olympus"}},
        {"csv_field_options": {"datetime_format": "yyyy-bb"}},
    ):
        yield {"resource": resource.name, **change}


def _parse(body: dict[str, Any]) -> ApiError:
    return raised(lambda: parse_export(body))


def _write_too_many_columns() -> None:
    columns: Any = [None] * (MAX_COLUMNS + 1)
    spec: Any = None
    try:
        Workbook(columns, spec)
    except FormatLimit as limit:
        raise errors.format_limit(limit) from None


INVALID_BODIES = [_parse(body) for body in invalid_bodies()]
TOO_MANY_REQUESTS = admission.too_many(2)
TOO_MANY_RECORDS = limits.too_many_records(1_204_331, 1_000_000)
EMPTY_EXPORT = limits.empty()
FORMAT_LIMIT = raised(_write_too_many_columns)
ANSWER_TOO_LARGE = ResponseTooLarge(25_165_824, "metadata")
NOT_READY = errors.not_ready(
    Export(status=Status.PROCESSING, records_count=4211, processed_count=1685)
)
FILES_EXPIRED = errors.files_expired(
    Export(status=Status.EXPIRED, expires_at=datetime(2024, 12, 26, 14, 30, tzinfo=UTC))
)
LINK_EXPIRED = errors.link_expired()
RANGE_NOT_SATISFIABLE = errors.range_not_satisfiable(391_824)
