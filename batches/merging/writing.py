"""Writes the planned rows of a batch, set-based, in chunks.

Reads the tables `typed`, `links` and `plan` of the attempt (`batches.staging`), and indexes them by
`row`. Each chunk is a transaction of its own, or, if the batch is to abort on an error, part of
one transaction. A transaction contains the changes, the call of `Resource.after_write`, the
entries of the journal and, last, the proof that the attempt still holds the batch. So an attempt
may die at any point: the next one leaves out the rows that the journal names.

What happens to records here, and what does not:

- Constraints and triggers of the database stay in force. A row that they refuse is an error of
  that row, and the other rows of its chunk are written.
- Columns with `auto_now` get the time of the transaction, and so do those with `auto_now_add` of
  created records. `unchanged` records are not touched.
- Django sends no signals: no `pre_init`, `post_init`, `pre_save`, `post_save`, `m2m_changed`,
  `pre_delete` or `post_delete`. The resource's `after_write` is called instead, once for each
  chunk, by several threads.
- `Model.save()`, `Model.delete()`, `Model.clean()` and `Field.pre_save()` of the models are not
  called, nor are methods of their managers. Files of a `FileField` are neither stored nor deleted.
- Generic relations are not followed.

Records are created in the order of the resource's key, and locked for updates in the order of the
primary key, so two batches that write the same records in chunks do not deadlock: the second one
waits. A transaction that deadlocks nevertheless is tried again. A record that another transaction
created after the plan is updated; one that was deleted or moved to another organization since is
`not_found`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from django.db import DatabaseError, connection, transaction
from psycopg import sql

from batches.errors import BatchErrorCode
from batches.merging import refusals
from batches.merging.chunks import MAX_REPORTED, MAX_TRIES, Chunks, Refused, steps
from batches.merging.cleanup import Cleanup
from batches.merging.deletion import Deletion
from batches.merging.journal import hold
from batches.merging.preparation import count_steps, index, leave_out_written
from batches.merging.records import Counts, Records, Staged
from batches.merging.refusals import Refusal
from batches.merging.rows import Rows
from batches.spec import Action, OnError
from batches.staging import Step
from batches.validation.keys import assign_keys
from longshore.api.errors import ApiError

_WRITTEN = (Step.CREATE, Step.UPDATE, Step.DELETE)


class Aborted(ApiError):
    """A row could not be written, so nothing of the batch was written."""

    def __init__(self, rows: int, *, are_all: bool = True) -> None:
        noun = "row" if rows == 1 else "rows"
        least = "" if are_all else "At least "
        text = f"{least}{rows:,} {noun} could not be written, so nothing was written."
        super().__init__(BatchErrorCode.TOO_MANY_ERRORS, text)


class Merge:
    """The writing of one attempt, on Django's connection of the current thread and of others.

    connecting: prepares the connection of each further thread, see `Chunks`.
    """

    def __init__(
        self,
        staged: Staged,
        connecting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.context = context = staged.context
        self.counts = Counts()
        self._records = Records(staged)
        self._chunks = Chunks(
            context,
            context.staging.plan,
            self._change,
            pending=steps(*_WRITTEN),
            deletes=context.spec.action is Action.DELETE,
            written=tuple(self._records.contexts),
            connecting=connecting,
        )
        self.cleanup = Cleanup(context) if context.spec.action is Action.OVERWRITE else None

    def prepare(self) -> Counts:
        """Leave out what is written already, and count what there is to do.

        Returns the number of rows by their planned outcome, with those already written, and the
        number of records that an `overwrite` deletes: what a dry run reports. Writes nothing.
        """
        written = leave_out_written(self.context)
        with connection.cursor() as cursor:
            assign_keys(cursor, self.context)
        planned = count_steps(self.context.staging)
        self.counts.created = written[Step.CREATE]
        self.counts.updated = written[Step.UPDATE]
        self.counts.deleted = written[Step.DELETE]
        self.counts.unchanged = planned[Step.UNCHANGED]
        self.counts.total = self.counts.processed + sum(planned[each] for each in _WRITTEN)
        deleted = self.counts.deleted + planned[Step.DELETE]
        return replace(
            self.counts,
            created=self.counts.created + planned[Step.CREATE],
            updated=self.counts.updated + planned[Step.UPDATE],
            deleted=self.cleanup.collect() if self.cleanup else deleted,
        )

    def write(self) -> Counts:
        """Write all planned rows that the journal does not name. Call `prepare` before.

        Errors of rows become errors of the batch. If the batch is to abort on errors, `write` also
        does what `clean_up` does for others. Raises Aborted if the batch is to abort on an error,
        ApiError DELETION_NOT_CONFIRMED before anything is written, and Superseded if the attempt
        has lost the batch.
        """
        if self.cleanup:
            self.cleanup.confirm()
        if self.counts.processed < self.counts.total:
            index(self.context.staging)
            self._records.prepare()
        if self.context.spec.on_error is OnError.ABORT:
            self._write_at_once()
        else:
            self._chunks.write_each(self._add)
        return self.counts

    def clean_up(self) -> None:
        """Delete the records that an `overwrite` does not name. `cleanup` counts them."""
        if self.cleanup and self.context.spec.on_error is not OnError.ABORT:
            self.cleanup.look_again()
            self.cleanup.chunks.write_each(self.cleanup.report)

    def cancel(self) -> None:
        """Let `write` and `clean_up` end before their next chunk. Called by another thread."""
        self._chunks.canceled.set()
        if self.cleanup:
            self.cleanup.chunks.canceled.set()

    # --- Chunks ------------------------------------------------------------------------------

    def _write_at_once(self) -> None:
        """Write all rows in one transaction, or none. Raises Aborted."""
        before = replace(self.counts)
        cleanup = (self.cleanup.total, self.cleanup.deleted) if self.cleanup else (0, 0)
        writing: Chunks[Any] = self._chunks
        refused: list[Refusal] = []
        phases: list[tuple[Chunks[Any], Callable[[Any, int], None]]] = [(self._chunks, self._add)]
        if self.cleanup:
            phases.append((self.cleanup.chunks, self.cleanup.report))
        for tries in range(1, MAX_TRIES + 1):
            try:
                with transaction.atomic(durable=True):
                    for writing, report in phases:
                        if self.cleanup and writing is self.cleanup.chunks:
                            self.cleanup.look_again()
                        writing.write_here(report)
                    hold(self.context.batch)
                return
            except Refused as error:
                refused = error.refused
            except DatabaseError as error:
                if tries == MAX_TRIES:
                    raise
                if refusals.is_of_a_row(error):
                    refused = [*writing.find_refused().values()]
                elif not refusals.is_transient(error):
                    raise
            self.counts.set(before)
            if self.cleanup:
                self.cleanup.total, self.cleanup.deleted = cleanup
            if refused:
                break
        if self.cleanup and writing is self.cleanup.chunks:
            self.cleanup.failed = len(refused)
        else:
            self.counts.failed = len(refused)
        with transaction.atomic(durable=True):
            refusals.store(self.context, refused)
            hold(self.context.batch)
        raise Aborted(len(refused), are_all=len(refused) < MAX_REPORTED)

    def _change(self, rows: Rows) -> tuple[Counts, list[Refusal]]:
        if self.context.spec.action is Action.DELETE:
            named = sql.SQL("SELECT row, key::text AS key FROM {} AS plan WHERE {}").format(
                self.context.staging.plan, steps(Step.DELETE)
            )
            deletion = Deletion(self.context, named_elsewhere=named)
            refused = deletion.delete(sql.SQL("{} AND {}").format(named, rows.among("plan")))
            return Counts(deleted=deletion.deleted), refused
        return self._records.write(rows)

    def _add(self, written: Counts | None, failed: int) -> None:
        counts = self.counts
        written = written or Counts()
        counts.created += written.created
        counts.updated += written.updated
        counts.deleted += written.deleted
        counts.unchanged += written.unchanged
        counts.total -= written.unchanged
        counts.failed += failed
