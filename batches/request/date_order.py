"""Decides how the dates of a whole column are written: the order of day and month, and the time.

`01/02/2024` alone may be a day in January or in February. A pattern is proposed only if exactly one
order fits every value of the column. ISO 8601 needs no pattern.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import psycopg
from psycopg import sql

from batches.request.date_shapes import Order, Shape, parse_shape, shape_sql
from batches.staging import Staging
from longshore.api.errors import display_value

MAX_EXAMPLES = 5
# A text of another shape is not a date.
_MAX_SHAPES = 200
_MAX_CHARACTERS = 60
_TEXTS = sql.SQL(
    "SELECT row, btrim({column}) AS value FROM {input}"
    " WHERE {column} IS NOT NULL AND length({column}) <= {length}"
)
_SHAPES = sql.SQL(
    "SELECT {shape}, count(*), min(row), (array_agg(value ORDER BY row))[1]"
    " FROM ({texts}) AS texts GROUP BY 1 ORDER BY 2 DESC LIMIT {limit}"
)
_NUMBERS = r"^([0-9]{1,2})[/. -]([0-9]{1,2})[/. -]([0-9]{4}|[0-9]{2})(?![0-9])"
# For each order, the date that the parts mean. The century is of no importance.
_READINGS = sql.SQL(
    """SELECT fits, is_same, (array_agg(row ORDER BY row))[1:{examples}],
        (array_agg(value ORDER BY row))[1:{examples}]
    FROM ({texts}) AS texts
    CROSS JOIN LATERAL (SELECT regexp_match(value, {numbers}) AS part) AS parts
    CROSS JOIN LATERAL (
        SELECT array_agg(letters) AS fits, count(DISTINCT reading::date) < 2 AS is_same
        FROM (VALUES
            ('dMy', concat_ws('-', lpad(part[3], 4, '20'), part[2], part[1])),
            ('Mdy', concat_ws('-', lpad(part[3], 4, '20'), part[1], part[2])),
            ('yMd', concat_ws('-', lpad(part[1], 4, '20'), part[2], part[3]))
        ) AS readings (letters, reading)
        WHERE letters = ANY({orders}) AND pg_input_is_valid(reading, 'date')
    ) AS readings
    WHERE part IS NOT NULL AND fits IS NOT NULL
    GROUP BY 1, 2"""
)


@dataclass(frozen=True)
class Example:
    """A value of the column, and the number of its record."""

    row: int
    value: str

    def __str__(self) -> str:
        return f"{display_value(self.value)} (row {self.row:,})"


@dataclass(frozen=True)
class DateOrder:
    """How the dates of one column are written.

    pattern: the LDML pattern of all values; None if they are ISO 8601, or if it is not decided.
    candidates: the patterns that fit all values, if several do.
    examples: values that leave the pattern open, or that contradict each other.
    is_mixed: whether no pattern fits all values.
    message: a sentence about a pattern that is not decided; else empty.
    with_offset, without_offset: the number of values with a time that have an offset, or none.
    """

    pattern: str | None = None
    candidates: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    is_mixed: bool = False
    message: str = ""
    with_offset: int = 0
    without_offset: int = 0


@dataclass(frozen=True)
class _Found:
    """A shape of the column, the number of its values, and the first of them."""

    shape: Shape
    count: int
    first: Example


@dataclass(frozen=True)
class _Group:
    """Values that the same orders fit.

    is_same: whether these orders mean the same date, as in `03/03/2024`.
    """

    orders: frozenset[Order]
    is_same: bool
    examples: tuple[Example, ...]


def decide(cursor: psycopg.Cursor, staging: Staging, number: int, name: str) -> DateOrder | None:
    """Decide how the dates of a column of `Staging.input` are written.

    number: of the column. name: of the column that it sets, for messages.
    Returns None if the column has no dates. Ignores texts that are not dates.
    """
    texts = _TEXTS.format(
        column=staging.column(number), input=staging.input, length=sql.Literal(_MAX_CHARACTERS)
    )
    found = list(_find_shapes(cursor, texts))
    if not found:
        return None
    timed = [each for each in found if each.shape.has_time]
    with_offset = sum(each.count for each in timed if each.shape.has_offset)
    order = _decide(cursor, texts, found, name)
    without_offset = sum(each.count for each in timed) - with_offset
    return replace(order, with_offset=with_offset, without_offset=without_offset)


def _find_shapes(cursor: psycopg.Cursor, texts: sql.Composable) -> Iterator[_Found]:
    """Yield the shapes of dates in the column, the most frequent ones first."""
    shape = shape_sql(sql.Identifier("value"))
    cursor.execute(_SHAPES.format(shape=shape, texts=texts, limit=sql.Literal(_MAX_SHAPES)))
    for text, count, row, value in cursor.fetchall():
        if parsed := parse_shape(text):
            yield _Found(parsed, count, Example(row, value))


def _decide(
    cursor: psycopg.Cursor, texts: sql.Composable, found: Sequence[_Found], name: str
) -> DateOrder:
    forms = {each.shape.form: each.first for each in reversed(found)}
    if len(forms) > 1:
        examples = tuple(forms.values())[-MAX_EXAMPLES:]
        shown = " and ".join(map(str, examples[-2:]))
        text = f"{name} has dates of different forms, such as {shown}: no pattern fits all of them."
        return DateOrder(examples=examples, is_mixed=True, message=text)
    [form] = forms
    if form is None:
        return DateOrder()
    orders = frozenset(each for one in found for each in one.shape.orders)
    groups = [_Group(frozenset(each.shape.orders), True, (each.first,)) for each in found]
    if len(orders) > 1:
        readings = list(_find_readings(cursor, texts, orders))
        if not readings:  # No value is a date in any order.
            return DateOrder()
        groups += readings
    is_narrow = any(each.shape.is_narrow for each in found)
    patterns = {each: form.pattern(each, is_narrow=is_narrow) for each in Order}
    common = orders.intersection(*(group.orders for group in groups))
    if not common:
        return _mixed(groups, patterns, name)
    fitting = [each for each in Order if each in common]
    if len(fitting) > 1:
        # Read again: orders that do not fit all values say nothing about single ones.
        readings = list(_find_readings(cursor, texts, common))
        return _ambiguous(readings, tuple(patterns[each] for each in fitting), name)
    return DateOrder(patterns[fitting[0]])


def _find_readings(
    cursor: psycopg.Cursor, texts: sql.Composable, orders: Collection[Order]
) -> Iterator[_Group]:
    """Yield the values of the column by the orders that fit them. Leaves out invalid dates."""
    readings = _READINGS.format(
        texts=texts,
        examples=sql.Literal(MAX_EXAMPLES),
        numbers=sql.Literal(_NUMBERS),
        orders=sql.Literal([each.value for each in orders]),
    )
    cursor.execute(readings)
    for letters, is_same, rows, values in cursor.fetchall():
        examples = tuple(map(Example, rows, values))
        yield _Group(frozenset(map(Order, letters)), is_same, examples)


def _mixed(groups: Sequence[_Group], patterns: Mapping[Order, str], name: str) -> DateOrder:
    """Return the error that names two values that no order fits together."""
    in_order = sorted(groups, key=lambda group: group.examples[0].row)
    pairs = combinations(in_order, 2)
    pair = min(pairs, key=lambda pair: len(pair[0].orders & pair[1].orders))
    examples = [group.examples[0] for group in pair]
    one, other = (
        f"{group.examples[0]} fits only {_either(patterns, group.orders)}" for group in pair
    )
    text = f"{name} has dates in different orders: {one}, and {other}."
    return DateOrder(examples=tuple(examples), is_mixed=True, message=text)


def _ambiguous(groups: Sequence[_Group], candidates: tuple[str, ...], name: str) -> DateOrder:
    # The best examples have another meaning in each order.
    groups = [each for each in groups if not each.is_same] or groups
    found = sorted((each for group in groups for each in group.examples), key=_row)
    text = (
        f"{name} has dates that can be read as {' or as '.join(candidates)}, such as {found[0]}. "
        "Set datetime_format."
    )
    return DateOrder(candidates=candidates, examples=tuple(found[:MAX_EXAMPLES]), message=text)


def _either(patterns: Mapping[Order, str], orders: Collection[Order]) -> str:
    return " or ".join(patterns[each] for each in Order if each in orders)


def _row(example: Example) -> int:
    return example.row
