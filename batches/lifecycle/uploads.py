"""Inputs that are uploaded after their batch was created: their arrival queues the batch.

Longshore itself receives them if the storage is a local folder. A bucket does not
notify Longshore of an upload, so a periodic task looks for files.
"""

import time
from collections.abc import Iterable
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from batches.lifecycle import limits, storage
from batches.lifecycle.creation import lane_of, limited, max_bytes, record_input
from batches.lifecycle.storage import StoredInput
from batches.lifecycle.transitions import BATCHES, batch_lifecycle
from batches.models import Batch
from longshore.api.errors import ApiError, ErrorCode
from longshore.database import chunks
from longshore.files.storage import file_storage
from longshore.jobs import admission, maintenance
from longshore.jobs.leases import lease
from longshore.jobs.queues import enqueue
from longshore.jobs.statuses import Status

# The process that validates a new batch has died if the batch waits for longer.
_MAX_CHECK_AGE = timedelta(seconds=60)
# Enough for `chunks.SECONDS`, and for one last request to which the bucket does not respond.
_LEASE_SECONDS = 120


def receive(batch: Batch, blocks: Iterable[bytes]) -> None:
    """Store the input of a requested batch, and queue the batch unless it is a draft.

    Several uploads may arrive at once: the first complete one counts. Raises ApiError if the file
    is too large, which fails the batch, or if the batch is not requested any more.
    """
    # A key of its own: an upload that broke off may have left a part of a file.
    key = storage.BATCH_STORAGE.new_input_key(batch.organization_id, batch.public_id)
    try:
        refusal = limits.too_many_bytes(max_bytes(batch.organization_id))
        stored = storage.save_input(key, limited(blocks, refusal))
    except ApiError as error:
        _reject(batch, error)
        raise
    try:
        _accept(batch, stored)
    except BaseException:
        stored.discard()
        raise


def check(batch: Batch) -> None:
    """Queue a requested batch if its input has arrived in the bucket.

    If the bucket does not respond, the next check looks again.
    """
    maintenance.succeeds(_check, batch)


def _check(batch: Batch, _: float) -> bool:
    """Queue a requested batch if its input has arrived. Raises what the storage raises."""
    if batch.input_bytes is not None or batch.input_key is None:
        return True
    if not file_storage.receives_uploads or not file_storage.exists(batch.input_key):
        return True
    size, maximum = file_storage.size(batch.input_key), max_bytes(batch.organization_id)
    try:
        if size > maximum:
            raise limits.too_many_bytes(maximum)
        # Hashing may take minutes: the first attempt does it.
        _accept(batch, StoredInput(batch.input_key, size, ""))
    except ApiError as error:
        if error.code != ErrorCode.INVALID_STATUS:
            _reject(batch, error)
            file_storage.try_delete(batch.input_key)
    return True


def check_all() -> None:
    """Queue the requested batches whose input has arrived.

    Also queue those whose validating web process died.
    """
    # One run at a time: recovery needs the other slots of the worker if the bucket is slow.
    with lease("batches.uploads", _LEASE_SECONDS) as is_held:
        if is_held:
            _check_all()


def _check_all() -> None:
    now = time.monotonic()
    requested = Batch.objects.visible().filter(status=Status.REQUESTED)
    stored = requested.filter(is_draft=False, created_at__lt=Now() - _MAX_CHECK_AGE)
    stored = stored.exclude(input_bytes=None)
    for_each = partial(maintenance.for_each, batch_lifecycle)
    for_each(stored, _queue_stored, "stored", now + chunks.SECONDS / 2)
    if file_storage.receives_uploads:
        announced = requested.filter(input_bytes=None)
        for_each(announced, _check, "uploads", now + chunks.SECONDS)


def _queue_stored(batch: Batch, _: float) -> bool:
    queue(batch)
    return True


def queue(batch: Batch, **values: object) -> bool:
    """Queue a requested batch whose input is stored. Return False if it is not requested.

    values: other fields to store.
    """
    with transaction.atomic():
        queued = batch_lifecycle.queue(batch, **values)
        if queued is not None:
            transaction.on_commit(lambda: enqueue(BATCHES, queued))
    return queued is not None


def _accept(batch: Batch, stored: StoredInput) -> None:
    with transaction.atomic():
        admission.admit_stored_bytes(BATCHES, batch.organization_id, stored.bytes)
        values = {
            "input_key": stored.key,
            "input_bytes": stored.bytes,
            "input_sha256": stored.sha256,
            "stored_bytes": stored.bytes,
            "lane": lane_of(stored.bytes),
        }
        if not (_keep if batch.is_draft else queue)(batch, **values):
            batch.refresh_from_db()
            text = f"The batch is {batch.status}; its file can be uploaded once only."
            raise ApiError(ErrorCode.INVALID_STATUS, text, {"status": batch.status})
        record_input(batch, stored)


def _keep(batch: Batch, **values: object) -> bool:
    """Store the input of a draft. Return False if it has one, or is not requested any more.

    The draft then has as much time again as the upload had.
    """
    waiting = Batch.objects.visible().filter(pk=batch.pk, status=Status.REQUESTED, input_bytes=None)
    lifetime = timedelta(seconds=settings.BATCH_UPLOAD_SECONDS)
    return bool(waiting.update(**values, expires_at=Now() + lifetime))


def _reject(batch: Batch, error: ApiError) -> None:
    batch_lifecycle.reject(batch, error.code, error.message)
