"""What a file would be: its first rows as it would have them, their number and its size."""

import csv
import io
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from exports.formats import formats
from exports.formats.base import FileColumn, Rows, TypedFormat, fenced, place
from exports.lifecycle.creation import count_rows, expected_seconds
from exports.reading.copy_reader import copy_blocks
from exports.spec import TIMEZONE_FIELD, ExportSpec
from exports.sql.compiler import (
    Statement,
    among,
    compile_export,
    compile_parted,
    compile_records,
    compile_rows,
    outlines,
)
from exports.sql.discovery import discover
from longshore.files.formulas import escape_formula
from longshore.resources.reading import (
    MAX_ANSWER_BYTES,
    AnswerTooLarge,
    TookTooLong,
    configure,
    reading,
)

MAX_ROWS = 20
# To count the rows, and then in all to have found the first: the answer is to come within a
# second, however rare is what passes the filters.
_COUNT_MILLISECONDS = 300
_FOUND_MILLISECONDS = 900
# What is shown of the rows that were found: a record may have much to compute.
_ROWS_MILLISECONDS = 5_000
# Of the values to flatten: reading their JSON takes some twenty times as much memory.
MAX_FLATTENED_BYTES = 1 << 20
# So few are sorted in no time.
_FEW = 50_000
# The values of each row, in order: an object of so many could not be built by a function.
_ARRAYS = """SELECT (SELECT json_agg(cell.value) FROM json_each(row_to_json(shown)) AS cell)::text
 FROM (SELECT {} FROM {}) AS shown"""

# The cells of a file have no limit either.
csv.field_size_limit(sys.maxsize)


@dataclass(frozen=True)
class Preview:
    """rows: JSON texts: arrays of cells, or objects where the format has objects.

    header_is_partial: rows that are not shown may add columns.
    rows_are_missing: there may be some, but finding the first would take too long.
    estimated_bytes: of the text, before it is compressed; None where rows are missing.
    warnings: what was asked for and the file leaves out.
    """

    header: list[str]
    header_is_partial: bool
    rows: list[str]
    rows_are_missing: bool
    records_count: int
    records_count_is_estimate: bool
    estimated_bytes: int | None
    estimated_seconds: float
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Sample:
    """The first rows, and the bytes of the text of a file of them, and of one without any."""

    columns: tuple[FileColumn, ...]
    rows: list[str]
    bytes: int
    bytes_of_none: int


def preview(spec: ExportSpec, organization_id: str) -> Preview:
    """Look at an export without making it; nothing is stored.

    Of records without an order, the newest are shown. Raises TookTooLong, AnswerTooLarge,
    FormatLimit, and InvalidInput for a time zone that PostgreSQL does not know.
    """
    began = time.monotonic()
    count, estimated = _count(spec, organization_id)
    limit = min(spec.selection.limit or MAX_ROWS, MAX_ROWS)
    first = replace(spec, selection=replace(spec.selection, limit=limit))
    # Where a limit cuts off the count, more are selected than were counted.
    cut = spec.selection.limit is not None and count >= spec.selection.limit
    few = not estimated and not cut and count <= _FEW
    left = _FOUND_MILLISECONDS - round((time.monotonic() - began) * 1000)
    keys = _find(first, organization_id, few, max(1, left)) if count or estimated else []
    with reading(spec.timezone, _ROWS_MILLISECONDS, TIMEZONE_FIELD) as cursor:
        sample = _sample(cursor, first, organization_id, keys or [])
    found = len(sample.rows)
    if keys is not None and len(keys) < limit:
        # Fewer than there was room for are all that there are.
        count, estimated = found, False
    size = sample.bytes_of_none
    if found:
        size += round((sample.bytes - size) / found * count)
    headers = [column.header for column in sample.columns]
    return Preview(
        header=[escape_formula(header) for header in headers] if _escapes(spec) else headers,
        header_is_partial=count > found and any(column.parted for column in outlines(spec)),
        rows=sample.rows[:MAX_ROWS],
        rows_are_missing=keys is None,
        records_count=count,
        records_count_is_estimate=estimated,
        estimated_bytes=None if keys is None else size,
        estimated_seconds=expected_seconds(count),
        warnings=spec.warnings,
    )


