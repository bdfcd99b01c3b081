"""The work of an attempt: reads, validates and writes a batch, and writes its files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import inf

from django.db import connection, connections
from psycopg import sql

from batches.errors import BatchErrorCode
from batches.execution import dry_runs
from batches.execution.attempt import Attempt
from batches.execution.outcome import Outcome
from batches.execution.phases import Phase, PhaseName
from batches.execution.results import Results
from batches.execution.undoing import undo
from batches.merging.chunks import RAISED_WORK_MEMORY
from batches.merging.journal import Journal
from batches.merging.records import Counts, Staged
from batches.merging.writing import Merge
from batches.spec import OnError
from batches.validation.validation import Validated
from longshore.api.errors import ApiError

# Not behind a pooler, which may give the connection to another process next.
_SET = sql.SQL(
    "SELECT set_config('statement_timeout', {statements}, false),"
    " set_config('lock_timeout', {locks}, false),"
    f" {RAISED_WORK_MEMORY} WHERE pg_backend_pid() = {{process}}"
)


@dataclass(frozen=True)
class Timeouts:
    """Time limits of each statement of an attempt, in seconds.

    locks: of waiting for a lock, for example for records that another batch is writing; 0 for none.
    """

    statements: int
    locks: int = 0


def execute(attempt: Attempt, timeouts: Timeouts) -> Outcome:
    """Do the work of an attempt, on a connection of this thread, which is closed afterwards.

    Raises ApiError if the input cannot be used, and what the database and the storage raise.
    """
    try:
        with connected(attempt, timeouts):
            try:
                if attempt.context.spec.reverses is not None:
                    return undo(attempt)
                return _write(attempt, timeouts)
            finally:
                attempt.drop_tables()
    finally:
        connections.close_all()


def _write(attempt: Attempt, timeouts: Timeouts) -> Outcome:
    attempt.read()
    validated = attempt.validate()
    spec, failed = attempt.context.spec, attempt.failed_rows
    outcome = Outcome(rows=attempt.rows or 0, failed=failed, is_dry=spec.dry_run)
    merge = Merge(staged(validated), partial(connected, attempt, timeouts))
    attempt.on_cancel.append(merge.cancel)
    try:
        if failed > _max_errors(attempt):
            raise _too_many_errors(attempt, failed)
        attempt.check()
        planned = merge.prepare()
        if merge.cleanup:
            attempt.warnings += merge.cleanup.warnings(is_dry=spec.dry_run)
        outcome.add(planned if spec.dry_run else _merge(attempt, merge))
    except ApiError as error:
        # Stopped before anything was written: the files show why.
        outcome.failure = error
    if spec.dry_run:
        is_planned = outcome.failure is None
        headers, columns = attempt.staged_headers, attempt.columns
        dry_runs.keep(attempt.cursor(), validated, headers, columns, is_planned=is_planned)
    attempt.count_errors()
    # Records that the cleanup does not delete are named by no row.
    outcome.failed = attempt.failed_rows + (merge.cleanup.failed if merge.cleanup else 0)
    outcome.files = Results(attempt).write(stopped=outcome.failure is not None)
    outcome.progress = attempt.values()
    return outcome


def _merge(attempt: Attempt, merge: Merge) -> Counts:
    """Write the planned rows, then delete the records that an `overwrite` does not name."""
    counts = merge.counts

    def count_written() -> dict[str, int]:
        found = merge.counts
        deleted = found.deleted + (merge.cleanup.deleted if merge.cleanup else 0)
        return {
            "created_count": found.created,
            "updated_count": found.updated,
            "unchanged_count": found.unchanged,
            "deleted_count": deleted,
        }

    if attempt.context.spec.on_error is not OnError.ABORT:
        attempt.count_written = count_written

    def update(phase: Phase) -> None:
        phase.total, phase.processed = counts.total, counts.processed
        phase.success, phase.error = counts.processed - counts.failed, counts.failed

    attempt.phases.begin(PhaseName.PROCESSING, update=update)
    merge.write()
    # In one transaction: not before its commit.
    attempt.count_written = count_written
    attempt.phases.settle()
    if cleanup := merge.cleanup:

        def update_cleanup(phase: Phase) -> None:
            phase.total, phase.processed = cleanup.total, cleanup.deleted + cleanup.failed
            phase.success, phase.error = cleanup.deleted, cleanup.failed

        attempt.check()
        attempt.phases.begin(PhaseName.CLEANUP, update=update_cleanup)
        merge.clean_up()
        attempt.phases.settle()
        return replace(merge.counts, deleted=merge.counts.deleted + cleanup.deleted)
    return merge.counts


def staged(validated: Validated) -> Staged:
    """Return the validated records with their parts."""
    part = validated.context.part
    return Staged(
        validated.context,
        (*validated.filled, *([part.column] if part else [])),
        [each.name for each in validated.relations],
        validated.created,
        [staged(each) for each in validated.parts],
        validated.gives_keys,
    )


def _max_errors(attempt: Attempt) -> float:
    """Return the maximum number of rows with errors of a batch that is written."""
    spec = attempt.context.spec
    if spec.on_error is OnError.ABORT:
        return 0
    return inf if spec.max_errors is None else spec.max_errors


def _too_many_errors(attempt: Attempt, failed: int) -> ApiError:
    spec = attempt.context.spec
    rows = f"{failed:,} {'row has' if failed == 1 else 'rows have'} errors"
    written = Journal(attempt.context.batch).count().total()
    if spec.on_error is OnError.ABORT:
        text = f"{rows}, and the batch writes all rows or none."
    else:
        text = f"{rows}, more than max_errors ({spec.max_errors})."
    if written:
        records = f"{written:,} {'record' if written == 1 else 'records'}"
        text = f"{text} Earlier attempts wrote {records}, this one wrote nothing."
    else:
        text = f"{text} Nothing was written."
    return ApiError(BatchErrorCode.TOO_MANY_ERRORS, text, {"errors": failed})


@contextmanager
def connected(attempt: Attempt, timeouts: Timeouts) -> Iterator[None]:
    """Prepare the connection of this thread: its time limits, and its cancellation.

    The time limits of web processes are for requests.
    """
    with attempt.running():
        limits = _SET.format(
            statements=sql.Literal(f"{timeouts.statements}s"),
            locks=sql.Literal(f"{timeouts.locks}s"),
            is_local=sql.Literal(False),
            process=sql.Literal(connection.connection.info.backend_pid),
        )
        attempt.cursor().execute(limits)
        yield
