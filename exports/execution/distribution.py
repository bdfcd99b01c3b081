"""Writes one file by all idle workers: the side of the worker that runs the export.

The file is an upload in parts, in a bucket. The coordinator holds the snapshot, plans the
partitions, asks idle workers to read them, reads some itself, and completes the upload; no byte
that another worker reads passes through it. `exports.execution.partitions` has the side of all
workers.
"""

import hashlib
import io
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, cast

import psycopg
from django.db import connections
from django.db.models import Q
from django.db.models.functions import Now

from exports.execution import partitions
from exports.execution.joining import JOINABLE, groups_to_join
from exports.execution.partitions import MAX_SILENCE, MAX_TRIES, of_attempt, read_next
from exports.execution.planning import PART_BYTES, Planner
from exports.formats import formats
from exports.formats.base import TextFormat
from exports.lifecycle.limits import AttemptLimits
from exports.lifecycle.storage import EXPORT_STORAGE
from exports.lifecycle.transitions import EXPORTS
from exports.models import Export, ExportPartition, Lane, PartitionStatus
from exports.reading.copy_reader import IncompleteExport
from exports.reading.partitioning import Plan
from exports.reading.pieces import sampled_ratio
from exports.reading.stream import ExportStream, Source, check_leader
from exports.spec import ExportSpec
from longshore.files.pieces import Crc, file_end
from longshore.files.storage import file_storage
from longshore.files.storage.base import MAX_PARTS, PartsNotSupported
from longshore.files.verification import verify_pieces
from longshore.jobs.idle import idle_slots

logger = logging.getLogger(__name__)

# An export of fewer planned parts is written by one worker: helpers would have nothing to read.
MIN_PARTS = 4
POLL_SECONDS = 1.0
REQUEST_SECONDS = 2.0
State: TypeAlias = dict[str, Any]
# The fields of a partition's state.
_STATE = (*JOINABLE, "rows", "expected_bytes", "tries", "is_lost")
_READ = (PartitionStatus.DONE, PartitionStatus.SMALL)
_UNREAD = (PartitionStatus.PENDING, PartitionStatus.FAILED)


@dataclass(frozen=True)
class Joined:
    """A file that is complete in the storage and verified.

    partitions: rows, bytes and sha256 of each piece, in the order of the file.
    """

    rows: int
    bytes: int
    sha256: str
    partitions: list[dict[str, Any]]


def worthwhile_ratio(
    export: Export, spec: ExportSpec, stream: ExportStream, source: Source, plan: Plan
) -> float | None:
    """Return None if one worker shall write the file; otherwise the ratio of `sampled_ratio`.

    Several workers write a file if its storage and format allow it, if it is large, and if another
    worker is idle.
    """
    is_possible = (
        file_storage.receives_parts
        and isinstance(formats[spec.format], TextFormat)
        # The paths of flattened columns are known to the coordinator only.
        and not source.discovered
    )
    try:
        if not is_possible or _idle() <= 0:
            return None
    finally:
        # This thread is not Django's.
        connections.close_all()
    ratio = sampled_ratio(source.leader, spec, export.organization_id, plan, stream.check)
    return ratio if plan.bytes * ratio >= MIN_PARTS * PART_BYTES else None


def _idle() -> int:
    """Return the number of workers that could read a partition now; 0 or less if there are none."""
    reading = ExportPartition.objects.filter(status=PartitionStatus.RUNNING, is_remote=True)
    # The rows of a dead coordinator stay until its export is attempted again.
    alive = reading.filter(heartbeat_at__gt=Now() - MAX_SILENCE)
    return idle_slots(EXPORTS, Lane.LARGE) - alive.count()


