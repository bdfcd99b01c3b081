"""Writes Parquet files with pyarrow, from COPY's CSV or from Arrow batches.

Imported only when a Parquet file is written: pyarrow takes as much memory as an export of CSV.
"""

import io
import re
from codecs import BOM_UTF8
from collections.abc import Sequence

# Before other modules of pyarrow: it chooses the allocator.
from longshore.files.arrow import compute, csv, json, pyarrow  # isort: skip
from pyarrow.parquet import ParquetWriter

from exports.formats.arrow_cells import fits_decimal
from exports.formats.base import Block, FileColumn, FormatLimit
from longshore.database.copying import DELIMITER, QUOTE
from longshore.resources.columns import ColumnType

# DuckDB's default. Readers skip and decode whole row groups, and more rows share a dictionary.
ROW_GROUP_ROWS = 122_880
# Ends a row group of wide rows earlier: a row group is in memory until it is written.
ROW_GROUP_BYTES = 48 << 20
# The first and last value that Python and most readers accept, in days and microseconds since
# 1970: the years 1 to 9999. The driver shows infinity as a value outside of them.
_DAYS = (-719_162, 2_932_896)
_MICROSECONDS = (-62_135_596_800_000_000, 253_402_300_799_999_999)
_ERROR_COLUMN = re.compile(r"CSV column #(\d+): (.*)", re.DOTALL)


class ParquetFile:
    """Writes a Parquet file from blocks of whole rows.

    rows: the number of rows in the file's footer; 0 until `close`.
    """

    def __init__(self, columns: Sequence[FileColumn], timezone: str) -> None:
        self.rows = 0
        self._columns = columns
        self._schema = pyarrow.schema([(c.header, _type(c, timezone)) for c in columns])
        self._bytes = io.BytesIO()
        self._writer = ParquetWriter(self._bytes, self._schema, compression="zstd")
        # Rows that wait for their row group.
        self._tables: list[pyarrow.Table] = []
        self._waiting_rows = self._waiting_bytes = 0

    def write(self, block: Block) -> bytes:
        """Add a block of rows. Return the bytes that the file grew by, often none.

        Raises FormatLimit.
        """
        if block.batch is None:
            self._add(_parse(self._columns, self._schema, block.data))
        else:
            self._add(_convert(self._columns, self._schema, block.batch))
        if self._waiting_rows >= ROW_GROUP_ROWS or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._write_row_group()
        return self._take()

    def close(self) -> bytes:
        """Write the last row groups and the footer. Return the last bytes of the file."""
        while self._tables:
            self._write_row_group()
        self._writer.close()
        self.rows = self._writer.writer.metadata.num_rows
        return self._take()

    def _add(self, table: pyarrow.Table) -> None:
        self._tables.append(table)
        self._waiting_rows += table.num_rows
        self._waiting_bytes += table.nbytes

    def _write_row_group(self) -> None:
        table = pyarrow.concat_tables(self._tables)
        self._tables.clear()
        self._waiting_rows = self._waiting_bytes = 0
        if rest := table.slice(ROW_GROUP_ROWS):
            self._add(rest)
        self._writer.write_table(table.slice(0, ROW_GROUP_ROWS), row_group_size=ROW_GROUP_ROWS)

    def _take(self) -> bytes:
        """Return the bytes written since the last call."""
        written = self._bytes.getvalue()
        self._bytes.seek(0)
        self._bytes.truncate()
        return written


def _type(column: FileColumn, timezone: str) -> pyarrow.DataType:
    match column.kind:
        case ColumnType.INTEGER:
            return pyarrow.int64()
        case ColumnType.FLOAT:
            return pyarrow.float64()
        case ColumnType.BOOLEAN:
            return pyarrow.bool_()
        case ColumnType.DATE:
            return pyarrow.date32()
        case ColumnType.DATETIME:
            return pyarrow.timestamp("us", timezone)
        case ColumnType.LIST:
            return pyarrow.list_(pyarrow.string())
        case ColumnType.DECIMAL if fits_decimal(column):
            return pyarrow.decimal128(*(column.digits or ()))
        case _:
            return pyarrow.string()


