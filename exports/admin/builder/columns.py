"""The columns that the builder offers, and the default columns of a resource or named export."""

from collections.abc import Iterator
from dataclasses import dataclass

from exports.admin.builder.state import ColumnChoice, State
from exports.formats import formats
from longshore.resources.columns import Column
from longshore.resources.export_types import export_types
from longshore.resources.registry import Resource, registry


@dataclass(frozen=True)
class OfferedColumn:
    """A column that can be added to the file. kind: the type as a word."""

    path: str
    kind: str
    description: str = ""


@dataclass(frozen=True)
class ColumnGroup:
    """Columns of the record itself (relation is ""), or of a related record."""

    relation: str
    columns: tuple[OfferedColumn, ...]


def resource_of(state: State) -> Resource | None:
    """Return the resource that a state exports; None if it is not chosen or unknown."""
    named = export_types.by_code.get(state.type)
    return registry.get(named.resource if named else state.resource)


def default_columns(state: State) -> tuple[ColumnChoice, ...]:
    """Return the columns of the file if the request names none."""
    if named := export_types.by_code.get(state.type):
        return tuple(ColumnChoice(*each) for each in named.columns.items())
    resource = resource_of(state)
    if resource is None:
        return ()
    related = [path.partition(".")[0] for path in (*state.included, *state.fields)]
    if not (related or state.values.get("dry_data")):
        chosen = formats.get(str(state.values.get("format")))
        shown = resource.default_columns if chosen and chosen.is_for_people else ()
        return tuple(map(ColumnChoice, shown or resource.names))
    names = dict.fromkeys([*resource.columns_by_name, *resource.embedded, *related])
    return tuple(map(ColumnChoice, names))


def every_column(state: State) -> tuple[ColumnChoice, ...]:
    """Return every column and relation of the record, with the headers that the state has."""
    resource = resource_of(state)
    headers = {each.path: each.header for each in chosen_columns(state)}
    names = dict.fromkeys([*headers, *(resource.names if resource else ())])
    return tuple(ColumnChoice(name, headers.get(name, "")) for name in names)


def chosen_columns(state: State) -> tuple[ColumnChoice, ...]:
    return default_columns(state) if state.columns is None else state.columns


def offered_columns(resource: Resource) -> Iterator[ColumnGroup]:
    """Yield the groups of columns that `csv_field_options.columns` may name."""
    own = [_offered(name, column) for name, column in resource.columns_by_name.items()]
    relations = resource.relations_by_name
    own += [
        OfferedColumn(name, "related records" if relation.many else "related record")
        for name, relation in relations.items()
    ]
    yield ColumnGroup("", tuple(own))
    for name, relation in relations.items():
        columns = (
            _offered(f"{name}.{inner}", column) for inner, column in relation.columns.items()
        )
        yield ColumnGroup(name, tuple(columns))


def _offered(path: str, column: Column) -> OfferedColumn:
    return OfferedColumn(path, str(column.kind), column.description)
