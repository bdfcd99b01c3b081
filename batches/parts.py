"""Parts: the records of a one-to-many relation that a batch writes with the record they refer to.

An input gives the parts of a record in one of three forms: as a JSON array of objects, in flattened
headers (`line_items.0.quantity`), or one in each of several rows that repeat the record's cells
(`line_items.quantity`).
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import ManyToOneRel
from psycopg import sql

from longshore.resources.columns import column_name
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation, find_relation
from longshore.resources.tables import concrete_model

# Maximum of parts of one relation of a record. The number of a part is the number of its record,
# times this, plus its position: it identifies the record too. The numbers of parts of parts fit
# into a `bigint`.
MAX_PARTS = 1 << 16
_NUMBER = sql.Literal(MAX_PARTS)


@dataclass(frozen=True)
class Part:
    """A writable one-to-many relation.

    resource: of the parts; derived from their model if none is registered.
    """

    relation: Relation
    resource: Resource

    @classmethod
    def of(cls, resource: Resource, name: str) -> "Part | None":
        """Return the parts of a resource by the name of their relation.

        Returns None if the resource has no such writable one-to-many relation.
        """
        if name not in resource.writable_relations:
            return None
        if not isinstance(find_relation(resource.model, name), ManyToOneRel):
            return None
        relation, registered = resource.related(name)
        return cls(relation, registered or _derived(resource, relation))

    @property
    def field(self) -> Any:
        """The foreign key of a part to its record."""
        return self.relation.target._meta.get_field(self.relation.reverse_foreign_key or "")

    @property
    def column(self) -> str:
        """The column of the foreign key."""
        return column_name(self.field)

    def is_within(self, row: str, other: str) -> sql.Composable:
        """Return SQL that is true if the parts of two aliases are of the same record."""
        return sql.SQL("{} = {}").format(
            sql.Identifier(row, self.column), sql.Identifier(other, self.column)
        )


def record_of(number: sql.Composable) -> sql.Composable:
    """Return SQL of the number of a part's record."""
    return sql.SQL("({} / {})").format(number, _NUMBER)


def position_of(number: sql.Composable) -> sql.Composable:
    """Return SQL of a part's position in its record, from 0."""
    return sql.SQL("({} % {})").format(number, _NUMBER)


def number_of(record: sql.Composable, position: sql.Composable) -> sql.Composable:
    """Return SQL of the number of a part."""
    return sql.SQL("({}::bigint * {} + {})").format(record, _NUMBER, position)


def _derived(resource: Resource, relation: Relation) -> Resource:
    """Return a resource for records that are a part of others, with the key that is unique."""
    options: Any = concrete_model(relation.target)._meta
    fields = next(
        (
            each.fields
            for each in options.total_unique_constraints
            if relation.reverse_foreign_key in each.fields
        ),
        (options.pk.name,),
    )
    return Resource(
        name=relation.singular or relation.name,
        plural=relation.name,
        model=relation.target,
        # A batch writes no records without an organization.
        organization=f"{relation.reverse_foreign_key}__{resource.organization or ''}",
        key=tuple(options.get_field(name).attname for name in fields),
        writable=relation.fields,
    )
