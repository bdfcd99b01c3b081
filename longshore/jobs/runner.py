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
from threading import Event
from typing import Any, ClassVar, Generic, TypeVar

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
)
from psycopg.errors import QueryCanceled
from structlog.contextvars import bind_contextvars

from longshore.api.errors import ApiError, BaseErrorCode
from longshore.jobs import heartbeats, queues
from longshore.jobs.errors import WRONG_STATEMENTS, JobErrorCode
from longshore.jobs.fairness import waiting_of
from longshore.jobs.lifecycle import Lifecycle, Superseded
from longshore.jobs.models import Job

logger = logging.getLogger(__name__)

J = TypeVar("J", bound=Job)
R = TypeVar("R")

REPORT_SECONDS = 1.0
_WRONG_STATEMENT = (
    "The declaration of the resource does not fit the database; the log of the worker has the "
    "details, and manage.py check --database default names the attribute."
)
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
    values: returns other fields of the job to store with its progress.
    """

    do: Callable[[], R]
    rows: Callable[[], int]
    cancel: Callable[[], None]
    seconds: int
    values: Callable[[], Mapping[str, Any]] = dict


class JobRunner(Generic[J, R]):
    """Runs jobs of one kind, each in one attempt. R is the type of the result of the work."""

    # Errors that a retry would not fix, and their codes. ApiError has its own code. Any other
    # error requeues the job.
    permanent_errors: ClassVar[Mapping[type[Exception], BaseErrorCode]] = {}

    def __init__(self, lifecycle: Lifecycle[J]) -> None:
        self.lifecycle = lifecycle

    # --- Hooks -------------------------------------------------------------------------------

    def prepare(self, job: J) -> Work[R]:
        """Return the work of the current attempt, which has not begun."""
        raise NotImplementedError

    def complete(self, job: J, result: R) -> None:
        """Store the result and complete the job, in one transaction. Raises Superseded.

        Changes of the database that must happen exactly once belong here. Call
        `Lifecycle.complete` last, because it locks the job's row. If the attempt has lost its job,
        `Lifecycle.complete` raises Superseded and the transaction is rolled back. The runner
        reports meanwhile, so this may take longer than a heartbeat lasts; the time limit does not
        apply.
        An ApiError fails the job; it must be raised before anything is committed.
        """
        raise NotImplementedError

    def describe(self, result: R) -> str:
        """Return the text that the log shows of a result, such as `contacts.csv, 5 rows`."""
        return ""

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
        self.run_claimed(job)
        if slots > 1 and (waiting := waiting_of(kind, job.organization_id, slot)):
            # No worker claimed this job while the organization used its maximum of slots.
            queues.enqueue(kind, waiting)

    def run_claimed(self, job: J) -> None:
        """Run a job that this process has claimed."""
        name = self.lifecycle.kind.name
        bind_contextvars(**{name: job.public_id}, organization=job.organization_id)
        try:
            self._run(job)
        except Superseded:
            text = "The %s %s was claimed by another worker, canceled or deleted."
            logger.info(text, name, job)

    def _run(self, job: J) -> None:
        pool = ThreadPoolExecutor(1, thread_name_prefix=self.lifecycle.kind.name)

        def clear(claims: list[str]) -> None:
            """Delete files of attempts in the pool's thread, after the work has ended.

            Wait at most _CLEANING_SECONDS: the storage may be slow.

            claims: tokens of the job as it was claimed. The files of a later attempt are kept.
            """
            if claims:
                wait([pool.submit(self._clear, job, claims)], timeout=_CLEANING_SECONDS)

        try:
            try:
                result, rows = self._work(job, pool)
            except BaseException as error:
                # Also if this process is to end: it has no time to delete files later.
                try:
                    self._end(job, error)
                finally:
                    clear(job.claims)
                return
            try:
                self._complete(job, result, rows, pool)
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

            # Delete files that earlier attempts left because the storage was unavailable. It is
            # available now.
            clear(job.claims[:-1])
        finally:
            pool.shutdown(wait=False)
        name, details = self.lifecycle.kind.name, self.describe(result)
        logger.info("The %s %s has ended%s.", name, job, f": {details}" if details else "")

    def _complete(self, job: J, result: R, rows: int, pool: ThreadPoolExecutor) -> None:
        """Store the result while a thread of the pool reports."""
        is_done = Event()
        pool.submit(self._report_until, is_done, job, rows)
        try:
            self.complete(job, result)
        finally:
            is_done.set()

    def _clear(self, job: J, claims: list[str]) -> None:
        try:
            self.lifecycle.delete_attempts(job, claims)
        except Exception:
            # Storages raise errors of many kinds. Maintenance deletes what is left.
            logger.exception("Files of the %s %s are left.", self.lifecycle.kind.name, job)
        finally:
            # The thread of the pool has connections of its own.
            connections.close_all()

    def _report_until(self, is_done: Event, job: J, rows: int) -> None:
        """Report until the result is stored: without reports, recovery would requeue the job.

        Runs in a thread of the pool, whose connection is not part of the transaction that stores
        the result. Opens it only if storing takes longer than REPORT_SECONDS.
        """
        try:
            while not is_done.wait(REPORT_SECONDS):
                self._report(job, rows)
        except Superseded:
            # Completing the job raises it too.
            pass
        finally:
            connections.close_all()

    def _report(self, job: J, rows: int, **values: Any) -> None:
        """Store the heartbeat and the progress. Raises Superseded.

        values: other fields to store.
        An unavailable database does not end the attempt, because the work may read from another
        one. After `maintenance.MAX_SILENCE` without a report, recovery requeues the job.
        """
        try:
            self.lifecycle.report(job, rows, **values)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("A heartbeat of %s failed: %s", job, error)
            close_old_connections()

    def _work(self, job: J, pool: ThreadPoolExecutor) -> tuple[R, int]:
        """Do the work in a thread of the pool while this one reports.

        Returns the result, and the number of records processed.
        """
        work = self.prepare(job)
        deadline = time.monotonic() + work.seconds
        doing = pool.submit(copy_context().run, work.do)
        try:
            while not wait([doing], timeout=REPORT_SECONDS).done:
                self._report(job, work.rows(), **work.values())
                if time.monotonic() > deadline:
                    raise TimeLimitReached(work.seconds)
            return doing.result(), work.rows()
        except QueryCanceled as error:
            if time.monotonic() < deadline:
                raise
            raise TimeLimitReached(work.seconds) from error
        except BaseException:
            # Also if this process must end: no process will use the result.
            work.cancel()
            raise

    def _end(self, job: J, error: BaseException) -> None:
        """Fail, time out or requeue a job after an error.

        Raises Superseded, and signals such as SystemExit that end the process.
        """
        # If the error was a lost connection of Django, this opens a new one.
        close_old_connections()
        if self.handle(job, error):
            return
        if isinstance(error, WRONG_STATEMENTS) or isinstance(error.__cause__, WRONG_STATEMENTS):
            logger.error("The %s %s failed.", self.lifecycle.kind.name, job, exc_info=error)
            self.lifecycle.fail(job, JobErrorCode.INVALID_DECLARATION, _WRONG_STATEMENT)
            return
        for failure, code in self.permanent_errors.items():
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
                self.lifecycle.retry_later(job, _reason(error))
            case _:
                raise error


def _reason(error: Exception) -> str:
    """Return why an attempt ended, as a sentence for clients and staff. The log has the error."""
    match error:
        case OperationalError() | InterfaceError():
            return "The database was not available."
        case OSError():
            return "A connection failed, or a file could not be read or written."
    return "An unexpected error ended the attempt; the log of the worker has the details."
