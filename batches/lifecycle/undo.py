"""Creates the batches that undo other batches."""

from dataclasses import replace

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from batches.errors import BatchErrorCode
from batches.lifecycle import creation
from batches.lifecycle.deadlines import undo_deadline, undo_expired
from batches.lifecycle.transitions import BATCHES, batch_lifecycle, readable_spec
from batches.models import Batch, Via
from batches.spec import BatchSpec, Mode
from longshore.accounts.models import ApiKey
from longshore.api.errors import ApiError, ErrorCode
from longshore.jobs import actions, admission


def create(batch: Batch, api_key: ApiKey | None) -> tuple[Batch, bool]:
    """Create a batch that reverses what a batch has written, and enqueue it on commit.

    If the batch has an undo, return it: undoing twice is harmless. An undo that failed, timed out
    or was canceled is retried, because only it knows what it has reversed.
    Returns the undo, and whether it is a new one. Raises ApiError if the batch cannot be undone.
    """
    spec = readable_spec(batch)
    with transaction.atomic():
        admission.lock(batch.organization_id)
        # It may have been retried meanwhile.
        batch.refresh_from_db()
        if refusal := _undo_refusal(batch, spec):
            raise refusal
        existing = Batch.objects.visible().filter(reverses=batch).order_by("-number").first()
        if existing is not None:
            if existing.status in BATCHES.retryable:
                actions.retry(batch_lifecycle, existing)
                existing.refresh_from_db()
            return existing, False
        reversal = _reversal(batch, spec, api_key)
        actions.create_locked(batch_lifecycle, reversal, batch_lifecycle.quotas(reversal))
        Batch.objects.filter(pk=batch.pk, undone_at=None).update(undone_at=Now())
    return reversal, True


def not_ended(status: str) -> ApiError:
    text = f"The batch is {status}; it can be undone when it has ended."
    return ApiError(BatchErrorCode.BATCH_NOT_READY, text, {"status": status})


def nothing_to_undo(reason: str) -> ApiError:
    """Return the error for a batch that cannot be undone.

    reason: a clause, such as `The batch was a dry run`.
    """
    text = f"{reason}; there is nothing to undo."
    return ApiError(ErrorCode.INVALID_STATUS, text)


def _undo_refusal(batch: Batch, spec: BatchSpec) -> ApiError | None:
    if batch.deleted_at is not None:
        return ApiError(ErrorCode.NOT_FOUND)
    if spec.dry_run:
        return nothing_to_undo("The batch was a dry run")
    if spec.reverses:
        return nothing_to_undo("The batch is an undo batch")
    if batch.status in BATCHES.unfinished:
        return not_ended(batch.status)
    deadline = undo_deadline(batch)
    if deadline is None:
        return nothing_to_undo("The batch never started")
    return undo_expired(batch) if deadline <= timezone.now() else None


def _reversal(batch: Batch, spec: BatchSpec, api_key: ApiKey | None) -> Batch:
    undoing = replace(
        spec,
        mode=Mode.ASYNC,
        only=None,
        mapping=(),
        properties={},
        corrections={},
        reverses=batch.public_id,
    )
    return Batch(
        organization=batch.organization,
        api_key=api_key,
        resource=batch.resource,
        action=batch.action,
        mode=Mode.ASYNC,
        via=Via.API,
        request={},
        spec=undoing.to_json(),
        lane=creation.lane_of(batch.input_bytes or 0),
        reverses=batch,
    )
