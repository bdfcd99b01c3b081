"""Relations of resources: how a row joins its related records, and which fields they show."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from django.db.models import (
    ForeignKey,
    ManyToManyField,
    ManyToManyRel,
    ManyToOneRel,
    Model,
    Q,
)
from psycopg import sql

from longshore.resources.columns import Column, column_name, field_column, find_field
from longshore.resources.declared_types import convert_lists
from longshore.resources.tables import from_item

# The classes of relations that a join supports.
_JOINED = (ForeignKey, ManyToOneRel, ManyToManyField, ManyToManyRel)


def find_relation(model: type[Model], name: str) -> Any:
    """Return a relation of a model that a join supports; None without one.

    The name of a foreign key's column, such as `guest_id`, is no relation.
    """
    field = find_field(model, name)
    return field if isinstance(field, _JOINED) and field.name == name else None


@dataclass(frozen=True)
class Relation:
    """A relation of a resource's model, with its name on the model.

    label: field of the related model that represents a record in a single cell.
    fields: fields that each related record shows, in order.
    singular: singular name of a to-many relation; the name of its id filter is `<singular>_id`.
    joined: if true, a table always joins the related records, such as tags, into one cell for each
        field instead of repeating the row, and predicates filter them by id only.
    where: a condition on the related model's own columns. Records that fail it are never shown.
    model: the model that declares the relation; set by the registry.
    """

    name: str
    label: str = "name"
    fields: tuple[str, ...] = ("id", "name")
    singular: str | None = None
    joined: bool = False
    where: Q | None = None
    model: type[Model] | None = None

    def __post_init__(self) -> None:
        convert_lists(self)

    @classmethod
    def undeclared(cls, model: type[Model], name: str) -> "Relation":
        """Return a relation of the model that shows only the key of the related records.

        Raises LookupError if the model has no such relation.
        """
        field = find_relation(model, name)
        if field is None:
            raise LookupError(f"{name!r} is not a relation of {model.__name__}")
        key = field.related_model._meta.pk.name
        return cls(name, label=key, fields=(key,), model=model)

    def bind(self, model: type[Model]) -> "Relation":
        """Return the relation bound to the model that declares it."""
        return replace(self, model=model)

    def without(self, hidden: Collection[str]) -> "Relation":
        """Return the relation without the hidden fields of its records; the key always stays.

        The key replaces a hidden label. System checks report names that the model does not have.
        """
        key, options = self.key, self.target._meta
        names = {name for field in options.concrete_fields for name in (field.name, field.attname)}
        unseen = {name for name in names if options.get_field(name).name in hidden} | set(hidden)
        fields = tuple(name for name in self.fields if name == key or name not in unseen)
        label = key if self.label in unseen else self.label
        return replace(self, fields=fields or (key,), label=label)

    @property
    def _field(self) -> Any:
        if self.model is None:
            raise TypeError(f"relation {self.name} is not bound to a model")
        return self.model._meta.get_field(self.name)

    @property
    def exists(self) -> bool:
        """Whether the model has such a relation. System checks report one that does not exist."""
        return self.model is not None and find_relation(self.model, self.name) is not None

    @property
    def many(self) -> bool:
        return bool(self._field.many_to_many or self._field.one_to_many)

    @property
    def repeatable(self) -> bool:
        """Whether a table may repeat the row for each related record."""
        return self.many and not self.joined

    @property
    def reverse_foreign_key(self) -> str | None:
        """The foreign key of the related model that refers to the row; None for other relations."""
        field = self._field
        return str(field.remote_field.name) if isinstance(field, ManyToOneRel) else None

    @property
    def target(self) -> type[Model]:
        target: type[Model] = self._field.related_model
        return target

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """The columns of a related record that requests may show or filter by, by name."""
        names = dict.fromkeys((*self.fields, self.key, self.label))
        return {name: field_column(self.target, name, called=name) for name in names}

    @property
    def key(self) -> str:
        """The field that identifies a related record."""
        return self.target._meta.pk.name

    def join(self, parent: str, row: str) -> tuple[sql.Composable, sql.Composable]:
        """Return a FROM item with the alias `row` for the related records, and its join condition.

        parent: the alias of the table of the row that has the relation.
        Raises TypeError for a class of relation that cannot be joined.
        """
        if link := self.link(parent, row):
            source = sql.SQL("{} JOIN {} ON {}").format(link.source, self.table(row), link.far)
            return source, sql.SQL("{} = {}").format(link.near, link.parent)
        field = self._field
        if isinstance(field, ForeignKey):
            return self.table(row), _equal(row, field.target_field, parent, field)
        if isinstance(field, ManyToOneRel):
            link_field = field.remote_field
            key = cast("Any", link_field).target_field
            return self.table(row), _equal(row, link_field, parent, key)
        raise TypeError(f"{self.name} is a {type(field).__name__}, which cannot be joined")

    def link(self, parent: str, row: str) -> "Link | None":
        """Return the link rows of a many-to-many relation; None for other relations."""
        field: Any = self._field
        if not isinstance(field, ManyToManyField | ManyToManyRel):
            return None
        forward = isinstance(field, ManyToManyField)
        declared: Any = field if forward else cast("Any", field).field
        through = declared.remote_field.through
        names = declared.m2m_field_name(), declared.m2m_reverse_field_name()
        near, far = (through._meta.get_field(n) for n in (names if forward else names[::-1]))
        link = f"{row}_link"
        return Link(
            source=from_item(through, link),
            near=_column(link, near),
            parent=_column(parent, near.target_field),
            far=_equal(row, far.target_field, link, far),
        )

    def table(self, row: str) -> sql.Composable:
        """Return a FROM item with the alias `row` for the related table."""
        return from_item(self.target, row)


@dataclass(frozen=True)
class Link:
    """The rows of a many-to-many table that connect a row to its related records.

    source: the FROM item of the many-to-many table.
    near, parent: the link's foreign key to the row, and the column of the row that it refers to.
    far: the condition that joins the related record.
    """

    source: sql.Composable
    near: sql.Composable
    parent: sql.Composable
    far: sql.Composable


def _column(row: str, field: Any) -> sql.Composable:
    return sql.Identifier(row, column_name(field))


def _equal(left: str, left_field: Any, right: str, right_field: Any) -> sql.Composable:
    return sql.SQL("{} = {}").format(_column(left, left_field), _column(right, right_field))
