"""Conditions: what a row must satisfy, as data and as SQL."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from psycopg import sql

from longshore.accounts.models import Organization
from longshore.resources.columns import (
    Column,
    column_name,
    field_column,
    primary_key,
)
from longshore.resources.comparisons import (
    ABSENCES,
    NEGATIONS,
    REFUSALS,
    Operator,
    comparison_sql,
    json_comparison_sql,
)
from longshore.resources.registry import Resource, registry
from longshore.resources.relations import Relation
from longshore.resources.row_filters import row_filter
from longshore.resources.search import words_match

SEARCH = "search"
_KEY = re.compile(r'("(?:[^"]|"")*")|([^."][^.]*)')
_KEYS = re.compile(rf"(?:{_KEY.pattern})(?:\.(?:{_KEY.pattern}))*")


@dataclass(frozen=True)
class Condition:
    """One test of a row; several are joined by AND.

    path: a column, the name of a computed filter, `<json column>.<key>…`, `<relation>.…<column>`,
        `<singular>_id` or `search`.
    values: in a canonical text each: a datetime as ISO 8601 in UTC, a stretch of time as
        `start/end` (half-open), a number as its decimal digits, JSON as JSON, and for LIKE the
        pattern.
    """

    path: str
    operator: Operator
    values: tuple[str, ...]


@dataclass(frozen=True)
class AnyOf:
    """Conditions of which a row passes at least one."""

    any_of: tuple[Condition, ...]


def json_keys(path: str) -> list[str] | None:
    """The keys of a path inside JSON, such as `a.b`; a key in double quotes may hold dots.

    None for what is no path: an empty key stands in quotes, and inside of them a quote is doubled.
    """
    if not _KEYS.fullmatch(path):
        return None
    found = _KEY.finditer(path)
    return [key[2] or key[1][1:-1].replace('""', '"') for key in found]


def scope(resource: Resource, organization_id: str, row: str) -> sql.Composable:
    """SQL that is true for the rows of one organization that pass the resource's row filter."""
    path = resource.organization.split("__")
    return _and(_scope(resource.model, path, organization_id, row), *_filter(resource, row))


def _filter(declared: Resource | Relation, row: str) -> list[sql.Composable]:
    """The test that a row filter declares, if there is one."""
    model = declared.model if isinstance(declared, Resource) else declared.target
    return [] if declared.where is None else [row_filter(model, declared.where, row)]


def _and(*tests: sql.Composable) -> sql.Composable:
    return sql.SQL(" AND ").join(tests) if tests else sql.SQL("true")


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


def related_scope(
    relation: Relation, organization_id: str, row: str, *, is_part: bool = False
) -> sql.Composable:
    """SQL that is true for the related rows that an organization may see.

    is_part: the related rows are of the organization because the row around them is.
    """
    resource = registry.for_model(relation.target)
    tests: list[sql.Composable] = []
    if resource is None:
        tests = list(_own(relation.target, organization_id, row))
    elif is_part:
        tests = _filter(resource, row)
    else:
        tests = [scope(resource, organization_id, row)]
    return _and(*tests, *_filter(relation, row))


def _own(model: type[Model], organization_id: str, row: str) -> Iterator[sql.Composable]:
    """Tests of rows of a model that is no resource: each link to an organization is to this one.

    A declaration that needs them is an error of the system checks.
    """
    if model._meta.concrete_model is Organization:
        yield sql.SQL("{} = {}").format(
            sql.Identifier(row, primary_key(model)), sql.Literal(organization_id)
        )
    for link in organization_links(model):
        if link.model._meta.db_table == model._meta.db_table:
            column = sql.Identifier(row, column_name(link))
            yield sql.SQL("{} = {}").format(column, sql.Literal(organization_id))
        else:  # The key is in the table of a parent model, which is not joined.
            yield sql.SQL("false")


def organization_links(model: type[Model]) -> list[Any]:
    """The foreign keys of a model that lead to an organization."""
    fields: list[Any] = [field for field in model._meta.concrete_fields if field.is_relation]
    return [each for each in fields if each.related_model._meta.concrete_model is Organization]


