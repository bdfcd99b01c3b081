"""Writes chunks of staged rows, each in a transaction, without the rows that cannot be written."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from math import inf
from threading import Event, Lock
from typing import Generic, TypeAlias, TypeVar

from django.db import DatabaseError, connections, transaction
from psycopg import sql

from batches.context import Context
from batches.merging import refusals
from batches.merging.journal import Journal, call_after_write, execute
from batches.merging.refusals import Places, Refusal
from batches.merging.rows import Rows
from batches.staging import Step

R = TypeVar("R")
# Called after each transaction with what it wrote, and the number of refused rows.
Report: TypeAlias = Callable[[R | None, int], None]

CHUNK_ROWS = 5000
# Connections that write at the same time: the work of the database is most of the work.
WRITERS = 2
# Tries of a transaction that deadlocks, whose rows others keep changing, or whose rows the database
# refuses.
MAX_TRIES = 5
# Refused rows that a batch which writes nothing reports.
MAX_REPORTED = 100
# Rows are joined and sorted in memory, up to some hundred thousand. An operator may have set more.
RAISED_WORK_MEMORY = (
    "set_config('work_mem',"
    " greatest(pg_size_bytes(current_setting('work_mem')), 32 << 20) / 1024 || 'kB', {is_local})"
)
# The records of a chunk are found by their keys: with the default cost of a random read, 4,
# PostgreSQL reads all records of the organization for each chunk.
_SETTINGS = sql.SQL(
    f"SELECT {RAISED_WORK_MEMORY}, set_config('random_page_cost',"
    " least(current_setting('random_page_cost')::float8, 1.1)::text, true)"
).format(is_local=sql.Literal(True))


class Refused(Exception):
    """Rolls a transaction back, because of rows that cannot be written."""

    def __init__(self, refused: list[Refusal]) -> None:
        super().__init__()
        self.refused = refused


class Canceled(Exception):
    """The writing was canceled between two chunks."""


@dataclass(frozen=True)
class Chunks(Generic[R]):
    """The chunks of a staged table. R: what `change` reports about the rows that it wrote.

    staged: the plan, or another table with a column `row`; refused rows are left out of it.
    pending: SQL that is true for the rows of the table that are to be written.
    change: writes rows, and returns a report and the rows that it did not write. The database may
        refuse others by an error. Does not commit. Several threads call it.
    is_input: whether the table is the plan, so that `row` is the number of a row of the input.
    deletes: whether `change` deletes records.
    written: the contexts whose hooks are called; those of the records and of their parts.
    canceled: ends the writing before the next chunk.
    connecting: called in each further thread, before its first statement: prepares its connection.
    """

    context: Context
    staged: sql.Composable
    change: Callable[[Rows], tuple[R, list[Refusal]]]
    pending: sql.Composable
    is_input: bool = True
    deletes: bool = False
    written: tuple[Context, ...] = ()
    canceled: Event = field(default_factory=Event)
    connecting: Callable[[], AbstractContextManager[None]] = nullcontext

    def write_each(self, report: Report[R]) -> None:
        """Write all chunks, each in a transaction of its own, several at the same time.

        report: never called twice at the same time.
        Raises Superseded if the attempt has lost the batch, and Canceled.
        """
        queue = _Queue(self, report)
        first = self.after(0)
        # Deletions follow references, so two chunks could wait for each other.
        is_single = self.deletes or first is None or self.after(first.last) is None
        helpers = 0 if is_single else WRITERS - 1
        with ThreadPoolExecutor(max(1, helpers), thread_name_prefix="batch-writer") as pool:
            helping = [
                pool.submit(copy_context().run, queue.write_in_thread) for _ in range(helpers)
            ]
            queue.write()
        for helper in helping:
            helper.result()

    def write_here(self, report: Report[R]) -> None:
        """Write all chunks in the current transaction. Raises Refused at the first refused row."""
        last, block = 0, Journal(self.context.batch).next_block
        while chunk := self.after(last):
            written, refused = self._write_in_transaction(chunk, block)
            if refused:
                raise Refused(refused)
            report(written, 0)
            last, block = chunk.last, block + 1

    def after(self, row: int) -> Rows | None:
        """Return the next rows to write; None at the end. Raises Canceled."""
        if self.canceled.is_set():
            raise Canceled(self.context.batch.public_id)
        ((first, last),) = execute(
            sql.SQL(
                "SELECT min(row), max(row) FROM (SELECT row FROM {} WHERE row > {} AND {}"
                " ORDER BY row LIMIT {}) AS chunk"
            ).format(self.staged, sql.Literal(row), self.pending, sql.Literal(CHUNK_ROWS))
        )
        return None if first is None else Rows(first, last)

    def find_refused(self, rows: Rows | None = None) -> dict[int, Refusal]:
        """Return the rows that the database refuses.

        rows: of a chunk. Without it, all chunks are searched, until `MAX_REPORTED` rows are found.
        Returns nothing if the database accepts the rows by now, or if the search has deadlocked:
        another try may succeed.
        """
        try:
            found = self._search(rows)
        except DatabaseError as error:
            if not refusals.is_transient(error):
                raise
            return {}
        model = self.context.resource.model
        return {
            row: refusals.refusal_of(
                row if self.is_input else None, each, model, deleting=self.deletes
            )
            for row, each in found
        }

    def _search(self, rows: Rows | None) -> list[tuple[int, DatabaseError]]:
        journal, found = Journal(self.context.batch), list[tuple[int, DatabaseError]]()
        maximum = inf if rows else MAX_REPORTED

        def write(first: int, last: int) -> None:
            with suppress(Refused):  # Reported when the others are written.
                self.change(Rows(first, last))
            journal.forget()

        # Found out with savepoints, and rolled back: rows that are written inside a savepoint would
        # not have the `xmin` that the journal names.
        with transaction.atomic(durable=True):
            # The numbers do not matter, since nothing is kept.
            journal.begin(0)
            chunk = rows or self.after(0)
            while chunk and len(found) < maximum:
                found += refusals.find(chunk.first, chunk.last, write, maximum - len(found))
                chunk = None if rows else self.after(chunk.last)
            transaction.set_rollback(True)
        return found

    def write_chunk(self, chunk: Rows, block: int, report: Report[R], places: Places) -> None:
        """Write a chunk in a transaction of its own. block: of the journal's numbers."""
        for tries in range(1, MAX_TRIES + 1):
            try:
                with refusals.storing(self.context, places) as store:
                    written, refused = self._write_in_transaction(chunk, block)
                    store(refused)
            except Refused as error:
                if tries == MAX_TRIES:
                    raise
                found = {each.record or each.row or 0: each for each in reversed(error.refused)}
                report(None, self._leave_out(found, places))
            except DatabaseError as error:
                if tries == MAX_TRIES:
                    raise
                if refusals.is_of_a_row(error):
                    report(None, self._leave_out(self.find_refused(chunk), places))
                elif not refusals.is_transient(error):
                    raise
            else:
                report(written, len(refused))
                return

    def _write_in_transaction(self, rows: Rows, block: int) -> tuple[R, list[Refusal]]:
        """Write rows, and call the hook of the resource."""
        refusals.defer_constraints()
        execute(_SETTINGS)
        first = Journal(self.context.batch).begin(block)
        written = self.change(rows)
        refusals.check_constraints()
        for context in self.written or (self.context,):
            call_after_write(context, first)
        return written

    def _leave_out(self, refused: dict[int, Refusal], places: Places) -> int:
        """Store refused rows, and leave them out of the table. Returns their number.

        The plan keeps a refused row as validation does: an `overwrite` must not delete its record.
        """
        leave_out = "DELETE FROM {}"
        if self.is_input:
            leave_out = (
                "UPDATE {} SET step = {refused}, key = CASE WHEN step <> {create} THEN key END"
            )
        with refusals.storing(self.context, places) as store:
            execute(
                sql.SQL(f"{leave_out} WHERE row = ANY ({{rows}}::bigint[])").format(
                    self.staged,
                    refused=sql.Literal(Step.REFUSED),
                    create=sql.Literal(Step.CREATE),
                    rows=sql.Literal(list(refused)),
                )
            )
            store(refused.values())
        return len(refused)


