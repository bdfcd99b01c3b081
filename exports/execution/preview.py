"""Previews: the first rows of an export's file, the number of its rows, and its estimated size.

A preview reads with the connection of the request and stores nothing. The format makes the rows:
see `Format.preview_rows`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from exports.formats import formats
from exports.formats.base import FileColumn, cell_identifier, fenced
from exports.lifecycle.creation import count_rows, expected_seconds
from exports.reading.copy_reader import copy_blocks
from exports.spec import TIMEZONE_FIELD, ExportSpec
from exports.sql.compiler import (
    column_layouts,
    compile_export,
    compile_key_partition,
    compile_nested_values,
    compile_records,
    compile_rows,
)
from exports.sql.discovery import discover
from longshore.resources.reading import (
    MAX_RESPONSE_BYTES,
    ResponseTooLarge,
    StatementTimeout,
    configure,
    reading,
)

MAX_ROWS = 20
# Time limits of counting the rows and of finding the first records. The response should come within
# a second, however rare the records that pass the filters are.
_COUNT_MILLISECONDS = 300
_FIND_MILLISECONDS = 600
# Time limit of reading the rows that were found: a record may have expensive computed columns.
ROWS_MILLISECONDS = 5_000
# Maximum of the values to flatten: parsing their JSON takes about 20 times their memory.
MAX_FLATTENED_BYTES = 1 << 20
# Up to this number of records, sorting all of them is fast.
MAX_SELECTED_BEFORE_LIMIT = 50_000


@dataclass(frozen=True)
class Preview:
    """The first rows of a file, and figures about all of it.

    header: the headers of the columns.
    header_is_partial: whether rows after the preview may add columns (`flatten`).
    rows: JSON texts: arrays of cells, or objects if the format has objects.
    rows_are_missing: whether `rows` is empty because finding the first records takes too long.
    records_count: the number of rows in the file.
    records_count_is_estimate: whether that number is the query planner's estimate.
    estimated_bytes: of the uncompressed file; None if rows are missing.
    estimated_seconds: the duration of the export.
    warnings: sentences about what the request includes and the file omits.
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
    """A file of the first records.

    rows: JSON texts.
    bytes: of the file.
    empty_bytes: of a file without rows.
    """

    columns: tuple[FileColumn, ...]
    rows: list[str]
    bytes: int
    empty_bytes: int


def preview(spec: ExportSpec, organization_id: str) -> Preview:
    """Return the preview of an export.

    Without an order, it shows the newest records. Raises StatementTimeout, ResponseTooLarge,
    FormatLimit, and InvalidInput for a time zone that PostgreSQL does not know.
    """
    count, is_estimate = _count(spec, organization_id)
    limit = min(spec.selection.limit or MAX_ROWS, MAX_ROWS)
    first = replace(spec, selection=replace(spec.selection, limit=limit))
    # If the limit bounded the count, more records may pass the filters than were counted.
    is_bounded = spec.selection.limit is not None and count >= spec.selection.limit
    select_before_limit = not is_estimate and not is_bounded and count <= MAX_SELECTED_BEFORE_LIMIT
    keys: list[str] | None = []
    if count or is_estimate:
        keys = _find_records(first, organization_id, select_before_limit)
    with reading(spec.timezone, ROWS_MILLISECONDS, TIMEZONE_FIELD) as cursor:
        sample = _read_sample(cursor, first, organization_id, keys or [])
    rows = len(sample.rows)
    if keys is not None and len(keys) < limit:
        # Fewer records than the limit: these are all.
        count, is_estimate = rows, False
    size = sample.empty_bytes
    if rows:
        size += round((sample.bytes - size) / rows * count)
    is_nested = any(layout.is_nested for layout in column_layouts(spec))
    return Preview(
        header=formats[spec.format].headers(sample.columns, spec),
        header_is_partial=count > rows and is_nested,
        rows=sample.rows[:MAX_ROWS],
        rows_are_missing=keys is None,
        records_count=count,
        records_count_is_estimate=is_estimate,
        estimated_bytes=None if keys is None else size,
        estimated_seconds=expected_seconds(count),
        warnings=spec.warnings,
    )


def _find_records(
    spec: ExportSpec, organization_id: str, select_before_limit: bool
) -> list[str] | None:
    """Return the primary keys of the selected records, or None if finding them takes too long.

    select_before_limit: as in `compile_records`.
    """
    records = compile_records(spec, organization_id, select_before_limit=select_before_limit)
    query = records.as_string(None)
    try:
        with reading(spec.timezone, _FIND_MILLISECONDS, TIMEZONE_FIELD) as cursor:
            cursor.execute(query)
            return [key for (key,) in cursor.fetchall()]
    except StatementTimeout:
        return None


def _read_sample(
    cursor: CursorWrapper, spec: ExportSpec, organization_id: str, keys: list[str]
) -> _Sample:
    """Return the file of the records with these primary keys.

    Raises ResponseTooLarge before the database sends large values.
    """
    # Restricts joins, flattening and computed columns to these records.
    partition = compile_key_partition(spec, keys)
    query, paths = compile_nested_values(spec, organization_id, partition)
    if paths:
        _check_size(cursor, query, paths, MAX_FLATTENED_BYTES)
    discovered = discover(connection.connection, spec, organization_id, partition)
    statement = compile_export(spec, organization_id, discovered, partition)
    configure(cursor, statement.settings)
    columns = statement.columns
    _check_size(cursor, statement.query, [c.header for c in columns], MAX_RESPONSE_BYTES)
    file_format = formats[spec.format]
    copy = file_format.preview_copy(statement.query, columns, spec).as_bytes(None)
    line_end = spec.dialect.line_end.encode()
    blocks = list(copy_blocks(connection.connection, copy, line_end))
    rows = file_format.preview_rows(blocks, spec)
    if file_format.compressed_inside:
        # The size of such a file depends on the compression of many rows. Estimate it by the
        # text of the cells.
        return _Sample(columns, rows, sum(len(row.encode()) for row in rows), 0)
    size, empty_size = (
        sum(map(len, file_format.write(columns, content, spec))) for content in (blocks, [])
    )
    return _Sample(columns, rows, size, empty_size)


def _check_size(
    cursor: CursorWrapper, query: sql.Composable, names: Sequence[str], maximum: int
) -> None:
    """Raise ResponseTooLarge if the cells of a query have more bytes than the maximum.

    The database measures them; none is sent.

    names: of the query's columns, for the error.
    """
    sizes = [
        sql.SQL("coalesce(sum(octet_length(({})::text)), 0)").format(cell_identifier(index))
        for index in range(len(names))
    ]
    measured = sql.SQL("SELECT ARRAY[{}] FROM {}").format(
        sql.SQL(", ").join(sizes), fenced(query, names)
    )
    cursor.execute(measured.as_string(None))
    [(bytes_of,)] = cursor.fetchall()
    if sum(bytes_of) > maximum:
        largest = max(range(len(bytes_of)), key=bytes_of.__getitem__)
        raise ResponseTooLarge(int(sum(bytes_of)), names[largest], maximum=maximum)


def _count(spec: ExportSpec, organization_id: str) -> tuple[int, bool]:
    """Return the number of rows in the file, and whether it is the planner's estimate."""
    count = count_rows(spec, organization_id, _COUNT_MILLISECONDS)
    if count is not None:
        return count, False
    query = compile_rows(spec, organization_id).as_string(None)
    with reading(spec.timezone, _COUNT_MILLISECONDS, TIMEZONE_FIELD) as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}")
        [(plans,)] = cursor.fetchall()
        return int(plans[0]["Plan"]["Plan Rows"]), True
