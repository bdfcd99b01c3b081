"""Conversions of texts, numbers, booleans and other scalars."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from django.db import connection, models
from psycopg import sql

from batches.errors import RowErrorCode
from batches.spec import InputOptions
from batches.validation import messages
from batches.validation.conversion import CellForm, Conversion, Prepared, Problem, fails
from batches.validation.storable import not_storable
from longshore.database.column_types import db_type, sql_type
from longshore.resources.columns import AnyField, Column, ColumnType, valued_field
from longshore.resources.field_sql import is_native_text

_WHOLE = r"^\s*[+-]?[0-9]+(?:{point}0+)?\s*$"
_NUMBER = r"^\s*[+-]?(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]{{1,5}})?\s*$"
_FLOAT = r"(?i)^\s*(?:nan|[+-]?inf(?:inity)?)\s*$"
_BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
# PostgreSQL reads other texts as times, too, such as `now`.
_TIME = r"^\s*[0-2][0-9]:[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,6}0*)?)?\s*$"
_TRUE, _FALSE = ("true", "t", "1", "yes"), ("false", "f", "0", "no")


@dataclass(frozen=True)
class Cell:
    """A column of the input, or a constant, and the column of the table that it sets.

    name: of the target, for messages.
    raw: SQL of the text in the sub-select that computes `Prepared` columns.
    text: SQL of the text outside of it.
    suffix: makes the names of `Prepared` columns unique.
    """

    name: str
    column: Column
    field: AnyField
    raw: sql.Composable
    text: sql.Composable
    form: CellForm
    options: InputOptions
    suffix: str

    @property
    def valued(self) -> AnyField:
        """The field whose class determines the type of the values."""
        return valued_field(self.field)

    @property
    def type(self) -> sql.Composable:
        """The column's type in the database."""
        return sql_type(self.field)

    def prepare(self, value: sql.Composable) -> Prepared:
        """Return a column of the sub-select. value: SQL that uses `raw`."""
        return Prepared(f"cell {self.suffix}", value)

    def prepared(self, prepared: Prepared) -> sql.Composable:
        return sql.Identifier("cells", prepared.name)


def is_text(column: Column, field: AnyField) -> bool:
    """Return whether a column holds texts, so that an empty text may be a value."""
    return column.kind is ColumnType.TEXT and is_native_text(valued_field(field))


def same_blanks(stored: sql.Composable, given: sql.Composable) -> sql.Composable:
    """Return SQL of a test whether a stored text is empty and the given one is null."""
    return fails("({} = '' AND {} IS NULL)", stored, given)


def scalar(cell: Cell) -> Conversion:
    """Return the conversion of a column that is neither a list, JSON, a date nor a datetime."""
    if is_text(cell.column, cell.field):
        return Conversion(cell.text, text=cell.text)
    if convert := _BY_KIND.get(cell.column.kind):
        return convert(cell)
    if isinstance(cell.valued, models.BinaryField):
        return _binary(cell)
    if isinstance(cell.valued, models.GenericIPAddressField):
        return _address(cell)
    if isinstance(cell.valued, models.TimeField):
        return _time(cell)
    return typed(cell, cell.text, _accepted(cell.valued))


def typed(cell: Cell, value: sql.Composable, accepted: str) -> Conversion:
    """Return the conversion by PostgreSQL's own input function of the column's type."""
    refused = messages.not_accepted(cell.text, cell.name, accepted)
    invalid = fails("NOT pg_input_is_valid({}, {})", value, sql.Literal(db_type(cell.field)))
    result = fails("({})::{}", value, cell.type)
    tests = [invalid, not_storable(cell.valued, result)]
    problems = (
        Problem(test, RowErrorCode.INVALID_TYPE, refused) for test in tests if test is not None
    )
    return Conversion(result, tuple(problems), text=cell.text)


def _accepted(field: AnyField) -> str:
    if isinstance(field, models.UUIDField):
        return "a UUID such as 0f2c1d3e-aaaa-4bbb-8ccc-0123456789ab"
    if isinstance(field, models.DurationField):
        return "a duration such as 1 day 02:30:00 or P1DT2H30M"
    return f"a value of the type {db_type(field)}"


def _integer(cell: Cell) -> Conversion:
    separator = cell.options.decimal_separator
    whole = cell.prepare(
        fails(
            "CASE WHEN {0} ~ {1} THEN split_part({0}, {2}, 1) END",
            cell.raw,
            sql.Literal(_WHOLE.format(point=f"[{separator}]")),
            sql.Literal(separator),
        )
    )
    value = cell.prepared(whole)
    accepted = _integer_range(cell)
    return Conversion(
        fails("{}::{}", value, cell.type),
        (
            _unreadable(cell, value, "a whole number"),
            Problem(
                fails("NOT pg_input_is_valid({}, {})", value, sql.Literal(db_type(cell.field))),
                RowErrorCode.OUT_OF_RANGE,
                messages.out_of_range(cell.text, cell.name, accepted),
            ),
        ),
        (whole,),
        text=cell.text,
    )


def _integer_range(cell: Cell) -> str:
    low, high = connection.ops.integer_field_range(cell.valued.get_internal_type())
    return f"{low:,} to {high:,}" if low is not None and high is not None else "a smaller number"


