"""Parquet: typed columns in row groups, compressed inside with zstd.

The rows arrive as COPY's CSV, which pyarrow parses. So this format, as every other, is one
statement that sends a message for each row, is counted and can be stopped, which a driver that
reads Arrow's batches itself allows none of; that would save a fifth of the time.
"""

from collections.abc import Iterable, Iterator, Sequence

from psycopg import sql

from exports.formats.base import (
    BLOCK_BYTES,
    UNQUOTED,
    Block,
    FileColumn,
    IncompleteFile,
    Rows,
    fenced,
    place,
)
from exports.spec import ExportSpec
from longshore.files.prefetch import map_ahead
from longshore.resources.columns import ColumnType

# Parsing costs something for each column, however few the rows: so much is parsed at once.
_PARSED_BYTES = 8 * BLOCK_BYTES
# A row group is written at once; meanwhile the rows go on coming.
_BLOCKS_AHEAD = 2
# A list is a line of JSON, the one text in which a member may hold any character, and never
# null: so the cells of a column, one after the other, are JSON Lines.
_LIST = "'{{\"list\":' || coalesce(to_json({})::text, 'null') || E'}}\\n'"


class Parquet:
    name = "parquet"
    extension = "parquet"
    content_type = "application/vnd.apache.parquet"
    rows = Rows.ARRAYS
    options: frozenset[str] = frozenset()
    compressed_inside: str | None = "zstd"

    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        cells = [_cell(place(index), column) for index, column in enumerate(columns)]
        return sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT ({})").format(
            sql.SQL(", ").join(cells), fenced(query, columns), sql.SQL(UNQUOTED)
        )

    def shown(self, value: sql.Composable, column: FileColumn, spec: ExportSpec) -> sql.Composable:
        return value

    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        # Here, for pyarrow takes as much memory as a whole export of CSV.
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
            raise IncompleteFile(f"{file.rows} rows of {count} are in the file")


def _joined(blocks: Iterator[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= _PARSED_BYTES:
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
