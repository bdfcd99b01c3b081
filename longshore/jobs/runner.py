"""Runs a queued job: the skeleton that every kind of job shares.

`JobRunner.run` claims a job, does its work in a thread, reports every second, enforces the time
limit, and completes, fails or requeues the job. A kind of job supplies `prepare`, and overrides
the other hooks if it needs to.
"""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from django.db import close_old_connections
from psycopg.errors import QueryCanceled
from structlog.contextvars import bind_contextvars

from longshore.api.errors import ApiError, BaseErrorCode
from longshore.jobs import heartbeats, queues
from longshore.jobs.fairness import waiting_of
from longshore.jobs.lifecycle import Lifecycle, Superseded
from longshore.jobs.models import Job

logger = logging.getLogger(__name__)

J = TypeVar("J", bound=Job)
R = TypeVar("R")

REPORT_SECONDS = 1.0
# Time limit of deleting files after an attempt. Maintenance deletes the files that are left.
_CLEANING_SECONDS = 60


class TimeLimitReached(Exception):
    """The attempt exceeded the time limit of its organization, `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(frozen=True)
class Work(Generic[R]):
    """The work of one attempt.

    do: does the work in a thread of its own and returns the result. It must not use Django's
        connections, which belong to the thread that opened them, unless it closes them.
    rows: returns the number of records processed so far.
    cancel: makes `do` end soon. Called by another thread.
    seconds: time limit of the attempt.
    """

    do: Callable[[], R]
    rows: Callable[[], int]
    cancel: Callable[[], None]
    seconds: int


class JobRunner(Generic[J, R]):
    """Runs jobs of one kind, each in one attempt. R is the type of the result of the work."""

    # Errors that a retry would not fix, and their codes. ApiError has its own code. Any other
    # error requeues the job.
    failures: ClassVar[Mapping[type[Exception], BaseErrorCode]] = {}

    def __init__(self, lifecycle: Lifecycle[J]) -> None:
        self.lifecycle = lifecycle

    # --- Hooks -------------------------------------------------------------------------------

    def prepare(self, job: J) -> Work[R]:
        """Return the work of the current attempt, which has not begun."""
        raise NotImplementedError

    def complete(self, job: J, result: R) -> None:
        """Store the result and complete the job. Raises Superseded.

        An ApiError fails the job; it must be raised before anything is committed.
        """
        raise NotImplementedError

    def clear(self, job: J, claims: list[str]) -> None:
        """Delete the files that the attempts with these tokens wrote."""

    def handle(self, job: J, error: BaseException) -> bool:
        """Handle an error specific to this kind of job: end the attempt and return True.

        Return False for any other error.
        """
        return False

    # --- The attempt -------------------------------------------------------------------------

    def run(self, number: int) -> None:
        """Run the queued job whose turn it is, on a message for job `number`."""
        kind = self.lifecycle.kind
        slot = queues.lane_of_worker(kind)
        slots = heartbeats.slots(kind, slot)
        job = self.lifecycle.claim(number, slot, slots)
        if job is None:
            return
        bind_contextvars(**{kind.name: job.public_id}, organization=job.organization_id)
        try:
            self._run(job)
        except Superseded:
            text = "The %s %s was claimed by another worker, canceled or deleted."
            logger.info(text, kind.name, job)
        if slots > 1 and (waiting := waiting_of(kind, job.organization_id, slot)):
            # No worker claimed this job while the organization used its maximum of slots.
            queues.enqueue(kind, waiting)

    def _run(self, job: J) -> None:
        pool = ThreadPoolExecutor(1, thread_name_prefix=self.lifecycle.kind.name)

        def clear(claims: list[str]) -> None:
            """Clear in the thread of the work, after it: a slow storage must not block this one."""
            wait([pool.submit(self.clear, job, claims)], timeout=_CLEANING_SECONDS)

        try:
            try:
                result = self._work(job, pool)
            except BaseException as error:
                # Also if this process is to end: it has no time to clear later.
                try:
                    self._end(job, error)
                finally:
                    clear(job.claims)
                return
            try:
                self.complete(job, result)
            except Superseded:
                clear(job.claims)
                raise
            except ApiError as error:
                # Nothing was committed, for example because a quota has no room for the result.
                try:
                    self._end(job, error)
                finally:
                    clear(job.claims)
                return
            # After any other error, the result may or may not be committed. If it is not, the
            # heartbeats end and the job is retried; if it is, the files must stay.
            # Delete the files of earlier attempts, which may have failed while the storage was
            # unavailable. It is available now.
            clear(job.claims[:-1])
        finally:
            pool.shutdown(wait=False)
        logger.info("The %s %s is completed.", self.lifecycle.kind.name, job)

    def _work(self, job: J, pool: ThreadPoolExecutor) -> R:
        """Do the work in a thread of the pool while this one reports."""
        work = self.prepare(job)
        deadline = time.monotonic() + work.seconds
        doing = pool.submit(copy_context().run, work.do)
        try:
            while not wait([doing], timeout=REPORT_SECONDS).done:
                self.lifecycle.report(job, work.rows())
                if time.monotonic() > deadline:
                    raise TimeLimitReached(work.seconds)
            return doing.result()
        except QueryCanceled as error:
            if time.monotonic() < deadline:
                raise
            raise TimeLimitReached(work.seconds) from error
        except BaseException:
            # Also if this process must end: no process will use the result.
            work.cancel()
            raise

    def _end(self, job: J, error: BaseException) -> None:
        """Fail, time out or requeue a job after an error. Raises errors that are not the job's."""
        # If the error was a lost connection of Django, this opens a new one.
        close_old_connections()
        if self.handle(job, error):
            return
        for failure, code in self.failures.items():
            if isinstance(error, failure):
                self.lifecycle.fail(job, code, str(error))
                return
        match error:
            case TimeLimitReached():
                self.lifecycle.time_out(job, error.seconds)
            case ApiError():
                self.lifecycle.fail(job, error.code, error.message)
            case Superseded():
                raise error
            case Exception():
                logger.error("The %s %s failed.", self.lifecycle.kind.name, job, exc_info=error)
                self.lifecycle.retry_later(job, f"The attempt ended with {type(error).__name__}.")
            case _:
                raise error
