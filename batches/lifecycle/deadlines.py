"""Until when a batch can be undone, and the errors of requests that come too late or too early."""

from datetime import datetime, timedelta

from django.conf import settings

from batches.errors import BatchErrorCode
from batches.models import Batch
from longshore.api.errors import ApiError, ErrorCode


def undo_deadline(batch: Batch) -> datetime | None:
    """Return when a batch can no longer be undone; None if it never could be.

    A batch that failed, timed out or was canceled may have written some of its records.
    """
    if batch.dry_run or batch.reverses_id or batch.spec.get("reverses") or not batch.started_at:
        return None
    if batch.completed_at is None:
        return None
    return batch.completed_at + timedelta(hours=settings.BATCH_UNDO_HOURS)


def undo_expired(batch: Batch) -> ApiError:
    deadline = undo_deadline(batch)
    text = f"The batch could be undone until {deadline:%FT%TZ}."
    return ApiError(BatchErrorCode.UNDO_EXPIRED, text, {"can_undo_until": deadline})


def being_undone(undoing: Batch) -> ApiError:
    """Return the error for a batch that cannot be deleted, because another one undoes it."""
    text = f"{undoing} undoes the batch. Delete the batch when the undo has ended, or cancel it."
    return ApiError(ErrorCode.INVALID_STATUS, text)
