"""CSV (RFC 4180). PostgreSQL writes the rows; Python adds the header and escapes formulas.

A null is an empty cell, an empty text is `""`.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence

from psycopg import sql

from exports.formats.base import (
    SPREADSHEET_OPTIONS,
    Block,
    FileColumn,
    Rows,
    TextFormat,
    cell_identifier,
    cell_text,
    escaped_headers,
    fenced,
    register,
)
from exports.formats.excel_numbers import EXACT
from exports.spec import ExportSpec
from longshore.files.csv_dialect import CsvDialect, Quoting
from longshore.files.datetime_patterns import ISO_8601
from longshore.files.formulas import escape_formula_sql, escape_inside_cells, excel_text_sql
from longshore.resources.columns import ColumnType

_BOM = b"\xef\xbb\xbf"

# Changes the limit of the whole process, also for other users of `csv`: previews read rows with it,
# and its default of 128 KiB a cell is lower than the limit of an export. Restoring the limit after
# each preview would break the previews of other threads.
csv.field_size_limit(sys.maxsize)


class Csv(TextFormat):
    name = "csv"
    extension = "csv"
    content_type = "text/csv"
    rows = Rows.TEXT
    options = SPREADSHEET_OPTIONS | {
        *("delimiter", "quoting", "bom", "line_end", "decimal_separator", "preset")
    }

    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        cells = [
            _cell(cell_identifier(index), column, spec) for index, column in enumerate(columns)
        ]
        if len(cells) == 1:
            # Most readers skip an empty line; they do not skip `""`.
            cells = [sql.SQL("coalesce(({})::text, '')").format(cells[0])]
        return sql.SQL(
            "COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv, ENCODING 'UTF8', DELIMITER {}{})"
        ).format(
            sql.SQL(", ").join(cells),
            fenced(query, columns),
            sql.Literal(spec.dialect.delimiter),
            sql.SQL(", FORCE_QUOTE *" if spec.dialect.quoting is Quoting.ALL else ""),
        )

    def head(self, columns: Sequence[FileColumn], spec: ExportSpec) -> bytes:
        return (_BOM if spec.dialect.bom else b"") + _header(columns, spec)

    def text(self, block: Block, spec: ExportSpec) -> bytes:
        return _escaped_rows(block.data, spec)

    def preview_rows(self, blocks: Iterable[Block], spec: ExportSpec) -> list[str]:
        content = b"".join(_escaped_rows(block.data, spec) for block in blocks)
        text = io.StringIO(content.decode(), newline="")
        rows = csv.reader(text, delimiter=spec.dialect.delimiter)
        return [json.dumps(cells, ensure_ascii=False) for cells in rows]


register(Csv())


def _cell(value: sql.Composable, column: FileColumn, spec: ExportSpec) -> sql.Composable:
    match column.kind:
        case ColumnType.BOOLEAN:
            return sql.SQL("({})::text").format(value)
        case ColumnType.INTEGER | ColumnType.DECIMAL | ColumnType.FLOAT:
            return _number(value, column.kind, spec.dialect)
        case ColumnType.JSON:
            return _json(value, spec)
    text = cell_text(value, column, spec, ISO_8601)
    if column.kind is ColumnType.TEXT and spec.dialect.keeps_texts:
        return excel_text_sql(value, text)
    return text


def _number(value: sql.Composable, kind: ColumnType, dialect: CsvDialect) -> sql.Composable:
    if not dialect.tells_numbers:
        return value
    separator = sql.Literal(dialect.decimal_separator)
    text = sql.SQL("replace(({})::text, '.', {})").format(value, separator)
    if not dialect.keeps_texts or kind not in EXACT:
        return text
    return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(
        sql.SQL(EXACT[kind]).format(value), text, excel_text_sql(text, text)
    )


def _json(value: sql.Composable, spec: ExportSpec) -> sql.Composable:
    """Return SQL of the cell of a JSON scalar; only a string is a text that must be kept."""
    text = sql.SQL("({} #>> '{{}}')").format(value)
    shown = escape_formula_sql(text) if spec.escape_formulas else text
    return sql.SQL(
        "CASE jsonb_typeof({}) WHEN 'number' THEN {} WHEN 'string' THEN {} ELSE {} END"
    ).format(
        value,
        _number(sql.SQL("{}::numeric").format(text), ColumnType.DECIMAL, spec.dialect),
        excel_text_sql(text, shown) if spec.dialect.keeps_texts else shown,
        text,
    )


def _header(columns: Sequence[FileColumn], spec: ExportSpec) -> bytes:
    """Return the header line, quoted as COPY quotes it.

    COPY cannot write it: PostgreSQL cuts the name of a column after 63 bytes.
    """
    if not spec.include_header:
        return b""
    cells = [_quoted(header, spec.dialect) for header in escaped_headers(columns, spec)]
    return _escaped_rows(
        (spec.dialect.delimiter.join(cells) + spec.dialect.line_end).encode(), spec
    )


def _escaped_rows(rows: bytes, spec: ExportSpec) -> bytes:
    """Escape formulas that follow a separator other than the file's delimiter."""
    return escape_inside_cells(rows, spec.dialect.delimiter) if spec.escape_formulas else rows


def _quoted(text: str, dialect: CsvDialect) -> str:
    if {dialect.delimiter, '"', "\r", "\n"}.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'
