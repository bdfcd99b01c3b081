"""Runs queued batches: from the stored input to written records and files."""

import sys
from datetime import timedelta
from functools import partial

from psycopg.errors import LockNotAvailable

from batches.execution.attempt import Attempt, failure_values
from batches.execution.outcome import Outcome
from batches.execution.writing import Timeouts, execute
from batches.lifecycle import limits
from batches.lifecycle.transitions import BatchLifecycle, batch_lifecycle
from batches.models import Batch
from longshore.api.errors import ApiError, ErrorCode
from longshore.jobs.queues import enqueue
from longshore.jobs.runner import JobRunner, TimeLimitReached, Work


class BatchRunner(JobRunner[Batch, Outcome]):
    """Executes batches."""

    lifecycle: BatchLifecycle
    # Maximum of the organization's time limit.
    max_seconds: int = sys.maxsize
    # Maximum of waiting for a lock; 0: the time limit.
    max_lock_seconds: int = 0
    _attempt: Attempt | None = None

    def prepare(self, job: Batch) -> Work[Outcome]:
        attempt = self._attempt = Attempt(job, job.claims[-1])
        seconds = min(attempt.limits.seconds, self.max_seconds)
        return Work(
            partial(execute, attempt, Timeouts(seconds, self.max_lock_seconds)),
            lambda: attempt.phases.processed,
            attempt.cancel,
            seconds,
            attempt.values,
        )

    def complete(self, job: Batch, result: Outcome) -> None:
        rows, values = result.rows, result.values()
        if result.failure is None:
            self.lifecycle.complete_with_files(job, rows, result.files, **values)
            return
        code, message = result.failure.code, result.failure.message
        self.lifecycle.fail_with_files(job, code, message, result.files, **values)

    def handle(self, job: Batch, error: BaseException) -> bool:
        if not isinstance(error, ApiError) or self._attempt is None:
            return False
        values = failure_values(self._attempt, error)
        self.lifecycle.fail_with_files(job, error.code, error.message, [], **values)
        return True

    def describe(self, result: Outcome) -> str:
        text = result.reason if result.failure is None else f"failed: {result.failure.message}"
        return text.removesuffix(".")


class _SyncRunner(BatchRunner):
    """Executes batches of the mode `sync` in a web process; leaves slow ones to a worker."""

    max_seconds = limits.MAX_SYNC_SECONDS
    max_lock_seconds = limits.MAX_LOCK_SECONDS

    def handle(self, job: Batch, error: BaseException) -> bool:
        reason = self._reason_to_wait(error)
        if reason is None:
            return super().handle(job, error)
        self.lifecycle.requeue_or_fail(
            job,
            delays=[timedelta(0)],
            earlier_failures=0,
            requeue_reason=f"{reason} A worker executes the batch.",
            failure_code=ErrorCode.TIMEOUT,
            failure_reason="",
        )
        enqueue(self.lifecycle.kind, job)
        return True

    def _reason_to_wait(self, error: BaseException) -> str | None:
        """Return why a worker goes on after an error; None if the batch ends with it."""
        if isinstance(error.__cause__ or error, LockNotAvailable):
            return (
                "Another transaction, perhaps of another batch, had locked records of the batch "
                f"for {self.max_lock_seconds} s."
            )
        allowed = self._attempt.limits.seconds if self._attempt else 0
        if isinstance(error, TimeLimitReached) and allowed > self.max_seconds:
            return f"The batch takes longer than {self.max_seconds} s, the limit of a request."
        return None


def run(number: int) -> None:
    """Run the queued batch whose turn it is, on a message for batch `number`."""
    BatchRunner(batch_lifecycle).run(number)


def run_claimed(batch: Batch) -> None:
    """Run a batch of the mode `sync` that this web process has claimed."""
    _SyncRunner(batch_lifecycle).run_claimed(batch)
