"""XLSX: one or more sheets of typed cells.

SQL writes the XML of each cell, and Python only frames sheets and zips them. A text stands in its
cell as an inline string: a table of shared ones would have to be kept in memory.
"""

from collections.abc import Iterable, Iterator, Sequence

from psycopg import sql

from exports.formats.base import (
    SPREADSHEET_OPTIONS,
    UNQUOTED,
    Block,
    FileColumn,
    Rows,
    fenced,
    place,
)
from exports.formats.excel_dates import DEFAULT_PATTERN, number_format
from exports.formats.workbook import DATE, DATETIME, MAX_CELL_CHARACTERS, Workbook
from exports.spec import ExportSpec
from longshore.files.date_texts import date_text
from longshore.files.datetime_patterns import ISO_8601
from longshore.files.formulas import datetime_sql, escape_formula_sql
from longshore.files.prefetch import map_ahead
from longshore.resources.columns import ColumnType

# Another byte that XML never holds marks a cell that is too long.
_DIALECT = f"{UNQUOTED}, NULL '<c/>'"
_TEXT = sql.SQL("""'<c t="inlineStr"><is><t xml:space="preserve">' || {} || '</t></is></c>'""")
_NUMBER = sql.SQL("'<c><v>' || {} || '</v></c>'")
_STYLED = sql.SQL("'<c s=\"{style}\"><v>' || {value} || '</v></c>'")

# What XML cannot hold is written _xHHHH_, and so is what would be read as that.
_UNWRITABLE = [*range(1, 9), *range(11, 32), 0xFFFE, 0xFFFF]
_RARE = r"[\x01-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_"
_ESCAPED_RARE = "regexp_replace({}, '_(?=x[0-9A-Fa-f]{{4}}_)', '_x005F_', 'g')"
for _code in _UNWRITABLE:
    _ESCAPED_RARE = f"replace({_ESCAPED_RARE}, chr({_code}), '_x{_code:04X}_')"
_XML = sql.SQL(
    "replace(replace(replace(replace(CASE WHEN {0} ~ {rare} THEN "
    + _ESCAPED_RARE.replace("{}", "{0}")
    + " ELSE {0} END, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), E'\\n', '&#10;')"
)
# Excel counts a character beyond the first 65,536 as two.
_FITTING = sql.SQL(
    "CASE WHEN octet_length({text}) >= {longest} AND length({text})"
    " + length(regexp_replace({text}, '[^\\U00010000-\\U0010FFFF]', '', 'g')) > {longest}"
    " THEN E'\\x03' ELSE {cell} END"
)
# Excel has fifteen digits; a number of more stays exact as a text.
_INTEGER = "{0} BETWEEN -999999999999999 AND 999999999999999"
_DECIMAL = "length(ltrim(translate({0}::text, '-.', ''), '0')) <= 15 AND {0}::text !~ '[a-z]'"
_FLOAT = "abs({0}) < 1e308 AND ({0} = 0 OR abs({0}) > 2.3e-308)"
# Before, Excel's calendar has a day too many, and after, none.
_DATE = "{0} >= '1900-03-01' AND {0} < '10000-01-01'"
_SERIAL = sql.SQL("date_part('epoch', date_trunc({unit}, {moment}::timestamp)) / 86400 + 25569")


class Xlsx:
    name = "xlsx"
    extension = "xlsx"
    content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    rows = Rows.TEXT
    options: frozenset[str] = SPREADSHEET_OPTIONS
    compressed_inside: str | None = "zip"

    def copy(
        self, query: sql.Composable, columns: Sequence[FileColumn], spec: ExportSpec
    ) -> sql.Composable:
        cells = [_cell(place(index), column, spec) for index, column in enumerate(columns)]
        return sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT ({})").format(
            sql.SQL(", ").join(cells), fenced(query, columns), sql.SQL(_DIALECT)
        )

    def shown(self, value: sql.Composable, column: FileColumn, spec: ExportSpec) -> sql.Composable:
        match column.kind:
            case ColumnType.DATETIME:
                pattern = spec.datetime_format or DEFAULT_PATTERN
                return datetime_sql(
                    pattern, value, spec.timezone, escape_formulas=spec.escape_formulas
                )
            case ColumnType.DATE:
                return date_text(value)
            case ColumnType.TEXT if spec.escape_formulas:
                return escape_formula_sql(value)
            case _:
                return value

    def write(
        self, columns: Sequence[FileColumn], blocks: Iterable[Block], spec: ExportSpec
    ) -> Iterator[bytes]:
        workbook = Workbook(columns, spec)
        yield from map_ahead(workbook.write, (block.data for block in blocks))
        yield workbook.close()


def _cell(value: sql.Composable, column: FileColumn, spec: ExportSpec) -> sql.Composable:
    """SQL of a cell's XML, null where the value is."""
    match column.kind:
        case ColumnType.INTEGER:
            return _either(_INTEGER, value, _NUMBER.format(value))
        case ColumnType.DECIMAL:
            return _either(_DECIMAL, value, _NUMBER.format(value))
        case ColumnType.FLOAT:
            return _either(_FLOAT, value, _NUMBER.format(value))
        case ColumnType.BOOLEAN:
            return sql.SQL("'<c t=\"b\"><v>' || ({})::int || '</v></c>'").format(value)
        case ColumnType.DATE:
            days = sql.SQL("({} - '1899-12-30'::date)").format(value)
            cell = _STYLED.format(style=sql.SQL(DATE), value=days)
            return _either(_DATE, value, cell, date_text(value))
        case ColumnType.DATETIME:
            return _datetime(value, spec)
        case _:
            return _text(value, spec)


def _either(
    condition: str, value: sql.Composable, cell: sql.Composable, text: sql.Composable | None = None
) -> sql.Composable:
    """A cell where a condition is true of a value, else its text."""
    return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(
        sql.SQL(condition).format(value), cell, _TEXT.format(text or value)
    )


def _datetime(value: sql.Composable, spec: ExportSpec) -> sql.Composable:
    pattern = spec.datetime_format or ISO_8601
    shown_text = datetime_sql(pattern, value, spec.timezone, escape_formulas=spec.escape_formulas)
    text = _XML.format(shown_text, rare=sql.Literal(_RARE))
    shown = number_format(spec.datetime_format) if spec.datetime_format else None
    if spec.datetime_format and shown is None:
        return _TEXT.format(text)
    # Excel would round to the seconds that it shows; a text in their place ends with them.
    milliseconds = shown is None or shown.endswith(".000")
    serial = _SERIAL.format(
        unit=sql.Literal("milliseconds" if milliseconds else "second"),
        moment=value,
    )
    styled = _STYLED.format(style=sql.SQL(DATETIME), value=sql.SQL("({})").format(serial))
    return _either(_DATE, value, styled, text)


def _text(value: sql.Composable, spec: ExportSpec) -> sql.Composable:
    shown = escape_formula_sql(value) if spec.escape_formulas else value
    cell = _TEXT.format(_XML.format(shown, rare=sql.Literal(_RARE)))
    return _FITTING.format(text=shown, longest=sql.Literal(MAX_CELL_CHARACTERS), cell=cell)
