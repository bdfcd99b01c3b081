"""Reads the partitions of an export: the side of the workers, one of which also coordinates.

A worker claims a partition, reads its rows from the shared snapshot, formats and compresses them
into a temporary file, and saves this file as a part of the export's file in the bucket. The result
and the heartbeats are conditional UPDATEs with the token of the claim, so those of a worker that
lost its claim have no effect. `exports.execution.distribution` plans and watches.
"""

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import asdict
from datetime import timedelta
from tempfile import TemporaryFile
from typing import Any

from celery import current_app
from django.db import DatabaseError, InterfaceError, close_old_connections, transaction
from django.db.models import Exists, QuerySet
from django.db.models.functions import Now
from structlog.contextvars import bind_contextvars

from exports.execution import replica
from exports.lifecycle.storage import EXPORT_STORAGE
from exports.lifecycle.transitions import EXPORTS, executable_spec
from exports.models import Export, ExportLimits, ExportPartition, Lane, PartitionStatus
from exports.reading.partitioning import Slice
from exports.reading.pieces import PieceStream
from longshore.database.ids import new_id
from longshore.files.pieces import Crc
from longshore.files.storage import file_storage
from longshore.files.storage.base import MIN_PART_BYTES, SavePart
from longshore.jobs.changes import held_by

logger = logging.getLogger(__name__)

TASK = EXPORTS.task("read_partition")
REPORT_SECONDS = 1.0
# A worker whose last heartbeat is older than this has lost its partition.
MAX_SILENCE = timedelta(seconds=5)
# A partition that is claimed more often ends the attempt.
MAX_TRIES = 5
# A message that no worker received for this long: the workers are busy with other jobs.
_MESSAGE_SECONDS = 10


class LostPartition(Exception):
    """The attempt has ended, or another worker reads the partition."""


def of_attempt(export: Export) -> QuerySet[ExportPartition, ExportPartition]:
    """Return the partitions of a claimed export; none if its attempt has ended."""
    held = Export.objects.visible().filter(held_by(export), pk=export.pk)
    return ExportPartition.objects.filter(Exists(held), export=export, claim=export.claims[-1])


def request_reader(export: Export) -> bool:
    """Send a message by which a worker reads one partition. Return False if it was not sent."""
    queue = EXPORTS.queues[Lane.LARGE]
    try:
        current_app.send_task(TASK, [export.pk], queue=queue, expires=_MESSAGE_SECONDS)
    except Exception as error:
        # Broker clients raise many kinds of error. The coordinator reads all partitions itself.
        logger.warning("Could not send a message for a partition of %s: %s", export, error)
        return False
    return True


def assist(number: int) -> None:
    """Read one partition of export `number`, on a message, and request a reader of the next.

    The message of the next partition waits behind those of other exports, which are thus not
    delayed by more than one partition.
    """
    export = Export.objects.visible().filter(pk=number).first()
    if export is None or not export.claims:
        return
    bind_contextvars(export=export.public_id, organization=export.organization_id)
    try:
        is_read = read_next(export, is_remote=True)
    except Exception:
        # The coordinator reads the partition again, and handles the error.
        logger.exception("A partition of %s failed.", export)
        return
    if is_read and of_attempt(export).filter(status=PartitionStatus.PENDING).exists():
        request_reader(export)


def read_next(export: Export, *, is_remote: bool) -> bool:
    """Claim and read the next partition of an export. Return False if there is none.

    is_remote: whether another worker runs the export. Its partition that fails is then FAILED, and
        only the worker that runs the export reads it again.
    Raises the errors of PieceStream and of the storage.
    """
    partition = _claim(export, is_remote)
    if partition is None:
        return False
    try:
        part, rows, size = _read(export, partition)
    except LostPartition:
        logger.info("Partition %s was claimed by another worker, or its export ended.", partition)
        return True
    except BaseException as error:
        is_failed = is_remote and isinstance(error, Exception)
        status = PartitionStatus.FAILED if is_failed else PartitionStatus.PENDING
        close_old_connections()
        _held(export, partition).update(status=status, token="")
        raise
    status = PartitionStatus.SMALL if part is None else PartitionStatus.DONE
    _held(export, partition).update(status=status, token="", part=part, rows=rows, bytes=size)
    return True


