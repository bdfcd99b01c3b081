"""Conditions: the filters of a request as data, compiled to the SQL of a WHERE clause.

Every statement is limited to one organization here, including the records of relations.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, OneToOneRel
from psycopg import sql

from longshore.resources.columns import (
    Column,
    column_name,
    primary_key,
)
from longshore.resources.comparisons import (
    NEGATIONS,
    STRICT_NEGATIONS,
    TRUE_WITHOUT_RECORDS,
    Operator,
    comparison_sql,
    json_comparison_sql,
)
from longshore.resources.ownership import is_organization, owner_paths
from longshore.resources.registry import Resource, registry
from longshore.resources.relations import Relation
from longshore.resources.row_filters import row_filter
from longshore.resources.search import words_match
from longshore.resources.tables import from_item

SEARCH = "search"
_KEY = re.compile(r'("(?:[^"]|"")*")|([^."][^.]*)')
_KEYS = re.compile(rf"(?:{_KEY.pattern})(?:\.(?:{_KEY.pattern}))*")


@dataclass(frozen=True)
class Condition:
    """One test of a row. Several conditions are joined by AND.

    path: a column, a computed filter, `<json column>.<key>…`, `<relation>.…<column>`,
        `<singular>_id` or `search`.
    values: canonical texts. A datetime is ISO 8601 in UTC, an interval of time the half-open
        `start/end`, a number its decimal digits, JSON is JSON, and LIKE has its pattern.
    """

    path: str
    operator: Operator
    values: tuple[str, ...]


@dataclass(frozen=True)
class AnyOf:
    """Conditions joined by OR."""

    any_of: tuple[Condition, ...]


def json_keys(path: str) -> list[str] | None:
    """Return the keys of a path inside JSON, such as `a.b`; None for an invalid path.

    A key in double quotes may be empty and may contain dots; a quote inside is doubled.
    """
    if not _KEYS.fullmatch(path):
        return None
    found = _KEY.finditer(path)
    return [key[2] or key[1][1:-1].replace('""', '"') for key in found]


def scope(resource: Resource, organization_id: str, row: str) -> sql.Composable:
    """Return SQL that is true for the organization's rows that pass the resource's row filter.

    Without a path to an organization, all organizations share the rows.
    """
    tests = _filter(resource, row)
    if resource.organization is not None:
        path = resource.organization.split("__")
        tests.insert(0, _scope(resource.model, path, organization_id, row))
    return _and(*tests)


def _filter(declared: Resource | Relation, row: str) -> list[sql.Composable]:
    """Return the declared row filter as a list of one test, or an empty list."""
    model = declared.model if isinstance(declared, Resource) else declared.target
    return [] if declared.where is None else [row_filter(model, declared.where, row)]


def _and(*tests: sql.Composable) -> sql.Composable:
    return sql.SQL(" AND ").join(tests) if tests else sql.SQL("true")


def _scope(
    model: type[Model], path: list[str], organization_id: str, row: str, depth: int = 1
) -> sql.Composable:
    """Return SQL that follows the path of relations and compares the organization at its end.

    Each step is a foreign key, or the reverse of a one-to-one relation.

    depth: numbers the alias of the next table. PostgreSQL would cut an alias with the names of the
        path after 63 bytes, so that two aliases might be the same.
    """
    step: Any = model._meta.get_field(path[0])
    link: Any = step.remote_field if isinstance(step, OneToOneRel) else step
    near, far = link, link.target_field
    if link is not step:
        near, far = far, near
    column = sql.Identifier(row, column_name(near))
    if len(path) == 1 and link is step and far.primary_key:
        return sql.SQL("{} = {}").format(column, sql.Literal(organization_id))
    inner = f"owner{depth}"
    linked = sql.SQL("{} = {}").format(sql.Identifier(inner, column_name(far)), column)
    tests: list[sql.Composable] = [linked]
    if len(path) > 1:
        tests.append(_scope(step.related_model, path[1:], organization_id, inner, depth + 1))
    else:  # The last step does not hold the primary key of the organization.
        key = sql.Identifier(inner, primary_key(step.related_model))
        tests.append(sql.SQL("{} = {}").format(key, sql.Literal(organization_id)))
    return sql.SQL("EXISTS (SELECT FROM {} WHERE {})").format(
        from_item(step.related_model, inner), _and(*tests)
    )


def related_scope(
    relation: Relation, organization_id: str, row: str, *, is_part: bool = False
) -> sql.Composable:
    """Return SQL that is true for the related rows that an organization may see.

    is_part: whether the related rows reach their organization through the outer row, which was
        checked already.
    """
    resource = registry.for_model(relation.target)
    tests: list[sql.Composable] = []
    if resource is None:
        tests = list(_owner_tests(relation, organization_id, row))
    elif is_part:
        tests = _filter(resource, row)
    else:
        tests = [scope(resource, organization_id, row)]
    return _and(*tests, *_filter(relation, row))


def _owner_tests(relation: Relation, organization_id: str, row: str) -> Iterator[sql.Composable]:
    """Yield tests whether a related row belongs to the organization, by the foreign keys to it.

    relation: to records without a resource. System checks report declarations that need these
        tests.
    """
    model = relation.target
    if is_organization(model):
        yield sql.SQL("{} = {}").format(
            sql.Identifier(row, primary_key(model)), sql.Literal(organization_id)
        )
    for path in owner_paths(relation):
        yield _scope(model, [*path], organization_id, row)


def where(
    resource: Resource,
    organization_id: str,
    conditions: Iterable[Condition | AnyOf],
    row: str,
) -> sql.Composable:
    """Return the WHERE clause of a resource: organization, row filter and conditions."""
    tests = [scope(resource, organization_id, row)]
    tests += [condition_sql(resource, organization_id, condition, row) for condition in conditions]
    return sql.SQL(" AND ").join(tests)


def condition_sql(
    resource: Resource, organization_id: str, condition: Condition | AnyOf, row: str
) -> sql.Composable:
    """Return the SQL of one condition."""
    if isinstance(condition, AnyOf):
        tests = [condition_sql(resource, organization_id, each, row) for each in condition.any_of]
        return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))
    operator, values = condition.operator, condition.values
    if positive := NEGATIONS.get(operator):
        negated = Condition(condition.path, positive, values)
        passed = condition_sql(resource, organization_id, negated, row)
        return sql.SQL("({}) IS NOT TRUE").format(passed)
    head, _, rest = condition.path.partition(".")
    if condition.path == SEARCH and resource.search_column:
        text = resource.search_column.value(row)
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


def compared_column(resource: Resource, path: str) -> Column | None:
    """Return the column that the path of a condition names; None if the resource has none."""
    head, _, _ = path.partition(".")
    if path == SEARCH and resource.search_column:
        return resource.search_column
    if head in resource.relations_by_id or head in resource.filterable_relations:
        try:
            return resolve_path(resource, path)[1]
        except KeyError:
            return None
    return resource.filterable_columns.get(head)


def tested_resources(
    resource: Resource, conditions: Iterable[Condition | AnyOf]
) -> Iterator[Resource]:
    """Yield the resources of the related records whose own columns conditions test.

    The fields that a relation declares belong to the resource that declares them.
    """
    for condition in conditions:
        for test in condition.any_of if isinstance(condition, AnyOf) else (condition,):
            head, _, name = test.path.partition(".")
            if head not in resource.filterable_relations:
                continue
            relations, _ = resolve_path(resource, test.path)
            if len(relations) == 1 and name in relations[0].columns:
                continue
            for relation in relations:
                if related := registry.for_model(relation.target):
                    yield related


def _related(
    resource: Resource, organization_id: str, condition: Condition, row: str
) -> sql.Composable:
    """Return SQL that is true if a related record passes the test.

    IS_NULL and IS_BLANK are true if no related record has a value. A negation in `STRICT_NEGATIONS`
    through a to-many relation is true if no related record has one of the values.
    """
    relations, column = resolve_path(resource, condition.path)
    operator, absent = condition.operator, condition.operator in TRUE_WITHOUT_RECORDS
    refused = (
        STRICT_NEGATIONS.get(operator) if any(relation.many for relation in relations) else None
    )
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


def resolve_path(resource: Resource, path: str) -> tuple[list[Relation], Column]:
    """Return the relations that a path follows, and the column at its end. Raises KeyError."""
    head, _, rest = path.partition(".")
    relations = [resource.relations_by_id.get(head) or resource.filterable_relations[head]]
    while "." in rest:
        head, _, rest = rest.partition(".")
        relations.append(relations_of(relations[-1])[head])
    return relations, related_column(relations[-1], rest)


def relations_of(relation: Relation) -> Mapping[str, Relation]:
    """Return the relations of related records that a path may follow, by name."""
    resource = registry.for_model(relation.target)
    return resource.filterable_relations if resource else {}


def columns_of(relation: Relation) -> Mapping[str, Column]:
    """Return the columns of related records: those of their resource and those of the relation."""
    resource = registry.for_model(relation.target)
    return {**(resource.columns_by_name if resource else {}), **relation.columns}


def related_column(relation: Relation, name: str) -> Column:
    """Return a column of a related record; the primary key if the name is empty.

    Raises KeyError.
    """
    return columns_of(relation)[name or relation.key]
