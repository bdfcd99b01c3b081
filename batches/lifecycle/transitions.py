"""The lifecycle of batches: what a change of status means for files, tables and webhook events.

`longshore.jobs.lifecycle` holds everything that batches share with other kinds of job.
"""

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from math import inf
from typing import Any, ClassVar

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from batches.errors import BatchErrorCode
from batches.lifecycle import staging_tables
from batches.lifecycle.deadlines import being_undone, undo_deadline, undo_expired
from batches.lifecycle.storage import BATCH_STORAGE
from batches.lifecycle.webhook_events import BATCH_EVENTS
from batches.models import (
    Batch,
    BatchError,
    BatchEvent,
    BatchFile,
    BatchLimits,
    BatchTurn,
    BatchUsage,
    DryRunRecord,
    FileKind,
    JournalEntry,
)
from batches.spec import BatchSpec
from batches.staging import OUTCOMES, STATISTICS
from longshore.api.errors import ApiError, BaseErrorCode, ErrorCode
from longshore.database import chunks
from longshore.database.ids import new_id
from longshore.jobs import admission
from longshore.jobs.kinds import JobKind
from longshore.jobs.lifecycle import held_by
from longshore.jobs.specs import refusing_obsolete
from longshore.jobs.statuses import Lane, Status
from webhooks.job_events import PublishingLifecycle

logger = logging.getLogger(__name__)

# The task that writes the files of interrupted batches.
WRITE_FILES = "write_files"
# What an attempt has counted and found; a new attempt begins without them.
_UNCOUNTED: dict[str, Any] = {
    "phases": [],
    **{f"{name}_count": 0 for name in STATISTICS},
    "undo_counts": None,
    "detected": {},
    "warnings": [],
}


def readable_spec(batch: Batch) -> BatchSpec:
    """Return the validated request. Raises ApiError if its stored version is not supported."""
    text = "The stored request cannot be used: {}. Create a new batch."
    with refusing_obsolete(ErrorCode.INVALID_STATUS, text):
        spec = batch.parsed_spec()
    return spec


