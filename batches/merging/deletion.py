"""Deletes records with everything that `on_delete` asks for, set-based and journaled.

Foreign keys that refer to the records are set to null or their default, then the records are
deleted, those found last first. An undo reads the journal backwards, so it restores a record before
those that refer to it.
"""

from dataclasses import dataclass

from psycopg import sql

from batches.context import Context
from batches.errors import RowErrorCode
from batches.merging.changes import Own
from batches.merging.collecting import COLLECTED, Collector
from batches.merging.journal import Journal, execute
from batches.merging.references import Reference
from batches.merging.refusals import Refusal
from batches.merging.tables import VERSION, Table
from batches.staging import Step


@dataclass
class Deletion:
    """Deletes records of the context's resource in the current transaction.

    own: versions of rows. If given, a record is kept if a row of another version refers to it. Rows
        of these versions are deleted with it if they refer by CASCADE.
    kept: a query of `key` (text) of records of the resource. If given, a record is kept if one of
        them would be deleted with it.
    named_elsewhere: a query of `row` and `key` (text) of records of the resource that are to be
        deleted, too. They count as named if they are deleted along with another record.
    deleted: the number of named records that were deleted.
    """

    context: Context
    own: Own | None = None
    kept: sql.Composable | None = None
    named_elsewhere: sql.Composable | None = None
    deleted: int = 0

    def delete(self, named: sql.Composable, *, ignore_missing: bool = False) -> list[Refusal]:
        """Delete the records of a query of `row` and `key` (text).

        ignore_missing: skip records that the organization no longer has, instead of refusing them.
        Returns the records that are not deleted: those that the organization does not have, and
        those to which other records refer.
        """
        collector = Collector(self.context, self.own, self.kept)
        references, refused = collector.collect(named, ignore_missing=ignore_missing)
        if self.own is None:
            for reference in references:
                if reference.unlinks:
                    self._unlink(reference, collector)
        self._delete(references, collector.places)
        return refused + self._left()

    def _unlink(self, reference: Reference, collector: Collector) -> None:
        """Give the foreign keys that refer to collected records the value that is left.

        The journal's image has the key, the foreign key and the version only.
        """
        child, parent = reference.child, reference.parent
        execute(
            sql.SQL(
                "WITH old AS (SELECT child.{key}, child.{column}, child.xmin"
                " FROM {child} AS child"
                " WHERE child.{column} IN (SELECT parent.{target} FROM {collected} AS collected"
                " JOIN {parent} AS parent ON parent.{parent_key} = collected.key::{type}"
                " WHERE collected.place = {place}) AND {is_kept}"
                " ORDER BY child.{key} FOR NO KEY UPDATE OF child),"
                " changed AS (UPDATE {child} AS child SET {column} = {left} FROM old"
                " WHERE child.{key} = old.{key} RETURNING child.{key}::text AS key,"
                " jsonb_build_object({key_name}, old.{key}, {column_name}, old.{column},"
                " {version_name}, old.xmin) AS before)"
                " {entries}"
            ).format(
                key=sql.Identifier(child.key),
                column=sql.Identifier(reference.column),
                child=child.name,
                target=sql.Identifier(reference.target),
                collected=COLLECTED,
                parent=parent.name,
                parent_key=sql.Identifier(parent.key),
                type=parent.key_type,
                place=sql.Literal(collector.places[parent.label]),
                is_kept=collector.is_kept(reference),
                left=reference.replacement,
                key_name=sql.Literal(child.key),
                column_name=sql.Literal(reference.column),
                version_name=sql.Literal(VERSION),
                entries=Journal(self.context.batch).insert(
                    child,
                    Step.UPDATE,
                    sql.SQL(
                        "SELECT NULL::bigint AS row, key, before, false AS is_own FROM changed"
                    ),
                ),
            )
        )

    def _delete(self, references: list[Reference], places: dict[str, int]) -> None:
        """Delete the collected records, those that were found last first."""
        named = Table(self.context.resource.model)
        tables = {named.label: named}
        tables |= {each.child.label: each.child for each in references}
        labels = {place: label for label, place in places.items()}
        levels = execute(
            sql.SQL(
                "SELECT DISTINCT depth, place FROM (SELECT place, key, max(depth) AS depth FROM {}"
                " GROUP BY place, key) AS collected ORDER BY depth DESC, place DESC"
            ).format(COLLECTED)
        )
        for depth, place in levels:
            self._delete_level(tables[labels[place]], place, depth)

    def _delete_level(self, table: Table, place: int, depth: int) -> None:
        elsewhere: sql.Composable = sql.SQL("SELECT NULL::bigint AS row, NULL AS key")
        is_of_resource = table.label == self.context.resource.model._meta.db_table
        if self.named_elsewhere is not None and is_of_resource and depth:
            elsewhere = self.named_elsewhere
        ((count,),) = execute(
            sql.SQL(
                "WITH deleted AS (DELETE FROM {table} AS record USING (SELECT found.key,"
                " coalesce(max(found.row) FILTER (WHERE depth = 0), max(elsewhere.row)) AS row,"
                " bool_or(depth = 0 OR elsewhere.key IS NOT NULL) AS is_named"
                " FROM {collected} AS found LEFT JOIN ({elsewhere}) AS elsewhere"
                " ON elsewhere.key = found.key WHERE place = {place} GROUP BY found.key"
                " HAVING max(depth) = {depth}) AS collected"
                " WHERE record.{key} = collected.key::{type}"
                " RETURNING collected.row, collected.key, collected.is_named, {image} AS before),"
                " entries AS ({entries}) SELECT count(*) FILTER (WHERE is_named) FROM deleted"
            ).format(
                table=table.name,
                collected=COLLECTED,
                place=sql.Literal(place),
                depth=sql.Literal(depth),
                key=sql.Identifier(table.key),
                type=table.key_type,
                elsewhere=elsewhere,
                image=table.image("record"),
                entries=Journal(self.context.batch).insert(
                    table,
                    Step.DELETE,
                    sql.SQL(
                        "SELECT CASE WHEN {0} THEN row END AS row, key, before,"
                        " is_named AND {0} AS is_own FROM deleted"
                    ).format(sql.Literal(self.context.part is None)),
                ),
            )
        )
        self.deleted += count

    def _left(self) -> list[Refusal]:
        """Return the named records that a trigger of the database has kept."""
        table = Table(self.context.resource.model)
        left = execute(
            sql.SQL(
                "SELECT collected.row, collected.key FROM {} AS collected JOIN {} AS record"
                " ON record.{} = collected.key::{} WHERE collected.depth = 0 ORDER BY 1, 2"
            ).format(COLLECTED, table.name, sql.Identifier(table.key), table.key_type)
        )
        message = "A trigger of the database kept the record from being deleted."
        key = self.context.targets.primary_key.name
        return [Refusal(row, RowErrorCode.RULE_VIOLATED, message, key, name) for row, name in left]
