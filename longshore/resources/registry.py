"""The registry of resources.

An installed app declares its resources in a module `resources.py`:

    register(Resource(name="order", plural="orders", model=Order,
                      relations=(Relation("customer", label="email"),)))

Columns, filters and types come from the model.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import ForeignKey, Model, Q

from longshore.resources.columns import (
    Column,
    ColumnType,
    editable_columns,
    has_table,
    model_columns,
    secret_fields,
    text_to_search,
    unassigned_key,
)
from longshore.resources.declared_types import convert_lists, wrong_types
from longshore.resources.include_paths import includable_paths
from longshore.resources.named_filters import NamedFilter
from longshore.resources.names import is_resource_name, plurals
from longshore.resources.relations import Relation
from longshore.resources.writing import AfterWrite, Rule


@dataclass(frozen=True)
class Resource:
    """A Django model whose records can be exported and imported.

    name, plural: singular and plural name in requests and URLs.
    organization: path of foreign keys, or of reversed one-to-one relations, from the model to its
        organization, joined by `__`. None declares that all organizations share the records: each
        may read them, and no batch writes them.
    date_field: the date or datetime that a date range filters. A limited request without an order
        returns the newest records by this field; if it is None, by the primary key.
    relations: relations with the fields that they show of related records.
    includes: paths of relations, declared here or only on the model, with at most
        `include_paths.MAX_INCLUDE_DEPTH` steps. A request may nest their records with all columns
        of their own resource.
    columns: computed columns, and fields under another name.
    default_columns: columns, relations and `<relation>.<column>` of a CSV or XLSX file for which
        the request names no columns; by default all columns and relations.
    hidden: fields that never leave the database.
    exposed: fields to show although their names look like secrets, which are hidden by default.
    where: condition on the model's own columns. Rows that fail it are in no export, list, count,
        preview or relation.
    scopes: an API key needs one of these scopes to read the records, in lists, exports and
        includes. Empty: every key may read them.
    roles: a member of staff needs one of these roles to preview, create, retry and download exports
        and batches. Empty: the permission is enough. Superusers need no role.
    filters: filters that are not columns.
    search: text field with the record's search text, indexed by `SearchWords`.
    key: columns that together identify a record of an organization in a batch; by default the
        primary key.
    writable: columns that a batch may set; by default the columns of all editable fields.
    writable_relations: relations that a batch may set: many-to-many relations, whose links it
        replaces, one-to-many relations, whose records it writes with the record (`merge` creates
        and updates them; `overwrite` also deletes those that a row with the relation does not
        name), and to-one relations whose column is hidden.
    required: writable columns that every record of a batch must have, although the model does not
        require them.
    actions: the actions of batches that the resource supports.
    rules: tests that the records of a batch must pass, beyond those of the model.
    after_write: called in the transaction of each chunk that a batch has written.
    """

    name: str
    plural: str
    model: type[Model]
    organization: str | None = "organization"
    date_field: str | None = "created_at"
    relations: tuple[Relation, ...] = ()
    includes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    default_columns: tuple[str, ...] = ()
    hidden: frozenset[str] = field(default_factory=frozenset)
    exposed: frozenset[str] = field(default_factory=frozenset)
    where: Q | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)
    roles: frozenset[str] = field(default_factory=frozenset)
    filters: tuple[NamedFilter, ...] = ()
    search: str | None = None
    key: tuple[str, ...] = ()
    writable: tuple[str, ...] | None = None
    writable_relations: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    actions: tuple[str, ...] = ("merge", "overwrite", "delete")
    rules: tuple[Rule, ...] = ()
    after_write: AfterWrite | None = None

    def __post_init__(self) -> None:
        convert_lists(self)

    @cached_property
    def key_fields(self) -> tuple[str, ...]:
        """The fields that together identify a record of an organization in a batch."""
        return self.key or (self.model._meta.pk.name,)

    @cached_property
    def default_order(self) -> str | None:
        """The column of the default order: the date field, without one the primary key.

        None if the primary key is hidden.
        """
        if self.date_field is not None:
            return self.date_field
        key = self.model._meta.pk.name
        columns = self.columns_by_name.items()
        return next((name for name, each in columns if each.field == key), None)

    @cached_property
    def columns_by_name(self) -> Mapping[str, Column]:
        """All columns by name: the model's in field order, then the declared ones."""
        columns = {column.name: column for column in model_columns(self.model, self.hidden_fields)}
        secrets = secret_fields(self.model) - self.exposed
        declared = (column for column in self.columns if column.field not in secrets)
        return columns | {column.name: column for column in declared}

    @cached_property
    def hidden_fields(self) -> frozenset[str]:
        """The declared hidden fields, and the fields that hold secrets and are not exposed.

        Also the foreign keys that hold the hidden fields of others.
        """
        secrets = secret_fields(self.model) - self.exposed
        return self.hidden | secrets | {field.name for field in revealing_fields(self.model)}

    @cached_property
    def filters_by_name(self) -> Mapping[str, NamedFilter]:
        return {each.name: each for each in self.filters}

    @cached_property
    def filterable_columns(self) -> Mapping[str, Column]:
        """All columns that a condition may name: shown columns and columns of named filters."""
        computed = {each.name: each.column for each in self.filters if not each.paths}
        return {**computed, **self.columns_by_name}

    @cached_property
    def search_column(self) -> Column | None:
        """The text that `search` reads. None without one, and if search would disclose it."""
        if self.search is None:
            return None
        shown = {each.field for each in self.columns_by_name.values()}
        return text_to_search(self.model, self.search, shown)

    @cached_property
    def writable_columns(self) -> Mapping[str, Column]:
        """The columns that a batch may set, by name, in field order."""
        columns = editable_columns(self.model, self.hidden_fields)
        return {
            name: column
            for name, column in columns.items()
            if self.organization not in (column.field, name) and self._may_write(name)
        }

    @cached_property
    def writable_key(self) -> Column | None:
        """The primary key, if a batch gives new records theirs; None if it is assigned."""
        column = unassigned_key(self.model)
        if column is None or column.field in self.hidden_fields:
            return None
        return column if self._may_write(column.name) else None

    def _may_write(self, name: str) -> bool:
        return self.writable is None or name in self.writable

    @cached_property
    def relations_by_name(self) -> Mapping[str, Relation]:
        bound = (relation.bind(self.model) for relation in self.relations)
        return {each.name: _without_hidden_fields(each) for each in bound if each.exists}

    @cached_property
    def filterable_relations(self) -> Mapping[str, Relation]:
        """The relations that predicates may follow, by name.

        The declared relations, and the first steps of includes that exist.
        """
        first_steps = dict.fromkeys(path.partition(".")[0] for path in self.includes)
        known = [name for name in first_steps if Relation(name, model=self.model).exists]
        return {
            **{name: Relation.undeclared(self.model, name) for name in known},
            **self.relations_by_name,
        }

    @cached_property
    def relations_by_id(self) -> Mapping[str, Relation]:
        """To-many relations by the name of their id filter, such as `group_id` for `groups`."""
        return {
            f"{relation.singular}_id": relation
            for relation in self.relations_by_name.values()
            if relation.many and relation.singular
        }

    def related(self, name: str) -> "tuple[Relation, Resource | None]":
        """Return a relation, declared or only on the model, and the resource of its records.

        The records of a declared relation may have no resource. Raises LookupError if the model
        has no such relation, or if it is undeclared and its records have no resource.
        """
        undeclared = Relation.undeclared(self.model, name)
        relation = self.relations_by_name.get(name)
        resource = registry.for_model(undeclared.target)
        if relation is None and resource is None:
            raise LookupError(f"{undeclared.target.__name__} has no resource")
        return relation or undeclared, resource

    def is_related(self, name: str) -> bool:
        """Return whether a relation exists, and is declared or leads to a resource's records."""
        try:
            self.related(name)
        except LookupError:
            return False
        return True

    @cached_property
    def embedded(self) -> tuple[str, ...]:
        """The declared relations whose records have no resource of their own.

        Their records are part of this record: a request for all columns includes them.
        """
        relations = self.relations_by_name.values()
        return tuple(each.name for each in relations if registry.for_model(each.target) is None)

    @cached_property
    def includable(self) -> tuple[str, ...]:
        """The paths that a request may include."""
        return includable_paths(self)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns and relations that a request may choose, in the order of a full export."""
        return (*self.columns_by_name, *self.relations_by_name)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """All paths for which `has_path` is true."""
        relations = self.relations_by_name.items()
        return (*self.names, *(f"{name}.{each}" for name, one in relations for each in one.columns))

    def has_path(self, path: str) -> bool:
        """Return whether a path is a column, a relation, or `<relation>.<column>`."""
        return path in self.paths

    @cached_property
    def plural_aliases(self) -> Mapping[str, str]:
        """The columns by the plurals of their names, such as `statuses` for `status`.

        Only text and number columns have a plural: other types are rarely filtered by a list.
        """
        columns = self.columns_by_name.items()
        listed = (
            name for name, each in columns if each.kind is ColumnType.TEXT or each.kind.numeric
        )
        taken = {*self.names, *self.filters_by_name, *self.relations_by_id}
        return {plural: name for plural, name in plurals(listed).items() if plural not in taken}


def revealing_fields(model: type[Model]) -> Iterator[ForeignKey[Any, Any]]:
    """Yield the foreign keys whose values are a field that the resource of its records hides.

    A foreign key to a primary key only identifies a record.
    """
    for key in model._meta.concrete_fields:
        if isinstance(key, ForeignKey) and not key.target_field.primary_key:
            other = registry.for_model(key.related_model)
            if other and key.target_field.name in other.hidden:
                yield key


def _without_hidden_fields(relation: Relation) -> Relation:
    """Return the relation without secrets and without fields that its records' resource hides."""
    target = relation.target
    resource = registry.for_model(target)
    return relation.without(resource.hidden_fields if resource else secret_fields(target))


