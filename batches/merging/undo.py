"""Undoes a batch: reverses its journal, newest transaction first.

Created records are deleted, updated ones get their former values, and deleted ones are inserted
again, with their links. A record that was changed since, or to which others refer since, is kept
as it is. Each transaction of the batch is reversed in one transaction, which writes the journal of
the undoing batch and the errors of the records that were not reversed. So the undo may die at any
point; the next attempt goes on with the transactions that are left.

Errors of reversed transactions are stored once; the next attempt does not find them again.
"""

from dataclasses import dataclass, replace
from threading import Event

from django.db import DatabaseError, transaction
from psycopg import sql

from batches.context import Context
from batches.errors import RowErrorCode
from batches.merging import refusals
from batches.merging.changes import Entry, find_own
from batches.merging.chunks import MAX_TRIES, Canceled
from batches.merging.journal import Journal, call_after_write, execute, hold
from batches.merging.refusals import Refusal
from batches.merging.reversal import Reversal
from batches.merging.rows import Rows
from batches.models import Batch, JournalEntry
from longshore.api.errors import ApiError, ErrorCode

# Entries that are reversed with the numbers of one block of the journal. A batch that aborts on
# errors is one transaction, with as many entries as it has.
ENTRIES_PER_BLOCK = 100
_KEPT = (RowErrorCode.CHANGED_SINCE, RowErrorCode.STILL_REFERENCED)
_JOURNAL = JournalEntry._meta.db_table


class OriginalDeleted(ApiError):
    """The batch to undo was deleted, and its journal with it."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.NOT_FOUND, "The batch to undo has been deleted.")


Refused = dict[tuple[int, int], Refusal]


@dataclass
class Outcome:
    """Records by outcome. They grow while the undo runs; another thread may read them.

    total: the records that the original batch changed, without those unlinked with them.
    kept: changed since, or still referenced. failed: could not be restored.
    """

    total: int = 0
    reversed: int = 0
    kept: int = 0
    failed: int = 0

    @property
    def processed(self) -> int:
        return self.reversed + self.kept + self.failed

    def as_json(self) -> dict[str, int]:
        """Return the value of `Batch.undo_counts`."""
        return {"reversed": self.reversed, "kept": self.kept, "failed": self.failed}


class Undo:
    """The undo of a batch by the context's batch, on Django's connection of the current thread."""

    def __init__(self, context: Context, original: Batch) -> None:
        # The batch may have written records that the row filter excludes.
        self.context = replace(context, resource=replace(context.resource, where=None))
        self.original = original
        self.outcome = Outcome()
        self._journal = Journal(context.batch)
        self._canceled = Event()

    def cancel(self) -> None:
        """Let `run` end before its next transaction. Called by another thread."""
        self._canceled.set()

    def run(self) -> Outcome:
        """Reverse what is not reversed yet.

        Raises Superseded if the attempt has lost the batch, Canceled, and OriginalDeleted.
        """
        self.outcome.total = Journal(self.original).count().total()
        done = self.count_done()
        own = find_own(self.context, self.original)
        for number in self._transactions():
            if self._canceled.is_set():
                raise Canceled(self.context.batch.public_id)
            if number not in done:
                self.reverse(Reversal(self.context, self.original, number, own))
        return self.outcome

    def _transactions(self) -> list[int]:
        """Return the transactions of the original batch, newest first."""
        rows = execute(
            sql.SQL(
                "SELECT transaction FROM {} WHERE batch_id = {} GROUP BY transaction"
                " ORDER BY max(number) DESC"
            ).format(sql.Identifier(_JOURNAL), sql.Literal(self.original.pk))
        )
        return [number for (number,) in rows]

    def count_done(self) -> set[int]:
        """Count what earlier attempts did. Returns the transactions that they reversed."""
        done = JournalEntry.objects.filter(batch=self.context.batch, table=_JOURNAL)
        for entry in done:
            self._add(*(entry.before or (0, 0, 0)))
        return {int(key) for entry in done for key in entry.keys}

    def _add(self, reversed_: int, kept: int, failed: int) -> None:
        self.outcome.reversed += reversed_
        self.outcome.kept += kept
        self.outcome.failed += failed

    def reverse(self, reversal: Reversal) -> None:
        """Reverse one transaction of the original batch, and report its outcome."""
        refused: Refused = {}
        for tries in range(1, MAX_TRIES + 1):
            try:
                with transaction.atomic(durable=True):
                    counts = self._reverse_all(reversal, refused)
                    hold(self.context.batch)
            except DatabaseError as error:
                if tries == MAX_TRIES:
                    raise
                if refusals.is_of_a_row(error):
                    refused |= self._find_refused(reversal, refused)
                elif not refusals.is_transient(error):
                    raise
            else:
                self._add(*counts)
                return

    def _reverse_all(self, reversal: Reversal, refused: Refused) -> tuple[int, int, int]:
        """Reverse a transaction. Returns the numbers of reversed, kept and failed records."""
        self._keep_original()
        refusals.defer_constraints()
        first = self._journal.begin(self._journal.next_block)
        for number, entry in enumerate(self._stage(reversal, refused), 1):
            reversal.reverse(entry)
            if number % ENTRIES_PER_BLOCK == 0:
                self._journal.begin(self._journal.next_block)
        refusals.check_constraints()
        call_after_write(self.context, first)
        reversal.store_refused()
        kept, failed = reversal.count_refused(_KEPT)
        counts = self._journal.count(first).total(), kept, failed
        self._journal.mark(_JOURNAL, [str(reversal.transaction)], counts)
        return counts

    def _keep_original(self) -> None:
        """Keep the batch to undo, and so its journal, until the end of the transaction."""
        lock = sql.SQL(
            "SELECT number FROM {} WHERE number = {} AND deleted_at IS NULL FOR KEY SHARE"
        )
        table, number = sql.Identifier(Batch._meta.db_table), sql.Literal(self.original.pk)
        if not execute(lock.format(table, number)):
            raise OriginalDeleted

    def _stage(self, reversal: Reversal, refused: Refused) -> list[Entry]:
        """Stage the changes, without those that cannot be reversed."""
        entries = reversal.stage()
        for (number, position), refusal in refused.items():
            reversal.refuse(number, position, refusal)
        reversal.refuse_changed()
        reversal.refuse_orphans()
        return entries

    def _find_refused(self, reversal: Reversal, refused: Refused) -> Refused:
        """Return the changes whose reversal the database refuses; none if it accepts all by now."""
        found: Refused = {}
        with transaction.atomic(durable=True):
            self._journal.begin(0)
            for entry in self._stage(reversal, refused):

                def reverse(first: int, last: int, entry: Entry = entry) -> None:
                    reversal.reverse(entry, Rows(first, last))
                    self._journal.forget()

                for position, each in refusals.find(1, entry.size, reverse):
                    refusal = refusals.refusal_of(None, each, entry.table.model)
                    found[entry.number, position] = refusal
            transaction.set_rollback(True)
        return found
