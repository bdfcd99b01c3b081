"""Writes the files of an attempt into storage, and verifies that they arrived."""

import json
from collections.abc import Iterator
from contextlib import closing
from functools import partial

from django.conf import settings
from django.core.files.base import ContentFile
from rest_framework.utils.encoders import JSONEncoder

from exports.execution.manifest import manifest
from exports.formats import formats
from exports.lifecycle import limits
from exports.lifecycle.storage import MANIFEST, attempt_folder
from exports.lifecycle.transitions import EXPORTS
from exports.models import Export, ExportFile, ExportLimits
from exports.reading.copy_reader import IncompleteExport
from exports.reading.stream import ExportStream, FileStream
from exports.spec import ExportSpec
from longshore.files.block_file import BlockFile
from longshore.files.compression import CONTENT_TYPES, EXTENSIONS
from longshore.files.storage import file_storage
from longshore.jobs.admission import too_many_stored_bytes
from longshore.resources.registry import registry


def write_files(
    export: Export, spec: ExportSpec, stream: ExportStream, allowed: ExportLimits, used: int | None
) -> list[ExportFile]:
    """Write and verify all files of an export and its manifest. Sets `export.snapshot_at`.

    used: bytes that the organization had in storage when the attempt began; None without a quota.
    Returns the files, not yet saved in the database.
    Raises IncompleteExport, ApiError if a limit is exceeded, and what the stream raises.
    """
    folder = attempt_folder(export, export.claims[-1])
    content_type = CONTENT_TYPES.get(spec.compression, formats[spec.format].content_type)
    files: list[ExportFile] = []
    size = 0
    # On an error, stop the query: nobody will read its rows.
    with closing(stream.files()) as sources:
        for number, source in enumerate(sources, 1):
            if number > limits.MAX_FILES:
                raise limits.too_many_files()
            key = f"{folder}/{number:06}"
            blocks = _within_limits(source, stream, allowed, size, used)
            file_storage.save(key, BlockFile(blocks, content_type))
            _verify(key, source)
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
    file_storage.save(f"{folder}/{MANIFEST}", ContentFile(content.encode()))
    return files


def _within_limits(
    source: FileStream,
    stream: ExportStream,
    allowed: ExportLimits,
    bytes_before: int,
    used: int | None,
) -> Iterator[bytes]:
    """Yield the blocks of a file. Raises ApiError as soon as the export exceeds a limit."""
    max_rows, max_bytes, quota = allowed.records, allowed.bytes, allowed.stored_bytes
    for block in source:
        size = bytes_before + source.checksum.size
        if max_rows is not None and stream.rows > max_rows:
            raise limits.too_many_records(stream.rows, max_rows, or_more=True)
        if max_bytes is not None and size > max_bytes:
            raise limits.too_many_bytes(max_bytes)
        if quota is not None and used is not None and used + size > quota:
            raise too_many_stored_bytes(EXPORTS, used, quota)
        yield block


def _verify(key: str, source: FileStream) -> None:
    """Raise IncompleteExport if the storage does not hold the bytes that were written."""
    expected = source.checksum.size
    if (size := file_storage.size(key)) != expected:
        raise IncompleteExport(f"the storage holds {size} bytes instead of {expected}")
    if file_storage.verifies_writes:
        return
    read_range = partial(file_storage.read_range, key)
    if not source.checksum.matches(read_range, settings.EXPORT_CONNECTIONS):
        raise IncompleteExport("the stored bytes differ from the written bytes")


def _name(export: Export, spec: ExportSpec, number: int) -> str:
    suffix = f"{export.created_at:%Y%m%dT%H%M%SZ}-{export.public_id[-6:]}"
    return file_name(spec, f"{suffix}-{number:03}" if spec.max_rows_per_file else suffix)


def file_name(spec: ExportSpec, suffix: str) -> str:
    """Return the name of a file for people: plural of the resource, suffix, extensions."""
    resource = registry.get(spec.resource)
    plural = resource.plural if resource else spec.resource
    return f"{plural}-{suffix}.{formats[spec.format].extension}{EXTENSIONS[spec.compression]}"
