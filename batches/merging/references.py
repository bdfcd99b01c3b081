"""Foreign keys that refer to a model, with what a deletion does with their rows."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, models
from django.db.models.deletion import get_candidate_relations_to_delete
from psycopg import sql

from batches.merging.journal import execute
from batches.merging.tables import Table
from longshore.resources.columns import column_name, has_composite_key
from longshore.resources.conditions import scope
from longshore.resources.ownership import organization_links
from longshore.resources.registry import registry
from longshore.resources.tables import from_item, inherited_fields


@dataclass(frozen=True)
class Reference:
    """A foreign key, from `child` to `parent`.

    column: of the child. target: the column of the parent to which it refers.
    on_delete: Django's function, such as `models.CASCADE`.
    """

    child: Table
    parent: Table
    field: Any
    on_delete: Any

    @property
    def column(self) -> str:
        return column_name(self.field)

    @property
    def target(self) -> str:
        return column_name(self.field.target_field)

    @property
    def cascades(self) -> bool:
        return self.on_delete is models.CASCADE and not self.protects

    @property
    def protects(self) -> bool:
        """Whether a row of the child keeps the parent from being deleted.

        A batch cannot delete a row of a model with several tables, unless the row goes with its row
        in the parent's table. It can neither delete nor update a row with a composite primary key,
        nor do what the project's own function does.
        """
        model = self.child.model
        if self.on_delete is models.DO_NOTHING:
            return False
        if self.on_delete is models.CASCADE:
            is_alone = bool(inherited_fields(model)) and not self.field.remote_field.parent_link
            return is_alone or self.has_composite_key
        sets = self.on_delete in (models.SET_NULL, models.SET_DEFAULT) or self._sets_value
        return not sets or self.has_composite_key

    @property
    def has_composite_key(self) -> bool:
        """Whether no single column identifies a row of the child, so that no batch writes it."""
        return has_composite_key(self.child.model)

    @property
    def _sets_value(self) -> bool:
        """Whether `on_delete` is `models.SET(…)`."""
        return hasattr(self.on_delete, "deconstruct")

    @property
    def unlinks(self) -> bool:
        """Whether a deletion gives the foreign key another value."""
        return not (self.cascades or self.protects or self.on_delete is models.DO_NOTHING)

    @property
    def replacement(self) -> sql.Composable:
        """The value that a deletion leaves in the foreign key."""
        if self.on_delete is models.SET_NULL:
            return sql.SQL("NULL")
        if self.on_delete is models.SET_DEFAULT:
            value = self.field.get_default()
        elif self._sets_value:
            value = self.on_delete.deconstruct()[1][0]
            value = value() if callable(value) else value
        else:
            raise TypeError(f"a deletion does not change {self.field}")
        if isinstance(value, models.Model):
            value = getattr(value, self.field.target_field.attname)
        return sql.Literal(self.field.get_db_prep_save(value, connection))

    @property
    def plural(self) -> str:
        """The name of the referring records for people."""
        return str(self.child.model._meta.verbose_name_plural)


def references_to(model: type[models.Model]) -> list[Reference]:
    """Return the references to a model from tables. Views have no rows of their own."""
    found = [
        Reference(Table(relation.related_model), Table(model), relation.field, relation.on_delete)
        for relation in _relations(model)
    ]
    tables = _existing(each.child for each in found)
    return [each for each in found if each.child.label in tables]


def reachable(model: type[models.Model]) -> list[Table]:
    """Return the tables that a batch of a model may change: its own, and those referring to it."""
    found = {model._meta.db_table: Table(model)}
    waiting = [model]
    while waiting:
        for reference in references_to(waiting.pop()):
            if reference.child.label not in found:
                found[reference.child.label] = reference.child
                waiting.append(reference.child.model)
    return list(found.values())


def is_foreign(table: Table, organization_id: str, row: str) -> sql.Composable:
    """Return SQL that is true for the rows of a table that belong to another organization.

    The row filter of a resource does not matter: the rows that it hides belong to the organization
    too. A row of a model that has neither a resource nor an organization is part of the record to
    which it refers, so it is never foreign.
    """
    model, is_inherited = table.model, bool(inherited_fields(table.model))
    # Other tables have some of the columns of a model with several tables.
    whole = f"{row}_whole" if is_inherited else row
    if resource := registry.for_model(model):
        own = scope(replace(resource, where=None), organization_id, whole)
        foreign: sql.Composable = sql.SQL("({}) IS NOT TRUE").format(own)
    else:
        organization = sql.Literal(organization_id)
        tests = [
            sql.SQL("{} <> {}").format(sql.Identifier(whole, column_name(each)), organization)
            for each in organization_links(model)
        ]
        foreign = sql.SQL("({})").format(sql.SQL(" OR ").join([sql.SQL("false"), *tests]))
    if not is_inherited:
        return foreign
    return sql.SQL("EXISTS (SELECT FROM {} WHERE {} = {} AND {})").format(
        from_item(model, whole),
        sql.Identifier(whole, table.key),
        sql.Identifier(row, table.key),
        foreign,
    )


def foreign_keys(table: Table) -> "Iterable[models.ForeignKey[Any, Any]]":
    """Return the foreign keys of a table."""
    return [field for field in table.fields.values() if isinstance(field, models.ForeignKey)]


def _relations(model: type[models.Model]) -> Iterable[Any]:
    return iter(get_candidate_relations_to_delete(model._meta))


def _existing(tables: Iterable[Table]) -> set[str]:
    """Return the labels of those tables that are tables of the database."""
    names = {table.label: table.name.as_string(None) for table in tables}
    rows = execute(
        sql.SQL(
            "SELECT label FROM unnest({}::text[], {}::text[]) AS named (label, name)"
            " JOIN pg_class ON oid = to_regclass(name) WHERE relkind IN ('r', 'p')"
        ).format(sql.Literal(list(names)), sql.Literal(list(names.values())))
    )
    return {label for (label,) in rows}