class Registry:
    """The registered resources, in the order of their declaration.

    declared: all declarations, including those whose name is taken already, and those that nothing
        can use: an attribute has a wrong type, the model has no table, or a name is not valid.
    """

    def __init__(self) -> None:
        self._resources: dict[str, Resource] = {}
        self.declared: list[Resource] = []

    def register(self, resource: Resource) -> None:
        """Add a resource. The first one of a name wins.

        System checks report duplicates, and resources that nothing can use. Raises TypeError for
        an object that is not a resource.
        """
        if not isinstance(resource, Resource):
            raise TypeError(f"register() accepts a Resource(…), not {resource!r}")
        self.declared.append(resource)
        if (
            not any(wrong_types(resource))
            and has_table(resource.model)
            and is_resource_name(resource.name)
            and is_resource_name(resource.plural)
        ):
            self._resources.setdefault(resource.name, resource)

    def unregister(self, name: str) -> None:
        """Remove a resource, for example to replace one that an installed app declares.

        Raises KeyError for an unknown name.
        """
        self.declared.remove(self._resources.pop(name))

    def get(self, name: str) -> Resource | None:
        """Return the resource of a name; None for an unknown name."""
        return self._resources.get(name)

    def for_model(self, model: type[Model]) -> Resource | None:
        """Return the resource of a model's records; None without one.

        A resource of a proxy model of the same table counts too, so that the fields it hides stay
        hidden on every path to the records.
        """
        table = model._meta.concrete_model
        found = [each for each in self if each.model._meta.concrete_model is table]
        return next((each for each in found if each.model is model), found[0] if found else None)

    def names(self) -> list[str]:
        """Return the names of all resources in alphabetical order."""
        return sorted(self._resources)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._resources.values())


registry = Registry()
register = registry.register
