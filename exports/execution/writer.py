"""Writes the files of an attempt into storage, and verifies that they arrived."""

import json
from collections.abc import Iterator
from contextlib import closing

from django.core.files.base import ContentFile
from rest_framework.utils.encoders import JSONEncoder

from exports.execution.manifest import manifest
from exports.formats import formats
from exports.lifecycle import limits
from exports.lifecycle.storage import EXPORT_STORAGE, MANIFEST
from exports.lifecycle.transitions import EXPORTS
from exports.models import Export, ExportFile, ExportLimits
from exports.reading.copy_reader import IncompleteExport
from exports.reading.stream import ExportStream, FileStream
from exports.spec import ExportSpec
from longshore.files.block_file import BlockFile
from longshore.files.compression import CONTENT_TYPES, EXTENSIONS
from longshore.files.storage import file_storage
from longshore.files.verification import verify
from longshore.jobs.admission import too_many_stored_bytes
from longshore.jobs.files import name_suffix
from longshore.resources.registry import registry


def write_files(
    export: Export, spec: ExportSpec, stream: ExportStream, allowed: ExportLimits, used: int | None
) -> list[ExportFile]:
    """Write and verify all files of an export and its manifest. Sets `export.snapshot_at`.

    used: bytes that the organization had in storage when the attempt began; None without a quota.
    Returns the files, not yet saved in the database.
    Raises IncompleteExport, DamagedFile, ApiError if a limit is exceeded, and the errors of
    ExportStream.files.
    """
    content_type = CONTENT_TYPES.get(spec.compression, formats[spec.format].content_type)
    max_rows = limits.max_records(spec, allowed)
    files: list[ExportFile] = []
    size = 0
    # On an error, stop the query: nobody will read its rows.
    with closing(stream.files()) as sources:
        for number, source in enumerate(sources, 1):
            if number > limits.MAX_FILES:
                raise limits.too_many_files()
            key = EXPORT_STORAGE.file_key(export, number)
            blocks = _within_limits(source, stream, max_rows, allowed, size, used)
            file_storage.save(key, BlockFile(blocks, content_type))
            verify(key, source.checksum)
            size += source.checksum.size
            files.append(
                ExportFile(
                    export=export,
                    name=_name(export, spec, number),
                    storage_key=key,
                    content_type=content_type,
                    rows=source.rows,
                    bytes=source.checksum.size,
                    sha256=source.checksum.hexdigest(),
                )
            )
    if spec.refuse_empty and not stream.rows:
        raise limits.empty()
    if stream.snapshot_at is None or stream.rows != sum(file.rows for file in files):
        raise IncompleteExport(f"{stream.rows} rows were read, but not all of them were written")
    export.snapshot_at = stream.snapshot_at
    content = json.dumps(manifest(export, spec, files), indent=2, cls=JSONEncoder)
    folder = EXPORT_STORAGE.attempt_folder(export, export.claims[-1])
    file_storage.save(f"{folder}/{MANIFEST}", ContentFile(content.encode()))
    return files


def _within_limits(
    source: FileStream,
    stream: ExportStream,
    max_rows: int | None,
    allowed: ExportLimits,
    bytes_before: int,
    used: int | None,
) -> Iterator[bytes]:
    """Yield the blocks of a file. Raises ApiError as soon as the export exceeds a limit."""
    max_bytes, quota = allowed.bytes, allowed.stored_bytes
    for block in source:
        size = bytes_before + source.checksum.size
        if max_rows is not None and stream.rows > max_rows:
            raise limits.too_many_records(stream.rows, max_rows, or_more=True)
        if max_bytes is not None and size > max_bytes:
            raise limits.too_many_bytes(max_bytes)
        if quota is not None and used is not None and used + size > quota:
            raise too_many_stored_bytes(EXPORTS, used, quota)
        yield block


def _name(export: Export, spec: ExportSpec, number: int) -> str:
    """Return the name of a file for people: plural of the resource, suffix, extensions."""
    resource = registry.get(spec.resource)
    plural = resource.plural if resource else spec.resource
    suffix = name_suffix(export)
    if spec.max_rows_per_file:
        suffix = f"{suffix}-{number:03}"
    return f"{plural}-{suffix}.{formats[spec.format].extension}{EXTENSIONS[spec.compression]}"
