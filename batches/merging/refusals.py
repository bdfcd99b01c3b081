"""Rows that the database, or a change by others since the plan, keeps from being written."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from threading import Lock

import psycopg
from django.db import DatabaseError, connection, transaction
from django.db.models import Model
from psycopg import errors, sql

from batches import row_errors
from batches.context import Context
from batches.errors import RowErrorCode
from batches.merging.journal import hold
from batches.models import Batch, JournalEntry
from batches.targets import Targets
from batches.validation import messages
from batches.validation.catalog import declared_message
from longshore.api.errors import display_value
from longshore.resources.tables import concrete_model

# Classes of SQLSTATE of errors that one row may cause: its values, a constraint, a trigger, the
# CHECK OPTION of a view, the size of an index row.
_ROW_CLASSES = ("22", "23", "44", "54", "P0")


@dataclass(frozen=True)
class Refusal:
    """A row that is not written, and why.

    row: None if no row of the input names the record.
    column: the names of columns, joined by `, `.
    record: the row that stands for the record, if `row` has only one of its parts.
    """

    row: int | None
    code: RowErrorCode
    message: str
    column: str = ""
    value: str | None = None
    record: int | None = None


class Places:
    """The number of errors that the batch may still keep, for several threads.

    A thread that counted the stored errors would not see those of another open transaction.
    """

    def __init__(self, batch: Batch) -> None:
        with connection.cursor() as cursor:
            cursor.execute(row_errors.count_places(batch))
            ((left,),) = cursor.fetchall()
        self.left = int(left)
        self._lock = Lock()

    def take(self, wanted: int) -> int:
        """Take places, as far as there are any. Returns their number."""
        with self._lock:
            taken = min(wanted, self.left)
            self.left -= taken
        return taken

    def give_back(self, taken: int) -> None:
        with self._lock:
            self.left += taken


@contextmanager
def storing(context: Context, places: Places) -> Iterator[Callable[[Collection[Refusal]], None]]:
    """Run the block in a transaction, which ends with `hold`.

    Yields a function that stores refusals in the transaction. Raises Superseded.
    """
    taken = 0

    def store_some(refusals: Collection[Refusal]) -> None:
        nonlocal taken
        found = places.take(len(refusals))
        taken += found
        store(context, refusals, found)

    try:
        with transaction.atomic(durable=True):
            yield store_some
            hold(context.batch)
    except BaseException:
        # Rolled back.
        places.give_back(taken)
        raise


def store(context: Context, refusals: Collection[Refusal], places: int | None = None) -> None:
    """Store refusals as errors of the attempt and of the batch, with the headers of the input.

    places: see `row_errors.store`.
    """
    columns = [
        [each.row for each in refusals],
        [_headers(context, each.column) for each in refusals],
        [each.code.value for each in refusals],
        [each.value for each in refusals],
        [each.message for each in refusals],
    ]
    if not columns[0]:
        return
    found = sql.SQL(
        "SELECT * FROM unnest({}::bigint[], {}::text[], {}::text[], {}::text[], {}::text[])"
        ' WITH ORDINALITY AS found (row, "column", code, value, message, id)'
    ).format(*map(sql.Literal, columns))
    with connection.cursor() as cursor:
        cursor.execute(row_errors.add(context.staging, found))
        if places != 0:
            cursor.execute(row_errors.store(context.batch, found, places))


def _headers(context: Context, columns: str) -> str:
    """Return the headers of the input for names of columns, joined by `, `."""
    return ", ".join(context.headers.get(name, name) for name in columns.split(", "))


def cause_of(error: DatabaseError) -> psycopg.Error | None:
    """Return the error of PostgreSQL behind an error of Django."""
    return error.__cause__ if isinstance(error.__cause__, psycopg.Error) else None


def is_of_a_row(error: DatabaseError) -> bool:
    """Return whether one row may have caused an error, so that the others can be written.

    An error of the journal's table is a bug, not the fault of a row.
    """
    cause = cause_of(error)
    if cause is None or cause.diag.table_name == JournalEntry._meta.db_table:
        return False
    return (cause.sqlstate or "").startswith(_ROW_CLASSES)


def is_transient(error: DatabaseError) -> bool:
    """Return whether the same transaction may succeed if it runs again at once."""
    return isinstance(cause_of(error), errors.DeadlockDetected | errors.SerializationFailure)


def find(
    first: int, last: int, write: Callable[[int, int], None], maximum: float = inf
) -> list[tuple[int, DatabaseError]]:
    """Return the numbers that cannot be written, in order, by bisection with savepoints.

    The search writes rows only to test them: the caller must roll back its transaction.

    write: writes the rows from one number to another; raises what the database raises.
    maximum: the search stops soon after it has found as many.
    """
    try:
        with transaction.atomic():
            defer_constraints()
            write(first, last)
            check_constraints()
        return []
    except DatabaseError as error:
        if not is_of_a_row(error):
            raise
        if first == last:
            return [(first, error)]
    middle = (first + last) // 2
    found = find(first, middle, write, maximum)
    if len(found) >= maximum:
        return found
    return [*found, *find(middle + 1, last, write, maximum - len(found))]


def defer_constraints() -> None:
    """Let the deferrable constraints wait, so that the order of statements does not matter."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def check_constraints() -> None:
    """Check the deferrable constraints now: an error at the commit would name no row."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def refusal_of(
    row: int | None, error: DatabaseError, model: type[Model], *, deleting: bool = False
) -> Refusal:
    """Return why the database refused to write or to delete a record of a model."""
    cause = cause_of(error)
    if cause is None:
        raise error
    diagnosis = cause.diag
    text = (diagnosis.message_primary or str(cause)).rstrip(".")
    column, constraint = diagnosis.column_name or "", diagnosis.constraint_name or ""
    match cause:
        case errors.UniqueViolation() | errors.ExclusionViolation():
            return Refusal(row, RowErrorCode.CONFLICT, conflict(_fields(model, constraint)))
        case errors.ForeignKeyViolation():
            if deleting:
                return Refusal(row, RowErrorCode.STILL_REFERENCED, still_referenced())
            return Refusal(
                row, RowErrorCode.NOT_FOUND, "A record that this one refers to no longer exists."
            )
        case errors.NotNullViolation():
            message = messages.missing_value(column)
            return Refusal(row, RowErrorCode.MISSING_VALUE, message, column)
        case errors.CheckViolation():
            message = declared_message(model, constraint) or messages.violated(constraint)
            return Refusal(row, RowErrorCode.RULE_VIOLATED, message)
        case errors.ProgramLimitExceeded():
            return Refusal(row, RowErrorCode.TOO_LONG, f"The record is too long: {text}.")
        case errors.DataError():
            return Refusal(row, RowErrorCode.INVALID_VALUE, f"The record is invalid: {text}.")
    return Refusal(row, RowErrorCode.RULE_VIOLATED, f"{text[:1].upper()}{text[1:]}.")


def not_found(row: int | None, targets: Targets, key: str) -> Refusal:
    """Return the refusal of a record that the organization does not have (any more)."""
    name, noun = targets.primary_key.name, targets.resource.model._meta.verbose_name
    message = f"There is no {noun} with the {name} {display_value(key)}."
    return Refusal(row, RowErrorCode.NOT_FOUND, message, name, key)


def already_exists(targets: Targets) -> str:
    """Return the message for a record that the batch may not update."""
    return messages.already_exists(str(targets.resource.model._meta.verbose_name))


def conflict(columns: Sequence[str] = ()) -> str:
    """Return the message for a record whose unique values another one has."""
    return messages.not_unique(columns or ("values that must be unique",), "record")


def still_referenced(by: str = "") -> str:
    """Return the message for a record that cannot be deleted."""
    return f"{by or 'Other records'} still refer to this record, so it cannot be deleted."


def _fields(model: type[Model], constraint: str) -> Sequence[str]:
    """Return the fields of a unique constraint; none for one on expressions."""
    found = (each for each in concrete_model(model)._meta.constraints if each.name == constraint)
    return getattr(next(found, None), "fields", ())