def _find(spec: ExportSpec, organization_id: str, few: bool, milliseconds: int) -> list[str] | None:
    """The primary keys of the records of a file; None where finding them takes too long.

    few: whether all that are selected are known to be few.
    """
    query = compile_records(spec, organization_id, gathered=few).as_string(None)
    try:
        with reading(spec.timezone, milliseconds, TIMEZONE_FIELD) as cursor:
            cursor.execute(query)
            return [key for (key,) in cursor.fetchall()]
    except TookTooLong:
        return None


def _sample(
    cursor: CursorWrapper, spec: ExportSpec, organization_id: str, keys: list[str]
) -> _Sample:
    # Nothing is joined, taken apart or computed of any other record.
    first = among(spec, keys)
    query, paths = compile_parted(spec, organization_id, first)
    if paths:
        _check_size(cursor, query, paths, MAX_FLATTENED_BYTES)
    found = discover(connection.connection, spec, organization_id, first)
    statement = compile_export(spec, organization_id, found, first)
    configure(cursor, statement.settings)
    headers = [column.header for column in statement.columns]
    _check_size(cursor, statement.query, headers, MAX_ANSWER_BYTES)
    if isinstance(file_format := formats[spec.format], TypedFormat):
        return _values(cursor, statement, file_format, spec)
    return _text(statement, spec)


def _check_size(
    cursor: CursorWrapper, query: sql.Composable, names: Sequence[str], maximum: int
) -> None:
    """Raises AnswerTooLarge before anything of large cells is sent here.

    names: of the columns of the query.
    """
    sizes = [
        sql.SQL("coalesce(sum(octet_length(({})::text)), 0)").format(place(index))
        for index in range(len(names))
    ]
    measured = sql.SQL("SELECT ARRAY[{}] FROM {}").format(
        sql.SQL(", ").join(sizes), fenced(query, names)
    )
    cursor.execute(measured.as_string(None))
    [(found,)] = cursor.fetchall()
    if sum(found) > maximum:
        largest = max(range(len(found)), key=found.__getitem__)
        raise AnswerTooLarge(int(sum(found)), names[largest], maximum=maximum)


def _text(statement: Statement, spec: ExportSpec) -> _Sample:
    """The rows of a text format, as they stand in it."""
    file_format, columns = formats[spec.format], statement.columns
    copy = statement.copy.as_bytes(None)
    blocks = list(copy_blocks(connection.connection, copy, spec.dialect.line_end.encode()))
    content = b"".join(file_format.write(columns, blocks, spec))
    if file_format.rows is Rows.JSON:
        rows = b"".join(block.data for block in blocks).decode().split("\n")[:-1]
    else:
        text = content.decode("utf-8-sig" if spec.dialect.bom else "utf-8")
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=spec.dialect.delimiter)
        if spec.include_header:
            next(lines)
        rows = [json.dumps(cells, ensure_ascii=False) for cells in lines]
    nothing = b"".join(file_format.write(columns, [], spec))
    return _Sample(columns, rows, len(content), len(nothing))


def _values(
    cursor: CursorWrapper, statement: Statement, file_format: TypedFormat, spec: ExportSpec
) -> _Sample:
    """The rows of a format of typed cells, as JSON."""
    cells = [
        sql.SQL("{} AS {}").format(file_format.shown(place(index), column, spec), place(index))
        for index, column in enumerate(statement.columns)
    ]
    query = sql.SQL(_ARRAYS).format(
        sql.SQL(", ").join(cells), fenced(statement.query, statement.columns)
    )
    cursor.execute(query.as_string(None))
    rows = [row for (row,) in cursor.fetchall()]
    return _Sample(statement.columns, rows, sum(len(row.encode()) for row in rows), 0)


def _escapes(spec: ExportSpec) -> bool:
    return spec.escape_formulas and "escape_formulas" in formats[spec.format].options


def _count(spec: ExportSpec, organization_id: str) -> tuple[int, bool]:
    """The rows of the file, and whether their number is the planner's estimate."""
    count = count_rows(spec, organization_id, _COUNT_MILLISECONDS)
    if count is not None:
        return count, False
    query = compile_rows(spec, organization_id).as_string(None)
    with reading(spec.timezone, _COUNT_MILLISECONDS, TIMEZONE_FIELD) as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}")
        [(plans,)] = cursor.fetchall()
        return int(plans[0]["Plan"]["Plan Rows"]), True
