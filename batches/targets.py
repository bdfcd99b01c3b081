"""Targets: what a batch can set of a record, and the names by which an input refers to it.

An input that an export wrote also has columns that nobody can set, such as computed ones. They
are read-only: a batch leaves them out, with a warning.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from django.db.models import ForeignKey, ManyToManyField, ManyToManyRel, OneToOneRel

from batches.parts import MAX_PARTS, Part
from longshore.api.errors import display_value
from longshore.api.suggestions import did_you_mean
from longshore.files.flattened_headers import join_path, split_header
from longshore.resources.columns import (
    AnyField,
    Column,
    ColumnType,
    field_column,
    find_field,
    has_column,
)
from longshore.resources.registry import Resource, registry
from longshore.resources.relations import Relation
from longshore.resources.tables import inherited_fields

# Names that one sentence lists.
MAX_LISTED = 10


@dataclass(frozen=True)
class Target:
    """A value of a record that one column of the input sets.

    name: as in the input: `email`, `location_id`, `location`, `groups.0.id`, `address.city`.
    column: the stored column that receives the value; that of the foreign key for a to-one
        relation; None for a to-many relation.
    path: where in a JSON or list column the value belongs; empty for the whole value.
    relation: the relation, if the input names related records otherwise than by `<relation>_id`.
    by: the field of the related records that the input holds, such as `email`; None if it holds
        their label, or objects.
    index: the position in a to-many relation, for a flattened header.
    inner: the target in a part, for a header such as `line_items.0.quantity`.
    header: of the input, if that is not the name; errors show it.
    """

    name: str
    column: Column | None
    path: tuple[str, ...] = ()
    relation: Relation | None = None
    by: str | None = None
    index: int | None = None
    inner: "Target | None" = None
    header: str | None = None

    @property
    def is_many(self) -> bool:
        return self.relation is not None and self.relation.many

    @property
    def has_parts(self) -> bool:
        """Whether the target sets records of a one-to-many relation."""
        return self.relation is not None and self.relation.reverse_foreign_key is not None

    @property
    def sets(self) -> str:
        """The column or relation of the record that the target sets, such as `location_id`."""
        if self.column is not None:
            return self.column.name
        if self.relation is None:
            raise TypeError(f"{self.name} has neither a column nor a relation")
        return self.relation.name


class Targets:
    """The targets of one resource."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    @cached_property
    def primary_key(self) -> Column:
        """The column of the primary key: it identifies a record, and only a new one may get it."""
        return field_column(self.resource.model, self.resource.model._meta.pk.name)

    @cached_property
    def key(self) -> tuple[Column, ...]:
        """The columns that identify a record of the organization, beside the primary key."""
        columns = (field_column(self.resource.model, name) for name in self.resource.key_fields)
        key = tuple(columns)
        return () if key == (self.primary_key,) else key

    @cached_property
    def relations(self) -> Mapping[str, Relation]:
        """The relations whose related records a batch can choose, by name."""
        resource = self.resource
        names = [*resource.relations_by_name, *resource.writable_relations]
        found = {name: resource.related(name)[0] for name in dict.fromkeys(names)}
        return {name: each for name, each in found.items() if self._is_writable(each)}

    @cached_property
    def parts(self) -> Mapping[str, Part]:
        """The relations whose records a batch writes with the record, by name."""
        found = {name: Part.of(self.resource, name) for name in self.resource.writable_relations}
        return {name: part for name, part in found.items() if part is not None}

    @cached_property
    def _of_parts(self) -> Mapping[str, "Targets"]:
        """The targets of the parts of each relation."""
        return {name: Targets(part.resource) for name, part in self.parts.items()}

    @cached_property
    def names(self) -> list[str]:
        """The names of all targets, without those inside of values, for errors and mappings."""
        return [
            self.primary_key.name,
            *self.resource.writable_columns,
            *self.relations,
            *self.parts,
        ]

    def find(self, name: str) -> Target | None:
        """Return the target of a name; None for a name that is unknown or read-only."""
        if name == self.primary_key.name:
            return Target(name, self.primary_key)
        if column := self.resource.writable_columns.get(name):
            return Target(name, column)
        head, *path = split_header(name)
        if relation := self.relations.get(head):
            return self._related(name, relation, path)
        if part := self.parts.get(head):
            return self._in_part(name, part, path)
        column = self.resource.writable_columns.get(head)
        if path and column and column.kind in (ColumnType.JSON, ColumnType.LIST):
            return Target(name, column, tuple(path))
        return None

    def is_read_only(self, name: str) -> bool:
        """Return whether an export may write a column of this name that a batch cannot set."""
        resource = self.resource
        head, *path = split_header(name)
        if resource.has_path(name):
            return True
        if column := resource.columns_by_name.get(head):
            return column.kind in (ColumnType.JSON, ColumnType.LIST)
        if head not in (*resource.relations_by_name, *resource.includable):
            return False
        if not path:
            return True
        relation, related = resource.related(head)
        names = {*relation.columns, *(related.names if related else ())}
        field = path[1:2] if path[0].isdecimal() else path[:1]
        return names.issuperset(field)

    def repeats_rows(self, name: str) -> bool:
        """Return whether a file with this column has a row for each record of a to-many relation.

        The column may be read-only: exports repeat the rows of every to-many relation.
        """
        resource = self.resource
        head, *path = split_header(name)
        own = {*resource.relations_by_name, *resource.includable}
        relations = own.union(self.relations, self.parts)
        if not path or path[0].isdecimal() or head not in relations:
            return False
        return resource.related(head)[0].many

    def field(self, column: Column) -> AnyField:
        """Return the model field behind a stored column."""
        if column.field is None:
            raise TypeError(f"{column.name} is computed")
        return cast("AnyField", self.resource.model._meta.get_field(column.field))

    def identifying_fields(self, relation: Relation) -> tuple[str, ...]:
        """Return the fields of related records that may identify one: the key, and the label."""
        target = registry.for_model(relation.target)
        keys = target.key_fields if target and len(target.key_fields) == 1 else ()
        return tuple(dict.fromkeys((relation.key, *keys, relation.label)))

    def _related(self, name: str, relation: Relation, path: list[str]) -> Target | None:
        index = None
        if relation.many and path and path[0].isdecimal():
            index, path = int(path[0]), path[1:]
        by = path[0] if path else None
        if len(path) > 1 or (by is not None and by not in self.identifying_fields(relation)):
            return None
        column = None if relation.many else self._foreign_key(relation)
        return Target(name, column, relation=relation, by=by, index=index)

    def _in_part(self, name: str, part: Part, path: list[str]) -> Target | None:
        index = None
        if path and path[0].isdecimal():
            index, path = int(path[0]), path[1:]
            if not path or index >= MAX_PARTS:
                return None
        inner = self._of_parts[part.relation.name].find(join_path(path)) if path else None
        # The record itself decides to which record its parts belong.
        if path and (inner is None or inner.sets == part.field.attname):
            return None
        return Target(name, None, relation=part.relation, index=index, inner=inner)

    def _is_writable(self, relation: Relation) -> bool:
        if relation.many:
            field = self.resource.model._meta.get_field(relation.name)
            is_linked = isinstance(field, ManyToManyField | ManyToManyRel)
            return is_linked and relation.name in self.resource.writable_relations
        return self._foreign_key(relation) is not None

    def _foreign_key(self, relation: Relation) -> Column | None:
        field = self.resource.model._meta.get_field(relation.name)
        if not isinstance(field, ForeignKey):
            return None
        if relation.name in self.resource.writable_relations:
            return field_column(self.resource.model, field.name)
        return self.resource.writable_columns.get(field.attname)


