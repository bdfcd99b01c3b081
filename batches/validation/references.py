"""References: finds the related records that cells name, each distinct text once.

A reference is an id, a value of another identifying field, a label, or an object with one of them.
Records of another organization, and those that their resource does not show, are not found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from django.db.models import ForeignKey
from psycopg import sql

from batches.context import Context
from batches.errors import RowErrorCode
from batches.validation import messages
from batches.validation.conversion import CellForm, Conversion, Problem, fails
from batches.validation.scalars import Cell
from longshore.database.column_types import db_type, sql_type
from longshore.resources.columns import ColumnType, column_name, field_column
from longshore.resources.conditions import related_scope
from longshore.resources.field_sql import is_native_text, valued_field
from longshore.resources.relations import Relation

_RELATED = "related"
_LOOKUP = """CREATE UNLOGGED TABLE {lookup} AS
WITH given AS MATERIALIZED (SELECT reference, {values} FROM {references}),
 found AS ({found})
SELECT given.reference, {kept}, (array_agg(best.key))[1] AS key, count(best.key) AS matches
FROM given LEFT JOIN (
  SELECT DISTINCT reference, key FROM (
    SELECT reference, key, step, min(step) OVER (PARTITION BY reference) AS first FROM found
  ) AS ranked WHERE step = first
) AS best USING (reference)
GROUP BY given.reference"""
_FOUND = """SELECT given.reference, {key} AS key, {step} AS step
 FROM given JOIN {source} ON {column} = {value} WHERE {scope}"""


@dataclass(frozen=True)
class Reference:
    """How texts of one column name related records.

    by: the field of the related records that the texts hold; None: the label or the key, or as
        JSON an object with an identifying field.
    lookup: the table from texts to keys: `reference`, `key`, `matches`, and for each field that
        identifies a record the value that it must have.
    """

    relation: Relation
    by: str | None
    form: CellForm
    lookup: sql.Identifier

    def create_lookup(
        self, cursor: psycopg.Cursor[Any], context: Context, texts: sql.Composable
    ) -> None:
        """Create the lookup table. texts: a query of the texts as `reference`."""
        fields = self._fields(context)
        steps = list(enumerate(fields))
        values = sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(self._value(step, fields), sql.Identifier(f"value {step}"))
            for step, _ in steps
        )
        found = sql.SQL(" UNION ALL ").join(
            sql.SQL(_FOUND).format(
                key=self._column(referred_field(self.relation)),
                step=sql.Literal(step),
                source=self.relation.table(_RELATED),
                column=self._column(field),
                value=self._cast(field, sql.Identifier("given", f"value {step}")),
                scope=related_scope(self.relation, context.organization_id, _RELATED),
            )
            for step, field in steps
        )
        kept = sql.SQL(", ").join(
            sql.SQL("any_value({0}) AS {0}").format(sql.Identifier(f"value {step}"))
            for step, _ in steps
        )
        references = sql.SQL(
            "(SELECT DISTINCT reference FROM ({}) AS texts WHERE reference IS NOT NULL) AS texts"
        ).format(texts)
        cursor.execute(
            sql.SQL(_LOOKUP).format(
                lookup=self.lookup, values=values, references=references, found=found, kept=kept
            )
        )
        cursor.execute(sql.SQL("ANALYZE {}").format(self.lookup))

    def problems(
        self, matches: sql.Composable, text: sql.Composable, given: sql.Composable
    ) -> tuple[Problem, Problem]:
        """Return the problems of a text that names no record, or several.

        matches: SQL of the number of records. given: SQL of a test whether there is a text.
        """
        options = self.relation.target._meta
        field, text = self.by or "", self.shown(text)
        return (
            Problem(
                fails("{} AND coalesce({}, 0) = 0", given, matches),
                RowErrorCode.NOT_FOUND,
                messages.no_such_record(text, str(options.verbose_name), field),
            ),
            Problem(
                fails("{} > 1", matches),
                RowErrorCode.AMBIGUOUS_REFERENCE,
                messages.several_records(
                    matches, text, str(options.verbose_name_plural), self.relation.key
                ),
            ),
        )

    def shown(self, text: sql.Composable) -> sql.Composable:
        """Return SQL of a text as errors show it: a JSON string without its quotes."""
        if not self.form.is_json:
            return text
        return fails(
            "CASE WHEN {0} ~ '^\"' AND pg_input_is_valid({0}, 'jsonb')"
            " THEN {0}::jsonb #>> '{{}}' ELSE {0} END",
            text,
        )

    def names(self, context: Context, lookup: str, key: sql.Composable) -> sql.Composable:
        """Return SQL of a test whether a text may name the record with a key, perhaps among others.

        True for a text that names no record: the record may have been renamed since the export, or
        this batch may rename it.

        lookup: the alias of the lookup table, joined by the text.
        key: SQL of the key, in its type.
        """
        has_value = sql.SQL(" OR ").join(
            fails(
                "{} = {}",
                self._column(field),
                self._cast(field, sql.Identifier(lookup, f"value {step}")),
            )
            for step, field in enumerate(self._fields(context))
        )
        return fails(
            "CASE {matches} WHEN 0 THEN true WHEN 1 THEN {found} = {key}"
            " ELSE EXISTS (SELECT FROM {source} WHERE {column} = {key} AND ({has_value})) END",
            matches=sql.Identifier(lookup, "matches"),
            found=sql.Identifier(lookup, "key"),
            key=key,
            source=self.relation.table(_RELATED),
            column=self._column(referred_field(self.relation)),
            has_value=has_value,
        )

    @property
    def key_type(self) -> sql.Composable:
        """SQL of the type of the keys."""
        found = self.relation.target._meta.get_field(referred_field(self.relation))
        return sql_type(cast("Any", found))

    def _fields(self, context: Context) -> Sequence[str]:
        """Return the fields that identify a record. The first field that matches decides."""
        if self.by is not None:
            return [self.by]
        label, key = self.relation.label, self.relation.key
        others = context.targets.identifying_fields(self.relation)
        if self.form.is_json:
            return list(dict.fromkeys([label, key, *others]))
        # Exports write the key of a record whose label is null.
        return list(dict.fromkeys([label, key]))

    def _value(self, step: int, fields: Sequence[str]) -> sql.Composable:
        """Return SQL of the text that a field must have."""
        reference = sql.Identifier("texts", "reference")
        if self.form.is_table:
            return reference
        read = fails("CASE WHEN pg_input_is_valid({0}, 'jsonb') THEN {0}::jsonb END", reference)
        scalar = fails("CASE WHEN jsonb_typeof({0}) <> 'object' THEN {0} #>> '{{}}' END", read)
        if self.by is not None:
            return scalar
        # In an object, the key decides, then the other fields in order.
        label, key, *others = fields if len(fields) > 1 else (*fields, *fields)
        decisive = list(dict.fromkeys([key, *others, label]))
        field = fields[step]
        earlier = [fails("{}->>{}", read, sql.Literal(name)) for name in decisive]
        member = earlier[decisive.index(field)]
        if earlier := earlier[: decisive.index(field)]:
            absent = sql.SQL("coalesce({}) IS NULL").format(sql.SQL(", ").join(earlier))
            member = fails("CASE WHEN {} THEN {} END", absent, member)
        is_scalar_field = field in (label, key)
        otherwise = scalar if is_scalar_field else sql.NULL
        return fails(
            "CASE jsonb_typeof({}) WHEN 'object' THEN {} ELSE {} END", read, member, otherwise
        )

    def _column(self, field: str) -> sql.Composable:
        found = self.relation.target._meta.get_field(field)
        return sql.Identifier(_RELATED, column_name(found))

    def _cast(self, field: str, value: sql.Composable) -> sql.Composable:
        """Return SQL of a text in the type of a field; null if it cannot be of that type."""
        found = cast("Any", self.relation.target._meta.get_field(field))
        column = field_column(self.relation.target, field)
        name = db_type(found)
        if column.kind is ColumnType.TEXT and is_native_text(valued_field(found)):
            return value
        return sql.SQL("CASE WHEN pg_input_is_valid({0}, {1}) THEN {0}::{2} END").format(
            value, sql.Literal(name), sql.SQL(name)
        )


def referred_field(relation: Relation) -> str:
    """Return the field of the related records to which a row, or a link of a row, refers."""
    link: Any = cast("Any", relation.model)._meta.get_field(relation.name)
    return str(link.target_field.name) if isinstance(link, ForeignKey) else relation.key


def referring(cell: Cell, reference: Reference) -> Conversion:
    """Return the conversion of a text to the key of the record that it names."""
    alias = lookup_alias(cell)
    join = sql.SQL("LEFT JOIN {0} AS {1} ON {1}.reference = {2}").format(
        reference.lookup, sql.Identifier(alias), cell.text
    )
    given = fails("{} IS NOT NULL", cell.text)
    return Conversion(
        sql.Identifier(alias, "key"),
        reference.problems(sql.Identifier(alias, "matches"), cell.text, given),
        joins=(join,),
        text=cell.text,
    )


def lookup_alias(cell: Cell) -> str:
    """Return the alias of the lookup table in the conversion of a cell."""
    return f"lookup {cell.suffix}"
