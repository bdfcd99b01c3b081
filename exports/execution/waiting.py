"""Writes small exports in a web process, before the response to the request that creates them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import BoundedSemaphore

from exports.execution.runner import ExportRunner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportFile
from longshore.api.errors import ErrorCode
from longshore.jobs.queues import enqueue
from longshore.jobs.runner import TimeLimitReached, Work

# Threads of a web process that may write exports at a time: the others serve other requests.
MAX_THREADS = 2
_threads = BoundedSemaphore(MAX_THREADS)


@contextmanager
def thread() -> Iterator[bool]:
    """Take one of the MAX_THREADS during the block. Yield False if none is free."""
    is_free = _threads.acquire(blocking=False)
    try:
        yield is_free
    finally:
        if is_free:
            _threads.release()


class _WaitingRunner(ExportRunner):
    """Leaves an export that takes longer than `seconds` to a worker."""

    seconds = 0
    _limit = 0

    def prepare(self, job: Export) -> Work[list[ExportFile]]:
        work = super().prepare(job)
        self._limit = work.seconds
        return replace(work, seconds=min(self.seconds, work.seconds))

    def handle(self, job: Export, error: BaseException) -> bool:
        if not isinstance(error, TimeLimitReached) or self._limit <= self.seconds:
            return super().handle(job, error)
        self.lifecycle.requeue_or_fail(
            job,
            delays=[timedelta(0)],
            earlier_failures=0,
            requeue_reason=(
                f"The export takes longer than the {self.seconds} s that the request waits. "
                "A worker writes it."
            ),
            failure_code=ErrorCode.TIMEOUT,
            failure_reason="",
        )
        enqueue(self.lifecycle.kind, job)
        return True


def run(export: Export, seconds: int) -> None:
    """Write an export that this process has claimed, within some seconds."""
    runner = _WaitingRunner(export_lifecycle)
    runner.seconds = seconds
    runner.run_claimed(export)
