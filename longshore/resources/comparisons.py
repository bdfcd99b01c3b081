"""Comparisons: the operators of conditions, and what each asks of one value, as SQL."""

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
    """How a value is compared.

    A list passes a test of equality if it holds one of the texts, JSON if it contains one of the
    values. A row without a value passes `NEGATIONS`, nullness and blankness, and nothing else.
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
    # What follows is not spelt in the native filter language. LIKE goes by PostgreSQL's patterns,
    # in which the case of letters does not matter.
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
TESTS_OF_EQUALITY = (*EQUALITY, Operator.DIFFERS)
NULLNESS = (Operator.IS_NULL, Operator.IS_NOT_NULL)
NEGATIONS = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_IN: Operator.IN,
    Operator.IS_NOT_NULL: Operator.IS_NULL,
    Operator.IS_PRESENT: Operator.IS_BLANK,
}
# Negations that a row without a value does not pass.
REFUSALS = {
    Operator.DIFFERS: Operator.IN,
    Operator.UNLIKE_ANY: Operator.LIKE_ALL,
    Operator.UNLIKE_ALL: Operator.LIKE_ANY,
}
LIKENESS = (Operator.LIKE_ANY, Operator.LIKE_ALL, Operator.UNLIKE_ANY, Operator.UNLIKE_ALL)
# True of a to-many relation if no related record has a value.
ABSENCES = (Operator.IS_NULL, Operator.IS_BLANK)
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
# Blank beside null, which has none of these.
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


def _itself(value: sql.Composable) -> sql.Composable:
    return value


def comparison_sql(
    value: sql.Composable,
    kind: ColumnType,
    operator: Operator,
    values: tuple[str, ...],
    order: Order = _itself,
) -> sql.Composable:
    """SQL of one test of a value; `values` as a condition has them.

    order: of a value, that by which greater and less are decided.
    Null where the value is, but for nullness and blankness. None of `NEGATIONS`.
    """
    if positive := REFUSALS.get(operator):
        return sql.SQL("NOT ({})").format(comparison_sql(value, kind, positive, values))
    if operator is Operator.IS_NULL:
        # JSON has a null of its own, which a file shows as it shows the other.
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
        if len(values) == 1:  # An index may answer it, as it does not answer ANY.
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
    """A comparison with one instant instead of one with a stretch of time."""
    start, _, end = text.partition("/") if kind is ColumnType.DATETIME else (text, "", "")
    if not end:
        return operator, text
    # After a day is from its end on; up to a day is before its end.
    text = end if operator in (Operator.GT, Operator.LTE) else start
    return {Operator.GT: Operator.GTE, Operator.LTE: Operator.LT}.get(operator, operator), text


def _any_equal(value: sql.Composable, kind: ColumnType, values: tuple[str, ...]) -> sql.Composable:
    if kind is ColumnType.LIST:
        return sql.SQL("{}::text[] && {}::text[]").format(value, sql.Literal(list(values)))
    if kind is ColumnType.JSON:
        if len(values) == 1:  # An index answers it, as it does not answer ANY.
            return sql.SQL("{} @> {}").format(value, literal(kind, values[0]))
        return sql.SQL("{} @> ANY({}::jsonb[])").format(value, sql.Literal(list(values)))
    if kind is ColumnType.DATETIME:
        return _any_instant(value, values)
    if kind in _ARRAYS and len(values) > 1:
        # One literal; an integer's column has no index for decimals, so it takes a list.
        return sql.SQL("{} = ANY({}{})").format(value, sql.Literal(list(values)), _ARRAYS[kind])
    options = sql.SQL(", ").join(literal(kind, text) for text in values)
    return sql.SQL("{} IN ({})").format(value, options)


def _any_instant(value: sql.Composable, values: tuple[str, ...]) -> sql.Composable:
    """True of one of the instants, and within one of the stretches of time."""
    tests = []
    if instants := [text for text in values if "/" not in text]:
        array = sql.Literal(instants)
        tests.append(sql.SQL("{} = ANY({}::timestamptz[])").format(value, array))
    if key_ranges := [text.split("/") for text in values if "/" in text]:
        # The outermost bounds are for an index, which cannot answer a multirange.
        starts, ends = zip(*key_ranges, strict=True)
        bounds = min(starts, key=chronological), max(ends, key=chronological)
        first, last = (literal(ColumnType.DATETIME, text) for text in bounds)
        test = sql.SQL("{0} >= {1} AND {0} < {2}").format(value, first, last)
        if len(key_ranges) > 1:
            ranges = ",".join(f"[{start},{end})" for start, end in key_ranges)
            inside = sql.SQL(" AND {} <@ {}::tstzmultirange").format(
                value, sql.Literal(f"{{{ranges}}}")
            )
            test = sql.SQL("{}{}").format(test, inside)
        tests.append(sql.SQL("({})").format(test))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))


def literal(kind: ColumnType, text: str) -> sql.Composable:
    """A canonical value as a typed SQL literal."""
    if kind.numeric:
        return sql.Literal(Decimal(text))
    return sql.SQL("{}{}").format(sql.Literal(text), _CASTS.get(kind, sql.SQL("")))


def json_comparison_sql(
    value: sql.Composable, keys: list[str], operator: Operator, values: tuple[str, ...]
) -> sql.Composable:
    """The same of what a JSON value holds under these keys."""
    path = sql.SQL("{}::text[]").format(sql.Literal(keys))
    text = sql.SQL("({} #>> {})").format(value, path)
    # A key may hold a number in one row and a text in the next: only numbers are compared.
    number = sql.SQL("(CASE jsonb_typeof({} #> {}) WHEN 'number' THEN {}::numeric END)").format(
        value, path, text
    )
    if operator not in (*EQUALITY, *NULLNESS):
        return comparison_sql(number, ColumnType.DECIMAL, operator, values)
    equal = comparison_sql(text, ColumnType.TEXT, operator, values)
    numbers = tuple(filter(_JSON_NUMBER.match, values))
    if not numbers:
        return equal
    # 10, 10.0 and 1e1 are one number.
    same = _any_equal(number, ColumnType.DECIMAL, numbers)
    return sql.SQL("({} OR {})").format(equal, same)