def refusal_of(resource: Resource) -> str | None:
    """Return why batches cannot write the records of a resource, as a clause; None if they can."""
    step = (resource.organization or "").partition("__")[0]
    if wrong := next(_wrong_names(resource), None):
        attribute, name = wrong
        text = f"{attribute} of the resource names {display_value(name)}, which a batch cannot set"
        return f"{text}: see `manage.py check`"
    if resource.organization is None:
        return "all organizations share them"
    if inherited_fields(resource.model):
        return "each record has rows in several tables"
    if isinstance(find_field(resource.model, step), OneToOneRel):
        return "the organization of each record is stored in another table"
    if not (resource.writable_columns or resource.writable_relations or resource.writable_key):
        return "all of their columns are read-only"
    return None


def _wrong_names(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield each name in `key` and the writable attributes that a batch cannot set."""
    for name in resource.key:
        if not has_column(resource.model, name):
            yield "key", name
    key = {resource.writable_key.name} if resource.writable_key else set()
    for name in resource.writable or ():
        if name not in {*key, *resource.writable_columns}:
            yield "writable", name
    for name in resource.writable_relations:
        if not resource.is_related(name):
            yield "writable_relations", name


def listed(names: Sequence[str]) -> str:
    """Return the first `MAX_LISTED` names for use in a sentence, and the number of the others."""
    shown = ", ".join(map(display_value, names[:MAX_LISTED]))
    others = len(names) - MAX_LISTED
    return f"{shown} and {others:,} others" if others > 0 else shown


def not_a_target(targets: Targets, name: str) -> str:
    """Return the sentence about a name that a batch cannot set."""
    if targets.is_read_only(name):
        return f"{name} is read-only: a batch cannot set it."
    hint = did_you_mean(name, targets.names)
    return f"{display_value(name)} is not a column of {targets.resource.name}{hint}"


def takes_json(target: Target) -> bool:
    """Return whether the values of a target are staged as JSON."""
    if target.inner is not None:
        return takes_json(target.inner)
    if target.relation is not None:
        return True
    return target.column is not None and target.column.kind in (ColumnType.JSON, ColumnType.LIST)
