"""The lifecycle of exports: what a change of status means for files and webhook events.

`longshore.jobs.lifecycle` holds everything that exports share with other kinds of job.
"""

import time
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from math import inf
from typing import ClassVar

from django.conf import settings
from django.db import transaction

from exports.errors import ExportErrorCode
from exports.lifecycle.storage import EXPORT_STORAGE
from exports.lifecycle.webhook_events import EXPORT_EVENTS
from exports.models import (
    Export,
    ExportEvent,
    ExportFile,
    ExportLimits,
    ExportPartition,
    ExportTurn,
    ExportUsage,
    Lane,
)
from exports.spec import ExportSpec
from exports.sql.declared_names import check_names
from longshore.files.storage import file_storage
from longshore.jobs.admission import admit_stored_bytes
from longshore.jobs.kinds import JobKind
from longshore.jobs.specs import refusing_obsolete
from webhooks.job_events import PublishingLifecycle

# Delays after failures of the read replica, which do not count against the export: a replica may
# take minutes to catch up or to start again.
REPLICA_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 120))


_refusing_obsolete = partial(
    refusing_obsolete,
    ExportErrorCode.OBSOLETE_SPEC,
    "The stored request cannot be used: {}. Create a new export.",
)


def readable_spec(export: Export) -> ExportSpec:
    """Return the validated request. Raises ApiError if its stored version is not supported."""
    with _refusing_obsolete():
        spec = export.parsed_spec()
    return spec


def executable_spec(export: Export) -> ExportSpec:
    """Return the validated request, whose names are all declared.

    Raises ApiError if its stored version is not supported, or if its format, resource or one of its
    columns does not exist any more.
    """
    with _refusing_obsolete():
        spec = export.parsed_spec()
        check_names(spec)
    return spec


class ExportLifecycle(PublishingLifecycle[Export]):
    """Changes the status of exports, with their files and webhook events."""

    events = EXPORT_EVENTS
    restart_values: ClassVar = {"snapshot_at": None, "replica_failures": 0}
    deletion_values: ClassVar = {"date_from": None, "date_to": None}
    time_limit_advice = "Add filters, or set `options.limit`."

    def check_retry(self, job: Export) -> None:
        executable_spec(job)

    def count_failures(self, job: Export) -> int:
        return super().count_failures(job) - job.replica_failures

    def create(self, job: Export) -> None:
        # A new export has no files: saves the query of the webhook event and of the response.
        job._prefetched_objects_cache = {"files": ExportFile.objects.none()}  # type: ignore[attr-defined]
        super().create(job)

    def delete_attempts(self, job: Export, claims: Iterable[str], deadline: float = inf) -> bool:
        """Also abort the uploads of workers that died while they wrote one file together."""
        left = ExportPartition.objects.filter(export=job, claim__in=list(claims))
        for claim, upload in left.order_by().values_list("claim", "upload").distinct():
            key = EXPORT_STORAGE.file_key(job, 1, claim)
            if time.monotonic() > deadline:
                return False
            # Partitions that become files have no upload.
            if upload and not file_storage.abort_parts(key, upload):
                return False
            left.filter(claim=claim).delete()
        return super().delete_attempts(job, claims, deadline)

    def complete_with_files(self, export: Export, files: list[ExportFile]) -> None:
        """Complete a claimed export whose files are verified.

        Raises Superseded, and ApiError if the files exceed the storage quota.
        """
        size = sum(file.bytes for file in files)
        with transaction.atomic():
            admit_stored_bytes(self.kind, export.organization_id, size)
            ExportFile.objects.bulk_create(files)
            rows = sum(file.rows for file in files)
            self.complete(export, rows, snapshot_at=export.snapshot_at, stored_bytes=size)

    def restart(self, job: Export) -> bool:
        with transaction.atomic():
            # Before the event `export.queued` is stored: it lists the files of the export.
            ExportFile.objects.filter(export=job).delete()
            is_queued = super().restart(job)
            if not is_queued:
                transaction.set_rollback(True)
        return is_queued

    def retry_replica_later(self, export: Export, reason: str) -> None:
        """Requeue an export whose attempt the read replica ended; fail it after the last delay.

        reason: what the replica did, and how to prevent it. Raises Superseded.
        """
        failures = export.replica_failures
        self.requeue_or_fail(
            export,
            delays=REPLICA_DELAYS,
            earlier_failures=failures,
            requeue_reason=reason,
            failure_code=ExportErrorCode.REPLICA_UNAVAILABLE,
            failure_reason=reason,
            replica_failures=failures + 1,
        )


EXPORTS = JobKind(
    job=Export,
    event=ExportEvent,
    turn=ExportTurn,
    usage=ExportUsage,
    plural="exports",
    queues={Lane.LARGE: "large", Lane.QUICK: "quick"},
    limits=ExportLimits.applied_to,
    retention=lambda: timedelta(hours=settings.EXPORT_RETENTION_HOURS),
    record_retention=lambda: timedelta(days=settings.EXPORT_RECORD_DAYS),
    unfinished_error=ExportErrorCode.TOO_MANY_EXPORTS,
    storage=EXPORT_STORAGE,
)
export_lifecycle = ExportLifecycle(EXPORTS)
