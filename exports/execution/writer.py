"""Writes the files of an attempt into storage, and verifies what arrived."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import BufferedReader

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from rest_framework.utils.encoders import JSONEncoder

from exports.execution.manifest import manifest
from exports.execution.storage import MANIFEST, folder, read_back
from exports.formats import formats
from exports.lifecycle import limits
from exports.lifecycle.limits import Limits
from exports.models import Export, ExportFile
from exports.reading.copy_reader import IncompleteExport
from exports.reading.stream import BlockReader, ExportStream, FileStream
from exports.spec import ExportSpec
from longshore.files.compression import CONTENT_TYPES, ENDINGS
from longshore.files.local_storage import LocalStorage
from longshore.jobs.admission import too_many_stored_bytes
from longshore.resources.registry import registry


def write_files(
    export: Export, spec: ExportSpec, stream: ExportStream, allowed: Limits, used: int | None
) -> list[ExportFile]:
    """The files of an export, not yet stored in the database; it gets the moment that they show.

    used: bytes that the organization had in storage as the attempt began, where there is a quota.
    Raises IncompleteExport, ApiError for what is over a limit, and what the stream raises.
    """
    path = folder(export, export.claims[-1])
    files: list[ExportFile] = []
    size = 0
    # On an error, stop the query: nobody will read its rows.
    with closing(stream.files()) as sources:
        for number, file in enumerate(sources, 1):
            if number > limits.MAX_FILES:
                raise limits.too_many_files()
            content = _Content(file, spec, stream, allowed, size, used)
            key = f"{path}/{number:06}"
            default_storage.save(key, content)
            _verify(key, file)
            size += file.bytes
            files.append(
                ExportFile(
                    export=export,
                    name=_name(export, spec, number),
                    storage_key=key,
                    content_type=content.content_type,
                    rows=file.rows,
                    bytes=file.bytes,
                    sha256=file.sha256,
                )
            )
    if spec.refuse_empty and not stream.rows:
        raise limits.empty()
    if stream.snapshot_at is None or stream.rows != sum(file.rows for file in files):
        raise IncompleteExport(f"{stream.rows} rows were read, and not all of them written")
    export.snapshot_at = stream.snapshot_at
    described = json.dumps(manifest(export, spec, files), indent=2, cls=JSONEncoder)
    default_storage.save(f"{path}/{MANIFEST}", ContentFile(described.encode()))
    return files


class _Content(File):  # type: ignore[type-arg]  # generic in its stubs only
    """A file as the content that a storage takes, with the type that it stores."""

    def __init__(
        self,
        file: FileStream,
        spec: ExportSpec,
        stream: ExportStream,
        allowed: Limits,
        bytes_before: int,
        used: int | None,
    ) -> None:
        # Who asks for a part of a size gets it whole: a short one, S3's client takes for the last,
        # and then reads all others into memory.
        super().__init__(BufferedReader(BlockReader(self._blocks())))
        self._stream = stream
        self._source = file
        self._allowed = allowed
        self._bytes_before = bytes_before
        self._used = used
        self.content_type = CONTENT_TYPES.get(spec.compression, formats[spec.format].content_type)

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The blocks as they come: cut anew, each would be copied twice."""
        return self._blocks()

    def _blocks(self) -> Iterator[bytes]:
        most_rows, most_bytes = self._allowed.records, self._allowed.bytes
        quota = self._allowed.stored_bytes
        for block in self._source:
            size = self._bytes_before + self._source.bytes
            if most_rows is not None and self._stream.rows > most_rows:
                raise limits.too_many_records(self._stream.rows, most_rows, or_more=True)
            if most_bytes is not None and size > most_bytes:
                raise limits.too_many_bytes(most_bytes)
            if quota is not None and self._used is not None and self._used + size > quota:
                raise too_many_stored_bytes(self._used, quota)
            yield block


def _verify(key: str, file: FileStream) -> None:
    """Read back what the storage holds, several stretches at once, unless it has done so itself.

    Each begins with the hash of all before it as it was when it was written, and has to end with
    the next: together they say no less than the hash of the whole.
    """
    if (size := default_storage.size(key)) != file.bytes:
        raise IncompleteExport(f"{size} bytes of {file.bytes} are in storage")
    if isinstance(default_storage, LocalStorage):
        return

    def verified(number: int) -> bool:
        (start, digest), (end, expected) = file.marks[number : number + 2]
        digest = digest.copy()
        for block in read_back(key, start, end):
            digest.update(block)
        return digest.digest() == expected.digest()

    with ThreadPoolExecutor(settings.EXPORT_CONNECTIONS, thread_name_prefix="verify") as pool:
        if not all(pool.map(verified, range(len(file.marks) - 1))):
            raise IncompleteExport("the bytes in storage are not those that were written")


def _name(export: Export, spec: ExportSpec, number: int) -> str:
    suffix = f"{export.created_at:%Y%m%dT%H%M%SZ}-{export.public_id[-6:]}"
    return file_name(spec, f"{suffix}-{number:03}" if spec.max_rows_per_file else suffix)


def file_name(spec: ExportSpec, suffix: str) -> str:
    resource = registry.get(spec.resource)
    plural = resource.plural if resource else spec.resource
    ending = ENDINGS[spec.compression]
    return f"{plural}-{suffix}.{formats[spec.format].extension}{ending}"
