"""Comparisons: the operators of conditions, and their SQL for one value."""

import re
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from psycopg import sql

from longshore.resources.columns import ColumnType
from longshore.resources.intervals import chronological


class Operator(StrEnum):
    """A comparison of a column with values.

    A list equals a value if it contains the text; JSON equals a value if it contains it (`@>`).
    Null passes the operators in `NEGATIONS`, IS_NULL and IS_BLANK, and no others.
    """

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BWI = "bwi"
    BWE = "bwe"
    IN = "in"
    NOT_IN = "not_in"
    IS_NULL = "is_null"
    IS_NOT_NULL = "is_not_null"
    # The native filter language does not have the following operators. LIKE is PostgreSQL's ILIKE,
    # which ignores case.
    DIFFERS = "differs"
    GT_ANY = "gt_any"
    GT_ALL = "gt_all"
    GTE_ANY = "gte_any"
    GTE_ALL = "gte_all"
    LT_ANY = "lt_any"
    LT_ALL = "lt_all"
    LTE_ANY = "lte_any"
    LTE_ALL = "lte_all"
    LIKE_ANY = "like_any"
    LIKE_ALL = "like_all"
    UNLIKE_ANY = "unlike_any"
    UNLIKE_ALL = "unlike_all"
    IS_BLANK = "is_blank"
    IS_PRESENT = "is_present"


EQUALITY = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN)
EQUALITY_TESTS = (*EQUALITY, Operator.DIFFERS)
NULL_TESTS = (Operator.IS_NULL, Operator.IS_NOT_NULL)
NEGATIONS = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_IN: Operator.IN,
    Operator.IS_NOT_NULL: Operator.IS_NULL,
    Operator.IS_PRESENT: Operator.IS_BLANK,
}
# Negations that null does not pass, and the operators that they negate.
STRICT_NEGATIONS = {
    Operator.DIFFERS: Operator.IN,
    Operator.UNLIKE_ANY: Operator.LIKE_ALL,
    Operator.UNLIKE_ALL: Operator.LIKE_ANY,
}
LIKE_OPERATORS = (Operator.LIKE_ANY, Operator.LIKE_ALL, Operator.UNLIKE_ANY, Operator.UNLIKE_ALL)
# Operators that are true for a to-many relation if no related record has a value.
TRUE_WITHOUT_RECORDS = (Operator.IS_NULL, Operator.IS_BLANK)
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d{0,99})(\.\d{1,99})?([eE][+-]?\d{1,3})?\Z", re.ASCII)
_COMPARISONS = {
    Operator.GT: sql.SQL(">"),
    Operator.GTE: sql.SQL(">="),
    Operator.LT: sql.SQL("<"),
    Operator.LTE: sql.SQL("<="),
}
_QUANTIFIED = {
    Operator.GT_ANY: (Operator.GT, "ANY", " OR "),
    Operator.GT_ALL: (Operator.GT, "ALL", " AND "),
    Operator.GTE_ANY: (Operator.GTE, "ANY", " OR "),
    Operator.GTE_ALL: (Operator.GTE, "ALL", " AND "),
    Operator.LT_ANY: (Operator.LT, "ANY", " OR "),
    Operator.LT_ALL: (Operator.LT, "ALL", " AND "),
    Operator.LTE_ANY: (Operator.LTE, "ANY", " OR "),
    Operator.LTE_ALL: (Operator.LTE, "ALL", " AND "),
}
_LIKE = {
    Operator.LIKE_ANY: sql.SQL("{} ILIKE ANY({}::text[])"),
    Operator.LIKE_ALL: sql.SQL("{} ILIKE ALL({}::text[])"),
}
# Tests for blank values other than null. Types without one are blank only if they are null.
_BLANK = {
    ColumnType.TEXT: sql.SQL("{} = ''"),
    ColumnType.LIST: sql.SQL("cardinality({}) = 0"),
    ColumnType.JSON: sql.SQL("""{} IN ('null', '""', '[]', '{{}}')"""),
}
_RANGES = {
    Operator.BWI: (Operator.GTE, Operator.LTE),
    Operator.BWE: (Operator.GT, Operator.LT),
}
_CASTS = {
    ColumnType.DATETIME: sql.SQL("::timestamptz"),
    ColumnType.DATE: sql.SQL("::date"),
    ColumnType.BOOLEAN: sql.SQL("::boolean"),
    ColumnType.JSON: sql.SQL("::jsonb"),
}
Order: TypeAlias = Callable[[sql.Composable], sql.Composable]
_ARRAYS = {ColumnType.TEXT: sql.SQL("::text[]"), ColumnType.DECIMAL: sql.SQL("::numeric[]")}


