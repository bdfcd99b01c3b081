"""Many-to-many relations: replaces the links of the records that a chunk has written.

Links are rows of the table of an automatically created `through` model, or of one that has only
the two foreign keys besides columns with a default in the database.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import ManyToManyField
from psycopg import sql

from batches.context import Context
from batches.merging.journal import Journal
from batches.merging.rows import Rows
from batches.merging.tables import Table
from batches.staging import Step
from longshore.database.column_types import sql_type
from longshore.resources.columns import column_name
from longshore.resources.conditions import related_scope
from longshore.resources.relations import Relation
from longshore.resources.tables import from_item


@dataclass(frozen=True)
class Links:
    """The links of a relation of the resource. near: to the record; far: to the related record."""

    relation: Relation
    table: Table
    near: str
    far: str
    far_type: sql.SQL

    @classmethod
    def of(cls, relation: Relation) -> "Links":
        """Return the links of a many-to-many relation, declared on either side."""
        if relation.model is None:
            raise TypeError(f"relation {relation.name} is not bound to a model")
        field: Any = relation.model._meta.get_field(relation.name)
        is_forward = isinstance(field, ManyToManyField)
        declared: Any = field if is_forward else field.field
        if declared.remote_field.symmetrical:
            raise TypeError(f"{relation.name} is symmetrical, which batches do not support")
        through = declared.remote_field.through
        ends = [declared.m2m_field_name(), declared.m2m_reverse_field_name()]
        near, far = (through._meta.get_field(each) for each in (ends if is_forward else ends[::-1]))
        return cls(relation, Table(through), column_name(near), column_name(far), sql_type(far))

    def replace(self, context: Context, rows: Rows, after: int) -> list[sql.Composable]:
        """Return statements that delete the links that rows do not name, and insert the others.

        A row that has the relation's name in `absent` keeps its links. Links to related records
        that the organization cannot see stay: no row can name them.

        after: the entries of the journal after this number name the records that are written, which
            are therefore locked.
        """
        parts = self._parts(context, rows, after)
        return [self._delete(context, parts), self._insert(context, parts)]

    def _delete(self, context: Context, parts: dict[str, Any]) -> sql.Composable:
        related = Table(self.relation.target)
        return sql.SQL(
            "WITH deleted AS (DELETE FROM {table} AS link USING {plan} AS plan"
            " JOIN {typed} AS typed ON typed.longshore_row = plan.row"
            " WHERE link.{near} = plan.key AND {written}"
            " AND plan.step = {update} AND NOT EXISTS (SELECT FROM {links} AS named"
            " WHERE named.row = plan.row AND named.relation = {relation}"
            " AND named.key::{far_type} = link.{far})"
            " AND EXISTS (SELECT FROM {related} WHERE related.{related_key} = link.{far}"
            " AND {is_shown})"
            " RETURNING link.{key}::text AS key, {image} AS before) {entries}"
        ).format(
            update=sql.Literal(Step.UPDATE),
            related=from_item(self.relation.target, "related"),
            related_key=sql.Identifier(related.key),
            is_shown=related_scope(self.relation, context.organization_id, "related"),
            image=self.table.image("link"),
            entries=Journal(context.batch).insert(
                self.table,
                Step.DELETE,
                sql.SQL("SELECT NULL::bigint AS row, key, before, false AS is_own FROM deleted"),
            ),
            **parts,
        )

    def _insert(self, context: Context, parts: dict[str, Any]) -> sql.Composable:
        return sql.SQL(
            "WITH created AS (INSERT INTO {table} ({near}, {far})"
            " SELECT plan.key, named.key::{far_type} FROM {plan} AS plan"
            " JOIN {typed} AS typed ON typed.longshore_row = plan.row"
            " JOIN {links} AS named ON named.row = plan.row"
            " WHERE {written} AND named.relation = {relation} AND NOT EXISTS ("
            "SELECT FROM {table} AS link WHERE link.{near} = plan.key"
            " AND link.{far} = named.key::{far_type})"
            " ORDER BY 1, 2 ON CONFLICT DO NOTHING RETURNING {key}::text AS key) {entries}"
        ).format(
            entries=Journal(context.batch).insert(
                self.table,
                Step.CREATE,
                sql.SQL(
                    "SELECT NULL::bigint AS row, key, NULL::jsonb AS before, false AS is_own"
                    " FROM created"
                ),
            ),
            **parts,
        )

    def _parts(self, context: Context, rows: Rows, after: int) -> dict[str, Any]:
        staging = context.staging
        written = sql.SQL(
            "{among} AND {relation} <> ALL (coalesce(typed.longshore_absent, '{{}}'))"
            " AND plan.key::text IN ({written})"
        ).format(
            among=rows.among("plan", "typed"),
            relation=sql.Literal(self.relation.name),
            written=Journal(context.batch).keys_since(Table(context.resource.model), after),
        )
        return {
            "table": self.table.name,
            "key": sql.Identifier(self.table.key),
            "near": sql.Identifier(self.near),
            "far": sql.Identifier(self.far),
            "far_type": self.far_type,
            "relation": sql.Literal(self.relation.name),
            "plan": staging.plan,
            "typed": staging.typed,
            "links": staging.links,
            "written": written,
        }


def links_of(context: Context, relations: "tuple[str, ...]") -> list[Links]:
    """Return the links of the relations that the input gives."""
    found = context.targets.relations
    return [Links.of(found[name]) for name in relations]
