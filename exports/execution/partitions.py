"""Reads the partitions of an export: the part of the work that every worker does.

A worker claims a partition, reads its rows from the shared snapshot, formats and compresses them,
and saves them as a part of the export's file, or as a file of its own. The result and the
heartbeats are conditional UPDATEs with the token of the claim, so those of a worker that lost its
claim have no effect. `exports.execution.coordination` plans and watches.
"""

import logging
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from datetime import timedelta

from celery import current_app
from django.db import DatabaseError, InterfaceError, close_old_connections, transaction
from django.db.models import Exists, QuerySet
from django.db.models.functions import Now
from structlog.contextvars import bind_contextvars

from exports.execution import replica
from exports.execution.partition_writing import FileWriter, PartitionWriter, PartWriter
from exports.lifecycle.transitions import EXPORTS, executable_spec
from exports.models import Export, ExportLimits, ExportPartition, Lane, PartitionStatus
from exports.reading.partition_reader import PartitionReader, fingerprint
from exports.reading.partitioning import Slice
from longshore.database.ids import new_id
from longshore.jobs.changes import held_by

logger = logging.getLogger(__name__)

TASK = EXPORTS.task("read_partition")
REPORT_SECONDS = 1.0
# A worker whose last heartbeat is older than this has lost its partition.
MAX_SILENCE = timedelta(seconds=10)
# A partition that is claimed more often ends the attempt.
MAX_TRIES = 5
# TTL of a message. After it, the workers are busy with other jobs. Longer than the clocks of two
# machines differ.
_MESSAGE_SECONDS = 60


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
    except Exception as error:
        if of_attempt(export).exists():
            # The coordinator reads the partition again, and handles the error.
            logger.exception("A partition of %s failed.", export)
        else:
            logger.info("The export %s ended while a partition was written: %s", export, error)
        return
    if is_read and of_attempt(export).filter(status=PartitionStatus.PENDING).exists():
        request_reader(export)


def read_next(export: Export, *, is_remote: bool) -> bool:
    """Claim and read the next partition of an export. Return False if there is none.

    is_remote: whether another worker runs the export. Its partition that fails is then FAILED, and
        only the worker that runs the export reads it again.
    Raises the errors of PartitionReader and of the storage.
    """
    # An earlier error of this thread may have left a broken connection.
    close_old_connections()
    partition = claim_next(export, is_remote)
    if partition is None:
        return False
    try:
        if not write_partition(export, partition):
            text = "Partition %s was claimed by another worker, or its export ended."
            logger.info(text, partition)
    except BaseException as error:
        is_failed = is_remote and isinstance(error, Exception)
        status = PartitionStatus.FAILED if is_failed else PartitionStatus.PENDING
        close_old_connections()
        _held(export, partition).update(status=status, token="")
        raise
    return True


def claim_next(export: Export, is_remote: bool) -> ExportPartition | None:
    """Claim the next partition that waits; None if there is none. is_remote: as for `read_next`."""
    statuses = [PartitionStatus.PENDING]
    if not is_remote:
        statuses.append(PartitionStatus.FAILED)
    readable = fingerprint(executable_spec(export), export.organization_id)
    waiting = of_attempt(export).filter(
        status__in=statuses, tries__lt=MAX_TRIES, fingerprint=readable
    )
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


def write_partition(export: Export, partition: ExportPartition) -> bool:
    """Write a claimed partition in a thread while this one reports, and store the result.

    Returns False if the claim was lost: then the bytes are deleted.
    """
    spec = executable_spec(export)
    reader = PartitionReader(
        spec,
        export.organization_id,
        [Slice(**each) for each in partition.slices],
        partition.snapshot,
        seconds=ExportLimits.applied_to(export.organization_id).seconds,
        database=replica.database_of(export),
    )
    number = partition.number * MAX_TRIES + partition.tries
    writer: PartitionWriter
    if partition.upload:
        writer = PartWriter(export, spec, partition, reader, number)
    else:
        writer = FileWriter(export, spec, reader, number)
    held = _held(export, partition)
    pool = ThreadPoolExecutor(1, thread_name_prefix="partition")
    doing = pool.submit(copy_context().run, writer.write)
    is_kept = False
    try:
        while not wait([doing], timeout=REPORT_SECONDS).done:
            if not _report(held, reader.rows, writer.size):
                return False
        part = doing.result()
        status = PartitionStatus.SMALL if part is None else PartitionStatus.DONE
        result = {"part": part, "rows": reader.rows, "bytes": writer.size}
        is_kept = bool(held.update(status=status, token="", **result))
        return is_kept
    finally:
        if not is_kept:
            # The thread may be sending its last bytes: delete them afterwards.
            reader.cancel()
            pool.submit(writer.discard)
        pool.shutdown(wait=False)


def _report(held: QuerySet[ExportPartition, ExportPartition], rows: int, size: int) -> bool:
    """Store the heartbeat and the progress. Return False if the claim was lost.

    If the database is not available for longer than MAX_SILENCE, the claim is lost.
    """
    try:
        return bool(held.update(heartbeat_at=Now(), rows=rows, bytes=size))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("A heartbeat of a partition failed: %s", error)
        close_old_connections()
        return True
