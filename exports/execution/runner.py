"""Runs a queued export: from its spec to verified files in storage."""

import logging
from functools import partial
from typing import ClassVar

from exports.errors import ExportErrorCode
from exports.execution import replica
from exports.execution.writer import write_files
from exports.formats.base import FormatLimit
from exports.lifecycle.limits import AttemptLimits, max_records
from exports.lifecycle.transitions import (
    EXPORTS,
    ExportLifecycle,
    executable_spec,
    export_lifecycle,
)
from exports.models import Export, ExportFile, ExportLimits
from exports.reading.stream import ExportStream
from longshore.jobs.admission import stored_bytes_of
from longshore.jobs.runner import JobRunner, Work

logger = logging.getLogger(__name__)


class ExportRunner(JobRunner[Export, list[ExportFile]]):
    """Writes the files of exports."""

    lifecycle: ExportLifecycle
    permanent_errors: ClassVar = {FormatLimit: ExportErrorCode.FORMAT_LIMIT}

    def prepare(self, job: Export) -> Work[list[ExportFile]]:
        spec = executable_spec(job)
        allowed = ExportLimits.applied_to(job.organization_id)
        database = replica.database_of(job)
        stream = ExportStream(spec, job.organization_id, allowed.seconds, database)
        used = (
            None if allowed.stored_bytes is None else stored_bytes_of(EXPORTS, job.organization_id)
        )
        checked = AttemptLimits(allowed, max_records(spec, allowed), used)
        write = partial(write_files, job, spec, stream, checked)
        return Work(write, lambda: stream.rows, stream.cancel, allowed.seconds)

    def complete(self, job: Export, result: list[ExportFile]) -> None:
        self.lifecycle.complete_with_files(job, result)

    def describe(self, result: list[ExportFile]) -> str:
        return f"{result[0].name}, {sum(file.rows for file in result):,} rows"

    def handle(self, job: Export, error: BaseException) -> bool:
        failure = replica.failure_of(job, error)
        if failure is None:
            return False
        logger.warning("Export %s: %s %s", job, failure, error)
        self.lifecycle.retry_replica_later(job, failure)
        return True


run = ExportRunner(export_lifecycle).run
