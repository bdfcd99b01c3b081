"""Runs a queued export: from its spec to a verified file in storage."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import IO, cast

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage

from accounts.errors import ErrorCode
from exports import lifecycle
from exports.compiler import compile_export
from exports.compression import CONTENT_TYPES, ENDINGS
from exports.copying import IncompleteExport
from exports.formats import formats
from exports.formats.base import FormatLimit
from exports.models import Export, ExportFile
from exports.spec import ExportSpec
from exports.storage import discard, storage_key
from exports.stream import BlockReader, ExportStream
from resources.registry import registry

logger = logging.getLogger(__name__)

_REPORT_SECONDS = 1.0


class ObsoleteSpec(Exception):
    """What was asked for is not declared any more; no attempt will mend that."""


class TimeLimitReached(Exception):
    """The export has taken all the time that there is."""


def run(number: int) -> None:
    """Write the file of a queued export; does nothing where it is no longer queued."""
    export = lifecycle.claim(number)
    if export is None:
        return
    try:
        _run(export)
    except lifecycle.Superseded:
        logger.info("Export %s was taken from this worker.", export)


def _run(export: Export) -> None:
    key = storage_key(export, export.claims[-1])
    try:
        file = _write(export, key)
    except BaseException as error:
        discard(key)
        _give_up(export, error)
        return
    try:
        lifecycle.complete(export, file)
    except lifecycle.Superseded:
        discard(key)
        raise
    # Any other error leaves open whether it was committed. Where it was not, this worker falls
    # silent and the export is written again; where it was, the file must be there.
    logger.info("Export %s is ready: %s, %s rows.", export, file.name, file.rows)


def _give_up(export: Export, error: BaseException) -> None:
    """End or put back an export that could not be written. Raises what is no failure of its own."""
    match error:
        case TimeLimitReached() | SoftTimeLimitExceeded():
            lifecycle.time_out(export)
        case ObsoleteSpec():
            lifecycle.fail(export, ErrorCode.INVALID_RESOURCE, str(error))
        case FormatLimit():
            lifecycle.fail(export, ErrorCode.FORMAT_LIMIT, str(error))
        case lifecycle.Superseded():
            raise error
        case Exception():
            logger.error("Export %s failed.", export, exc_info=error)
            lifecycle.retry(export, type(error).__name__)
        case _:
            raise error


class ExportContent(File):  # type: ignore[type-arg]  # generic in its stubs only
    """A stream as the content that a storage takes, with the type that it stores."""

    def __init__(self, stream: ExportStream, spec: ExportSpec) -> None:
        super().__init__(cast("IO[bytes]", BlockReader(stream)))
        self._stream = stream
        self.content_type = CONTENT_TYPES.get(spec.compression, formats[spec.format].content_type)

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The blocks as they come: cut anew, each would be copied twice."""
        return iter(self._stream)


def _write(export: Export, key: str) -> ExportFile:
    """Stream the file into storage while this thread reports, and verify what arrived."""
    spec = _checked_spec(export)
    stream = ExportStream(spec, export.organization_id)
    content = ExportContent(stream, spec)
    deadline = time.monotonic() + settings.EXPORT_TIME_LIMIT_SECONDS
    with ThreadPoolExecutor(1, thread_name_prefix="export") as pool:
        writing = pool.submit(default_storage.save, key, content)
        try:
            while not wait([writing], timeout=_REPORT_SECONDS).done:
                lifecycle.report(export, stream.rows)
                if time.monotonic() > deadline:
                    raise TimeLimitReached
        except BaseException:
            stream.cancel()
            raise
        writing.result()
    size = default_storage.size(key)
    if size != stream.bytes:
        raise IncompleteExport(f"{size} bytes of {stream.bytes} are in storage")
    return ExportFile(
        export=export,
        name=file_name(spec, f"{export.created_at:%Y%m%dT%H%M%SZ}-{export.public_id[-6:]}"),
        storage_key=key,
        content_type=content.content_type,
        rows=stream.rows,
        bytes=stream.bytes,
        sha256=stream.sha256,
    )


def _checked_spec(export: Export) -> ExportSpec:
    """The spec, as long as the declarations of today allow it. Raises ObsoleteSpec."""
    try:
        spec = export.parsed_spec()
        compile_export(spec, export.organization_id)
    except LookupError as error:
        raise ObsoleteSpec(f"The export cannot be written any more: {error}") from error
    return spec


def file_name(spec: ExportSpec, suffix: str) -> str:
    resource = registry.get(spec.resource)
    plural = resource.plural if resource else spec.resource
    ending = ENDINGS[spec.compression]
    return f"{plural}-{suffix}.{formats[spec.format].extension}{ending}"