class BatchLifecycle(PublishingLifecycle[Batch]):
    """Changes the status of batches, with their files, staging tables and webhook events."""

    events = BATCH_EVENTS
    restart_values: ClassVar = _UNCOUNTED | {"records_count": None}
    deletion_values: ClassVar = {
        "input_name": "",
        "input_sha256": "",
        "detected": {},
        "warnings": [],
        "reason": "",
    }
    time_limit_advice = "Send several batches."

    def quotas(self, job: Batch) -> admission.Quotas:
        """As for all jobs. An undo may store its few files although the batch used the quota up."""
        limits, stores = self.kind.limits(job.organization_id), job.reverses_id is None
        return admission.Quotas(self.kind, job.organization_id, limits, has_stored_bytes=stores)

    def lifetime(self, job: Batch) -> timedelta:
        if job.status == Status.REQUESTED:
            return timedelta(seconds=settings.BATCH_UPLOAD_SECONDS)
        return super().lifetime(job)

    def changed(self, job: Batch) -> None:
        # First: the webhook event shows them.
        values = {"reason": _reason(job), **_counts(job)}
        if any(getattr(job, name) != value for name, value in values.items()):
            self.kind.jobs.filter(pk=job.pk).update(**values)
            for name, value in values.items():
                setattr(job, name, value)
        super().changed(job)
        if _lacks_files(job):
            transaction.on_commit(partial(_request_files, job))

    def check_retry(self, job: Batch) -> None:
        readable_spec(job)
        if job.is_draft:
            text = "The batch is an upload that nobody checked. Upload the file again."
            raise ApiError(ErrorCode.INVALID_STATUS, text, {"status": job.status})
        # Then the journal of the original batch is purged: nothing would be undone.
        original = job.reverses
        if original and (deadline := undo_deadline(original)) and deadline <= timezone.now():
            raise undo_expired(original)
        if job.input_key is None:
            return
        if job.input_bytes is None:
            text = "The batch has no input: no file was uploaded. Create a new batch."
            raise ApiError(ErrorCode.INVALID_STATUS, text, {"status": job.status})
        # After its expiry, maintenance may be deleting the input.
        if not job.has_files or job.expires_at <= timezone.now():
            text = "The input of the batch has been deleted. Send it as a new batch."
            raise ApiError(BatchErrorCode.BATCH_EXPIRED, text)

    def delete(self, job: Batch) -> None:
        """As for all jobs. Raises ApiError if the batch is being undone, by its journal."""
        with transaction.atomic():
            admission.lock(job.organization_id)
            undoing = self.kind.jobs.visible().filter(reverses=job.pk)
            if unfinished := undoing.filter(status__in=self.kind.unfinished).first():
                raise being_undone(unfinished)
            super().delete(job)

    def delete_attempts(self, job: Batch, claims: Iterable[str], deadline: float = inf) -> bool:
        claims = list(claims)
        return staging_tables.drop(claims) & super().delete_attempts(job, claims, deadline)

    def delete_files(self, job: Batch, deadline: float = inf) -> bool:
        """Delete the files of a batch, its staging tables, and what it keeps of its rows."""
        deleted = staging_tables.drop(job.claims) & BATCH_STORAGE.delete_files(job, deadline)
        _delete_corrections(job)
        for records in (BatchError.objects, DryRunRecord.objects):
            of_job = records.filter(batch=job)
            chunks.delete(of_job, min(deadline - time.monotonic(), chunks.SECONDS))
            deleted &= not of_job.exists()
        return deleted

    def complete_with_files(
        self, batch: Batch, rows: int, files: list[BatchFile], reason: str, **values: Any
    ) -> None:
        """Complete a claimed batch whose files are verified.

        rows: records of the input. reason: the outcome as a sentence.
        values: other fields to store.
        The storage quota does not apply: the rows are written. It refuses the next batch.
        Raises Superseded.
        """
        with transaction.atomic():
            size = self._store(batch, files, rows, values)
            self.kind.jobs.filter(held_by(batch), pk=batch.pk).update(reason=reason)
            self.complete(batch, rows, stored_bytes=size, **values)

    def fail_with_files(
        self,
        batch: Batch,
        code: BaseErrorCode,
        message: str,
        files: list[BatchFile],
        **values: Any,
    ) -> None:
        """Fail a claimed batch that was stopped, with the files that show why.

        code, message: the error.
        values: as for `complete_with_files`.
        """
        with transaction.atomic():
            size = self._store(batch, files, values.get("records_count") or 0, values)
            self.fail(batch, code, message, stored_bytes=size, **values)

    def claim_interrupted(self, number: int) -> Batch | None:
        """Claim a batch that was interrupted, to write its files.

        Returns the batch with a new token, or None if it has its files, or was deleted or retried.
        """
        with transaction.atomic():
            row = self.kind.jobs.visible().filter(pk=number)
            batch = row.select_for_update(no_key=True, of=("self",)).first()
            if batch is None or not _lacks_files(batch):
                return None
            batch.claims = [*batch.claims, new_id("claim")]
            row.update(claims=batch.claims)
        return batch

    def add_files(self, batch: Batch, files: list[BatchFile]) -> bool:
        """Store files of a claimed interrupted batch. Return False if it was claimed again."""
        with transaction.atomic():
            same = self.kind.jobs.visible().filter(pk=batch.pk, status=batch.status)
            size = sum(file.bytes for file in files)
            held = same.filter(claims=batch.claims)
            if not held.update(stored_bytes=F("stored_bytes") + size):
                return False
            BatchFile.objects.bulk_create(files)
        return True

    def reject(self, job: Batch, code: BaseErrorCode, message: str, **values: Any) -> bool:
        with transaction.atomic():
            self._describe_input(job, values.get("records_count") or 0, values)
            return super().reject(job, code, message, **values)

    def restart(self, job: Batch) -> bool:
        with transaction.atomic():
            if self.kind.jobs.filter(pk=job.pk).exclude(undone_at=None).exists():
                text = "The batch has been undone. Send its input as a new batch."
                raise ApiError(ErrorCode.INVALID_STATUS, text, {"status": job.status})
            BatchFile.objects.filter(batch=job).exclude(kind=FileKind.UPLOAD).delete()
            is_queued = super().restart(job)
            if is_queued:
                # The input stays in storage.
                stored = Coalesce(F("input_bytes"), 0)
                self.kind.jobs.filter(pk=job.pk).update(
                    stored_bytes=stored, has_files=job.input_key is not None
                )
            else:
                transaction.set_rollback(True)
        return is_queued

    def _store(
        self, batch: Batch, files: list[BatchFile], rows: int, values: Mapping[str, Any]
    ) -> int:
        """Store the rows of verified files. Returns the bytes of all files of the batch.

        rows, values: of the input, whose file they describe.
        """
        size = sum(file.bytes for file in files)
        BatchFile.objects.bulk_create(files)
        self._describe_input(batch, rows, values)
        return size + (batch.input_bytes or 0)

    def _describe_input(self, batch: Batch, rows: int, values: Mapping[str, Any]) -> None:
        """Store in the row of the input's file what an attempt found out about it."""
        upload = BatchFile.objects.filter(batch=batch, kind=FileKind.UPLOAD)
        upload.update(
            rows=rows,
            format=values.get("detected", {}).get("format") or "",
            sha256=values.get("input_sha256", batch.input_sha256),
        )