def _identity(value: sql.Composable) -> sql.Composable:
    return value


def comparison_sql(
    value: sql.Composable,
    kind: ColumnType,
    operator: Operator,
    values: tuple[str, ...],
    order: Order = _identity,
) -> sql.Composable:
    """Return SQL that compares a value with the canonical values of a condition.

    order: returns the SQL that decides greater and less, such as a sort key.
    The SQL is null if the value is null, except for IS_NULL and IS_BLANK. The caller handles the
    operators in `NEGATIONS`.
    """
    if positive := STRICT_NEGATIONS.get(operator):
        return sql.SQL("NOT ({})").format(comparison_sql(value, kind, positive, values))
    if operator is Operator.IS_NULL:
        # A file shows the JSON value null like an SQL null.
        null = sql.SQL("nullif({}, 'null') IS NULL" if kind is ColumnType.JSON else "({}) IS NULL")
        return null.format(value)
    if operator is Operator.IS_BLANK:
        if kind not in _BLANK:
            return sql.SQL("({}) IS NULL").format(value)
        return sql.SQL("(({}) IS NULL OR {})").format(value, _BLANK[kind].format(value))
    if operator in _RANGES:
        tests = [
            _compare(value, kind, bound, text, order)
            for bound, text in zip(_RANGES[operator], values, strict=True)
        ]
        return sql.SQL("({} AND {})").format(*tests)
    if operator in _COMPARISONS:
        return _compare(value, kind, operator, values[0], order)
    if operator in _QUANTIFIED:
        return _compare_each(value, kind, operator, values, order)
    if operator in _LIKE:
        if len(values) == 1:  # An index supports ILIKE, but not ILIKE ANY.
            return sql.SQL("{} ILIKE {}").format(value, literal(ColumnType.TEXT, values[0]))
        return _LIKE[operator].format(value, sql.Literal(list(values)))
    return _any_equal(value, kind, values)


def _compare(
    value: sql.Composable, kind: ColumnType, operator: Operator, text: str, order: Order
) -> sql.Composable:
    operator, text = _bound(kind, operator, text)
    bound = order(literal(kind, text))
    return sql.SQL("{} {} {}").format(order(value), _COMPARISONS[operator], bound)


def _compare_each(
    value: sql.Composable,
    kind: ColumnType,
    operator: Operator,
    values: tuple[str, ...],
    order: Order,
) -> sql.Composable:
    compared, quantifier, joined = _QUANTIFIED[operator]
    bounds: dict[Operator, list[sql.Composable]] = defaultdict(list)
    for text in values:
        found, bound = _bound(kind, compared, text)
        bounds[found].append(order(literal(kind, bound)))
    tests = [
        sql.SQL("{} {} {}(ARRAY[{}])").format(
            order(value), _COMPARISONS[found], sql.SQL(quantifier), sql.SQL(", ").join(literals)
        )
        for found, literals in bounds.items()
    ]
    return sql.SQL("({})").format(sql.SQL(joined).join(tests))


