"""The columns that PostgreSQL sends as Arrow, and the SQL of their cells. Does not import pyarrow.

A type that is missing here needs COPY's text, because its binary form or its cast to text would
change a value: `real` has other digits in binary, the cast of `char(n)` to text removes blanks at
the end, the cast of `inet` adds a mask.
"""

from psycopg import postgres, sql

from exports.formats.base import FileColumn
from longshore.resources.columns import ColumnType

MAX_DECIMAL_DIGITS = 38
# A list is sent as a line of JSON, so a member may hold any character. A null list is a line too:
# the cells of one column, concatenated, are JSON Lines.
LIST = sql.SQL("'{{\"list\":' || coalesce(to_json({})::text, 'null') || E'}}\\n'")
_VALUE = sql.SQL("{}")
_TEXT = sql.SQL("({})::text")
_TYPES = {
    ColumnType.INTEGER: ("int2", "int4", "int8"),
    ColumnType.FLOAT: ("float8",),
    ColumnType.BOOLEAN: ("bool",),
    ColumnType.DATE: ("date",),
    ColumnType.DATETIME: ("timestamptz",),
    ColumnType.DECIMAL: ("numeric",),
    ColumnType.TEXT: ("text", "varchar", "uuid"),
}
_SQL = {ColumnType.INTEGER: sql.SQL("({})::int8"), ColumnType.TEXT: _TEXT}


def fits_decimal(column: FileColumn) -> bool:
    """Return whether a column is a decimal with declared digits that Parquet's decimals hold."""
    digits = column.digits
    return column.kind is ColumnType.DECIMAL and bool(digits and digits[0] <= MAX_DECIMAL_DIGITS)


def arrow_cell(value: sql.Composable, column: FileColumn, oid: int) -> sql.Composable | None:
    """Return the SQL of a cell that is sent as Arrow; None if it must be sent as COPY's text.

    oid: of the PostgreSQL type of the value.
    """
    if column.kind is ColumnType.LIST:
        return LIST.format(value)
    kind = column.kind if column.kind in _TYPES else ColumnType.TEXT
    if oid not in {postgres.types[name].oid for name in _TYPES[kind]}:
        return None
    if kind is ColumnType.DECIMAL and not fits_decimal(column):
        return _TEXT.format(value)
    return _SQL.get(kind, _VALUE).format(value)