def _decimal(cell: Cell) -> Conversion:
    number = cell.prepare(_number(cell))
    value = cell.prepared(number)
    problems = [_unreadable(cell, value, _a_number(cell))]
    accepted = "a smaller number"
    if cell.column.digits is not None:
        digits, places = cell.column.digits
        accepted = f"at most {digits - places} digits before the decimal point"
        problems.append(
            Problem(
                fails(
                    "NOT pg_input_is_valid({0}, 'numeric') OR"
                    " (scale({0}::numeric) > {1} AND scale(trim_scale({0}::numeric)) > {1})",
                    value,
                    sql.Literal(places),
                ),
                RowErrorCode.INVALID_VALUE,
                messages.too_many_decimals(cell.text, cell.name, places),
            )
        )
    problems.append(
        Problem(
            fails("NOT pg_input_is_valid({}, {})", value, sql.Literal(db_type(cell.field))),
            RowErrorCode.OUT_OF_RANGE,
            messages.out_of_range(cell.text, cell.name, accepted),
        )
    )
    result = fails("{}::{}", value, cell.type)
    return Conversion(result, tuple(problems), (number,), text=cell.text)


def _float(cell: Cell) -> Conversion:
    number = cell.prepare(
        fails(
            "CASE WHEN {0} ~ {1} THEN {0} ELSE {2} END",
            cell.raw,
            sql.Literal(_FLOAT),
            _number(cell),
        )
    )
    value = cell.prepared(number)
    out_of_range = Problem(
        fails("NOT pg_input_is_valid({}, 'double precision')", value),
        RowErrorCode.OUT_OF_RANGE,
        messages.out_of_range(cell.text, cell.name, "a 64-bit floating-point number"),
    )
    return Conversion(
        fails("{}::double precision", value),
        (_unreadable(cell, value, _a_number(cell)), out_of_range),
        (number,),
        text=cell.text,
    )


def _number(cell: Cell) -> sql.Composable:
    """Return SQL of a number with a decimal point; null for another text."""
    separator = cell.options.decimal_separator
    pattern = sql.Literal(_NUMBER.format(point=f"[{separator}]"))
    read = fails("replace({}, ',', '.')", cell.raw) if separator == "," else cell.raw
    return fails("CASE WHEN {} ~ {} THEN {} END", cell.raw, pattern, read)


def _a_number(cell: Cell) -> str:
    example = "1234,5" if cell.options.decimal_separator == "," else "1234.5"
    return f"a number such as {example}"


def _boolean(cell: Cell) -> Conversion:
    word = cell.prepare(fails("lower(btrim({}))", cell.raw))
    value = cell.prepared(word)
    problem = Problem(
        fails("{} <> ALL ({}::text[])", value, sql.Literal([*_TRUE, *_FALSE])),
        RowErrorCode.INVALID_TYPE,
        messages.not_accepted(cell.text, cell.name, "true or false"),
    )
    result = fails("{} = ANY ({}::text[])", value, sql.Literal([*_TRUE]))
    return Conversion(result, (problem,), (word,), text=cell.text)


def _binary(cell: Cell) -> Conversion:
    digits = cell.prepare(fails("translate({}, E' \\n\\r\\t', '')", cell.raw))
    value = cell.prepared(digits)
    problem = Problem(
        fails("{} !~ {}", value, sql.Literal(_BASE64)),
        RowErrorCode.INVALID_TYPE,
        messages.not_accepted(cell.text, cell.name, "base64"),
    )
    result = fails("decode({}, 'base64')", value)
    return Conversion(result, (problem,), (digits,), text=cell.text)


def _time(cell: Cell) -> Conversion:
    time = cell.prepare(fails("CASE WHEN {0} ~ {1} THEN {0} END", cell.raw, sql.Literal(_TIME)))
    value, accepted = cell.prepared(time), "a time such as 14:30:00"
    conversion = typed(cell, value, accepted)
    problems = (_unreadable(cell, value, accepted), *conversion.problems)
    return replace(conversion, problems=problems, prepared=(time,))


def _address(cell: Cell) -> Conversion:
    field = cast("Any", cell.valued)
    version = {"ipv4": 4, "ipv6": 6}.get(field.protocol.lower())
    accepted = f"an IPv{version} address" if version else "an IP address"
    conversion = typed(cell, cell.text, accepted)
    refused = messages.not_accepted(cell.text, cell.name, accepted)
    # A network such as 10.0.0.0/8 is not an address.
    problem = Problem(fails("strpos({}, '/') > 0", cell.text), RowErrorCode.INVALID_TYPE, refused)
    conversion = conversion.with_problems(problem)
    if version is None:
        return conversion
    other_version = fails("family({}::inet) <> {}", cell.text, sql.Literal(version))
    return conversion.with_problems(Problem(other_version, RowErrorCode.INVALID_TYPE, refused))


def _unreadable(cell: Cell, prepared: sql.Composable, accepted: str) -> Problem:
    """Return the problem of a text for which a prepared column is null."""
    return Problem(
        fails("{} IS NOT NULL AND {} IS NULL", cell.text, prepared),
        RowErrorCode.INVALID_TYPE,
        messages.not_accepted(cell.text, cell.name, accepted),
    )


_BY_KIND: Mapping[ColumnType, Callable[[Cell], Conversion]] = {
    ColumnType.INTEGER: _integer,
    ColumnType.DECIMAL: _decimal,
    ColumnType.FLOAT: _float,
    ColumnType.BOOLEAN: _boolean,
}
