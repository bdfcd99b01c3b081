"""Writes the files of an attempt into storage, and verifies that they arrived."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing

from django.core.files.base import ContentFile
from rest_framework.utils.encoders import JSONEncoder

from exports.execution.coordination import Attempt
from exports.execution.distribution import write_by_idle_workers
from exports.execution.files import content_type, describe_file
from exports.execution.manifest import manifest
from exports.lifecycle import limits
from exports.lifecycle.limits import AttemptLimits
from exports.lifecycle.storage import EXPORT_STORAGE, MANIFEST
from exports.models import Export, ExportFile
from exports.reading.copy_reader import IncompleteExport
from exports.reading.stream import ExportStream, FileStream
from exports.spec import ExportSpec
from longshore.files.block_file import BlockFile
from longshore.files.storage import file_storage
from longshore.files.verification import verify


def write_files(
    export: Export, spec: ExportSpec, stream: ExportStream, checked: AttemptLimits
) -> list[ExportFile]:
    """Write and verify all files of an export and its manifest. Sets `export.snapshot_at`.

    All idle workers write a large export: see `exports.execution.distribution`.

    Returns the files, not yet saved in the database.
    Raises IncompleteExport, DamagedFile, ApiError if a limit is exceeded, and the errors of
    ExportStream.files.
    """
    with stream.opened() as source:
        plan = stream.plan(source)
        files: list[ExportFile] = []
        if plan is not None:
            attempt = Attempt(export, spec, stream, source, plan, checked)
            files = write_by_idle_workers(attempt)
        if not files:
            # On an error, stop the query: nobody will read its rows.
            with closing(stream.files_of(source, plan)) as sources:
                files = list(_written(export, spec, stream, sources, checked))
    if spec.refuse_empty and not stream.rows:
        raise limits.empty()
    if stream.snapshot_at is None or stream.rows != sum(file.rows for file in files):
        raise IncompleteExport(f"{stream.rows} rows were read, but not all of them were written")
    export.snapshot_at = stream.snapshot_at
    content = json.dumps(manifest(export, spec, files), indent=2, cls=JSONEncoder)
    folder = EXPORT_STORAGE.attempt_folder(export, export.claims[-1])
    file_storage.save(f"{folder}/{MANIFEST}", ContentFile(content.encode()))
    return files


def _written(
    export: Export,
    spec: ExportSpec,
    stream: ExportStream,
    sources: Iterable[FileStream],
    checked: AttemptLimits,
) -> Iterator[ExportFile]:
    """Write and verify each file, and yield it."""
    size = 0
    for number, source in enumerate(sources, 1):
        if number > limits.MAX_FILES:
            raise limits.too_many_files()
        key = EXPORT_STORAGE.file_key(export, number)
        blocks = _within_limits(source, stream, checked, size)
        file_storage.save(key, BlockFile(blocks, content_type(spec)))
        verify(key, source.checksum)
        size += source.checksum.size
        sha256 = source.checksum.hexdigest()
        yield describe_file(export, spec, number, key, source.rows, source.checksum.size, sha256)


def _within_limits(
    source: FileStream, stream: ExportStream, checked: AttemptLimits, bytes_before: int
) -> Iterator[bytes]:
    """Yield the blocks of a file. Raises ApiError as soon as the export exceeds a limit."""
    for block in source:
        checked.check(stream.rows, bytes_before + source.checksum.size)
        yield block
