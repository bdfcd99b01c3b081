"""Conditions: what a row must satisfy, as data and as SQL."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Model
from psycopg import sql

from resources.columns import Column, Kind, column_name, field_column
from resources.registry import Resource, registry
from resources.relations import Relation
from resources.search import words_match


class Operator(StrEnum):
    """How a value is compared, in the words of the filter language."""

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


EQUALITY = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN)
NULLNESS = (Operator.IS_NULL, Operator.IS_NOT_NULL)
NEGATIONS = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_IN: Operator.IN,
    Operator.IS_NOT_NULL: Operator.IS_NULL,
}
SEARCH = "search"
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d{0,99})(\.\d{1,99})?([eE][+-]?\d{1,3})?\Z", re.ASCII)
_COMPARISONS = {
    Operator.GT: sql.SQL(">"),
    Operator.GTE: sql.SQL(">="),
    Operator.LT: sql.SQL("<"),
    Operator.LTE: sql.SQL("<="),
}
_RANGES = {
    Operator.BWI: (Operator.GTE, Operator.LTE),
    Operator.BWE: (Operator.GT, Operator.LT),
}
_CASTS = {
    Kind.DATETIME: sql.SQL("::timestamptz"),
    Kind.DATE: sql.SQL("::date"),
    Kind.BOOLEAN: sql.SQL("::boolean"),
    Kind.JSON: sql.SQL("::jsonb"),
}
_ARRAYS = {Kind.TEXT: sql.SQL("::text[]"), Kind.DECIMAL: sql.SQL("::numeric[]")}


@dataclass(frozen=True)
class Condition:
    """One test of a row; several are joined by AND.

    path: a column, `<json column>.<key>…`, `<relation>.<column>`, `<singular>_id` or `search`.
    values: in a canonical text each: a datetime as ISO 8601 in UTC, a stretch of time as
        `start/end` (half-open), a number as its decimal digits, JSON as JSON.
    """

    path: str
    operator: Operator
    values: tuple[str, ...]


def scope(resource: Resource, organization_id: str, row: str) -> sql.Composable:
    """SQL that is true for rows of one organization."""
    return _scope(resource.model, resource.organization.split("__"), organization_id, row)


def _scope(model: type[Model], path: list[str], organization_id: str, row: str) -> sql.Composable:
    link: Any = model._meta.get_field(path[0])
    column = sql.Identifier(row, column_name(link))
    if len(path) == 1:
        return sql.SQL("{} = {}").format(column, sql.Literal(organization_id))
    inner = f"{row}_{path[0]}"
    return sql.SQL("EXISTS (SELECT FROM {} AS {} WHERE {} = {} AND {})").format(
        sql.Identifier(link.related_model._meta.db_table),
        sql.Identifier(inner),
        sql.Identifier(inner, column_name(link.target_field)),
        column,
        _scope(link.related_model, path[1:], organization_id, inner),
    )


def related_scope(model: type[Model], organization_id: str, row: str) -> sql.Composable:
    """The same for related rows; true for a model that is no resource of its own."""
    resource = registry.for_model(model)
    return scope(resource, organization_id, row) if resource else sql.SQL("true")


def where(
    resource: Resource, organization_id: str, conditions: Iterable[Condition], row: str
) -> sql.Composable:
    """The whole WHERE clause of a resource's rows."""
    tests = [scope(resource, organization_id, row)]
    tests += [condition_sql(resource, organization_id, condition, row) for condition in conditions]
    return sql.SQL(" AND ").join(tests)


def condition_sql(
    resource: Resource, organization_id: str, condition: Condition, row: str
) -> sql.Composable:
    """SQL of one condition; a negation is true where there is no value."""
    if positive := NEGATIONS.get(condition.operator):
        negated = Condition(condition.path, positive, condition.values)
        test = condition_sql(resource, organization_id, negated, row)
        return sql.SQL("({}) IS NOT TRUE").format(test)
    head, _, rest = condition.path.partition(".")
    if condition.path == SEARCH and resource.search:
        text = field_column(resource.model, resource.search).value(row)
        tests = [words_match(text, phrase) for phrase in condition.values]
        return sql.SQL(" AND ").join(tests)
    if head in resource.relations_by_id or head in resource.relations_by_name:
        return _related(resource, organization_id, condition, row)
    column = resource.columns_by_name[head]
    if rest:
        return _json_test(column.value(row), rest.split("."), condition)
    return _test(column.value(row), column.kind, condition)