def _bound(kind: ColumnType, operator: Operator, text: str) -> tuple[Operator, str]:
    """Replace a comparison with an interval of time by a comparison with one of its ends."""
    start, _, end = text.partition("/") if kind is ColumnType.DATETIME else (text, "", "")
    if not end:
        return operator, text
    # `gt` a day means at or after its end; `lte` a day means before its end.
    text = end if operator in (Operator.GT, Operator.LTE) else start
    return {Operator.GT: Operator.GTE, Operator.LTE: Operator.LT}.get(operator, operator), text


def _any_equal(value: sql.Composable, kind: ColumnType, values: tuple[str, ...]) -> sql.Composable:
    if kind is ColumnType.LIST:
        return sql.SQL("{}::text[] && {}::text[]").format(value, sql.Literal(list(values)))
    if kind is ColumnType.JSON:
        if len(values) == 1:  # A GIN index supports @>, but not @> ANY.
            return sql.SQL("{} @> {}").format(value, literal(kind, values[0]))
        return sql.SQL("{} @> ANY({}::jsonb[])").format(value, sql.Literal(list(values)))
    if kind is ColumnType.DATETIME:
        return _any_instant(value, values)
    if kind in _ARRAYS and len(values) > 1:
        # One array literal. Integer columns use IN: their index does not serve numeric arrays.
        return sql.SQL("{} = ANY({}{})").format(value, sql.Literal(list(values)), _ARRAYS[kind])
    options = sql.SQL(", ").join(literal(kind, text) for text in values)
    return sql.SQL("{} IN ({})").format(value, options)


def _any_instant(value: sql.Composable, values: tuple[str, ...]) -> sql.Composable:
    """Return SQL that is true for the given instants and inside the given intervals."""
    tests = []
    if instants := [text for text in values if "/" not in text]:
        array = sql.Literal(instants)
        tests.append(sql.SQL("{} = ANY({}::timestamptz[])").format(value, array))
    if intervals := [text.split("/") for text in values if "/" in text]:
        # A btree index serves the outermost bounds, but not a multirange.
        starts, ends = zip(*intervals, strict=True)
        bounds = min(starts, key=chronological), max(ends, key=chronological)
        first, last = (literal(ColumnType.DATETIME, text) for text in bounds)
        test = sql.SQL("{0} >= {1} AND {0} < {2}").format(value, first, last)
        if len(intervals) > 1:
            ranges = ",".join(f"[{start},{end})" for start, end in intervals)
            inside = sql.SQL(" AND {} <@ {}::tstzmultirange").format(
                value, sql.Literal(f"{{{ranges}}}")
            )
            test = sql.SQL("{}{}").format(test, inside)
        tests.append(sql.SQL("({})").format(test))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))


def literal(kind: ColumnType, text: str) -> sql.Composable:
    """Return a canonical value as a typed SQL literal."""
    if kind.numeric:
        return sql.Literal(Decimal(text))
    return sql.SQL("{}{}").format(sql.Literal(text), _CASTS.get(kind, sql.SQL("")))


def json_comparison_sql(
    value: sql.Composable, keys: list[str], operator: Operator, values: tuple[str, ...]
) -> sql.Composable:
    """Return SQL that compares the JSON value at a path of keys with the values of a condition."""
    path = sql.SQL("{}::text[]").format(sql.Literal(keys))
    text = sql.SQL("({} #>> {})").format(value, path)
    # A key may have a number in one row and a text in the next: compare numbers only.
    number = sql.SQL("(CASE jsonb_typeof({} #> {}) WHEN 'number' THEN {}::numeric END)").format(
        value, path, text
    )
    if operator not in (*EQUALITY, *NULL_TESTS):
        return comparison_sql(number, ColumnType.DECIMAL, operator, values)
    equal = comparison_sql(text, ColumnType.TEXT, operator, values)
    numbers = tuple(filter(_JSON_NUMBER.match, values))
    if not numbers:
        return equal
    # 10, 10.0 and 1e1 are equal numbers.
    same = _any_equal(number, ColumnType.DECIMAL, numbers)
    return sql.SQL("({} OR {})").format(equal, same)
