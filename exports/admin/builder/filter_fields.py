"""The fields that the builder offers for filters, with their types and operators."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exports.admin.builder.operations import (
    CHOICES,
    OFFERED,
    WORDS,
    Control,
    Operation,
    matcher_operations,
    operation,
    option_operations,
)
from exports.admin.builder.state import FILTERS, OPTIONS
from longshore.resources.budget import InvalidFilter
from longshore.resources.columns import Column, ColumnType
from longshore.resources.conditions import SEARCH, resolve_path
from longshore.resources.filters import filter_target
from longshore.resources.predicates import parse_name
from longshore.resources.registry import Resource

# Joins the paths of a predicate that compares several columns.
SEPARATOR = "|"
_OR = "_or_"


@dataclass(frozen=True)
class FilterField:
    """A field that a row of the builder's filters may compare.

    key: as `field` of a `FilterRow`. label: for people.
    kind, choices: of the compared column.
    operations: the operators that the builder offers.
    """

    key: str
    label: str
    kind: ColumnType
    choices: tuple[str, ...]
    operations: tuple[Operation, ...]

    def with_operation(self, chosen: Operation) -> tuple[Operation, ...]:
        """Return the operators, among them one that a request already has."""
        known = {each.key for each in self.operations}
        return self.operations if chosen.key in known else (*self.operations, chosen)


@dataclass(frozen=True)
class FilterGroup:
    """Fields of the record itself (label ""), of a related record, or special filters."""

    label: str
    fields: tuple[FilterField, ...]


def attribute(key: str) -> str:
    """Return the attribute of a predicate that compares the paths of a key."""
    return _OR.join(path.replace(".", "_") for path in key.split(SEPARATOR))


def paths_of(resource: Resource, name: str) -> tuple[str, str] | None:
    """Return the key of the paths that a predicate compares, and its matcher; None if unknown."""
    try:
        columns, matcher = parse_name(resource, name)
    except InvalidFilter:
        return None
    key = SEPARATOR.join(columns)
    return (key, matcher) if f"{attribute(key)}_{matcher}" == name else None


def filter_groups(resource: Resource) -> Iterator[FilterGroup]:
    """Yield all fields that the builder offers."""
    columns = resource.columns_by_name
    yield FilterGroup("", tuple(_field(resource, name, each) for name, each in columns.items()))
    for name, relation in resource.relations_by_name.items():
        fields = (
            _field(resource, f"{name}.{inner}", each) for inner, each in relation.columns.items()
        )
        yield FilterGroup(name, tuple(fields))
    special = [*resource.relations_by_id, *resource.filters_by_name]
    found = [each for name in special if (each := find_field(resource, name))]
    search = [_search()] if resource.search else []
    if found or search:
        yield FilterGroup("More filters", (*search, *found))


def find_field(resource: Resource | None, key: str) -> FilterField | None:
    """Return the field of a key; None if the resource does not have it."""
    if resource is None:
        return None
    if key == SEARCH and resource.search:
        return _search()
    paths = key.split(SEPARATOR)
    if (
        len(paths) == 1
        and key not in resource.filters_by_name
        and (column := _column(resource, key))
    ):
        return _field(resource, key, column)
    if len(paths) > 1:
        columns = [_column(resource, path) for path in paths]
        known = [each for each in columns if each]
        if len(known) < len(paths):
            return None
        operations = tuple(matcher_operations([each.kind for each in known]))
        return FilterField(key, " or ".join(paths), known[0].kind, known[0].choices, operations)
    try:
        _, column, operators = filter_target(resource, key)
    except InvalidFilter:
        return None
    operations = tuple(option_operations(operators, column.kind))
    return FilterField(key, key, column.kind, column.choices, operations)


def _column(resource: Resource, path: str) -> Column | None:
    if path in resource.columns_by_name:
        return resource.columns_by_name[path]
    if "." not in path:
        return None
    try:
        return resolve_path(resource, path)[1]
    except KeyError:
        return None


def _field(resource: Resource, path: str, column: Column) -> FilterField:
    kind = column.kind
    offered: Sequence[tuple[str, str]] = OFFERED[kind]
    if kind is ColumnType.TEXT and column.choices:
        offered = CHOICES
    elif kind is ColumnType.TEXT and column.alphabetical:
        offered = WORDS
    operations = [operation(*each, kind) for each in offered]
    matches = paths_of(resource, f"{attribute(path)}_in") if kind is not ColumnType.JSON else None
    is_joined = _is_joined(resource, path)
    if is_joined or (kind is not ColumnType.JSON and matches != (path, "in")):
        # A predicate cannot name this path, or means another one.
        operations = option_operations(filter_target(resource, path)[2], kind)
    elif path.count(".") > 1:
        # `options` follow one relation only.
        operations = [each for each in operations if each.language == FILTERS]
    if kind is ColumnType.JSON:
        # For values inside: `metadata.service`.
        inside = ("equals", "not_equals", "in", "gte", "lte", "is_null", "is_not_null")
        operations += [operation(OPTIONS, each, kind) for each in inside]
    return FilterField(path, path, kind, column.choices, tuple(operations))


def _is_joined(resource: Resource, path: str) -> bool:
    relation = resource.relations_by_name.get(path.partition(".")[0])
    return "." in path and relation is not None and relation.joined


def _search() -> FilterField:
    search = Operation(OPTIONS, "", "has words that begin with", Control.VALUE)
    return FilterField(SEARCH, "Search", ColumnType.TEXT, (), (search,))