class _Queue(Generic[R]):
    """The chunks that are left, for several threads."""

    def __init__(self, chunks: Chunks[R], report: Report[R]) -> None:
        self._chunks = chunks
        self._report = report
        self._lock = Lock()
        self._last = 0
        self._block = Journal(chunks.context.batch).next_block
        self._places = Places(chunks.context.batch)
        self._failed = False

    def write(self) -> None:
        """Write the next chunk until none is left, or another thread has failed."""
        try:
            while chunk := self._take():
                self._chunks.write_chunk(*chunk, self._count, self._places)
        except BaseException:
            self._failed = True
            raise

    def write_in_thread(self) -> None:
        """Write chunks with a connection of this thread."""
        try:
            with self._chunks.connecting():
                self.write()
        finally:
            connections.close_all()

    def _take(self) -> tuple[Rows, int] | None:
        with self._lock:
            rows = None if self._failed else self._chunks.after(self._last)
            if rows is None:
                return None
            self._last, block = rows.last, self._block
            self._block += 1
            return rows, block

    def _count(self, written: R | None, failed: int) -> None:
        with self._lock:
            self._report(written, failed)


def steps(*wanted: Step) -> sql.Composable:
    """Return SQL that is true for the planned rows with one of the steps."""
    return sql.SQL("step IN ({})").format(sql.SQL(", ").join(map(sql.Literal, wanted)))
