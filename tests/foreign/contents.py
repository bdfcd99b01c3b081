"""Compares the files of all formats with rows of the ORM."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pyarrow.parquet

from tests.exports.nested import joined
from tests.exports.spreadsheets import escaped

Row = dict[str, Any]


def _json(content: bytes) -> list[Row]:
    rows: list[Row] = json.loads(content, parse_float=Decimal)
    return rows


def _xlsx(content: bytes) -> list[Row]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    header, *rows = book.worksheets[0].iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


READERS: dict[str, Callable[[bytes], list[Row]]] = {
    "csv": lambda content: [*csv.DictReader(io.StringIO(content.decode(), newline=""))],
    "json": _json,
    "jsonl": lambda content: [
        json.loads(line, parse_float=Decimal) for line in content.splitlines()
    ],
    "parquet": lambda content: pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist(),
    "xlsx": _xlsx,
}


def expected(format_name: str, kind: str, value: Any) -> Any:
    """Return a value of the ORM as a file of the format holds it, for `found`.

    value: of `manage.py rows`.
    kind: the type of the column in `/v1/resources/<name>`.
    """
    is_table = format_name in ("csv", "xlsx")
    if value is None:
        return None
    if kind == "datetime":
        moment = datetime.fromisoformat(value)
        # Excel stores milliseconds.
        thousands = moment.microsecond // 1000 * 1000
        return moment.replace(microsecond=thousands) if format_name == "xlsx" else moment
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "decimal":
        return Decimal(value)
    if kind == "list" and is_table:
        return escaped(joined(value)) or None
    return (escaped(value) or None) if kind == "text" and is_table else value


def found(format_name: str, kind: str, value: Any) -> Any:
    """Return a value of a file as a Python value of the column's type."""
    is_table = format_name in ("csv", "xlsx")
    if value is None or (is_table and value == ""):
        return None
    if kind == "datetime":
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    if kind == "date":
        moment = date.fromisoformat(value) if isinstance(value, str) else value
        return moment.date() if isinstance(moment, datetime) else moment
    if kind == "decimal":
        return Decimal(str(value))
    if kind == "integer":
        return int(value)
    if kind == "boolean" and isinstance(value, str):
        return {"true": True, "false": False}[value]
    return json.loads(value) if kind == "json" and isinstance(value, str) else value
