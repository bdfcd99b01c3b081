"""XLSX: one or more sheets of typed cells.

SQL writes the XML of each cell; `exports.formats.workbook` adds rows, sheets and the zip package.
Texts are inline strings: a table of shared strings would have to be kept in memory.
"""

import json
from collections.abc import Iterable, Iterator, Sequence

from psycopg import sql

from exports.formats.base import (
    SPREADSHEET_OPTIONS,
    Block,
    FileColumn,
    Format,
    Rows,
    cell_identifier,
    cell_text,
    fenced,
    json_arrays_copy,
    json_lines,
    register,
)
from exports.formats.excel_dates import DEFAULT_PATTERN, number_format
from exports.formats.excel_numbers import EXACT
from exports.formats.styles import AMOUNT, AMOUNT_STYLES, DATE, DATETIME
from exports.formats.workbook import MAX_CELL_CHARACTERS, Workbook
from exports.spec import ExportSpec
from longshore.database.copying import UNQUOTED
from longshore.files.date_texts import date_text
from longshore.files.datetime_patterns import ISO_8601
from longshore.files.formulas import datetime_sql, escape_formula_sql
from longshore.files.prefetch import map_ahead
from longshore.resources.columns import ColumnType

# A null cell is an empty XML element.
_DIALECT = f"{UNQUOTED}, NULL '<c/>'"
_TEXT = sql.SQL("""'<c t="inlineStr"><is><t xml:space="preserve">' || {} || '</t></is></c>'""")
_NUMBER = sql.SQL("'<c><v>' || {} || '</v></c>'")
_STYLED = sql.SQL("'<c s=\"{style}\"><v>' || {value} || '</v></c>'")
_AMOUNT = sql.SQL("'<c s=\"' || {style} || '\"><v>' || {value} || '</v></c>'")
_STYLE_OF_CURRENCY = sql.SQL("coalesce({styles}::jsonb ->> {currency}, {default})")

# Characters that XML forbids are written as _xHHHH_. A text that already looks like that escape is
# escaped as well.
_FORBIDDEN = [*range(1, 9), *range(11, 32), 0xFFFE, 0xFFFF]
_NEEDS_ESCAPE = r"[\x01-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_"
_ESCAPED = "regexp_replace({}, '_(?=x[0-9A-Fa-f]{{4}}_)', '_x005F_', 'g')"
for _code in _FORBIDDEN:
    _ESCAPED = f"replace({_ESCAPED}, chr({_code}), '_x{_code:04X}_')"
_XML = sql.SQL(
    "replace(replace(replace(replace(CASE WHEN {0} ~ {needs_escape} THEN "
    + _ESCAPED.replace("{}", "{0}")
    + " ELSE {0} END, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), E'\\n', '&#10;')"
)
# The cell, or the byte \x03 if its text is too long: `Workbook` raises FormatLimit for that byte,
# which XML never contains. Excel counts a character above U+FFFF as two.
_LIMITED = sql.SQL(
    "CASE WHEN octet_length({text}) >= {maximum} AND length({text})"
    " + length(regexp_replace({text}, '[^\\U00010000-\\U0010FFFF]', '', 'g')) > {maximum}"
    " THEN E'\\x03' ELSE {cell} END"
)
_FLOAT = "abs({0}) < 1e308 AND ({0} = 0 OR abs({0}) > 2.3e-308)"
# Before March 1900, Excel's calendar has a day too many (29 February 1900). It ends with 9999.
_DATE = "{0} >= '1900-03-01' AND {0} < '10000-01-01'"
_SERIAL = sql.SQL("date_part('epoch', date_trunc({unit}, {moment}::timestamp)) / 86400 + 25569")


