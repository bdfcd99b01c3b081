"""The journal of a batch: what each transaction changed, written with the change.

`transaction` is the id of the top-level transaction. A row that is written inside a savepoint gets
another `xmin`, so nothing that the journal names may be written inside a savepoint.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Max
from psycopg import sql
from psycopg.types.json import Jsonb

from batches.context import Context
from batches.merging.tables import Table
from batches.models import Batch, JournalEntry
from batches.staging import Step
from longshore.jobs.lifecycle import Superseded, held_by
from longshore.resources.writing import Written

# Size of the images of one entry. A JSON value of PostgreSQL holds at most 256 MiB.
MAX_IMAGE_BYTES = 32 * 2**20
# Numbers of the entries of one transaction: transactions that run at the same time do not wait for
# each other's numbers.
BLOCK = 10_000
_SETTING = "longshore.journal_block"
_IS_CURRENT = sql.SQL("transaction = pg_current_xact_id()::text::bigint")
_TABLE = sql.Identifier(JournalEntry._meta.db_table)


@dataclass(frozen=True)
class Journal:
    """The journal of one batch."""

    batch: Batch

    @property
    def next_block(self) -> int:
        """The number of the first block whose entry numbers are all free."""
        newest = JournalEntry.objects.filter(batch=self.batch).aggregate(newest=Max("number"))
        return (newest["newest"] or 0) // BLOCK + 1

    def begin(self, block: int) -> int:
        """Give the entries of the current transaction the numbers of a block.

        block: from 1; 0 for a transaction that is rolled back.

        Returns a number that is less than all of them.
        """
        first = block * BLOCK
        setting = sql.SQL("SELECT set_config({}, {}, true)")
        execute(setting.format(sql.Literal(_SETTING), sql.Literal(str(first))))
        return first

    def forget(self) -> None:
        """Delete the entries of a transaction that is rolled back: their numbers are free again.

        A search for refused rows may write more entries than a block has numbers.
        """
        execute(
            sql.SQL("DELETE FROM {} WHERE batch_id = {} AND number < {} AND {}").format(
                _TABLE, sql.Literal(self.batch.pk), sql.Literal(BLOCK), _IS_CURRENT
            )
        )

    @property
    def number(self) -> int:
        """The number of the newest entry of the current transaction; 0 without one."""
        newest = sql.SQL("SELECT coalesce(max(number), 0) FROM {} WHERE batch_id = {} AND {}")
        ((number,),) = execute(newest.format(_TABLE, sql.Literal(self.batch.pk), _IS_CURRENT))
        return int(number)

    def insert(self, table: Table, step: Step, changes: sql.Composable) -> sql.Composable:
        """Return an INSERT of the entries of a change, as a part of its statement.

        changes: a query of `row` (of the input; null if no row names the record), `key` (text),
            `before` (the image before the change; null for a created record) and `is_own` (as in
            `JournalEntry`).
        """
        images = sql.SQL("jsonb_agg(before ORDER BY row, key)")
        return sql.SQL(
            "INSERT INTO {journal}"
            ' (batch_id, number, transaction, "table", step, is_own, rows, keys, before)'
            " SELECT {batch}, {newest} + row_number() OVER (ORDER BY part, is_own DESC),"
            " pg_current_xact_id()::text::bigint, {table}, {step}, is_own,"
            " coalesce(array_agg(row ORDER BY row, key) FILTER (WHERE row IS NOT NULL), '{{}}'),"
            " array_agg(key ORDER BY row, key), {before} FROM (SELECT *,"
            " sum(pg_column_size(before)) OVER (ORDER BY row, key) / {size} AS part"
            " FROM ({changes}) AS change) AS change GROUP BY part, is_own"
        ).format(
            journal=_TABLE,
            newest=self._newest,
            batch=sql.Literal(self.batch.pk),
            table=sql.Literal(table.label),
            step=sql.Literal(step.value),
            size=sql.Literal(MAX_IMAGE_BYTES),
            changes=changes,
            before=sql.SQL("NULL") if step is Step.CREATE else images,
        )

    def mark(self, table: str, keys: Sequence[str], before: Sequence[int]) -> None:
        """Record that a transaction is finished, with its counts."""
        mark = sql.SQL(
            "INSERT INTO {}"
            ' (batch_id, number, transaction, "table", step, is_own, rows, keys, before)'
            " SELECT {}, {} + 1, pg_current_xact_id()::text::bigint, {}, {}, false, '{{}}', {}, {}"
        )
        execute(
            mark.format(
                _TABLE,
                sql.Literal(self.batch.pk),
                self._newest,
                sql.Literal(table),
                sql.Literal(Step.UNCHANGED),
                sql.Literal(list(keys)),
                sql.Literal(Jsonb(before)),
            )
        )

    @property
    def _newest(self) -> sql.Composable:
        """The newest number of the block of the current transaction, as SQL."""
        return sql.SQL(
            "(SELECT coalesce(max(number), {first}) FROM {journal} WHERE batch_id = {batch}"
            " AND number BETWEEN {first} AND {first} + {last})"
        ).format(
            first=sql.SQL("current_setting({})::int").format(sql.Literal(_SETTING)),
            journal=_TABLE,
            batch=sql.Literal(self.batch.pk),
            last=sql.Literal(BLOCK - 1),
        )

    def rows(self) -> sql.Composable:
        """Return a query of the rows of the input that the journal names: `row`, `key`, `step`."""
        return sql.SQL(
            "SELECT named.row, named.key, entry.step FROM {} AS entry"
            " CROSS JOIN LATERAL unnest(entry.rows, entry.keys) AS named (row, key)"
            " WHERE entry.batch_id = {} AND entry.rows <> '{{}}'"
        ).format(_TABLE, sql.Literal(self.batch.pk))

    def keys_since(self, table: Table, after: int) -> sql.Composable:
        """Return a query of the records of a table that the current transaction has created or
        updated after an entry: `key`."""
        return sql.SQL(
            "SELECT unnest(keys) AS key FROM {} WHERE batch_id = {} AND number > {} AND {}"
            ' AND "table" = {} AND step IN ({}, {})'
        ).format(
            _TABLE,
            sql.Literal(self.batch.pk),
            sql.Literal(after),
            _IS_CURRENT,
            sql.Literal(table.label),
            sql.Literal(Step.CREATE),
            sql.Literal(Step.UPDATE),
        )

    def count(self, after: int = 0) -> Counter[str]:
        """Return the number of the batch's own records by step, as far as entries name them.

        after: the number of an entry; those up to it are not counted.
        """
        return JournalEntry.objects.filter(batch=self.batch, number__gt=after).count_own()


def call_after_write(context: Context, after: int) -> None:
    """Call the resource's hook with the records that the transaction names after an entry."""
    hook, model = context.resource.after_write, context.resource.model
    if hook is None:
        return
    keys: dict[str, list[object]] = {step: [] for step in Step}
    ((current,),) = execute(sql.SQL("SELECT pg_current_xact_id()::text::bigint"))
    entries = JournalEntry.objects.filter(
        batch=context.batch, transaction=current, number__gt=after, table=model._meta.db_table
    )
    for entry in entries.defer("before", "rows").order_by("number"):
        keys[entry.step] += map(model._meta.pk.to_python, entry.keys)
    if any(keys.values()):
        created, updated, deleted = keys[Step.CREATE], keys[Step.UPDATE], keys[Step.DELETE]
        hook(Written(context.organization_id, created, updated, deleted))


def hold(batch: Batch) -> None:
    """Lock the batch's row until the end of the transaction, whose last statement this is.

    Raises Superseded if the attempt has lost the batch: the transaction is rolled back.
    """
    row = Batch.objects.visible().filter(held_by(batch), pk=batch.pk)
    if not row.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True).first():
        raise Superseded(batch.public_id)


def execute(statement: sql.Composable) -> list[tuple[Any, ...]]:
    """Execute a statement on Django's connection, and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