def _reason(batch: Batch) -> str:
    """Return why a batch has its final status; "" if it has not ended."""
    match batch.status:
        case Status.FAILED | Status.TIMED_OUT:
            return str((batch.error or {}).get("message", ""))
        case Status.CANCELED:
            return "The batch was canceled on request."
        case Status.EXPIRED if batch.is_draft and batch.input_bytes is not None:
            return f"Nobody checked the file within {settings.BATCH_UPLOAD_SECONDS:,} s."
        case Status.EXPIRED if batch.started_at is None:
            return f"No file was uploaded within {settings.BATCH_UPLOAD_SECONDS:,} s."
        case Status.COMPLETED | Status.EXPIRED:
            return batch.reason
    return ""


def _lacks_files(batch: Batch) -> bool:
    """Return whether a batch was stopped after it had written rows, and no file has them."""
    if batch.status not in BATCHES.retryable or not batch.has_files:
        return False
    has_result = BatchFile.objects.filter(batch=batch, kind=FileKind.RESULT).exists()
    return not has_result and JournalEntry.objects.filter(batch=batch).exists()


def _request_files(batch: Batch) -> None:
    """Ask a worker to write the files of an interrupted batch."""
    try:
        queue = BATCHES.queues[Lane(batch.lane)]
        current_app.send_task(BATCHES.task(WRITE_FILES), [batch.pk], queue=queue)
    except Exception as error:
        # Broker clients raise many kinds of error.
        logger.warning("Could not request the files of the batch %s: %s", batch, error)


def _delete_corrections(batch: Batch) -> None:
    """Delete the corrected cells from the request: without its input, nothing can use them."""
    row = BATCHES.jobs.filter(pk=batch.pk)
    for request, spec in row.values_list("request", "spec"):
        if request.pop("corrections", None) is not None:
            row.update(request=request, spec=spec | {"corrections": {}})


def _counts(batch: Batch) -> dict[str, int]:
    """Return the fields that count what a stopped batch has written; none for other batches.

    The journal has what the attempt wrote after its last report, and what earlier attempts wrote.
    """
    if batch.status not in BATCHES.retryable:
        return {}
    written = JournalEntry.objects.filter(batch=batch).count_own()
    return {f"{name}_count": written[step] for step, name in OUTCOMES.items()}


BATCHES = JobKind(
    job=Batch,
    event=BatchEvent,
    turn=BatchTurn,
    usage=BatchUsage,
    plural="batches",
    # Shared with exports.
    queues={Lane.LARGE: "large", Lane.QUICK: "quick"},
    limits=BatchLimits.applied_to,
    retention=lambda: timedelta(hours=settings.BATCH_RETENTION_HOURS),
    # A row is kept as long as the batch can be undone: its journal is deleted with it.
    record_retention=lambda: max(
        timedelta(days=settings.BATCH_RECORD_DAYS), timedelta(hours=settings.BATCH_UNDO_HOURS)
    ),
    unfinished_error=BatchErrorCode.TOO_MANY_BATCHES,
    storage=BATCH_STORAGE,
    # An expired batch has no input.
    retryable=(Status.FAILED, Status.TIMED_OUT, Status.CANCELED),
    # The input, without the files of its result.
    bytes_field="input_bytes",
)
batch_lifecycle = BatchLifecycle(BATCHES)
