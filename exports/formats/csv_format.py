"""CSV (RFC 4180): a header, a delimiter between cells, a line end after each row.

A null is nothing between its delimiters, an empty text is `""`.
"""

from collections.abc import Iterable, Iterator, Sequence

from psycopg import sql

from exports.formats.base import (
    SPREADSHEET_OPTIONS,
    Block,
    FileColumn,
    Rows,
    fenced,
    place,
)
from exports.spec import ExportSpec
from longshore.files.csv_dialect import CsvDialect, Quoting
from longshore.files.date_texts import date_text
from longshore.files.datetime_patterns import ISO_8601
from longshore.files.formulas import (
    datetime_sql,
    escape_formula,
    escape_formula_sql,
    escape_inside_cells,
)
from longshore.resources.columns import ColumnType

_BOM = b"\xef\xbb\xbf"


class Csv:
    name = "csv"
    extension = "csv"
    content_type = "text/csv"
    rows = Rows.TEXT
    options: frozenset[str] = SPREADSHEET_OPTIONS | {"delimiter", "quoting", "bom", "line_end"}
    compressed_inside: str | None = None

    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        cells = [_cell(place(index), column, spec) for index, column in enumerate(columns)]
        if len(cells) == 1:
            # A line with nothing on it is no row to most readers; an empty quoted text is.
            cells = [sql.SQL("coalesce(({})::text, '')").format(cells[0])]
        return sql.SQL(
            "COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv, ENCODING 'UTF8', DELIMITER {}{})"
        ).format(
            sql.SQL(", ").join(cells),
            fenced(query, columns),
            sql.Literal(spec.dialect.delimiter),
            sql.SQL(", FORCE_QUOTE *" if spec.dialect.quoting is Quoting.ALL else ""),
        )

    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        yield (_BOM if spec.dialect.bom else b"") + _header(columns, spec)
        for block in blocks:
            yield _harmless(block.data, spec)


def _cell(value: sql.Composable, column: FileColumn, spec: ExportSpec) -> sql.Composable:
    match column.kind:
        case ColumnType.BOOLEAN:
            return sql.SQL("({})::text").format(value)
        case ColumnType.DATETIME:
            pattern = spec.datetime_format or ISO_8601
            return datetime_sql(pattern, value, spec.timezone, escape_formulas=spec.escape_formulas)
        case ColumnType.DATE:
            return date_text(value)
        case ColumnType.TEXT if spec.escape_formulas:
            return escape_formula_sql(value)
        case _:
            return value


def _header(columns: Sequence[FileColumn], spec: ExportSpec) -> bytes:
    """The first line as COPY writes it, for whom a column's name ends after 63 bytes."""
    if not spec.include_header:
        return b""
    headers = [column.header for column in columns]
    if spec.escape_formulas:
        headers = [escape_formula(header) for header in headers]
    cells = [_quoted(header, spec.dialect) for header in headers]
    return _harmless((spec.dialect.delimiter.join(cells) + spec.dialect.line_end).encode(), spec)


def _harmless(rows: bytes, spec: ExportSpec) -> bytes:
    return escape_inside_cells(rows, spec.dialect.delimiter) if spec.escape_formulas else rows


def _quoted(text: str, dialect: CsvDialect) -> str:
    if {dialect.delimiter, '"', "\r", "\n"}.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'
