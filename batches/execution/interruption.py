"""Writes the files of a batch that was canceled, timed out or lost its workers half-way.

An interrupted attempt writes no files. A task writes them afterwards: the rows that the journal
names, and those that it does not. It reads the input again, but does not validate it.
"""

import logging

from django.db import connections

from batches.execution.attempt import Attempt
from batches.execution.results import Results
from batches.execution.writing import Timeouts, connected
from batches.lifecycle.transitions import batch_lifecycle
from batches.models import BatchFile
from batches.validation.repeated import group_rows
from batches.validation.validation import create_errors
from longshore.api.errors import ApiError

logger = logging.getLogger(__name__)


def write_files(number: int) -> None:
    """Write the files of the interrupted batch with this number. Idempotent.

    Takes at most as long as an attempt may. If this fails, the batch has no such files.
    """
    batch = batch_lifecycle.claim_interrupted(number)
    if batch is None:
        return
    claim = batch.claims[-1]
    is_stored = False
    try:
        is_stored = batch_lifecycle.add_files(batch, _write(Attempt(batch, claim)))
    except ApiError as error:
        logger.warning("The batch %s has no files: %s", batch, error.message)
    finally:
        if not is_stored:
            batch_lifecycle.delete_attempts(batch, [claim])


def _write(attempt: Attempt) -> list[BatchFile]:
    """Write the files on a connection of its own settings, which is closed afterwards."""
    seconds = attempt.limits.seconds
    try:
        with connected(attempt, Timeouts(seconds)):
            try:
                with attempt.canceled_after(seconds):
                    has_input = attempt.context.batch.input_key is not None and _read(attempt)
                    return Results(attempt).write_interrupted(has_input=has_input)
            finally:
                attempt.drop_tables()
    finally:
        connections.close_all()


def _read(attempt: Attempt) -> bool:
    """Stage the rows of the input. Returns False if it cannot be used."""
    cursor = attempt.cursor()
    try:
        attempt.read()
        create_errors(cursor, attempt.context)
        group_rows(cursor, attempt.context, attempt.columns)
    except ApiError:
        # The batch has failed for this reason.
        attempt.columns = ()
        return False
    return True
