"""Coordinates the workers that read one export.

The coordinator is the worker that runs the export. It holds the snapshot, plans the partitions,
asks idle workers to read them, reads some itself, and watches. `exports.execution.partitions` has
what every worker does.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, TypeAlias

import psycopg
from django.db import InterfaceError, OperationalError, connections, transaction
from django.db.models import Q
from django.db.models.functions import Now

from exports.execution import partitions
from exports.execution.joining import JOINABLE, groups_to_join
from exports.execution.partitions import MAX_SILENCE, MAX_TRIES, of_attempt, read_next
from exports.execution.planning import Planner
from exports.formats.base import FormatLimit
from exports.lifecycle.limits import AttemptLimits
from exports.lifecycle.transitions import EXPORTS
from exports.models import Export, ExportPartition, Lane, PartitionStatus
from exports.reading.copy_reader import IncompleteExport
from exports.reading.partition_reader import fingerprint
from exports.reading.partitioning import Plan, Slice
from exports.reading.stream import ExportStream, Source, check_leader
from exports.spec import ExportSpec
from longshore.api.errors import ApiError
from longshore.files.storage.base import PartsNotSupported
from longshore.jobs.idle import idle_slots

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
# Consecutive errors of the coordinator's own reads after which the last error ends the attempt.
_MAX_ERRORS = 3
# Failed partitions of other workers after which the coordinator sends no more messages.
_MAX_FAILED = 3
# Errors that another try would not mend.
_PERMANENT = (ApiError, FormatLimit, PartsNotSupported, psycopg.errors.QueryCanceled)
REQUEST_SECONDS = 2.0
State: TypeAlias = dict[str, Any]
# The fields of a partition's state.
_STATE = (*JOINABLE, "rows", "expected_bytes", "tries", "is_lost")
_READ = (PartitionStatus.DONE, PartitionStatus.SMALL)
_UNREAD = (PartitionStatus.PENDING, PartitionStatus.FAILED)


def idle_readers() -> int:
    """Return the number of workers that could read a partition now; 0 or less if there are none."""
    reading = ExportPartition.objects.filter(status=PartitionStatus.RUNNING, is_remote=True)
    # The rows of a dead coordinator stay until its files are deleted.
    alive = reading.filter(heartbeat_at__gt=Now() - MAX_SILENCE)
    return idle_slots(EXPORTS, Lane.LARGE) - alive.count()


@dataclass(frozen=True)
class Attempt:
    """What one attempt to write an export consists of.

    source: the open snapshot of the stream.
    checked: the limits of the attempt.
    """

    export: Export
    spec: ExportSpec
    stream: ExportStream
    source: Source
    plan: Plan
    checked: AttemptLimits


class Coordinator:
    """The partitions of one attempt.

    upload: the identifier of the upload in parts; empty if there is none yet.
    """

    def __init__(
        self,
        attempt: Attempt,
        planner: Planner,
        start: Callable[[], str],
        *,
        ratio: float = 1.0,
        max_partitions: int,
        too_many: Exception,
    ) -> None:
        """Prepare it; nothing is stored yet.

        planner: of the partitions. Only the thread that calls `read_all` may use it.
        start: starts the upload in parts, and returns its identifier; empty if each partition
            becomes a file.
        ratio: the expected bytes of the file for each expected byte of text.
        too_many: raised if there are more than `max_partitions`.
        """
        self.upload = ""
        self._export = attempt.export
        self._stream = attempt.stream
        self._source = attempt.source
        self._checked = attempt.checked
        self._planner = planner
        self._start = start
        self._ratio = ratio
        self._max_partitions = max_partitions
        self._too_many = too_many
        # Equal in all partitions.
        self._values = {
            "fingerprint": fingerprint(attempt.spec, attempt.export.organization_id),
            "snapshot": attempt.stream.share(attempt.source),
        }
        self._stored = 0
        # The slices that were planned, but not stored yet.
        self._taken: list[Slice] | None = None
        self._requested_at = 0.0
        # The consecutive errors of own reads.
        self._errors: list[Exception] = []

    def end(self, *, is_upload_left: bool) -> None:
        """Delete the partitions. Their readers stop at their next report.

        is_upload_left: keep them, without readers, because they name the upload that the deletion
            of the attempt's files has to abort.
        """
        claim = self._export.claims[-1]
        stored = ExportPartition.objects.filter(export=self._export, claim=claim)
        try:
            if is_upload_left:
                stored.update(status=PartitionStatus.FAILED, token="")
            else:
                stored.delete()
        except (OperationalError, InterfaceError) as error:
            text = "The partitions of %s are deleted with its files, because of an error: %s"
            logger.warning(text, self._export, error)

    def read_all(self) -> bool:
        """Have all partitions read. Keeps `rows` of the stream up to date.

        Returns False if the file is empty or too small for parts.
        The database of the partitions may be unavailable for a while, because the rows may come
        from another one.
        Raises IncompleteExport, ApiError if a limit is exceeded, QueryCanceled after `cancel` of
        the stream, `too_many`, and the errors of `start` and of `read_next`.
        """
        pool = ThreadPoolExecutor(1, thread_name_prefix="distribution")
        own: Future[bool] | None = None
        try:
            while True:
                self._stream.check()
                try:
                    states = self._poll()
                    if self._is_planned and not self._join(states):
                        if all(each["status"] == PartitionStatus.SMALL for each in states):
                            return False
                        if all(each["status"] == PartitionStatus.DONE for each in states):
                            return True
                    self._plan(states)
                    self._request_readers(states)
                    if own is None or own.done():
                        run = copy_context().run
                        own = pool.submit(run, partial(read_next, self._export, is_remote=False))
                    wait([own], timeout=POLL_SECONDS)
                    if own.done() and not self._has_read(own):
                        # Others read the last partitions, or the next try may succeed.
                        time.sleep(POLL_SECONDS)
                except (OperationalError, InterfaceError) as error:
                    text = "The partitions of %s are not accessible: %s"
                    logger.warning(text, self._export, error)
                    connections.close_all()
                    time.sleep(POLL_SECONDS)
        except psycopg.Error:
            # Readers of the snapshot have errors of their own if the leader has lost it.
            self._stream.cancel()
            check_leader(self._source.leader, self._planner.slices)
            raise
        finally:
            pool.submit(connections.close_all)
            pool.shutdown(wait=False)

    @property
    def _is_planned(self) -> bool:
        return self._planner.is_complete and self._taken is None

    def _has_read(self, own: Future[bool]) -> bool:
        """Return whether an own read, which has ended, has read a partition.

        Raises its error if it is permanent, the last of several in a row, or Django's error of a
        database that is not available.
        """
        try:
            has_read = own.result()
        except (*_PERMANENT, OperationalError, InterfaceError):
            raise
        except Exception as error:
            self._errors.append(error)
            if len(self._errors) == _MAX_ERRORS:
                raise
            logger.warning("A partition of %s is read again: %s", self._export, error)
            return False
        self._errors.clear()
        return has_read

    def _poll(self) -> list[State]:
        """Return the states of all partitions, in file order, after a check of the limits.

        Raises IncompleteExport if the attempt was superseded, or after too many tries; then the
        last own error if there is one.
        """
        is_lost = Q(status=PartitionStatus.RUNNING, heartbeat_at__lt=Now() - MAX_SILENCE)
        states = list(of_attempt(self._export).annotate(is_lost=is_lost).values(*_STATE))
        if self._stored and not states:
            raise IncompleteExport("The attempt was superseded.")
        self._stream.rows = sum(each["rows"] for each in states)
        self._checked.check(self._stream.rows, sum(each["bytes"] for each in states))
        if any(each["is_lost"] for each in states):
            # Let other workers read them. One that has reported since is read twice.
            lost = of_attempt(self._export).filter(is_lost)
            count = lost.update(status=PartitionStatus.PENDING, token="")
            logger.warning("%s partitions of %s lost their worker.", count, self._export)
        unread = [each for each in states if each["status"] in _UNREAD]
        if any(each["tries"] >= MAX_TRIES for each in unread):
            text = f"A partition was not read after {MAX_TRIES} tries."
            raise self._errors[-1] if self._errors else IncompleteExport(text)
        return states

    def _plan(self, states: list[State]) -> None:
        """Store partitions until there are enough for all readers until the next poll."""
        pending = sum(each["status"] in _UNREAD for each in states)
        wanted = 2 + 2 * _count(states, PartitionStatus.RUNNING)
        read = [each for each in states if each["status"] in _READ]
        expected = sum(each["expected_bytes"] for each in read)
        ratio = sum(each["bytes"] for each in read) / expected if expected else self._ratio
        while pending < wanted:
            self._taken = self._taken or self._planner.take(ratio)
            if self._taken is None:
                return
            if self._stored == self._max_partitions:
                raise self._too_many
            # As late as possible: until a row names the upload, nothing could abort it.
            self.upload = self.upload or self._start()
            # It may be stored already, if the response of the database was lost.
            ExportPartition.objects.get_or_create(
                export=self._export,
                claim=self._export.claims[-1],
                number=self._stored,
                defaults=self._values
                | {
                    "upload": self.upload,
                    "slices": [asdict(each) for each in self._taken],
                    "expected_bytes": sum(each.bytes for each in self._taken),
                },
            )
            self._taken = None
            self._stored += 1
            pending += 1

    def _request_readers(self, states: list[State]) -> None:
        """Ask idle workers to read, now and then: a message may be lost, and workers may start."""
        pending = _count(states, PartitionStatus.PENDING)
        is_due = time.monotonic() > self._requested_at + REQUEST_SECONDS
        if not (pending and is_due) or _count(states, PartitionStatus.FAILED) >= _MAX_FAILED:
            return
        self._requested_at = time.monotonic()
        for _ in range(min(pending, idle_readers())):
            if not partitions.request_reader(self._export):
                return

    def _join(self, states: list[State]) -> bool:
        """Join small partitions to their neighbors. Return whether there were any."""
        groups = groups_to_join(states)
        for group in groups:
            keys = [each["pk"] for each in group]
            with transaction.atomic():
                joined = list(of_attempt(self._export).filter(pk__in=keys))
                of_attempt(self._export).filter(pk__in=keys[1:]).delete()
                of_attempt(self._export).filter(pk=keys[0]).update(
                    status=PartitionStatus.PENDING,
                    slices=[each for partition in joined for each in partition.slices],
                    expected_bytes=sum(partition.expected_bytes for partition in joined),
                    rows=0,
                    bytes=0,
                    part=None,
                )
        return bool(groups)


def _count(states: list[State], status: PartitionStatus) -> int:
    return sum(each["status"] == status for each in states)
