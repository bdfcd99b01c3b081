"""Every change of a job's status: one conditional UPDATE with its event, in one transaction.

Attempts are fenced: each claim appends a token to `claims`, and only the worker that holds the
last token may report on the job or end it. The database's clock decides whether a worker is alive
and whether a job is due.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.utils import timezone

from longshore.api.errors import BaseErrorCode, ErrorCode
from longshore.database.ids import new_id
from longshore.jobs import admission
from longshore.jobs.changes import StatusChanges, Superseded, held_by
from longshore.jobs.fairness import lock_next, record_turn, served_lanes
from longshore.jobs.models import Job
from longshore.jobs.queues import transfer_message
from longshore.jobs.statuses import Lane, Status

__all__ = ["RETRY_DELAYS", "Lifecycle", "Superseded", "held_by"]

J = TypeVar("J", bound=Job)

# The delay after each failed attempt; the attempt after the last delay is the last one. Together
# they outlast an outage of ten seconds.
RETRY_DELAYS = (timedelta(seconds=5), timedelta(seconds=15))


def _claim_values() -> dict[str, Any]:
    """Return the fields that a claim sets, with a new token."""
    token = Value(new_id("claim"))
    return {
        "started_at": Now(),
        "heartbeat_at": Now(),
        "processed_count": 0,
        "claims": Func(F("claims"), token, function="array_append"),
        "has_files": True,
    }


class Lifecycle(StatusChanges[J]):
    """Changes the status of jobs of one kind. A subclass overrides hooks of `LifecycleHooks`."""

    # --- Clients -----------------------------------------------------------------------------

    def quotas(self, job: J) -> admission.Quotas:
        """Return the quotas of a job that is created or retried."""
        limits = self.kind.limits(job.organization_id)
        return admission.Quotas(self.kind, job.organization_id, limits)

    def create(self, job: J) -> None:
        """Store a new job, queued or requested. It expires after its `lifetime`."""
        job.expires_at = timezone.now() + self.lifetime(job)
        with transaction.atomic(savepoint=False):
            job.save(force_insert=True)
            self._record(job, Status(job.status), attempt=0)
            self.changed(job)

    def queue(self, job: J, **values: Any) -> J | None:
        """Queue a requested job whose input is complete. The caller enqueues it on commit.

        values: other fields to store, such as `lane` and `records_count`.
        Returns the job as it is afterwards, or None if it is not requested any more.
        """
        return self._change(
            job,
            Q(status=Status.REQUESTED),
            Status.QUEUED,
            attempt=0,
            expires_at=Now() + self.kind.retention(),
            **values,
        )

    def reject(self, job: J, code: BaseErrorCode, message: str, **values: Any) -> bool:
        """Fail a requested job whose input cannot be used. Return False if it is not requested.

        values: other fields to store.
        """
        rejected = self._change(
            job,
            Q(status=Status.REQUESTED),
            Status.FAILED,
            message,
            attempt=0,
            completed_at=Now(),
            error={"error": code.value, "message": message},
            **values,
        )
        return rejected is not None

    def cancel(self, job: J, reason: str = "") -> bool:
        """Cancel a requested, queued or running job. Return False if it has already ended.

        reason: who canceled it, as a sentence.
        """
        canceled = self._change(
            job,
            Q(status__in=self.kind.unfinished),
            Status.CANCELED,
            reason,
            attempt=len(job.claims),
            completed_at=Now(),
            estimated_completion=None,
            error=None,
        )
        return canceled is not None

    def restart(self, job: J) -> bool:
        """Queue an ended job again, after the files of its attempts were deleted.

        Returns False if its status does not allow a retry.
        """
        queued = self._change(
            job,
            Q(status__in=self.kind.retryable),
            Status.QUEUED,
            "Retried on request.",
            attempt=0,
            claims=[],
            stored_bytes=0,
            started_at=None,
            heartbeat_at=None,
            completed_at=None,
            enqueued_at=None,
            not_before=None,
            estimated_completion=None,
            expires_at=Now() + self.kind.retention(),
            processed_count=0,
            error=None,
            **self.restart_values,
        )
        return queued is not None

    def delete(self, job: J) -> None:
        """Cancel and soft-delete a job. Idempotent.

        Its request and the data that `deleted` deletes, such as stored responses of an
        Idempotency-Key, are deleted at once. Its row and its history are purged after its files.
        """
        with transaction.atomic():
            # The creation of the job holds this lock until its response is stored under its
            # Idempotency-Key, so `deleted` finds that response.
            admission.lock(job.organization_id)
            row = self.kind.jobs.visible().filter(pk=job.pk)
            # Locked before it is canceled, so that no other status change comes between the two.
            current = row.select_for_update(no_key=True, of=("self",)).first()
            if current is None:
                return
            if self.cancel(current):
                current.refresh_from_db()
            self.deleted(current)
            row.update(deleted_at=Now(), request={}, spec={}, error=None, **self.deletion_values)

    # --- Workers -----------------------------------------------------------------------------

    def claim(self, number: int, slot: Lane, slots: int) -> J | None:
        """Claim the queued job whose turn it is, on a message for job `number`.

        slot: the lane of the worker.
        slots: number of jobs that the workers of this lane process at a time; 0 if it is not known.
        Returns None if there is no job that this worker may claim. `longshore.jobs.fairness`
        decides whose turn it is.
        """
        for lane in served_lanes(slot):
            if claimed := self._claim(lane, slot, slots):
                if claimed.pk != number:
                    # After the transaction, or two workers could wait for each other's rows.
                    transfer_message(self.kind, number, claimed)
                return claimed
        return None

    def claim_created(self, job: J) -> J:
        """Claim a queued job for this process, in the transaction that creates it.

        No worker can claim it before. It uses no slot of a lane. Returns the job as it is
        afterwards.
        """
        claimed = self._change(
            job,
            Q(status=Status.QUEUED),
            Status.PROCESSING,
            attempt=1,
            **_claim_values(),
        )
        if claimed is None:
            raise Superseded(job.public_id)
        return claimed

    def report(self, job: J, rows: int, **values: Any) -> None:
        """Store the heartbeat and the progress of a claimed job. Raises Superseded.

        values: other fields to store.
        """
        estimate = job.estimate(rows, timezone.now())
        held = self.kind.jobs.visible().filter(held_by(job), pk=job.pk)
        if not held.update(
            heartbeat_at=Now(), processed_count=rows, estimated_completion=estimate, **values
        ):
            raise Superseded(job.public_id)

    def complete(self, job: J, rows: int, **values: Any) -> None:
        """Complete a claimed job that processed `rows`. Raises Superseded.

        values: other fields to store.
        """
        self._end(
            job,
            Status.COMPLETED,
            expires_at=Now() + self.kind.retention(),
            records_count=rows,
            processed_count=rows,
            **values,
        )

    def fail(self, job: J, code: BaseErrorCode, message: str, **values: Any) -> None:
        """End a claimed job with an error that a retry would not fix. Raises Superseded.

        values: other fields to store.
        """
        error = {"error": code.value, "message": message}
        self._end(job, Status.FAILED, message, error=error, **values)

    def time_out(self, job: J, seconds: int) -> None:
        """End a claimed job that exceeded its time limit. Raises Superseded."""
        text = f"The {self.kind.name} took longer than its limit of {seconds} s."
        if self.time_limit_advice:
            text = f"{text} {self.time_limit_advice}"
        error = {"error": ErrorCode.TIMEOUT.value, "message": text}
        self._end(job, Status.TIMED_OUT, text, error=error)

    def retry_later(self, job: J, reason: str) -> None:
        """Requeue a claimed job with a growing delay; fail it after the last attempt.

        reason: why the attempt ended, as a sentence. Raises Superseded.
        """
        self.requeue_or_fail(
            job,
            delays=RETRY_DELAYS,
            earlier_failures=self.count_failures(job) - 1,
            requeue_reason=reason,
            failure_code=ErrorCode.INTERNAL_ERROR,
            failure_reason=reason,
        )

    def requeue_or_fail(
        self,
        job: J,
        *,
        delays: Sequence[timedelta],
        earlier_failures: int,
        requeue_reason: str,
        failure_code: BaseErrorCode,
        failure_reason: str,
        **values: Any,
    ) -> None:
        """Requeue a claimed job after `delays[earlier_failures]`; fail it if there is none.

        earlier_failures: number of failures of this sort before the current one.
        requeue_reason, failure_reason: sentences for the event and the error.
        values: fields to store with the requeued job.
        Raises Superseded.
        """
        if earlier_failures >= len(delays):
            attempts = f"The {self.kind.name} failed after {len(job.claims)} attempts."
            self.fail(job, failure_code, f"{attempts} {failure_reason}")
        elif not self._change(
            job,
            held_by(job),
            Status.QUEUED,
            requeue_reason,
            attempt=len(job.claims),
            enqueued_at=None,
            not_before=Now() + delays[earlier_failures],
            estimated_completion=None,
            processed_count=0,
            **values,
        ):
            raise Superseded(job.public_id)

    # --- Maintenance -------------------------------------------------------------------------

    def end_retention(self, job: J) -> bool:
        """End the retention of a completed job now: it is expired, and its links stop working.

        Return False if it is not completed, or expired already. The caller deletes the files.
        """
        ready = self.kind.jobs.ready().filter(pk=job.pk)
        return bool(ready.update(expires_at=Now()))

    def expire(self, job: J) -> None:
        """Expire a completed job whose files are deleted. No effect if it was retried meanwhile."""
        self._change(
            job,
            Q(status=Status.COMPLETED, claims=job.claims),
            Status.EXPIRED,
            attempt=len(job.claims),
            claims=[],
            has_files=False,
            stored_bytes=0,
        )

    def expire_requested(self, job: J) -> None:
        """Expire a job that was not queued in time. Its files are deleted afterwards."""
        self._change(
            job,
            Q(status=Status.REQUESTED, expires_at__lte=Now()),
            Status.EXPIRED,
            f"The {self.kind.name} was not queued in time.",
            attempt=0,
            completed_at=Now(),
            estimated_completion=None,
        )

    # --- Claims ----------------------------------------------------------------------------------

    def _claim(self, lane: Lane, slot: Lane, slots: int) -> J | None:
        with transaction.atomic():
            job = lock_next(self.kind, lane, slot, slots)
            if job is None:
                return None
            claimed = self._change(
                job,
                Q(status=Status.QUEUED),
                Status.PROCESSING,
                attempt=len(job.claims) + 1,
                slot=slot,
                **_claim_values(),
            )
            if claimed is not None:
                record_turn(self.kind, claimed)
        return claimed
