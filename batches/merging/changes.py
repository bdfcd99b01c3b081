"""The changes of one transaction of a batch, staged in a temporary table, to be reversed."""

from dataclasses import dataclass

from django.db.models import Subquery
from psycopg import sql

from batches.context import Context
from batches.merging.journal import execute
from batches.merging.rows import Rows
from batches.merging.tables import VERSION, Table
from batches.models import Batch, JournalEntry
from batches.staging import Step

JOURNAL = sql.Identifier(JournalEntry._meta.db_table)
# number, table, step, is_own: of the entry. row, key, before: of the change, at a position from 1.
# code, message: why the change is not reversed. A link has the code of its record, but no message.
CHANGES = sql.Identifier("longshore_changes")
_CREATE = sql.SQL(
    'CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT entry.number, entry."table", entry.step,'
    " entry.is_own, named.position, named.row, named.key, named.before, NULL::text AS code,"
    " NULL::text AS message FROM {} AS entry CROSS JOIN LATERAL ROWS FROM (unnest(entry.keys),"
    " unnest(entry.rows), jsonb_array_elements(entry.before)) WITH ORDINALITY"
    " AS named (key, row, before, position) WHERE entry.batch_id = {} AND entry.transaction = {}"
)
# A pair has two versions of a record: `found`, which another batch changed, and `version`, which
# the undo of that batch wrote. Undone batches may form a chain: the first one found what the batch
# to undo had written, and each later one what the undo of its predecessor had written.
_FIND_RESTORED = """CREATE UNLOGGED TABLE {restored} AS WITH RECURSIVE
pairs AS MATERIALIZED (
 SELECT entry."table", named.key, (named.before ->> {version})::bigint AS found,
  mark.transaction & 4294967295 AS version
 FROM {batches} AS undoing
 JOIN {journal} AS mark ON mark.batch_id = undoing.number AND mark."table" = {marks}
 CROSS JOIN LATERAL unnest(mark.keys) AS undone (transaction)
 JOIN {journal} AS entry ON entry.batch_id = undoing.reverses_id AND entry.before IS NOT NULL
  AND entry.transaction = undone.transaction::bigint
 CROSS JOIN LATERAL ROWS FROM (unnest(entry.keys), jsonb_array_elements(entry.before))
  AS named (key, before)
 WHERE undoing.reverses_id = ANY ({others})),
restored AS (
 SELECT "table", key, version FROM pairs WHERE found = ANY ({own})
 UNION
 SELECT pairs."table", pairs.key, pairs.version FROM restored
 JOIN pairs USING ("table", key) WHERE pairs.found = restored.version)
TABLE restored"""


@dataclass(frozen=True)
class Entry:
    """An entry of the journal. size: the number of its changes. is_own: as in `JournalEntry`."""

    number: int
    table: Table
    step: Step
    size: int
    is_own: bool

    def pending(self, rows: Rows | None = None) -> sql.Composable:
        """Return SQL that is true for changes of the entry that are to be reversed."""
        rows = rows or Rows(1, self.size)
        return sql.SQL(
            "change.number = {} AND change.position BETWEEN {} AND {} AND change.code IS NULL"
        ).format(sql.Literal(self.number), sql.Literal(rows.first), sql.Literal(rows.last))


def create(batch: Batch, transaction: int) -> sql.Composable:
    """Return a statement that stages the changes of a transaction of a batch."""
    return _CREATE.format(CHANGES, JOURNAL, sql.Literal(batch.pk), sql.Literal(transaction))


@dataclass(frozen=True)
class Own:
    """The versions of records that an undo may reverse: nobody else has changed them since.

    transactions: those of the batch and of its undo, as an array of `xmin` values. A later
        transaction of the batch, or an earlier one of its undo, may have changed a record again.
    restored: a table of the versions that undos of other batches left when they restored what the
        batch had written: `table`, `key` and `version`. None if there is no such undo.
    """

    transactions: sql.Composable
    restored: sql.Identifier | None


def find_own(context: Context, original: Batch) -> Own:
    """Find the versions that an undo may reverse. Creates `Staging.restored` if it is needed.

    context: of the undo.
    """
    own = _own_transactions(original, context.batch)
    written = JournalEntry.objects.filter(batch=original).order_by("created_at")
    # An undo that was created before the batch has not restored what the batch wrote.
    undone_since = Batch.objects.filter(
        organization=original.organization_id,
        undone_at__gte=Subquery(written.values("created_at")[:1]),
    ).exclude(pk=original.pk)
    others = list(undone_since.values_list("pk", flat=True))
    if not others:
        return Own(own, None)
    restored = context.staging.restored
    execute(
        sql.SQL(_FIND_RESTORED).format(
            restored=restored,
            version=sql.Literal(VERSION),
            batches=sql.Identifier(Batch._meta.db_table),
            journal=JOURNAL,
            marks=sql.Literal(JournalEntry._meta.db_table),
            others=sql.Literal(others),
            own=own,
        )
    )
    execute(sql.SQL('CREATE INDEX ON {} ("table", key, version)').format(restored))
    execute(sql.SQL("ANALYZE {}").format(restored))
    return Own(own, restored)


def _own_transactions(*batches: Batch) -> sql.Composable:
    """Return the transactions of batches and the current one, as an array of `xmin` values."""
    return sql.SQL(
        "ARRAY(SELECT DISTINCT transaction & 4294967295 FROM {} WHERE batch_id IN ({})"
        " UNION ALL SELECT pg_current_xact_id()::text::bigint & 4294967295)"
    ).format(JOURNAL, sql.SQL(", ").join(sql.Literal(batch.pk) for batch in batches))


def is_own(row: str, table: Table, own: Own) -> sql.Composable:
    """Return SQL that is true if a row of a table is a version that the undo may reverse."""
    version = sql.SQL("{}.xmin::text::bigint").format(sql.Identifier(row))
    is_left = sql.SQL("{} = ANY ({})").format(version, own.transactions)
    if own.restored is None:
        return is_left
    return sql.SQL(
        "({is_left} OR EXISTS (SELECT FROM {restored} AS restored"
        ' WHERE restored."table" = {label} AND restored.key = {row}.{key}::text'
        " AND restored.version = {version}))"
    ).format(
        is_left=is_left,
        restored=own.restored,
        label=sql.Literal(table.label),
        row=sql.Identifier(row),
        key=sql.Identifier(table.key),
        version=version,
    )