def _related(
    resource: Resource, organization_id: str, condition: Condition, row: str
) -> sql.Composable:
    """True where one related record passes; of nullness, where none has a value."""
    head, _, rest = condition.path.partition(".")
    relation = resource.relations_by_id.get(head) or resource.relations_by_name[head]
    related = f"{row}_{relation.name}"
    source, joined = relation.join(row, related)
    tests = [joined, related_scope(relation.target, organization_id, related)]
    column = related_column(relation, rest)
    test = _test(column.value(related), column.kind, condition)
    exists = sql.SQL("EXISTS (SELECT FROM {} WHERE {})")
    if condition.operator is Operator.IS_NULL:
        exists = sql.SQL("NOT EXISTS (SELECT FROM {} WHERE {})")
        test = sql.SQL("({}) IS NOT TRUE").format(test)
    return exists.format(source, sql.SQL(" AND ").join([*tests, test]))


def related_column(relation: Relation, name: str) -> Column:
    """A shown column of a related record; without a name, its primary key.

    Raises KeyError.
    """
    return relation.columns[name or relation.key]


def _test(value: sql.Composable, kind: Kind, condition: Condition) -> sql.Composable:
    operator, values = condition.operator, condition.values
    if operator is Operator.IS_NULL:
        # JSON has a null of its own, which a file shows as it shows the other.
        null = sql.SQL("nullif({}, 'null') IS NULL" if kind is Kind.JSON else "({}) IS NULL")
        return null.format(value)
    if operator in _RANGES:
        tests = [
            _compare(value, kind, bound, text)
            for bound, text in zip(_RANGES[operator], values, strict=True)
        ]
        return sql.SQL("({} AND {})").format(*tests)
    if operator in _COMPARISONS:
        return _compare(value, kind, operator, values[0])
    return _any_equal(value, kind, values)


def _compare(value: sql.Composable, kind: Kind, operator: Operator, text: str) -> sql.Composable:
    start, _, end = text.partition("/") if kind is Kind.DATETIME else (text, "", "")
    if end:
        # After a day is from its end on; up to a day is before its end.
        text = end if operator in (Operator.GT, Operator.LTE) else start
        operator = {Operator.GT: Operator.GTE, Operator.LTE: Operator.LT}.get(operator, operator)
    return sql.SQL("{} {} {}").format(value, _COMPARISONS[operator], literal(kind, text))


def _any_equal(value: sql.Composable, kind: Kind, values: tuple[str, ...]) -> sql.Composable:
    if kind is Kind.LIST:
        return sql.SQL("{}::text[] && {}::text[]").format(value, sql.Literal(list(values)))
    if kind is Kind.JSON:
        if len(values) == 1:  # An index answers it, as it does not answer ANY.
            return sql.SQL("{} @> {}").format(value, literal(kind, values[0]))
        return sql.SQL("{} @> ANY({}::jsonb[])").format(value, sql.Literal(list(values)))
    if kind is Kind.DATETIME:
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
    if stretches := [text.split("/") for text in values if "/" in text]:
        # The outermost bounds are for an index, which cannot answer a multirange.
        bounds = min(start for start, _ in stretches), max(end for _, end in stretches)
        first, last = (literal(Kind.DATETIME, text) for text in bounds)
        test = sql.SQL("{0} >= {1} AND {0} < {2}").format(value, first, last)
        if len(stretches) > 1:
            ranges = ",".join(f"[{start},{end})" for start, end in stretches)
            inside = sql.SQL(" AND {} <@ {}::tstzmultirange").format(
                value, sql.Literal(f"{{{ranges}}}")
            )
            test = sql.SQL("{}{}").format(test, inside)
        tests.append(sql.SQL("({})").format(test))
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))


def literal(kind: Kind, text: str) -> sql.Composable:
    """A canonical value as a typed SQL literal."""
    if kind.numeric:
        return sql.Literal(Decimal(text))
    return sql.SQL("{}{}").format(sql.Literal(text), _CASTS.get(kind, sql.SQL("")))


def _json_test(value: sql.Composable, keys: list[str], condition: Condition) -> sql.Composable:
    path = sql.SQL("{}::text[]").format(sql.Literal(keys))
    text = sql.SQL("({} #>> {})").format(value, path)
    # A key may hold a number in one row and a text in the next: only numbers are compared.
    number = sql.SQL("(CASE jsonb_typeof({} #> {}) WHEN 'number' THEN {}::numeric END)").format(
        value, path, text
    )
    if condition.operator not in (*EQUALITY, *NULLNESS):
        return _test(number, Kind.DECIMAL, condition)
    test = _test(text, Kind.TEXT, condition)
    numbers = tuple(filter(_JSON_NUMBER.match, condition.values))
    if not numbers:
        return test
    # 10, 10.0 and 1e1 are one number.
    equal = _any_equal(number, Kind.DECIMAL, numbers)
    return sql.SQL("({} OR {})").format(test, equal)
