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
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from typing import Any, cast

import psycopg
from django.db import connections
from django.db.models import Sum
from django.db.models.functions import Now

from exports.execution import partitions
from exports.execution.joining import JOINABLE, groups_to_join
from exports.execution.partitions import MAX_SILENCE, MAX_TRIES, of_attempt, read_next
from exports.formats import formats
from exports.formats.base import TextFormat
from exports.lifecycle.limits import AttemptLimits
from exports.lifecycle.storage import EXPORT_STORAGE
from exports.lifecycle.transitions import EXPORTS
from exports.models import Export, ExportPartition, Lane, PartitionStatus
from exports.reading.copy_reader import IncompleteExport
from exports.reading.partitioning import Plan, Slice
from exports.reading.pieces import sampled_ratio
from exports.reading.stream import ExportStream, Source, check_leader
from exports.spec import ExportSpec
from longshore.files.pieces import Crc, file_end
from longshore.files.storage import file_storage
from longshore.files.storage.base import MAX_PARTS
from longshore.files.verification import verify_pieces
from longshore.jobs.idle import idle_slots

logger = logging.getLogger(__name__)

# Planned bytes of a part: more than twice the minimum, because plans are estimates.
PART_BYTES = 12 << 20
# An export of fewer planned parts is written by one worker: see benchmarks/RESULTS.md.
MIN_PARTS = 4
# No partition is planned for more text than this many parts, however well it is compressed.
_MAX_TEXT = 64
# After this many partitions their size doubles, so that a file of any size has enough numbers.
_DOUBLING = 200
_POLL_SECONDS = 0.25
_REQUEST_SECONDS = 1.0


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
        self._ratio = ratio
        self._checked = checked
        self._key = EXPORT_STORAGE.file_key(export, 1)
        self._snapshot = self._upload = ""
        self._planned = 0
        # What the last partition left of its last slice.
        self._rest: Slice | None = None
        # The last planned slices, which may still grow; None after the end of the plan.
        self._held: list[Slice] | None = []
        self._requested_at = 0.0

    def write(self, content_type: str) -> Joined | None:
        """Write and verify the file. Keeps `rows` of the stream up to date.

        Returns None if the file turned out to be too small: then nothing is stored.
        Raises IncompleteExport, DamagedFile, ApiError if a limit is exceeded, QueryCanceled after
        `cancel` of the stream, and the errors of `read_next`.
        """
        pool = ThreadPoolExecutor(1, thread_name_prefix="distribution")
        try:
            ExportPartition.objects.filter(export=self._export).delete()
            self._snapshot = self._stream.share(self._source)
            self._upload = file_storage.start_parts(self._key, content_type)
            try:
                is_written = self._read_all(pool)
            except psycopg.Error:
                check_leader(self._source.leader, self._slices)
                raise
            if is_written:
                return self._complete()
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
            self._plan_partitions()
            self._reopen_lost()
            if own is None or own.done():
                if own is not None:
                    own.result()
                own = pool.submit(read_next, self._export, is_remote=False)
            self._request_readers()
            states = list(of_attempt(self._export).values(*JOINABLE))
            self._check_progress()
            if self._held is None and not self._join(states):
                left = [each for each in states if each["status"] != PartitionStatus.DONE]
                if not left and states:
                    return True
                if all(each["status"] == PartitionStatus.SMALL for each in states):
                    return False
            wait([own], timeout=_POLL_SECONDS)

    # Planning

    def _plan_partitions(self) -> None:
        """Store partitions until there are enough for all readers until the next look."""
        pending = of_attempt(self._export).filter(status=PartitionStatus.PENDING).count()
        running = of_attempt(self._export).filter(status=PartitionStatus.RUNNING).count()
        wanted = 2 + 2 * running
        while self._held is not None and pending < wanted:
            size = self._text_bytes()
            group = list(self._take(size))
            is_last = sum(each.bytes for each in group) < size
            if is_last and sum(each.bytes for each in group) < size / 2:
                # A last part of its own would be small.
                self._held += group
                group = []
            for each in (self._held, group if is_last else []):
                if each:
                    self._store(each)
                    pending += 1
            self._held = None if is_last else group

    def _take(self, size: int) -> Iterator[Slice]:
        """Yield the next slices, with about this many bytes of text."""
        while size > 0:
            following = self._rest or next(self._slices, None)
            if following is None:
                return
            head, self._rest = following.split(size)
            yield head
            size -= head.bytes

    def _text_bytes(self) -> int:
        """Return the expected size of the text of the next partition."""
        read = of_attempt(self._export).filter(
            status__in=(PartitionStatus.DONE, PartitionStatus.SMALL)
        )
        sums = read.aggregate(stored=Sum("bytes"), expected=Sum("expected_bytes"))
        ratio = sums["stored"] / sums["expected"] if sums["expected"] else self._ratio
        parts = min(_MAX_TEXT, 1 / ratio if ratio else _MAX_TEXT)
        return int(PART_BYTES * parts) << (self._planned // _DOUBLING)

    def _store(self, slices: list[Slice]) -> None:
        ExportPartition.objects.create(
            export=self._export,
            claim=self._export.claims[-1],
            number=self._planned,
            slices=[asdict(each) for each in slices],
            expected_bytes=sum(each.bytes for each in slices),
            snapshot=self._snapshot,
            upload=self._upload,
        )
        self._planned += 1
        # The last number of a part is that of the end of the file.
        if self._planned * MAX_TRIES >= MAX_PARTS:
            raise IncompleteExport(f"The export has more than {self._planned:,} partitions.")

    # Watching

    def _reopen_lost(self) -> None:
        """Let another worker read the partitions of workers that died."""
        lost = of_attempt(self._export).filter(
            status=PartitionStatus.RUNNING, heartbeat_at__lt=Now() - MAX_SILENCE
        )
        if count := lost.update(status=PartitionStatus.PENDING, token=""):
            logger.warning("%s partitions of %s lost their worker.", count, self._export)
        unread = of_attempt(self._export).filter(
            status__in=(PartitionStatus.PENDING, PartitionStatus.FAILED), tries__gte=MAX_TRIES
        )
        if unread.exists():
            raise IncompleteExport(f"A partition was not read after {MAX_TRIES} tries.")

    def _request_readers(self) -> None:
        if time.monotonic() < self._requested_at + _REQUEST_SECONDS:
            return
        self._requested_at = time.monotonic()
        pending = of_attempt(self._export).filter(status=PartitionStatus.PENDING).count()
        for _ in range(min(pending, _idle())):
            if not partitions.request_reader(self._export):
                return

    def _check_progress(self) -> None:
        sums = of_attempt(self._export).aggregate(rows=Sum("rows"), bytes=Sum("bytes"))
        self._stream.rows = sums["rows"] or 0
        self._checked.check(self._stream.rows, sums["bytes"] or 0)

    def _join(self, states: list[dict[str, Any]]) -> bool:
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
