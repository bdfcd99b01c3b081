"""Runs a queued export: from its spec to verified files in storage."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context

from django.db import close_old_connections
from psycopg.errors import QueryCanceled
from structlog.contextvars import bind_contextvars

from exports.errors import ExportErrorCode
from exports.execution import replica
from exports.execution.storage import clear, folder
from exports.execution.writer import write_files
from exports.formats.base import FormatLimit
from exports.lifecycle import queues, transitions
from exports.lifecycle.limits import limits_of, stored_bytes_of
from exports.models import Export, ExportFile
from exports.reading.stream import ExportStream
from exports.spec import ExportSpec
from exports.sql.compiler import compile_export
from longshore.api.errors import ApiError
from longshore.jobs import heartbeats
from longshore.resources.errors import ResourceErrorCode

logger = logging.getLogger(__name__)

_REPORT_SECONDS = 1.0
# A storage that does not answer is left to itself after this, and what it still writes to sweepers.
_PATIENCE_SECONDS = 60


class ObsoleteSpec(Exception):
    """What was asked for is not declared any more; no attempt will mend that."""


class TimeLimitReached(Exception):
    """The export has taken all the time that there is."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


def run(number: int) -> None:
    """Write the files of the queued export whose turn it is; `number` is that of the message."""
    slot = queues.own_lane()
    slots = heartbeats.slots(slot)
    export = transitions.claim(number, slot, slots)
    if export is None:
        return
    bind_contextvars(export=export.public_id, organization=export.organization_id)
    try:
        _run(export)
    except transitions.Superseded:
        logger.info("Export %s was taken from this worker.", export)
    if slots > 1 and (waiting := transitions.waiting_of(export.organization_id, slot)):
        # Workers refused it as long as the organization held all the slots that it may hold.
        queues.enqueue(waiting)


def _run(export: Export) -> None:
    pool = ThreadPoolExecutor(1, thread_name_prefix="export")

    def clear_later(claims: list[str]) -> None:
        """After whatever is still being written; the status need not wait for the storage."""
        wait([pool.submit(_clear, export, claims)], timeout=_PATIENCE_SECONDS)

    try:
        try:
            files = _write(export, pool)
        except BaseException as error:
            # Also where this process is to end, which leaves no time to sweep up later.
            try:
                _give_up(export, error)
            finally:
                clear_later(export.claims)
            return
        try:
            transitions.complete(export, files)
        except transitions.Superseded:
            clear_later(export.claims)
            raise
        except ApiError as error:
            # Nothing was committed: the storage quota has no room for the files.
            try:
                _give_up(export, error)
            finally:
                clear_later(export.claims)
            return
        # Any other error leaves open whether it was committed. Where it was not, this worker falls
        # silent and the export is written again; where it was, the files must be there.
        # The storage answers now, as it may not have done when earlier attempts were to be cleared.
        clear_later(export.claims[:-1])
    finally:
        pool.shutdown(wait=False)
    rows = sum(file.rows for file in files)
    logger.info("Export %s is ready: %s, %s rows.", export, files[0].name, rows)


def _clear(export: Export, claims: list[str]) -> None:
    """Delete what attempts wrote; later ones are not among those that the export was read with."""
    for claim in claims:
        clear(folder(export, claim))


def _give_up(export: Export, error: BaseException) -> None:
    """End or put back an export that could not be written. Raises what is no failure of its own."""
    # If the error was a lost connection of Django, this opens a new one.
    close_old_connections()
    failure = replica.failure_of(export, error)
    match error:
        case _ if failure:
            logger.warning("Export %s: %s %s", export, failure, error)
            transitions.try_replica_again(export, failure)
        case TimeLimitReached():
            transitions.time_out(export, error.seconds)
        case ObsoleteSpec():
            transitions.fail(export, ResourceErrorCode.INVALID_RESOURCE, str(error))
        case FormatLimit():
            transitions.fail(export, ExportErrorCode.FORMAT_LIMIT, str(error))
        case ApiError():
            transitions.fail(export, error.code, error.message)
        case transitions.Superseded():
            raise error
        case Exception():
            logger.error("Export %s failed.", export, exc_info=error)
            transitions.try_again(export, type(error).__name__)
        case _:
            raise error


def _write(export: Export, pool: ThreadPoolExecutor) -> list[ExportFile]:
    """Write the files in a thread of the pool while this one reports."""
    spec = _checked_spec(export)
    limits = limits_of(export.organization_id)
    stream = ExportStream(spec, export.organization_id, limits.seconds, replica.database_of(export))
    deadline = time.monotonic() + limits.seconds
    used = None if limits.stored_bytes is None else stored_bytes_of(export.organization_id)
    writing = pool.submit(copy_context().run, write_files, export, spec, stream, limits, used)
    try:
        while not wait([writing], timeout=_REPORT_SECONDS).done:
            transitions.report(export, stream.rows)
            if time.monotonic() > deadline:
                raise TimeLimitReached(limits.seconds)
        return writing.result()
    except QueryCanceled as error:
        if time.monotonic() < deadline:
            raise
        raise TimeLimitReached(limits.seconds) from error
    except BaseException:
        # Also if this process ends: stop the query, nobody will read its rows.
        stream.cancel()
        raise


def _checked_spec(export: Export) -> ExportSpec:
    """The spec, as long as the declarations of today allow it. Raises ObsoleteSpec."""
    try:
        spec = export.parsed_spec()
        compile_export(spec, export.organization_id)
    except LookupError as error:
        raise ObsoleteSpec(f"The export cannot be written any more: {error}") from error
    return spec
