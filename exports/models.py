"""The database tables of exports."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.fields.json import KT
from django.utils import timezone

from exports.spec import ExportSpec
from longshore.jobs.models import (
    Job,
    JobEvent,
    JobFile,
    JobLimits,
    JobQuerySet,
    JobTurn,
    JobUsage,
    known_statuses,
    list_index,
    optional_limit,
    public_id_field,
)
from longshore.jobs.statuses import QUEUED_AT_ONCE, TERMINAL, Lane, Status

__all__ = [
    "STATUSES",
    "STATUS_CHOICES",
    "TERMINAL",
    "Export",
    "ExportEvent",
    "ExportFile",
    "ExportLimits",
    "ExportQuerySet",
    "ExportTurn",
    "ExportUsage",
    "Lane",
    "Status",
    "end_of_retention",
    "retention",
]

# The statuses that an export can have: a subset of `Status`.
STATUSES = QUEUED_AT_ONCE
STATUS_CHOICES = [(status.value, status.label) for status in STATUSES]


def retention() -> timedelta:
    """Return how long the files of a completed export are kept."""
    return timedelta(hours=settings.EXPORT_RETENTION_HOURS)


def end_of_retention() -> datetime:
    """Return when files that are complete now will expire."""
    return timezone.now() + retention()


class ExportQuerySet(JobQuerySet["Export"]):
    """Queries of exports."""


class Export(Job):
    """A request for files.

    date_from, date_to: the range of the request as received; null if it has none.
    snapshot_at: time of the database snapshot that the files show.
    replica_failures: attempts that the read replica ended. They do not count as failures of the
        export.
    """

    public_id = public_id_field("exp")
    format = models.CharField(max_length=20)
    compression = models.CharField(max_length=20)
    date_from = models.CharField(max_length=64, null=True)  # noqa: DJ001
    date_to = models.CharField(max_length=64, null=True)  # noqa: DJ001
    status = models.CharField(max_length=20, choices=STATUS_CHOICES, default=Status.QUEUED)
    expires_at = models.DateTimeField(default=end_of_retention)
    snapshot_at = models.DateTimeField(null=True)
    replica_failures = models.PositiveSmallIntegerField(default=0, db_default=0)

    objects = ExportQuerySet.as_manager()

    class Meta(Job.Meta):
        permissions = (("download_export", "Can download the files of exports"),)
        indexes: ClassVar = [
            *Job.Meta.indexes,
            list_index("export_by_type", KT("request__type")),
        ]
        constraints: ClassVar = [*Job.Meta.constraints, known_statuses(STATUSES)]

    def parsed_spec(self) -> ExportSpec:
        """Return the validated request. Raises UnsupportedVersion."""
        return ExportSpec.from_json(self.spec)


class ExportFile(JobFile):
    """A file of a completed export."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="files")

    class Meta(JobFile.Meta):
        pass


class ExportEvent(JobEvent):
    """A change of an export's status."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="events")
    status = models.CharField(max_length=20, choices=STATUS_CHOICES)

    class Meta(JobEvent.Meta):
        pass


class ExportTurn(JobTurn):
    """When a worker last claimed an export of an organization in a lane."""

    class Meta(JobTurn.Meta):
        pass


class ExportUsage(JobUsage):
    """Exports that an organization created or retried."""


class ExportLimits(JobLimits):
    """Limits of one organization's exports that differ from the settings."""

    settings_prefix = "EXPORT_"

    records = optional_limit("MAX_RECORDS", "records per export")
    bytes = optional_limit("MAX_BYTES", "bytes per export", "Size of all files of one export.")

    class Meta(JobLimits.Meta):
        verbose_name = verbose_name_plural = "export limits"
