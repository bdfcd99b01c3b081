"""Parquet: typed columns in row groups, each compressed with zstd.

COPY sends the rows as CSV, and pyarrow parses them. A driver that reads Arrow batches from
PostgreSQL would save a fifth of the time, but it can neither count rows as they arrive nor be
stopped.
"""

from collections.abc import Iterable, Iterator, Sequence

from psycopg import sql

from exports.formats.base import (
    Block,
    FileColumn,
    Format,
    IncompleteFile,
    Rows,
    cell_identifier,
    fenced,
    json_arrays_copy,
    json_lines,
    register,
)
from exports.spec import ExportSpec
from longshore.database.copying import BLOCK_BYTES, UNQUOTED
from longshore.files.prefetch import map_ahead
from longshore.resources.columns import ColumnType

# Bytes of CSV that are parsed at once: each call of the parser has a fixed cost per column.
PARSED_BYTES = 8 * BLOCK_BYTES
# Joined blocks that may wait while a row group is written.
_BLOCKS_AHEAD = 2
# A list is sent as a line of JSON, so a member may hold any character. A null list is a line too:
# the cells of one column, concatenated, are JSON Lines.
_LIST = "'{{\"list\":' || coalesce(to_json({})::text, 'null') || E'}}\\n'"


class Parquet(Format):
    name = "parquet"
    extension = "parquet"
    content_type = "application/vnd.apache.parquet"
    rows = Rows.ARRAYS
    compressed_inside = "zstd"

    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        cells = [_cell(cell_identifier(index), column) for index, column in enumerate(columns)]
        return sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT ({})").format(
            sql.SQL(", ").join(cells), fenced(query, columns), sql.SQL(UNQUOTED)
        )

    def preview_copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        return json_arrays_copy(query, columns, map(cell_identifier, range(len(columns))))

    def preview_rows(self, blocks: Iterable[Block], spec: ExportSpec) -> list[str]:
        return json_lines(blocks)

    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        # Not at the top: pyarrow takes as much memory as a whole export of CSV.
        from exports.formats.arrow import ParquetFile

        count = 0

        def counted() -> Iterator[bytes]:
            nonlocal count
            for block in blocks:
                count += block.rows
                yield block.data

        file = ParquetFile(columns, spec.timezone)
        yield from map_ahead(file.write, _joined(counted()), _BLOCKS_AHEAD)
        yield file.close()
        if file.rows != count:
            raise IncompleteFile(f"The file has {file.rows} of {count} rows.")


register(Parquet())


def _joined(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Join blocks until they have at least `PARSED_BYTES`."""
    waiting: list[bytes] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= PARSED_BYTES:
            yield b"".join(waiting)
            waiting.clear()
    if waiting:
        yield b"".join(waiting)


def _cell(value: sql.Composable, column: FileColumn) -> sql.Composable:
    match column.kind:
        case ColumnType.DATETIME:
            return sql.SQL("{} AT TIME ZONE 'UTC'").format(value)
        case ColumnType.LIST:
            return sql.SQL(_LIST).format(value)
        case _:
            return value
