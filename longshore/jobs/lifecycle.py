"""Every change of a job's status: one conditional UPDATE with its event, in one transaction.

Attempts are fenced: each claim appends a token to `claims`, and only the worker that holds the
last token may report on the job or end it. Whether a worker is alive and whether a job is due is
decided by one clock, the database's.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import inf
from typing import Any, ClassVar, Generic, TypeVar

from django.db import transaction
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.utils import timezone

from longshore.api import idempotency
from longshore.api.errors import BaseErrorCode, ErrorCode
from longshore.database.ids import new_id
from longshore.jobs import admission, counters
from longshore.jobs.fairness import lock_next, record_turn, served_lanes
from longshore.jobs.kinds import JobKind
from longshore.jobs.models import Job
from longshore.jobs.queues import transfer_message
from longshore.jobs.statuses import RETRYABLE, TERMINAL, UNFINISHED, Lane, Status

J = TypeVar("J", bound=Job)

# The delay after each failed attempt; the attempt after the last delay is the last one. Together
# they outlast an outage of ten seconds.
RETRY_DELAYS = (timedelta(seconds=5), timedelta(seconds=15))


class Superseded(Exception):
    """The job was canceled, deleted or claimed by another worker."""


class Lifecycle(Generic[J]):
    """Changes the status of jobs of one kind.

    A kind of job that has more to do at a change overrides the hooks `changed`, `deleted`, `clean`,
    `orphans` and `failures`.
    """

    # Fields beyond those of `Job` that a restart resets and a deletion clears.
    restart_values: ClassVar[Mapping[str, Any]] = {}
    deletion_values: ClassVar[Mapping[str, Any]] = {}
    # Ends the message of a job that exceeded its time limit.
    time_limit_advice: ClassVar[str] = ""

    def __init__(self, kind: JobKind[J]) -> None:
        self.kind = kind

    # --- Hooks -------------------------------------------------------------------------------

    def changed(self, job: J) -> None:
        """Handle a new status of a job, in the transaction that changes it.

        job: as it is in the database.
        """
        if job.status in TERMINAL:
            counters.add(self.kind, job)

    def deleted(self, job: J) -> None:
        """Delete what other tables hold of a job, in the transaction that soft-deletes it."""
        idempotency.purge_responses(job.organization_id, job.public_id)

    def clean(self, job: J, end: float = inf) -> bool:
        """Delete the files of all attempts of a job. Return False if a file is left.

        end: time on the monotonic clock after which no more requests are sent to the storage.
        """
        return True

    def orphans(self, older_than: timedelta) -> Iterable[str]:
        """Yield the storage keys of files that belong to no job and are older than this."""
        return ()

    def failures(self, job: J) -> int:
        """Return the number of failed attempts that count against the job."""
        return len(job.claims)

    # --- Clients -----------------------------------------------------------------------------

    def create(self, job: J) -> None:
        """Store a new job, queued or requested."""
        with transaction.atomic(savepoint=False):
            job.save(force_insert=True)
            self._record(job, Status(job.status), attempt=0)
            self.changed(job)

    def cancel(self, job: J) -> bool:
        """Cancel a queued or running job. Return False if it has already ended."""
        canceled = self._change(
            job,
            Q(status__in=UNFINISHED),
            Status.CANCELED,
            attempt=len(job.claims),
            completed_at=Now(),
            estimated_completion=None,
            error=None,
        )
        return canceled is not None

    def restart(self, job: J) -> bool:
        """Queue an ended job whose files are deleted. Return False if it cannot be retried."""
        queued = self._change(
            job,
            Q(status__in=RETRYABLE),
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

        Its request, its events and the responses stored for an Idempotency-Key are deleted at
        once; its row is purged after its files.
        """
        with transaction.atomic():
            # A request whose response shows the job holds this lock until its response is stored.
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

    def claim(self, number: int, slot: Lane | None = None, slots: int = 0) -> J | None:
        """Claim the queued job whose turn it is, on a message for job `number`.

        slot: the lane of the worker; by default that of the message.
        slots: number of jobs that the workers of this lane process at a time.
        Returns None if there is no job that this worker may claim. `longshore.jobs.fairness`
        decides whose turn it is.
        """
        if slot is None:
            lanes = self.kind.jobs.filter(pk=number).values_list("lane", flat=True)
            slot = Lane(lanes.first() or Lane.QUICK)
        for lane in served_lanes(slot):
            if claimed := self._claim(lane, slot, slots):
                if claimed.pk != number:
                    # After the transaction, or two workers could wait for each other's rows.
                    transfer_message(self.kind, number, claimed)
                return claimed
        return None

    def report(self, job: J, rows: int) -> None:
        """Store the heartbeat and the progress of a claimed job. Raises Superseded."""
        estimate = job.estimate(rows, timezone.now())
        held = self.kind.jobs.visible().filter(_is_held(job), pk=job.pk)
        if not held.update(heartbeat_at=Now(), processed_count=rows, estimated_completion=estimate):
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

    def fail(self, job: J, code: BaseErrorCode, message: str) -> None:
        """End a claimed job with an error that a retry would not fix. Raises Superseded."""
        self._end(job, Status.FAILED, message, error={"error": code.value, "message": message})

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
        self.retry_with(
            job,
            RETRY_DELAYS,
            self.failures(job) - 1,
            ErrorCode.INTERNAL_ERROR,
            reason,
            reason,
        )

    def retry_with(
        self,
        job: J,
        delays: tuple[timedelta, ...],
        failures: int,
        code: BaseErrorCode,
        last: str,
        reason: str,
        **values: Any,
    ) -> None:
        """Requeue a claimed job after `delays[failures]`; fail it if there is no such delay.

        failures: number of earlier failures of this sort. last: the reason if the job fails.
        reason: the reason if it is requeued. values: fields to store with the requeued job.
        Raises Superseded.
        """
        if failures >= len(delays):
            text = f"The {self.kind.name} failed after {len(job.claims)} attempts. {last}"
            self.fail(job, code, text)
        elif not self._change(
            job,
            _is_held(job),
            Status.QUEUED,
            reason,
            attempt=len(job.claims),
            enqueued_at=None,
            not_before=Now() + delays[failures],
            processed_count=0,
            **values,
        ):
            raise Superseded(job.public_id)

    # --- Maintenance -------------------------------------------------------------------------

    def expire(self, job: J) -> None:
        """Expire a completed job whose files are deleted. No effect if it was retried meanwhile."""
        self._change(
            job,
            Q(status=Status.COMPLETED, claims=job.claims),
            Status.EXPIRED,
            attempt=len(job.claims),
            claims=[],
            stored_bytes=0,
        )

    # --- The one UPDATE ----------------------------------------------------------------------

    def _claim(self, lane: Lane, slot: Lane, slots: int) -> J | None:
        with transaction.atomic():
            job = lock_next(self.kind, lane, slot, slots)
            if job is None:
                return None
            token = new_id("claim")
            claimed = self._change(
                job,
                Q(status=Status.QUEUED),
                Status.PROCESSING,
                attempt=len(job.claims) + 1,
                slot=slot,
                started_at=Now(),
                heartbeat_at=Now(),
                processed_count=0,
                claims=Func(F("claims"), Value(token), function="array_append"),
            )
            if claimed is not None:
                record_turn(self.kind, claimed)
        return claimed

    def _end(self, job: J, status: Status, reason: str = "", **values: Any) -> None:
        if not self._change(
            job,
            _is_held(job),
            status,
            reason,
            attempt=len(job.claims),
            completed_at=Now(),
            estimated_completion=None,
            **values,
        ):
            raise Superseded(job.public_id)

    def _change(
        self,
        job: J,
        condition: Q,
        status: Status,
        reason: str = "",
        *,
        attempt: int,
        **values: Any,
    ) -> J | None:
        """Change the status of a job if `condition` is true of its row.

        Returns the job as it is afterwards, or None if its row was not changed.
        """
        row = self.kind.jobs.visible().filter(condition, pk=job.pk)
        with transaction.atomic(savepoint=False):
            if not row.update(status=status, **values):
                return None
            self._record(job, status, reason, attempt=attempt)
            # Read while the row is locked: a moment later it could hold another worker's token.
            changed = self.kind.jobs.get(pk=job.pk)
            self.changed(changed)
        return changed

    def _record(self, job: J, status: Status, reason: str = "", *, attempt: int) -> None:
        event = self.kind.event(
            **{self.kind.name: job}, status=status, attempt=attempt, reason=reason
        )
        event.save(force_insert=True)


def _is_held(job: Job) -> Q:
    """Select the row of a claimed job as long as no later attempt has claimed it."""
    return Q(status=Status.PROCESSING, claims=job.claims)
