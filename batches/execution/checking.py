"""Validates a small batch before its response, so that the response shows the errors.

The response shows the errors and counts. The worker validates the batch again, because the records
may have changed meanwhile.
"""

import logging
from collections.abc import Mapping

from django.db import transaction
from psycopg.errors import LockNotAvailable, QueryCanceled

from batches.execution.attempt import Attempt, Canceled, failure_values
from batches.lifecycle import limits, uploads
from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch
from longshore.api.errors import ApiError
from longshore.database.ids import new_id
from longshore.jobs.statuses import Status

logger = logging.getLogger(__name__)

_TOO_SLOW = (Canceled, QueryCanceled, LockNotAvailable)
# The timer cancels the statement that runs at that moment. The timeouts end with the transaction.
_SET_TIMEOUTS = (
    f"SELECT set_config('statement_timeout', '{limits.MAX_CHECK_SECONDS}s', true),"
    f" set_config('lock_timeout', '{limits.MAX_LOCK_SECONDS}s', true)"
)


def check_and_queue(batch: Batch) -> None:
    """Validate a requested batch, and queue it; fail it if its input cannot be used.

    A validation that takes longer than `limits.MAX_CHECK_SECONDS`, or that fails for another reason
    than the input, is left to the worker: the batch exists already.
    """
    values: Mapping[str, object] = {}
    attempt: Attempt | None = None
    try:
        with transaction.atomic():
            row = Batch.objects.select_for_update(no_key=True, skip_locked=True)
            if not row.filter(pk=batch.pk, status=Status.REQUESTED).exists():
                return
            attempt = Attempt(batch, new_id("claim"))
            _check(attempt)
            values = {**attempt.values(), "failed_count": attempt.failed_rows}
    except ApiError as error:
        found = failure_values(attempt, error) if attempt else {}
        batch_lifecycle.reject(batch, error.code, error.message, **found)
        return
    except Exception as error:
        # The drivers of the database and of the storage raise errors of many kinds.
        if isinstance(error.__cause__ or error, _TOO_SLOW):
            logger.info("Batch %s is validated by the worker alone: %s", batch, error)
        else:
            logger.exception("Batch %s could not be validated before its response.", batch)
    uploads.queue(batch, **values)


def _check(attempt: Attempt) -> None:
    """Validate the input within the time limit. Raises ApiError."""
    with attempt.running():
        attempt.cursor().execute(_SET_TIMEOUTS)
        with attempt.canceled_after(limits.MAX_CHECK_SECONDS):
            attempt.read()
            attempt.validate()
            attempt.drop_tables()
