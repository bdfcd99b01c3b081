"""Refusals: writes the errors of rows, and marks the rows in `typed`."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from batches import row_errors
from batches.context import Context
from batches.models import JournalEntry

ROW = sql.Identifier("row")
# A column of `typed`: the positions of the refused columns; null for a row without errors.
FAILED = sql.Identifier("failed cells")

_REFUSE = """WITH found AS MATERIALIZED (SELECT * FROM ({found}) AS found WHERE {is_new}),
refused AS ({add})
UPDATE {typed} AS typed SET {failed} = '{{}}' FROM (SELECT DISTINCT "row" FROM found) AS refused
WHERE typed.longshore_row = refused."row" AND typed.{failed} IS NULL"""
_ADDED = """SELECT {own} AS "row", {column} AS "column", found.code, found.value, found.message
FROM found ORDER BY found."row" """
_FOUND_ROW = sql.Identifier("found", "row")


@dataclass(frozen=True)
class Refusals:
    """Writes errors of one attempt.

    journaled: the number of rows that earlier attempts have written. They have no errors: the
        journal says what became of them. The table `Staging.working("journaled", 0)` has them.
    """

    cursor: psycopg.Cursor[Any]
    context: Context
    journaled: int

    @classmethod
    def of(cls, cursor: psycopg.Cursor[Any], context: Context) -> "Refusals":
        if context.part is not None:  # Rows that are written already have no staged parts.
            return cls(cursor, context, 0)
        table = context.staging.working("journaled", 0)
        cursor.execute(
            sql.SQL(
                'CREATE UNLOGGED TABLE {} AS SELECT DISTINCT unnest(rows) AS "row" FROM {}'
                " WHERE batch_id = {}"
            ).format(
                table,
                sql.Identifier(JournalEntry._meta.db_table),
                sql.Literal(context.batch.pk),
            )
        )
        journaled = cursor.rowcount
        if journaled:
            cursor.execute(sql.SQL("ANALYZE {}").format(table))
        return cls(cursor, context, journaled)

    def add(self, found: sql.Composable, *, own: sql.Composable | None = None) -> None:
        """Write errors.

        found: a query of `row`, `column`, `code`, `value` and `message`.
        own: SQL of the row of the input that the error names, if that is not the record's.
        """
        context = self.context
        added = sql.SQL(_ADDED).format(
            own=own or context.row_of(_FOUND_ROW),
            column=context.path_of(_FOUND_ROW, sql.Identifier("found", "column")),
        )
        self.cursor.execute(
            sql.SQL(_REFUSE).format(
                add=row_errors.add(context.staging, added),
                found=found,
                is_new=self.is_new(_FOUND_ROW),
                typed=self.context.staging.typed,
                failed=FAILED,
            )
        )

    def is_new(self, row: sql.Composable) -> sql.Composable:
        """Return SQL of a test whether no earlier attempt has written a row."""
        if not self.journaled:
            return sql.SQL("true")
        return sql.SQL(
            'NOT EXISTS (SELECT FROM {} AS journaled WHERE journaled."row" = {})'
        ).format(self._table, row)

    def leave_out(self) -> int:
        """Delete the rows of earlier attempts from `typed`. Return their number."""
        deleted = 0
        if self.journaled:
            self.cursor.execute(
                sql.SQL(
                    "DELETE FROM {} AS typed USING {} AS journaled"
                    ' WHERE journaled."row" = typed.longshore_row'
                ).format(self.context.staging.typed, self._table)
            )
            deleted = self.cursor.rowcount
        self.cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(self._table))
        return deleted

    @property
    def _table(self) -> sql.Identifier:
        return self.context.staging.working("journaled", 0)

    def are_too_many(self) -> bool:
        """Return whether more rows have errors than the batch allows."""
        maximum = None if self.context.part else self.context.spec.max_errors
        return maximum is not None and self._failed_rows() > maximum

    def _failed_rows(self) -> int:
        """Return the number of rows with errors in `typed`, before `typed` is complete."""
        self.cursor.execute(
            sql.SQL("SELECT count(*) FROM {} AS typed WHERE {} IS NOT NULL AND {}").format(
                self.context.staging.typed,
                FAILED,
                self.is_new(sql.Identifier("typed", "longshore_row")),
            )
        )
        return int((self.cursor.fetchone() or (0,))[0])
