"""Parquet: typed columns in row groups, each compressed with zstd.

Large exports arrive as Arrow batches (`arrow_query`). COPY sends the rows of other exports as CSV,
and pyarrow parses them: columns of types that Arrow would show in another way, small exports, and
exports of several files.
"""

from collections.abc import Iterable, Iterator, Sequence

from psycopg import sql

from exports.formats.arrow_cells import LIST, arrow_cell
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

    def arrow_query(
        self, query: sql.Composable, columns: Sequence[FileColumn], types: Sequence[int]
    ) -> sql.Composable | None:
        cells = [
            arrow_cell(cell_identifier(index), column, oid)
            for index, (column, oid) in enumerate(zip(columns, types, strict=True))
        ]
        found = [cell for cell in cells if cell is not None]
        if len(found) < len(cells):
            return None
        return sql.SQL("SELECT {} FROM {}").format(
            sql.SQL(", ").join(found), fenced(query, columns)
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

        def counted() -> Iterator[Block]:
            nonlocal count
            for block in blocks:
                count += block.rows
                yield block

        file = ParquetFile(columns, spec.timezone)
        yield from map_ahead(file.write, _joined(counted()), _BLOCKS_AHEAD)
        yield file.close()
        if file.rows != count:
            raise IncompleteFile(f"The file has {file.rows} of {count} rows.")


register(Parquet())


def _joined(blocks: Iterator[Block]) -> Iterator[Block]:
    """Join blocks of text until they have at least `PARSED_BYTES`."""
    waiting: list[Block] = []
    for block in blocks:
        if block.batch is not None:
            yield block
            continue
        waiting.append(block)
        if sum(len(each.data) for each in waiting) >= PARSED_BYTES:
            yield _join(waiting)
            waiting.clear()
    if waiting:
        yield _join(waiting)


def _join(blocks: list[Block]) -> Block:
    return Block(sum(block.rows for block in blocks), b"".join(block.data for block in blocks))


def _cell(value: sql.Composable, column: FileColumn) -> sql.Composable:
    match column.kind:
        case ColumnType.DATETIME:
            return sql.SQL("{} AT TIME ZONE 'UTC'").format(value)
        case ColumnType.LIST:
            return LIST.format(value)
        case _:
            return value
