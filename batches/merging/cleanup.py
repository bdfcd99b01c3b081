"""Deletes the records of an organization that an `overwrite` does not name."""

from psycopg import sql

from batches.context import Context
from batches.errors import BatchErrorCode
from batches.merging.chunks import Chunks
from batches.merging.deletion import Deletion
from batches.merging.journal import Journal, execute
from batches.merging.preparation import columns_of
from batches.merging.refusals import Refusal
from batches.merging.rows import Rows
from batches.merging.tables import Table
from batches.staging import Step
from longshore.api.errors import ApiError
from longshore.resources.columns import column_name
from longshore.resources.conditions import scope


class Cleanup:
    """The cleanup of one attempt, on Django's connection of the current thread.

    total: the number of records to delete, with those that earlier attempts deleted; known after
        `collect`.
    deleted, failed: records by outcome. They grow while the cleanup runs.
    unknown: rows with errors whose record is not known. If there is one, the cleanup deletes
        nothing, because the row may name any record.
    """

    def __init__(self, context: Context) -> None:
        self.context = context
        self.total = self.deleted = self.failed = self.unknown = 0
        self._existing = 0
        self.chunks = Chunks(
            context,
            context.staging.absent,
            self._delete,
            pending=sql.SQL("true"),
            is_input=False,
            deletes=True,
        )

    def collect(self) -> int:
        """Stage the records that no row names, before the batch writes anything.

        Records that others create after `collect` are not deleted by this attempt, nor those that
        they created since the plan with the key of a row. Returns `total`.
        """
        self.unknown = self._count_unknown()
        table, staging = Table(self.context.resource.model), self.context.staging
        journal = Journal(self.context.batch)
        own = scope(self.context.resource, self.context.organization_id, "record")
        execute(
            sql.SQL(
                "CREATE UNLOGGED TABLE {absent} AS SELECT row_number() OVER (ORDER BY record.{key})"
                " AS row, record.{key}::text AS key FROM {table} AS record"
                " WHERE {own} AND {is_known} AND NOT EXISTS ("
                "SELECT FROM {plan} AS plan WHERE plan.key = record.{key}) AND NOT EXISTS ("
                "SELECT FROM {named} AS named WHERE {same_key}) AND NOT EXISTS ("
                "SELECT FROM ({written}) AS written WHERE written.key = record.{key}::text)"
            ).format(
                absent=staging.absent,
                key=sql.Identifier(table.key),
                table=table.name,
                own=own,
                is_known=sql.Literal(not self.unknown),
                plan=staging.plan,
                named=staging.named,
                same_key=self._same_key(),
                written=journal.rows(),
            )
        )
        execute(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (row)").format(staging.absent))
        count = sql.SQL("SELECT (SELECT count(*) FROM {}), count(*) FROM {} AS record WHERE {}")
        ((absent, existing),) = execute(count.format(staging.absent, table.name, own))
        written = journal.count()
        self.deleted = written[Step.DELETE]
        self.total = absent + self.deleted
        self._existing = existing + self.deleted - written[Step.CREATE]
        return self.total

    def look_again(self) -> None:
        """Leave out the records that rows name by now, after the batch has written its rows.

        Another writer may have given a record the key of a row: then the row updated it, or, if the
        row has an error, nothing is to be done with it.
        """
        if self.total == self.deleted:
            return
        table, staging = Table(self.context.resource.model), self.context.staging
        parts = {"plan": staging.plan, "absent": staging.absent}
        execute(
            sql.SQL(
                "UPDATE {plan} AS plan SET key = record.{key} FROM {named} AS named,"
                " {table} AS record WHERE named.row = plan.row AND plan.step = {refused}"
                " AND {same_key} AND {own}"
            ).format(
                key=sql.Identifier(table.key),
                named=staging.named,
                table=table.name,
                refused=sql.Literal(Step.REFUSED),
                same_key=self._same_key(),
                own=scope(self.context.resource, self.context.organization_id, "record"),
                **parts,
            )
        )
        ((found,),) = execute(
            sql.SQL(
                "WITH named AS (DELETE FROM {absent} AS absent USING {plan} AS plan"
                " WHERE plan.key::text = absent.key RETURNING 1) SELECT count(*) FROM named"
            ).format(**parts)
        )
        self.total -= found

    def confirm(self) -> None:
        """Refuse to delete more than half of the records, unless the request names their number.

        Raises ApiError DELETION_NOT_CONFIRMED.
        """
        if text := self._unconfirmed():
            raise ApiError(BatchErrorCode.DELETION_NOT_CONFIRMED, text)

    def warnings(self, *, is_dry: bool) -> list[str]:
        """Return sentences about what is not deleted. is_dry: instead of `confirm`."""
        found = []
        if self.unknown:
            rows = "1 row has" if self.unknown == 1 else f"{self.unknown:,} rows have"
            records = "record it names" if self.unknown == 1 else "records they name"
            found.append(
                f"No record is deleted: {rows} errors, and it is not known which {records}."
            )
        if is_dry and (text := self._unconfirmed()):
            found.append(text)
        return found

    def _unconfirmed(self) -> str:
        """Return a sentence if more than half would be deleted without confirmation, or nothing."""
        if self.total * 2 <= self._existing or self.context.spec.confirm_deletes == self.total:
            return ""
        noun = "record" if self._existing == 1 else "records"
        return (
            f"The batch would delete {self.total:,} of {self._existing:,} {noun}, which is more"
            f" than half. If that is intended, set confirm_deletes to {self.total}."
        )

    def report(self, deleted: int | None, failed: int) -> None:
        """Count the records of a transaction."""
        self.deleted += deleted or 0
        self.failed += failed

    def _delete(self, rows: Rows) -> tuple[int, list[Refusal]]:
        """Delete absent records, unless a record that the batch names would be deleted by CASCADE.

        Another writer of the organization's records may create such a reference at any time.
        """
        named = sql.SQL(
            "SELECT key::text AS key FROM {} AS plan WHERE key IS NOT NULL"
            " UNION ALL SELECT key FROM ({}) AS written"
        ).format(self.context.staging.plan, Journal(self.context.batch).rows())
        absent = sql.SQL("SELECT NULL::bigint AS row, key FROM {}").format(
            self.context.staging.absent
        )
        deletion = Deletion(self.context, kept=named, named_elsewhere=absent)
        refused = deletion.delete(
            sql.SQL("SELECT NULL::bigint AS row, absent.key FROM {} AS absent WHERE {}").format(
                self.context.staging.absent, rows.among("absent")
            ),
            ignore_missing=True,
        )
        return deletion.deleted, refused

    def _same_key(self) -> sql.Composable:
        """Return SQL of a test whether a row of `named` has the key of the alias `record`.

        False if the input does not have the resource's key.
        """
        staging, targets = self.context.staging, self.context.targets
        if len(columns_of(staging.named)) == 1:
            return sql.SQL("false")
        return sql.SQL(" AND ").join(
            sql.SQL("named.{} = {}").format(
                staging.key(number), sql.Identifier("record", column_name(targets.field(column)))
            )
            for number, column in enumerate(targets.key)
        )

    def _count_unknown(self) -> int:
        """Return the number of rows with errors that the plan does not have."""
        plan = self.context.staging.plan
        ((count,),) = execute(
            sql.SQL(
                "SELECT count(DISTINCT error.row) FROM {} AS error WHERE error.row IS NOT NULL"
                " AND NOT EXISTS (SELECT FROM {} AS plan WHERE plan.row = error.row)"
            ).format(self.context.staging.errors, plan)
        )
        return int(count)
