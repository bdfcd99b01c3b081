"""The statements that reverse the changes of one entry of the journal."""

from dataclasses import dataclass
from typing import cast

from django.db.models import Model
from psycopg import sql

from batches.context import Context
from batches.errors import RowErrorCode
from batches.merging.changes import CHANGES, Entry, Own, is_own
from batches.merging.deletion import Deletion
from batches.merging.journal import Journal, execute
from batches.merging.references import is_foreign, references_to
from batches.merging.rows import Rows
from batches.merging.tables import VERSION, Table, names
from batches.staging import Step

CHANGED = "The record was changed or deleted after the batch, so it is kept as it is."
_TAKEN = "Another record has the same key or the same unique values now."


@dataclass(frozen=True)
class Restoring:
    """Reverses entries in the current transaction. own: the versions that it may reverse."""

    context: Context
    own: Own

    def reverse(self, entry: Entry, rows: Rows | None = None) -> bool:
        """Reverse an entry, or the changes at some positions of it.

        Leaves out, with a message, what cannot be reversed although the database raises no error.
        Returns whether a deleted record could not be inserted again.
        """
        pending = entry.pending(rows)
        match entry.step:
            case Step.CREATE if entry.is_own:
                self._delete_created(entry, pending)
            case Step.CREATE:
                self._delete_links(entry, pending)
            case Step.UPDATE if entry.is_own:
                self._restore_values(entry, pending)
            case Step.UPDATE:
                self._restore_unnamed(entry, pending)
            case Step.DELETE:
                return self._insert_again(entry, pending)
        return False

    def _delete_created(self, entry: Entry, pending: sql.Composable) -> None:
        named = sql.SQL("SELECT change.row, change.key FROM {} AS change WHERE {}")
        deletion = Deletion(self.context, own=self.own)
        refused = deletion.delete(named.format(CHANGES, pending))
        columns = (
            [each.row for each in refused],
            [each.code.value for each in refused],
            [each.message for each in refused],
        )
        if refused:
            execute(
                sql.SQL(
                    "UPDATE {} AS change SET code = refused.code, message = refused.message"
                    " FROM unnest({}::bigint[], {}::text[], {}::text[])"
                    " AS refused (row, code, message)"
                    " WHERE change.number = {} AND change.row = refused.row"
                ).format(CHANGES, *map(sql.Literal, columns), sql.Literal(entry.number))
            )

    def _delete_links(self, entry: Entry, pending: sql.Composable) -> None:
        table = entry.table
        execute(
            sql.SQL(
                "WITH deleted AS (DELETE FROM {table} AS record USING {changes} AS change"
                " WHERE record.{key} = change.key::{type} AND {pending} AND {is_own}"
                " RETURNING change.row, change.key, {image} AS before) {entries}"
            ).format(
                table=table.name,
                changes=CHANGES,
                key=sql.Identifier(table.key),
                type=table.key_type,
                pending=pending,
                is_own=is_own("record", table, self.own),
                image=table.image("record"),
                entries=self._journal(entry, Step.DELETE, "deleted"),
            )
        )

    def _restore_values(
        self, entry: Entry, pending: sql.Composable, is_restored: sql.Composable | None = None
    ) -> None:
        """Restore the images of records. is_restored: SQL of a test of the alias `record`."""
        table = entry.table
        columns = [name for name in table.fields if name != table.key]
        execute(
            sql.SQL(
                "WITH changed AS (UPDATE {table} AS record SET ({columns}) = ROW({values})"
                " FROM {changes} AS change JOIN {table} AS old ON old.{key} = change.key::{type}"
                " CROSS JOIN LATERAL jsonb_populate_record(old, change.before) AS image"
                " WHERE record.{key} = old.{key} AND {pending} AND {is_restored}"
                " RETURNING change.row, change.key, {image} AS before) {entries}"
            ).format(
                is_restored=is_restored or sql.SQL("true"),
                table=table.name,
                columns=names(columns),
                values=self._restored(table, columns),
                changes=CHANGES,
                key=sql.Identifier(table.key),
                type=table.key_type,
                pending=pending,
                image=table.image("old"),
                entries=self._journal(entry, Step.UPDATE, "changed"),
            )
        )

    def _restore_unnamed(self, entry: Entry, pending: sql.Composable) -> None:
        """Restore foreign keys that a deletion changed, or parts of records."""
        columns = execute(
            sql.SQL(
                "SELECT name FROM {} AS change CROSS JOIN LATERAL jsonb_object_keys(before) AS name"
                " WHERE change.number = {} AND change.position = 1 AND name NOT IN ({}, {})"
            ).format(
                CHANGES,
                sql.Literal(entry.number),
                sql.Literal(entry.table.key),
                sql.Literal(VERSION),
            )
        )
        if len(columns) == 1:
            self._link_again(entry, pending, columns[0][0])
        else:
            self._restore_parts(entry, pending)

    def _restore_parts(self, entry: Entry, pending: sql.Composable) -> None:
        """Restore parts of records, unless they were changed again."""
        table = entry.table
        execute(
            sql.SQL(
                "SELECT count(*) FROM (SELECT FROM {table} AS record WHERE record.{key} IN ("
                "SELECT change.key::{type} FROM {changes} AS change WHERE {pending})"
                " ORDER BY record.{key} FOR UPDATE) AS locked"
            ).format(
                table=table.name,
                key=sql.Identifier(table.key),
                type=table.key_type,
                changes=CHANGES,
                pending=pending,
            )
        )
        self._restore_values(entry, pending, is_own("record", table, self.own))
        execute(
            sql.SQL(
                "UPDATE {changes} AS change SET code = {code}, message = {message}"
                " WHERE {pending} AND NOT EXISTS (SELECT FROM {table} AS record"
                " WHERE record.{key} = change.key::{type} AND {is_own})"
            ).format(
                changes=CHANGES,
                code=sql.Literal(RowErrorCode.CHANGED_SINCE),
                message=sql.Literal(CHANGED),
                pending=pending,
                table=table.name,
                key=sql.Identifier(table.key),
                type=table.key_type,
                is_own=is_own("record", table, self.own),
            )
        )

    def _link_again(self, entry: Entry, pending: sql.Composable, column: str) -> None:
        """Restore foreign keys that a deletion changed, unless their rows were changed again.

        A row that belongs to another organization by now stays as it is.
        """
        table, replacement = entry.table, self._replacement(entry.table, column)
        execute(
            sql.SQL(
                "WITH changed AS (UPDATE {table} AS record SET {column} = image.{column}"
                " FROM {changes} AS change JOIN {table} AS old ON old.{key} = change.key::{type}"
                " CROSS JOIN LATERAL jsonb_populate_record(old, change.before) AS image"
                " WHERE record.{key} = old.{key} AND {pending}"
                " AND record.{column} IS NOT DISTINCT FROM {replacement}"
                " AND {is_own} AND {is_foreign} IS NOT TRUE"
                " RETURNING change.row, change.key,"
                " jsonb_build_object({key_name}, old.{key}, {name}, old.{column},"
                " {version}, old.xmin) AS before),"
                " entries AS ({entries}) UPDATE {changes} AS change SET code = {code},"
                " message = {message} WHERE {pending} AND key NOT IN (SELECT key FROM changed)"
            ).format(
                table=table.name,
                column=sql.Identifier(column),
                changes=CHANGES,
                key=sql.Identifier(table.key),
                type=table.key_type,
                pending=pending,
                replacement=replacement,
                key_name=sql.Literal(table.key),
                name=sql.Literal(column),
                version=sql.Literal(VERSION),
                is_own=is_own("record", table, self.own),
                is_foreign=is_foreign(table, self.context.organization_id, "record"),
                entries=self._journal(entry, Step.UPDATE, "changed"),
                code=sql.Literal(RowErrorCode.CHANGED_SINCE),
                message=sql.Literal(CHANGED),
            )
        )

    def _insert_again(self, entry: Entry, pending: sql.Composable) -> bool:
        table, columns = entry.table, list(entry.table.fields)
        ((refused,),) = execute(
            sql.SQL(
                "WITH created AS (INSERT INTO {table} ({columns}) SELECT {values}"
                " FROM {changes} AS change"
                " CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, change.before) AS image"
                " WHERE {pending} ORDER BY change.position ON CONFLICT DO NOTHING"
                " RETURNING {key}::text AS key), named AS (SELECT change.row, created.key,"
                " NULL::jsonb AS before FROM created JOIN {changes} AS change USING (key)"
                " WHERE {pending}), entries AS ({entries}), refused AS (UPDATE {changes} AS change"
                " SET code = {code}, message = {message} WHERE {pending}"
                " AND key NOT IN (SELECT key FROM created) RETURNING 1)"
                " SELECT count(*) FROM refused"
            ).format(
                table=table.name,
                columns=names(columns),
                values=self._restored(table, columns),
                changes=CHANGES,
                pending=pending,
                key=sql.Identifier(table.key),
                entries=self._journal(entry, Step.CREATE, "named"),
                code=sql.Literal(RowErrorCode.CONFLICT),
                message=sql.Literal(_TAKEN),
            )
        )
        return bool(refused)

    def _restored(self, table: Table, columns: list[str]) -> sql.Composable:
        image = sql.Identifier("change", "before")
        return sql.SQL(", ").join(table.restored(name, "image", image) for name in columns)

    def _journal(self, entry: Entry, step: Step, changes: str) -> sql.Composable:
        """Return an INSERT of what reverses an entry. changes: a query that the statement names."""
        query = sql.SQL("SELECT row, key, before, {} AS is_own FROM {}").format(
            sql.Literal(entry.is_own), sql.Identifier(changes)
        )
        return Journal(self.context.batch).insert(entry.table, step, query)

    def _replacement(self, table: Table, column: str) -> sql.Composable:
        """Return the value that a deletion left in a foreign key."""
        target = cast("type[Model]", table.fields[column].related_model)
        return next(
            each.replacement
            for each in references_to(target)
            if each.child.label == table.label and each.column == column
        )
