"""Reverses the changes of one transaction of a batch, except for those that must stay."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import ForeignKey
from psycopg import sql

from batches import row_errors
from batches.context import Context
from batches.errors import RowErrorCode
from batches.merging.changes import (
    CHANGES,
    Entry,
    Own,
    create,
    is_own,
)
from batches.merging.journal import execute
from batches.merging.references import Reference, foreign_keys, reachable, references_to
from batches.merging.refusals import Refusal
from batches.merging.restoring import CHANGED, Restoring
from batches.merging.rows import Rows
from batches.merging.tables import Table
from batches.models import Batch
from batches.staging import Step
from longshore.database.column_types import sql_type
from longshore.resources.columns import column_name


@dataclass(frozen=True)
class Reversal:
    """Reverses one transaction of a batch in the current transaction.

    context: of the batch that undoes the original one.
    own: the versions of records that it may reverse.
    """

    context: Context
    original: Batch
    transaction: int
    own: Own

    @property
    def table(self) -> Table:
        return Table(self.context.resource.model)

    def stage(self) -> list[Entry]:
        """Stage the changes. Returns the entries, the newest first."""
        execute(create(self.original, self.transaction))
        execute(sql.SQL("CREATE UNIQUE INDEX ON {} (number, position)").format(CHANGES))
        execute(sql.SQL('CREATE INDEX ON {} ("table", key)').format(CHANGES))
        execute(sql.SQL("ANALYZE {}").format(CHANGES))
        entries = execute(
            sql.SQL(
                'SELECT number, "table", step, count(*), is_own FROM {}'
                ' GROUP BY number, "table", step, is_own ORDER BY number DESC'
            ).format(CHANGES)
        )
        return [
            Entry(number, self._tables[label], Step(step), size, is_own)
            for number, label, step, size, is_own in entries
        ]

    def refuse(self, number: int, position: int, refusal: Refusal) -> None:
        """Leave out one change."""
        execute(
            sql.SQL(
                "UPDATE {} SET code = {}, message = {} WHERE number = {} AND position = {}"
            ).format(
                CHANGES,
                sql.Literal(refusal.code),
                sql.Literal(refusal.message),
                sql.Literal(number),
                sql.Literal(position),
            )
        )

    def refuse_changed(self) -> None:
        """Lock the records, and leave out those that others changed, with their links."""
        table = self.table
        parts = {
            "changes": CHANGES,
            "table": table.name,
            "label": sql.Literal(table.label),
            "key": sql.Identifier(table.key),
            "type": table.key_type,
            "create": sql.Literal(Step.CREATE),
            "update": sql.Literal(Step.UPDATE),
        }
        execute(
            sql.SQL(
                "SELECT count(*) FROM (SELECT FROM {table} AS record WHERE record.{key} IN ("
                "SELECT change.key::{type} FROM {changes} AS change WHERE"
                ' change."table" = {label} AND change.step IN ({create}, {update}))'
                " ORDER BY record.{key} FOR UPDATE) AS locked"
            ).format(**parts)
        )
        execute(
            sql.SQL(
                "UPDATE {changes} AS change SET code = {code}, message = {message}"
                ' WHERE change."table" = {label} AND change.step IN ({create}, {update})'
                " AND change.is_own AND change.code IS NULL AND NOT EXISTS ("
                "SELECT FROM {table} AS record WHERE record.{key} = change.key::{type}"
                " AND {scope} AND {is_own})"
            ).format(
                code=sql.Literal(RowErrorCode.CHANGED_SINCE),
                message=sql.Literal(CHANGED),
                scope=self.context.owns("record"),
                is_own=is_own("record", table, self.own),
                **parts,
            )
        )
        for reference in references_to(table.model):
            if not reference.has_composite_key:
                self._refuse_links(reference)

    def _refuse_links(self, reference: Reference) -> None:
        """Leave out the links and parts of records that are kept, and those of created records.

        The latter are deleted with their records, if those are not kept.
        """
        near, link = sql.Identifier(reference.column), reference.child
        execute(
            sql.SQL(
                "UPDATE {changes} AS change SET code = {code} FROM {changes} AS record"
                ' WHERE change."table" = {link} AND record."table" = {label}'
                " AND change.number <> record.number AND NOT change.is_own"
                " AND record.is_own AND change.code IS NULL"
                " AND ((change.step IN ({delete}, {update}) AND record.code IS NOT NULL"
                " AND record.key = change.before ->> {near_name})"
                " OR (change.step = {create}"
                " AND (record.code IS NOT NULL OR record.step = {create})"
                " AND EXISTS (SELECT FROM {table} AS link WHERE link.{key} = change.key::{type}"
                " AND link.{near}::text = record.key)))"
            ).format(
                changes=CHANGES,
                code=sql.Literal(RowErrorCode.CHANGED_SINCE),
                link=sql.Literal(link.label),
                label=sql.Literal(self.table.label),
                delete=sql.Literal(Step.DELETE),
                update=sql.Literal(Step.UPDATE),
                create=sql.Literal(Step.CREATE),
                near=near,
                near_name=sql.Literal(reference.column),
                table=link.name,
                key=sql.Identifier(link.key),
                type=link.key_type,
            )
        )

    def refuse_orphans(self) -> None:
        """Leave out records whose image refers to a record that no longer exists.

        Repeated, since others may refer to a record that is not restored.
        """
        changed = execute(sql.SQL('SELECT DISTINCT "table" FROM {}').format(CHANGES))
        tables = [self._tables[label] for (label,) in changed]
        keys = [(table, field) for table in tables for field in foreign_keys(table)]
        while sum(self._refuse_orphans_of(table, field) for table, field in keys):
            pass

    def _refuse_orphans_of(self, table: Table, field: "ForeignKey[Any, Any]") -> bool:
        column, target = column_name(field), Table(field.related_model)
        target_column = column_name(field.target_field)
        ((count,),) = execute(
            sql.SQL(
                "WITH found AS (UPDATE {changes} AS change SET code = {code}, message = {message}"
                ' WHERE change."table" = {label} AND change.step IN ({update}, {delete})'
                " AND change.code IS NULL AND change.before ->> {column} IS NOT NULL"
                " AND NOT EXISTS (SELECT FROM {target} AS target WHERE target.{target_column}"
                " = (change.before ->> {column})::{type}) AND NOT EXISTS ("
                'SELECT FROM {changes} AS other WHERE other."table" = {target_label}'
                " AND other.step = {delete} AND other.code IS NULL"
                " AND other.before ->> {target_name} = change.before ->> {column})"
                " RETURNING 1) SELECT count(*) FROM found"
            ).format(
                changes=CHANGES,
                code=sql.Literal(RowErrorCode.NOT_FOUND),
                message=sql.Literal(f"{column} refers to a record that no longer exists."),
                label=sql.Literal(table.label),
                update=sql.Literal(Step.UPDATE),
                delete=sql.Literal(Step.DELETE),
                column=sql.Literal(column),
                target=target.name,
                target_column=sql.Identifier(target_column),
                type=sql_type(field.target_field),
                target_label=sql.Literal(target.label),
                target_name=sql.Literal(target_column),
            )
        )
        return bool(count)

    def reverse(self, entry: Entry, rows: Rows | None = None) -> None:
        """Reverse an entry, or the changes at some positions of it."""
        if Restoring(self.context, self.own).reverse(entry, rows):
            self.refuse_orphans()

    def store_refused(self) -> None:
        """Store errors for the changes that are not reversed, without links of kept records."""
        refused = sql.SQL(
            "SELECT row_number() OVER (ORDER BY number, position) AS id, row,"
            " '' AS \"column\", code, key AS value, message FROM {} WHERE message IS NOT NULL"
        )
        execute(row_errors.store(self.context.batch, refused.format(CHANGES)))

    def count_refused(self, kept: Collection[RowErrorCode]) -> tuple[int, int]:
        """Return how many records of the resource are kept for one of these reasons, or failed."""
        ((keeping, failing),) = execute(
            sql.SQL(
                "SELECT count(*) FILTER (WHERE is_kept), count(*) FILTER (WHERE NOT is_kept)"
                " FROM (SELECT code = ANY ({}::text[]) AS is_kept FROM {} WHERE code IS NOT NULL"
                " AND is_own) AS refused"
            ).format(sql.Literal(list(kept)), CHANGES)
        )
        return keeping, failing

    @cached_property
    def _tables(self) -> dict[str, Table]:
        return {table.label: table for table in reachable(self.context.resource.model)}