def _claim(export: Export, is_remote: bool) -> ExportPartition | None:
    statuses = [PartitionStatus.PENDING]
    if not is_remote:
        statuses.append(PartitionStatus.FAILED)
    waiting = of_attempt(export).filter(status__in=statuses, tries__lt=MAX_TRIES)
    with transaction.atomic():
        partition = waiting.select_for_update(skip_locked=True, of=("self",)).first()
        if partition is None:
            return None
        partition.token, partition.tries = new_id("part"), partition.tries + 1
        ExportPartition.objects.filter(pk=partition.pk).update(
            status=PartitionStatus.RUNNING,
            token=partition.token,
            tries=partition.tries,
            is_remote=is_remote,
            heartbeat_at=Now(),
            rows=0,
            bytes=0,
        )
    return partition


def _held(export: Export, partition: ExportPartition) -> QuerySet[ExportPartition, ExportPartition]:
    return of_attempt(export).filter(pk=partition.pk, token=partition.token)


def _read(export: Export, partition: ExportPartition) -> tuple[dict[str, Any] | None, int, int]:
    """Read a claimed partition in a thread while this one reports.

    Returns the saved part, or None if it is too small; its rows and its bytes.
    """
    stream = PieceStream(
        executable_spec(export),
        export.organization_id,
        [Slice(**each) for each in partition.slices],
        partition.snapshot,
        is_first=partition.number == 0,
        seconds=ExportLimits.applied_to(export.organization_id).seconds,
        database=replica.database_of(export),
    )
    key = EXPORT_STORAGE.file_key(export, 1)
    writing = _Writing(stream, file_storage.part_saver(key, partition.upload))
    number = partition.number * MAX_TRIES + partition.tries
    pool = ThreadPoolExecutor(1, thread_name_prefix="partition")
    doing = pool.submit(copy_context().run, writing.write, number)
    try:
        while not wait([doing], timeout=REPORT_SECONDS).done:
            _report(_held(export, partition), stream.rows, writing.stored.size)
        return doing.result(), stream.rows, writing.stored.size
    except BaseException:
        stream.cancel()
        raise
    finally:
        pool.shutdown(wait=False)


def _report(held: QuerySet[ExportPartition, ExportPartition], rows: int, size: int) -> None:
    """Store the heartbeat and the progress. Raises LostPartition.

    If the database is not available for longer than MAX_SILENCE, the partition is lost.
    """
    try:
        if not held.update(heartbeat_at=Now(), rows=rows, bytes=size):
            raise LostPartition
    except (DatabaseError, InterfaceError) as error:
        logger.warning("A heartbeat of a partition failed: %s", error)
        close_old_connections()


class _Writing:
    """Writes a piece of a file into a temporary file, and saves that as a part.

    The size of the piece must be known before its upload: one that is too small is not saved.

    stored: the checksum of the bytes written so far.
    """

    def __init__(self, stream: PieceStream, save: SavePart) -> None:
        self.stored = Crc()
        self._stream = stream
        self._save = save

    def write(self, number: int) -> dict[str, Any] | None:
        """Return the part, ready for JSON; None if the piece is too small. number: of the part."""
        digest = hashlib.sha256()
        with TemporaryFile(prefix="longshore-") as file:
            for block in self._stream:
                file.write(block)
                digest.update(block)
                self.stored = self.stored.updated(block)
            if self.stored.size < MIN_PART_BYTES:
                return None
            file.seek(0)
            tag = self._save(number, file, self.stored.value)
        return {
            "number": number,
            "tag": tag,
            "sha256": digest.hexdigest(),
            "stored": asdict(self.stored),
            "text": asdict(self._stream.text),
        }