def where(
    resource: Resource,
    organization_id: str,
    conditions: Iterable[Condition | AnyOf],
    row: str,
) -> sql.Composable:
    """The whole WHERE clause of a resource's rows."""
    tests = [scope(resource, organization_id, row)]
    tests += [condition_sql(resource, organization_id, condition, row) for condition in conditions]
    return sql.SQL(" AND ").join(tests)


def condition_sql(
    resource: Resource, organization_id: str, condition: Condition | AnyOf, row: str
) -> sql.Composable:
    """SQL of one condition."""
    if isinstance(condition, AnyOf):
        tests = [condition_sql(resource, organization_id, each, row) for each in condition.any_of]
        return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))
    operator, values = condition.operator, condition.values
    if positive := NEGATIONS.get(operator):
        negated = Condition(condition.path, positive, values)
        passed = condition_sql(resource, organization_id, negated, row)
        return sql.SQL("({}) IS NOT TRUE").format(passed)
    head, _, rest = condition.path.partition(".")
    if condition.path == SEARCH and resource.search:
        text = field_column(resource.model, resource.search).value(row)
        tests = [words_match(text, phrase) for phrase in values]
        return sql.SQL(" AND ").join(tests)
    if head in resource.relations_by_id or head in resource.filterable_relations:
        return _related(resource, organization_id, condition, row)
    column = resource.filterable_columns[head]
    if rest:
        keys = json_keys(rest)
        if keys is None:
            raise ValueError(f"{rest!r} is not a path of keys")
        return json_comparison_sql(column.value(row), keys, operator, values)
    return comparison_sql(column.value(row), column.kind, operator, values, column.order)


def _related(
    resource: Resource, organization_id: str, condition: Condition, row: str
) -> sql.Composable:
    """True if one related record passes the test.

    An absence is true if no related record has a value. A refusal through a to-many relation is
    true if no related record has a refused value.
    """
    relations, column = reached(resource, condition.path)
    operator, absent = condition.operator, condition.operator in ABSENCES
    refused = REFUSALS.get(operator) if any(relation.many for relation in relations) else None
    rows = [row, *(f"{row}_{depth}" for depth in range(1, len(relations) + 1))]
    found = comparison_sql(
        column.value(rows[-1]), column.kind, refused or operator, condition.values, column.order
    )
    if absent:
        found = sql.SQL("({}) IS NOT TRUE").format(found)
    for relation, parent, related in reversed([*zip(relations, rows, rows[1:], strict=False)]):
        source, joined = relation.join(parent, related)
        seen = related_scope(relation, organization_id, related)
        found = sql.SQL("EXISTS (SELECT FROM {} WHERE {} AND {} AND {})").format(
            source, joined, seen, found
        )
    return sql.SQL("NOT {}").format(found) if absent or refused else found


def reached(resource: Resource, path: str) -> tuple[list[Relation], Column]:
    """The relations that a path goes through, and the column at its end. Raises KeyError."""
    head, _, rest = path.partition(".")
    relations = [resource.relations_by_id.get(head) or resource.filterable_relations[head]]
    while "." in rest:
        head, _, rest = rest.partition(".")
        relations.append(relations_of(relations[-1])[head])
    return relations, related_column(relations[-1], rest)


def relations_of(relation: Relation) -> Mapping[str, Relation]:
    """The relations that related records are followed by, as a resource of their own."""
    resource = registry.for_model(relation.target)
    return resource.filterable_relations if resource else {}


def columns_of(relation: Relation) -> Mapping[str, Column]:
    """The columns of related records: those of their own resource, and what the relation shows."""
    resource = registry.for_model(relation.target)
    return {**(resource.columns_by_name if resource else {}), **relation.columns}


def related_column(relation: Relation, name: str) -> Column:
    """A column of a related record; without a name, its primary key. Raises KeyError."""
    return columns_of(relation)[name or relation.key]
