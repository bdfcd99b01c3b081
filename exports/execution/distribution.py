"""Writes a large export by all idle workers: decides whether to, and completes the files.

One file is an upload in parts, in a bucket; with `max_rows_per_file`, each worker writes whole
files. No byte that another worker reads passes through the worker that runs the export.
"""

import hashlib
import io
import logging
from typing import Any, cast

from django.db import connections

from exports.execution.coordination import Attempt, Coordinator, idle_readers
from exports.execution.files import content_type, describe_file
from exports.execution.partitions import MAX_TRIES, of_attempt
from exports.execution.planning import (
    MAX_FILE_BYTES,
    MAX_LOCATIONS,
    PART_BYTES,
    FilePlanner,
    PartPlanner,
    max_text_bytes,
)
from exports.formats import formats
from exports.formats.base import TextFormat
from exports.lifecycle import limits
from exports.lifecycle.storage import EXPORT_STORAGE
from exports.models import Export, ExportFile, ExportPartition
from exports.reading.copy_reader import IncompleteExport
from exports.reading.partition_reader import sampled_ratio
from exports.spec import Nesting
from longshore.files.pieces import DIVISIBLE, Crc, file_end
from longshore.files.storage import file_storage
from longshore.files.storage.base import MAX_PARTS, PartsNotSupported, SavedPart
from longshore.files.verification import verify_pieces

logger = logging.getLogger(__name__)

# An export of fewer planned parts is written by one worker: helpers would have nothing to read.
MIN_PARTS = 4
# Each try of a partition has a part number of its own; the last number is that of the file's end.
MAX_PARTITIONS = (MAX_PARTS - 1) // MAX_TRIES


def write_by_idle_workers(attempt: Attempt) -> list[ExportFile]:
    """Write and verify the files of an export by all idle workers, if it is possible and worth it.

    The storage must be a bucket, the export large, another worker idle now, and the format must
    allow it. Keeps `rows` of the stream up to date.

    Returns the files, not saved in the database; none if one worker shall write them.
    Raises IncompleteExport, DamagedFile, ApiError if a limit is exceeded, QueryCanceled after
    `cancel` of the stream, and the errors of `Coordinator.read_all`.
    """
    # Only the coordinator knows the paths of flattened columns.
    is_possible = file_storage.receives_parts and not attempt.source.discovered
    try:
        if not is_possible or idle_readers() <= 0:
            return []
        return _write_files(attempt) if attempt.spec.max_rows_per_file else _write_parts(attempt)
    except PartsNotSupported as error:
        logger.warning("One worker writes %s: %s", attempt.export, error)
        return []
    finally:
        # This thread is not Django's.
        connections.close_all()


def _write_files(attempt: Attempt) -> list[ExportFile]:
    """Have each partition written as a file. Return none if one worker shall write them."""
    export, spec, plan = attempt.export, attempt.spec, attempt.plan
    max_rows = spec.max_rows_per_file or 0
    files = plan.bytes // plan.row_bytes // max_rows
    if (
        not MIN_PARTS <= files < limits.MAX_FILES
        or plan.bytes < MIN_PARTS * PART_BYTES
        # The number of rows that a record has is not known before it is read.
        or spec.nesting is Nesting.REPEAT
        # Lists of locations would be too long.
        or max_rows > MAX_LOCATIONS
    ):
        return []
    coordinator = Coordinator(
        attempt,
        FilePlanner(plan, max_rows),
        start=str,
        max_partitions=limits.MAX_FILES,
        too_many=limits.too_many_files(),
    )
    try:
        if not coordinator.read_all():
            return []
        attempt.stream.check_count(attempt.source)
        written = _written_by(export)
    finally:
        coordinator.end(is_upload_left=False)
    return [
        describe_file(export, spec, number, part["key"], each.rows, each.bytes, part["sha256"])
        for number, (each, part) in enumerate(written, 1)
    ]


def _write_parts(attempt: Attempt) -> list[ExportFile]:
    """Have each partition written as a part of one file. Return none if one worker shall write it.

    Raises PartsNotSupported.
    """
    export, spec, plan = attempt.export, attempt.spec, attempt.plan
    is_divisible = spec.compression in DIVISIBLE and isinstance(formats[spec.format], TextFormat)
    if not is_divisible or spec.selection.limit is not None:
        # With a limit, a sample could have rows that are not selected.
        return []
    leader, check = attempt.source.leader, attempt.stream.check
    ratio = sampled_ratio(leader, spec, export.organization_id, plan, check)
    text = max_text_bytes(plan)
    if (
        not MIN_PARTS * PART_BYTES <= plan.bytes * ratio <= MAX_FILE_BYTES
        # Lists of locations would be too long, or too many.
        or text * ratio < PART_BYTES
        or text * MAX_PARTITIONS / 2 < plan.bytes
    ):
        return []
    key = EXPORT_STORAGE.file_key(export, 1)
    coordinator = Coordinator(
        attempt,
        PartPlanner(plan),
        start=lambda: file_storage.start_parts(key, content_type(spec)),
        ratio=ratio,
        max_partitions=MAX_PARTITIONS,
        too_many=IncompleteExport(f"The export has more than {MAX_PARTITIONS:,} partitions."),
    )
    is_complete = False
    try:
        if not coordinator.read_all():
            return []
        attempt.stream.check_count(attempt.source)
        written = _written_by(export)
        end = _complete_parts(attempt, key, coordinator.upload, written)
        is_complete = True
    finally:
        upload = "" if is_complete else coordinator.upload
        is_left = bool(upload) and not file_storage.abort_parts(key, upload)
        coordinator.end(is_upload_left=is_left)
    # No more rows are read, and an open snapshot keeps PostgreSQL from removing dead rows.
    attempt.source.leader.rollback()
    pieces = [(each.bytes, part["sha256"]) for each, part in written]
    pieces.append((len(end), hashlib.sha256(end).hexdigest()))
    sha256 = verify_pieces(key, pieces, check)
    size = sum(size for size, _ in pieces)
    file = describe_file(export, spec, 1, key, attempt.stream.rows, size, sha256)
    file.partitions = [
        {"rows": each.rows, "bytes": each.bytes, "sha256": part["sha256"]} for each, part in written
    ]
    return [file]


def _complete_parts(
    attempt: Attempt, key: str, upload: str, written: list[tuple[ExportPartition, dict[str, Any]]]
) -> bytes:
    """Complete an upload, and return the bytes after the last partition."""
    text = sum((Crc(**part["text"]) for _, part in written), Crc())
    stored = sum((Crc(**part["stored"]) for _, part in written), Crc())
    parts = [SavedPart(**part["saved"]) for _, part in written]
    tail = cast("TextFormat", formats[attempt.spec.format]).tail
    if end := file_end(attempt.spec.compression, tail, text):
        crc = Crc().updated(end)
        save = file_storage.part_saver(key, upload)
        parts.append(save(MAX_PARTS, io.BytesIO(end), crc.value))
        stored += crc
    attempt.checked.check(attempt.stream.rows, stored.size)
    file_storage.complete_parts(key, upload, parts, stored.value)
    return end


def _written_by(export: Export) -> list[tuple[ExportPartition, dict[str, Any]]]:
    """Return the partitions in file order, each with the description of its stored bytes."""
    read = list(of_attempt(export).defer("slices"))
    written = [(each, each.part) for each in read if each.part]
    if len(written) != len(read) or not written:
        raise IncompleteExport("The attempt was superseded.")
    return written
