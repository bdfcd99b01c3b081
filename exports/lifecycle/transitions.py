"""The lifecycle of exports: what a change of status means for files and webhook events.

`longshore.jobs.lifecycle` holds everything that exports share with other kinds of job.
"""

from collections.abc import Iterable
from datetime import timedelta
from math import inf
from typing import ClassVar

from django.conf import settings
from django.db import transaction

from exports.errors import ExportErrorCode
from exports.lifecycle import storage, webhook_events
from exports.lifecycle.limits import limits_of
from exports.models import (
    Export,
    ExportEvent,
    ExportFile,
    ExportTurn,
    ExportUsage,
    Lane,
    retention,
)
from longshore.accounts.models import Organization
from longshore.jobs import maintenance
from longshore.jobs.admission import admit_stored_bytes
from longshore.jobs.kinds import JobKind
from longshore.jobs.lifecycle import Lifecycle

# Delays after failures of the read replica, which do not count against the export: a replica may
# take minutes to catch up or to start again.
REPLICA_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 120))


class ExportLifecycle(Lifecycle[Export]):
    """Changes the status of exports, with their files and webhook events."""

    restart_values: ClassVar = {"snapshot_at": None, "replica_failures": 0}
    deletion_values: ClassVar = {"date_from": None, "date_to": None}
    time_limit_advice = "Add filters, or set `limit`."

    def changed(self, job: Export) -> None:
        super().changed(job)
        webhook_events.publish(job)

    def deleted(self, job: Export) -> None:
        webhook_events.delete_events(job)
        super().deleted(job)
        webhook_events.publish_deletion(job)

    def clean(self, job: Export, end: float = inf) -> bool:
        return storage.delete_files(job, end)

    def orphans(self, older_than: timedelta) -> Iterable[str]:
        return storage.orphans(older_than)

    def failures(self, job: Export) -> int:
        return super().failures(job) - job.replica_failures

    def create(self, job: Export) -> None:
        # A new export has no files: saves the query of the webhook event and of the response.
        job._prefetched_objects_cache = {"files": ExportFile.objects.none()}  # type: ignore[attr-defined]
        super().create(job)

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
            is_queued = super().restart(job)
            if is_queued:
                ExportFile.objects.filter(export=job).delete()
        return is_queued

    def retry_replica_later(self, export: Export, reason: str) -> None:
        """Requeue an export whose attempt the read replica ended; fail it after the last delay.

        reason: what the replica did, and how to prevent it. Raises Superseded.
        """
        failures = export.replica_failures
        self.retry_with(
            export,
            REPLICA_DELAYS,
            failures,
            ExportErrorCode.REPLICA_UNAVAILABLE,
            reason,
            reason,
            replica_failures=failures + 1,
        )


EXPORTS = JobKind(
    job=Export,
    event=ExportEvent,
    turn=ExportTurn,
    usage=ExportUsage,
    queues={Lane.LARGE: "large", Lane.QUICK: "quick"},
    limits=limits_of,
    retention=retention,
    record_retention=lambda: timedelta(days=settings.EXPORT_RECORD_DAYS),
    unfinished_error=ExportErrorCode.TOO_MANY_EXPORTS,
)
export_lifecycle = ExportLifecycle(EXPORTS)


def discard_files(sender: object, instance: Organization, **_: object) -> None:
    """Delete the files of an organization that is being deleted. A receiver of `pre_delete`."""
    maintenance.discard_folder(export_lifecycle, instance, storage.organization_folder(instance.pk))