def _convert(
    columns: Sequence[FileColumn], schema: pyarrow.Schema, batch: pyarrow.RecordBatch
) -> pyarrow.Table:
    """Return a batch in the types of the file. Raises FormatLimit."""
    arrays = [
        _converted(column, batch.column(index), schema.field(index).type)
        for index, column in enumerate(columns)
    ]
    return pyarrow.table(arrays, schema)


def _converted(column: FileColumn, sent: pyarrow.Array, final: pyarrow.DataType) -> pyarrow.Array:
    match column.kind:
        case ColumnType.DATE:
            _check_years(column, sent.view(pyarrow.int32()), _DAYS)
        case ColumnType.DATETIME:
            _check_years(column, sent.view(pyarrow.int64()), _MICROSECONDS)
            return sent.view(final)
        case ColumnType.DECIMAL if sent.type != final:
            try:
                return sent.cast(final)
            except pyarrow.ArrowInvalid as error:
                raise _does_not_fit(column, str(error)) from error
        case ColumnType.LIST:
            return _lists(sent, final)
    return sent


def _check_years(column: FileColumn, values: pyarrow.Array, bounds: tuple[int, int]) -> None:
    found = compute.min_max(values).as_py()
    if found["min"] is not None and not bounds[0] <= found["min"] <= found["max"] <= bounds[1]:
        raise _does_not_fit(
            column, "it holds infinity, -infinity, or a year before 1 or after 9999"
        )


def _parse(columns: Sequence[FileColumn], schema: pyarrow.Schema, block: bytes) -> pyarrow.Table:
    """Return a table of a block of CSV. Raises FormatLimit."""
    if block.startswith(BOM_UTF8):
        # The parser removes a byte order mark, but this one belongs to the first text.
        block = BOM_UTF8 + block
    try:
        table = csv.read_csv(
            pyarrow.BufferReader(block),
            csv.ReadOptions(
                use_threads=False,
                block_size=len(block) + 1,
                column_names=[str(index) for index in range(len(columns))],
            ),
            csv.ParseOptions(
                delimiter=DELIMITER,
                quote_char=QUOTE,
                newlines_in_values=True,
                ignore_empty_lines=False,
            ),
            csv.ConvertOptions(
                check_utf8=False,
                column_types={
                    str(index): _parsed_type(column, schema.field(index).type)
                    for index, column in enumerate(columns)
                },
                # An empty cell is null; a quoted empty cell is an empty text.
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    except pyarrow.ArrowInvalid as error:
        raise _format_limit(columns, str(error)) from error
    arrays = [
        _array(column, table.column(index).combine_chunks(), schema.field(index).type)
        for index, column in enumerate(columns)
    ]
    return pyarrow.table(arrays, schema)


def _parsed_type(column: FileColumn, final: pyarrow.DataType) -> pyarrow.DataType:
    match column.kind:
        case ColumnType.DATETIME:
            return pyarrow.timestamp("us")
        case ColumnType.LIST:
            return pyarrow.string()
        case _:
            return final


def _array(column: FileColumn, parsed: pyarrow.Array, final: pyarrow.DataType) -> pyarrow.Array:
    match column.kind:
        case ColumnType.DATETIME:
            return parsed.view(final)
        case ColumnType.LIST:
            return _lists(parsed, final)
        case _:
            return parsed


def _lists(lines: pyarrow.Array, final: pyarrow.DataType) -> pyarrow.Array:
    """Parse a column of lists. The concatenated bytes of its cells are JSON Lines."""
    text = lines.buffers()[2]
    options = json.ReadOptions(use_threads=False, block_size=len(text) + 1)
    schema = pyarrow.schema([("list", final)])
    parse = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    table = json.read_json(pyarrow.BufferReader(text), options, parse)
    return table.column("list").combine_chunks()


def _format_limit(columns: Sequence[FileColumn], error: str) -> FormatLimit:
    if match := _ERROR_COLUMN.search(error):
        return _does_not_fit(columns[int(match.group(1))], match.group(2))
    return FormatLimit(f"The rows do not fit into Parquet: {error}")


def _does_not_fit(column: FileColumn, reason: str) -> FormatLimit:
    return FormatLimit(f"The column {column.header!r} does not fit into Parquet: {reason}")
