"""The registry of resources: declared once, found by name.

An installed app declares its resources in a module `resources.py`:

    register(Resource(name="order", plural="orders", model=Order,
                      relations=(Relation("customer", label="email"),)))

Columns, filters and types come from the model.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q

from longshore.resources.columns import (
    Column,
    ColumnType,
    is_editable,
    model_columns,
    secret_fields,
)
from longshore.resources.named_filters import NamedFilter
from longshore.resources.relations import Relation

# Steps of a path.
MAX_INCLUDE_DEPTH = 3


@dataclass(frozen=True)
class Resource:
    """A Django model that can be moved.

    name, plural: what a request calls one and many of them.
    organization: path of foreign keys from the model to its organization.
    date_field: the datetime by which a date range selects, and by which a limited request
        without an ordering takes the newest first.
    relations: what is shown of related records.
    includes: paths of relations, declared or only of the model, up to `MAX_INCLUDE_DEPTH` steps:
        whose records a request may have with all that their own resource shows.
    columns: computed columns, or fields under another name.
    hidden: fields that never leave the database.
    exposed: fields that are shown though their names are those of secrets, which are hidden.
    where: a condition on the model's own columns; rows that fail it are in no export, list,
        count, preview or relation.
    filters: names that requests filter by and that are not columns.
    search: a text field with the record's search text, indexed by `SearchWords`.
    key: the columns by whose values together a batch recognizes a record of an organization.
    writable: the columns that a batch may set; by default those of all editable fields.
    """

    name: str
    plural: str
    model: type[Model]
    organization: str = "organization"
    date_field: str = "created_at"
    relations: tuple[Relation, ...] = ()
    includes: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    hidden: frozenset[str] = field(default_factory=frozenset)
    exposed: frozenset[str] = field(default_factory=frozenset)
    where: Q | None = None
    filters: tuple[NamedFilter, ...] = ()
    search: str | None = None
    key: tuple[str, ...] = ("id",)
    writable: tuple[str, ...] | None = None

    @cached_property
    def columns_by_name(self) -> Mapping[str, Column]:
        """Every column by name: the model's in field order, then the declared ones."""
        columns = {column.name: column for column in model_columns(self.model, self.hidden_fields)}
        secrets = secret_fields(self.model) - self.exposed
        declared = (column for column in self.columns if column.field not in secrets)
        return columns | {column.name: column for column in declared}

    @cached_property
    def hidden_fields(self) -> frozenset[str]:
        """The declared hidden fields, and those that hold secrets."""
        return self.hidden | (secret_fields(self.model) - self.exposed)

    @cached_property
    def filters_by_name(self) -> Mapping[str, NamedFilter]:
        return {each.name: each for each in self.filters}

    @cached_property
    def filterable_columns(self) -> Mapping[str, Column]:
        """Every column that a condition may name: those that are shown, and those of filters."""
        computed = {each.name: each.column for each in self.filters if not each.paths}
        return {**computed, **self.columns_by_name}

    @cached_property
    def writable_columns(self) -> Mapping[str, Column]:
        """The columns that a batch may set, by name, in field order."""
        columns = {
            column.name: column
            for column in model_columns(self.model, self.hidden_fields)
            if column.field != self.organization and is_editable(self.model, column)
        }
        if self.writable is None:
            return columns
        return {name: column for name, column in columns.items() if name in self.writable}

    @cached_property
    def relations_by_name(self) -> Mapping[str, Relation]:
        return {relation.name: _visible(relation.of(self.model)) for relation in self.relations}

    @cached_property
    def filterable_relations(self) -> Mapping[str, Relation]:
        """Every relation that a predicate may go through from here, by name: those that are
        declared, and those that includes begin with."""
        begun = dict.fromkeys(path.partition(".")[0] for path in self.includes)
        return {
            **{name: Relation.undeclared(self.model, name) for name in begun},
            **self.relations_by_name,
        }

    @cached_property
    def relations_by_id(self) -> Mapping[str, Relation]:
        """To-many relations by the name of their id filter: `group_id` for `groups`."""
        return {
            f"{relation.singular}_id": relation
            for relation in self.relations_by_name.values()
            if relation.many and relation.singular
        }

    def related(self, name: str) -> "tuple[Relation, Resource | None]":
        """A relation, declared or only of the model, and the resource of its records.

        Records of a declared relation may be no resource of their own. Raises LookupError where
        there is no relation, or none that is declared and its records are no resource.
        """
        undeclared = Relation.undeclared(self.model, name)
        relation = self.relations_by_name.get(name)
        resource = registry.for_model(undeclared.target)
        if relation is None and resource is None:
            raise LookupError(f"{undeclared.target.__name__} is no resource")
        return relation or undeclared, resource

    @cached_property
    def embedded(self) -> tuple[str, ...]:
        """The declared relations whose records are no resource of their own: they are a part of the
        record, and all its columns show them."""
        relations = self.relations_by_name.values()
        return tuple(each.name for each in relations if registry.for_model(each.target) is None)

    @cached_property
    def includable(self) -> tuple[str, ...]:
        """The paths that may be included: the declared ones, those that others begin with, and the
        embedded relations of the records at their ends."""
        steps = (path.split(".") for path in self.includes)
        prefixes = [".".join(each[: end + 1]) for each in steps for end in range(len(each))]
        paths = list(dict.fromkeys(prefixes))
        for path in paths[:]:
            related = self._resource_at(path)
            if related and path.count(".") + 1 < MAX_INCLUDE_DEPTH:
                paths += [f"{path}.{name}" for name in related.embedded]
        return tuple(dict.fromkeys([*paths, *self.embedded]))

    def _resource_at(self, path: str) -> "Resource | None":
        """The resource at the end of a path of relations, if there is one."""
        found: Resource | None = self
        for step in path.split("."):
            try:
                found = found.related(step)[1] if found else None
            except LookupError:  # System checks complain of it.
                return None
        return found

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every name a request may choose, in the order in which a full export has them."""
        return (*self.columns_by_name, *self.relations_by_name)

    def has_path(self, path: str) -> bool:
        """Whether a path is a column, a relation, or `<relation>.<column>`."""
        head, dot, rest = path.partition(".")
        relation = self.relations_by_name.get(head)
        return path in self.names or bool(dot and relation and rest in relation.columns)

    @cached_property
    def plural_aliases(self) -> Mapping[str, str]:
        """Column by the plural of its name: `statuses` for `status`.

        Columns that nobody asks for by a list of values have none.
        """
        plurals = {
            _plural(name): name
            for name, column in self.columns_by_name.items()
            if _is_listed(column.kind) and not name.startswith("_") and not _is_plural(name)
        }
        taken = {*self.names, *self.filters_by_name, *self.relations_by_id}
        return {plural: name for plural, name in plurals.items() if plural not in taken}


def _visible(relation: Relation) -> Relation:
    """A relation without what the resource of its records hides, and without secrets."""
    try:
        target = relation.target
    except FieldDoesNotExist:  # System checks complain of it.
        return relation
    resource = registry.for_model(target)
    return relation.without(resource.hidden_fields if resource else secret_fields(target))


def _is_listed(kind: ColumnType) -> bool:
    return kind is ColumnType.TEXT or kind.numeric


def _is_plural(name: str) -> bool:
    return name.endswith("s") and not name.endswith(("ss", "us", "is"))


def _plural(name: str) -> str:
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("s", "x", "ch", "sh")) else f"{name}s"


class Registry:
    """Resources by name, in the order of their declaration."""

    def __init__(self) -> None:
        self._resources: dict[str, Resource] = {}
        self.declared: list[Resource] = []

    def register(self, resource: Resource) -> None:
        """Add a resource; of two of one name the system checks complain."""
        self.declared.append(resource)
        self._resources.setdefault(resource.name, resource)

    def get(self, name: str) -> Resource | None:
        return self._resources.get(name)

    def for_model(self, model: type[Model]) -> Resource | None:
        """The resource of a model's records; else one of another model of the same table, as a
        proxy is: what it hides of them is hidden however they are reached."""
        table = model._meta.concrete_model
        alike = [each for each in self if each.model._meta.concrete_model is table]
        return next((each for each in alike if each.model is model), alike[0] if alike else None)

    def names(self) -> list[str]:
        return sorted(self._resources)

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._resources.values())


registry = Registry()
register = registry.register
