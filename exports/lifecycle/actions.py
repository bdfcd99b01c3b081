"""What people want of an export once it is there, whichever way they say it."""

from collections.abc import Iterable

from django.db import transaction

from exports.execution.storage import delete_files
from exports.lifecycle import maintenance, transitions
from exports.lifecycle.limits import (
    admit_one_more,
    count_one_more,
    limits_of,
    lock,
)
from exports.lifecycle.queues import discard_soon, enqueue
from exports.models import UNFINISHED, Export, Status
from longshore.api.errors import ApiError, ErrorCode
from longshore.jobs.errors import JobErrorCode


def cancel(export: Export) -> None:
    """End it wherever it is; canceled twice is canceled. Raises ApiError where it has ended."""
    if transitions.cancel(export):
        return
    export.refresh_from_db()
    if export.status != Status.CANCELED:
        raise _refused(export, "canceled", UNFINISHED)


def retry(export: Export) -> None:
    """Write an ended export again.

    Raises ApiError where it has not ended, still has its files, or where those of an earlier
    attempt cannot be deleted; and where no more exports are allowed.
    """
    if export.expired and export.status == Status.COMPLETED:
        # Its time is over, but nobody has deleted the files yet.
        maintenance.expire_one(export)
        export.refresh_from_db()
    if export.status not in transitions.RETRYABLE:
        raise _refused(export, "retried", transitions.RETRYABLE)
    allowed = limits_of(export.organization_id)
    admit_one_more(export.organization_id, allowed)
    if not delete_files(export):
        raise ApiError(JobErrorCode.STORAGE_UNAVAILABLE)
    with transaction.atomic():
        lock(export.organization_id)
        admit_one_more(export.organization_id, allowed)
        count_one_more(export.organization_id, new=False)
        if not transitions.restart(export):
            export.refresh_from_db()
            raise _refused(export, "retried", transitions.RETRYABLE)
        transaction.on_commit(lambda: enqueue(export))


def delete(export: Export) -> None:
    """Hide it and end its links at once; a task deletes its files, as soon as the storage lets it.

    Without a broker, the next `upkeep.expire` deletes them.
    """
    transitions.delete(export)
    transaction.on_commit(discard_soon)


def _refused(export: Export, done: str, accepted: Iterable[Status]) -> ApiError:
    names = [str(status.value) for status in accepted]
    text = f"The export is {export.status}; it can be {done} when it is {' or '.join(names)}."
    details = {"status": export.status, "accepted": names}
    return ApiError(ErrorCode.INVALID_STATUS, text, details)