class Xlsx(Format):
    name = "xlsx"
    extension = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    rows = Rows.TEXT
    options = SPREADSHEET_OPTIONS
    compressed_inside = "zip"

    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        by_path = {column.path: cell_identifier(index) for index, column in enumerate(columns)}
        cells = [
            _cell(cell_identifier(index), column, spec, by_path.get(column.currency))
            for index, column in enumerate(columns)
        ]
        return sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT ({})").format(
            sql.SQL(", ").join(cells), fenced(query, columns), sql.SQL(_DIALECT)
        )

    def preview_copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        cells = (
            cell_text(cell_identifier(index), column, spec, DEFAULT_PATTERN)
            for index, column in enumerate(columns)
        )
        return json_arrays_copy(query, columns, cells)

    def preview_rows(self, blocks: Iterable[Block], spec: ExportSpec) -> list[str]:
        return json_lines(blocks)

    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        workbook = Workbook(columns, spec)
        yield from map_ahead(workbook.write, (block.data for block in blocks))
        yield workbook.close()


register(Xlsx())


def _cell(
    value: sql.Composable,
    column: FileColumn,
    spec: ExportSpec,
    currency: sql.Composable | None,
) -> sql.Composable:
    """Return SQL of a cell's XML; null if the value is null.

    currency: the currency code of an amount; None if the file has none.
    """
    match column.kind:
        case ColumnType.DECIMAL if column.currency:
            amount = _AMOUNT.format(style=_amount_style(currency), value=value)
            return _cell_or_text(EXACT[column.kind], value, amount)
        case ColumnType.INTEGER | ColumnType.DECIMAL:
            # A text keeps all digits.
            return _cell_or_text(EXACT[column.kind], value, _NUMBER.format(value))
        case ColumnType.FLOAT:
            return _cell_or_text(_FLOAT, value, _NUMBER.format(value))
        case ColumnType.BOOLEAN:
            return sql.SQL("'<c t=\"b\"><v>' || ({})::int || '</v></c>'").format(value)
        case ColumnType.DATE:
            days = sql.SQL("({} - '1899-12-30'::date)").format(value)
            cell = _STYLED.format(style=sql.SQL(DATE), value=days)
            return _cell_or_text(_DATE, value, cell, date_text(value))
        case ColumnType.DATETIME:
            return _datetime(value, spec)
        case _:
            return _text(value, spec)


def _amount_style(currency: sql.Composable | None) -> sql.Composable:
    if currency is None:
        return sql.Literal(AMOUNT)
    styles = sql.Literal(json.dumps(AMOUNT_STYLES))
    return _STYLE_OF_CURRENCY.format(styles=styles, currency=currency, default=sql.Literal(AMOUNT))


def _cell_or_text(
    condition: str, value: sql.Composable, cell: sql.Composable, text: sql.Composable | None = None
) -> sql.Composable:
    """Return SQL of `cell` if the condition holds for the value, else of a text cell."""
    return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(
        sql.SQL(condition).format(value), cell, _TEXT.format(text or value)
    )


def _datetime(value: sql.Composable, spec: ExportSpec) -> sql.Composable:
    formatted = datetime_sql(
        spec.datetime_format or ISO_8601,
        value,
        spec.timezone,
        escape_formulas=spec.escape_formulas,
    )
    text = _XML.format(formatted, needs_escape=sql.Literal(_NEEDS_ESCAPE))
    excel_format = number_format(spec.datetime_format) if spec.datetime_format else None
    if spec.datetime_format and excel_format is None:
        return _TEXT.format(text)
    # Truncate to the precision of the request's pattern: Excel rounds, the other formats truncate.
    # Without a pattern the cell keeps the milliseconds that Excel can store, and shows seconds.
    milliseconds = excel_format is None or excel_format.endswith(".000")
    serial = _SERIAL.format(
        unit=sql.Literal("milliseconds" if milliseconds else "second"),
        moment=value,
    )
    styled = _STYLED.format(style=sql.SQL(DATETIME), value=sql.SQL("({})").format(serial))
    return _cell_or_text(_DATE, value, styled, text)


def _text(value: sql.Composable, spec: ExportSpec) -> sql.Composable:
    text = escape_formula_sql(value) if spec.escape_formulas else value
    cell = _TEXT.format(_XML.format(text, needs_escape=sql.Literal(_NEEDS_ESCAPE)))
    return _LIMITED.format(text=text, maximum=sql.Literal(MAX_CELL_CHARACTERS), cell=cell)
