"""Files of exports, written on the connection of the test and read back."""

import csv
import io
import json
from typing import Any

import pyarrow.parquet
from django.db import connection
from openpyxl import load_workbook

from exports.formats import formats
from exports.reading.copy_reader import copy_blocks
from exports.request.parser import parse_export
from exports.sql.compiler import compile_export
from exports.sql.discovery import discover
from longshore.accounts.models import Organization
from longshore.resources.reading import configure


def rows(
    organization: Organization, resource: str, file_format: str, *fields: str, **body: Any
) -> list[dict[str, Any]]:
    """Return the rows of a file as the readers of its format return them, by header."""
    output = body.pop("output", {}) | ({"columns": list(fields)} if fields else {})
    request = {"resource": resource, "format": file_format, "csv_field_options": output, **body}
    spec = parse_export({"compression": "none", **request})
    discovered = discover(connection.connection, spec, organization.pk)
    statement = compile_export(spec, organization.pk, discovered)
    with connection.cursor() as cursor:
        configure(cursor, statement.settings)
        blocks = list(copy_blocks(connection.connection, statement.copy.as_bytes(None), b"\r\n"))
        cursor.execute("SET LOCAL TimeZone = 'UTC'")
    content = b"".join(formats[spec.format].write(statement.columns, blocks, spec))
    match file_format:
        case "csv":
            return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
        case "json":
            return list(json.loads(content))
        case "jsonl":
            return [json.loads(line) for line in content.splitlines()]
        case "parquet":
            return list(pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist())
    header, *cells = load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in cells]