class Distribution:
    """One attempt to write a file by several workers."""

    def __init__(
        self,
        export: Export,
        spec: ExportSpec,
        stream: ExportStream,
        source: Source,
        plan: Plan,
        ratio: float,
        checked: AttemptLimits,
    ) -> None:
        """Prepare it. ratio: the result of `worthwhile_ratio`."""
        self._export = export
        self._spec = spec
        self._stream = stream
        self._source = source
        self._slices = plan.slices
        self._planner = Planner(plan.slices)
        self._ratio = ratio
        self._checked = checked
        self._key = EXPORT_STORAGE.file_key(export, 1)
        self._snapshot = self._upload = ""
        self._planned = 0
        self._requested_at = 0.0

    def write(self, content_type: str) -> Joined | None:
        """Write and verify the file. Keeps `rows` of the stream up to date.

        Returns None if the file turned out to be too small, or if the server of the storage cannot
        make it of parts: then nothing is stored.
        Raises IncompleteExport, DamagedFile, ApiError if a limit is exceeded, QueryCanceled after
        `cancel` of the stream, and the errors of `read_next`.
        """
        pool = ThreadPoolExecutor(1, thread_name_prefix="distribution")
        try:
            ExportPartition.objects.filter(export=self._export).delete()
            try:
                self._snapshot = self._stream.share(self._source)
                self._upload = file_storage.start_parts(self._key, content_type)
                if self._read_all(pool):
                    return self._complete()
            except psycopg.Error:
                check_leader(self._source.leader, self._slices)
                raise
            except PartsNotSupported as error:
                logger.warning("One worker writes %s: %s", self._export, error)
            file_storage.delete_folder(
                EXPORT_STORAGE.attempt_folder(self._export, self._export.claims[-1])
            )
            return None
        finally:
            # The readers stop at their next report.
            ExportPartition.objects.filter(
                export=self._export, claim=self._export.claims[-1]
            ).delete()
            pool.submit(connections.close_all)
            pool.shutdown(wait=False)
            connections.close_all()

    def _read_all(self, pool: ThreadPoolExecutor) -> bool:
        """Have all partitions read. Return False if the file is too small for parts."""
        own: Future[bool] | None = None
        while True:
            self._stream.check()
            states = self._look()
            if self._planner.is_complete and not self._join(states):
                if not any(each["status"] != PartitionStatus.DONE for each in states) and states:
                    return True
                if all(each["status"] == PartitionStatus.SMALL for each in states):
                    return False
            self._plan(states)
            self._request_readers(states)
            if own is None or own.done():
                if own is not None:
                    own.result()
                own = pool.submit(read_next, self._export, is_remote=False)
            wait([own], timeout=POLL_SECONDS)

    def _look(self) -> list[State]:
        """Return the states of all partitions, in file order, after a check of the limits."""
        is_lost = Q(status=PartitionStatus.RUNNING, heartbeat_at__lt=Now() - MAX_SILENCE)
        states = list(of_attempt(self._export).annotate(is_lost=is_lost).values(*_STATE))
        self._stream.rows = sum(each["rows"] for each in states)
        self._checked.check(self._stream.rows, sum(each["bytes"] for each in states))
        if any(each["is_lost"] for each in states):
            # Let other workers read them. One that has reported since is read twice.
            lost = of_attempt(self._export).filter(is_lost)
            count = lost.update(status=PartitionStatus.PENDING, token="")
            logger.warning("%s partitions of %s lost their worker.", count, self._export)
        unread = [each for each in states if each["status"] in _UNREAD]
        if any(each["tries"] >= MAX_TRIES for each in unread):
            raise IncompleteExport(f"A partition was not read after {MAX_TRIES} tries.")
        return states

    def _plan(self, states: list[State]) -> None:
        """Store partitions until there are enough for all readers until the next look."""
        pending = _count(states, PartitionStatus.PENDING)
        wanted = 2 + 2 * _count(states, PartitionStatus.RUNNING)
        read = [each for each in states if each["status"] in _READ]
        expected = sum(each["expected_bytes"] for each in read)
        ratio = sum(each["bytes"] for each in read) / expected if expected else self._ratio
        while pending < wanted and (slices := self._planner.take(ratio)):
            ExportPartition.objects.create(
                export=self._export,
                claim=self._export.claims[-1],
                number=self._planned,
                slices=[asdict(each) for each in slices],
                expected_bytes=sum(each.bytes for each in slices),
                snapshot=self._snapshot,
                upload=self._upload,
            )
            pending += 1
            self._planned += 1
            # The last number of a part is that of the end of the file.
            if self._planned * MAX_TRIES >= MAX_PARTS:
                raise IncompleteExport(f"The export has more than {self._planned:,} partitions.")

    def _request_readers(self, states: list[State]) -> None:
        """Ask idle workers to read, now and then: a message may be lost, and workers may start."""
        pending = _count(states, PartitionStatus.PENDING)
        if not pending or time.monotonic() < self._requested_at + REQUEST_SECONDS:
            return
        self._requested_at = time.monotonic()
        for _ in range(min(pending, _idle())):
            if not partitions.request_reader(self._export):
                return

    def _join(self, states: list[State]) -> bool:
        """Join small partitions to their neighbors. Return whether there were any."""
        groups = groups_to_join(states)
        for group in groups:
            keys = [each["pk"] for each in group]
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

    # Completion

    def _complete(self) -> Joined:
        """Complete the upload, and read the file back."""
        read = list(of_attempt(self._export).defer("slices"))
        parts = [(each.part["number"], each.part["tag"]) for each in read if each.part]
        if len(parts) != len(read) or not parts:
            raise IncompleteExport("The attempt was superseded.")
        text = sum((Crc(**each.part["text"]) for each in read if each.part), Crc())
        stored = sum((Crc(**each.part["stored"]) for each in read if each.part), Crc())
        tail = cast("TextFormat", formats[self._spec.format]).tail
        end = file_end(self._spec.compression, tail, text)
        pieces = [(each.bytes, each.part["sha256"]) for each in read if each.part]
        if end:
            crc = Crc().updated(end)
            save = file_storage.part_saver(self._key, self._upload)
            parts.append((MAX_PARTS, save(MAX_PARTS, io.BytesIO(end), crc.value)))
            pieces.append((len(end), hashlib.sha256(end).hexdigest()))
            stored += crc
        self._checked.check(self._stream.rows, stored.size)
        file_storage.complete_parts(self._key, self._upload, parts, stored.value)
        sha256 = verify_pieces(self._key, pieces)
        described = [
            {"rows": each.rows, "bytes": each.bytes, "sha256": each.part["sha256"]}
            for each in read
            if each.part
        ]
        return Joined(sum(each.rows for each in read), stored.size, sha256, described)


def _count(states: list[State], status: PartitionStatus) -> int:
    return sum(each["status"] == status for each in states)
