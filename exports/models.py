"""The database tables of exports."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.fields.json import KT

from exports.spec import ExportSpec
from longshore.accounts.models import Organization
from longshore.database.fields import OrderedJSONField
from longshore.jobs.models import (
    Job,
    JobEvent,
    JobFile,
    JobLimits,
    JobQuerySet,
    JobSearch,
    JobTurn,
    JobUsage,
    admin_index,
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
    "ExportPartition",
    "ExportPreset",
    "ExportQuerySet",
    "ExportSearch",
    "ExportTurn",
    "ExportUsage",
    "Lane",
    "PartitionStatus",
    "Status",
]

# The statuses that an export can have: a subset of `Status`.
STATUSES = QUEUED_AT_ONCE
STATUS_CHOICES = [(status.value, status.label) for status in STATUSES]


class ExportQuerySet(JobQuerySet["Export"]):
    """Queries of exports."""

    def of_types(self, codes: Collection[str]) -> "ExportQuerySet":
        """Select the exports of these named exports."""
        return self.alias(type=KT("request__type")).filter(type__in=codes)


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
    snapshot_at = models.DateTimeField(null=True)
    replica_failures = models.PositiveSmallIntegerField(default=0, db_default=0)

    objects = ExportQuerySet.as_manager()

    class Meta(Job.Meta):
        permissions = (
            ("download_export", "Can download the files of exports"),
            ("preview_export", "Can preview the rows of exports"),
        )
        indexes: ClassVar = [
            *Job.Meta.indexes,
            list_index("export_by_type", KT("request__type")),
            models.Index(
                KT("request__type"),
                models.F("number").desc(),
                name="export_admin_type",
                condition=models.Q(deleted_at__isnull=True),
            ),
            admin_index("export_admin_format", "format"),
        ]
        constraints: ClassVar = [*Job.Meta.constraints, known_statuses(STATUSES)]

    def parsed_spec(self) -> ExportSpec:
        """Return the validated request. Raises UnsupportedVersion."""
        return ExportSpec.from_json(self.spec)


def delete_private_presets(collector: Any, field: Any, presets: Any, using: str) -> None:
    """`on_delete` of the owner: delete private presets; keep the shared ones, without an owner."""
    models.CASCADE(collector, field, presets.filter(is_shared=False), using)
    models.SET_NULL(collector, field, presets.filter(is_shared=True), using)


class ExportPreset(models.Model):
    """A request that the staff saved under a name, to build other exports from it.

    owner: the person who saved it; only that person renames, replaces and deletes it. Null if the
        person was deleted: people with `change_export` then replace and delete it.
    is_shared: whether everybody who may see the organization can use it.
    request: the body of a request.
    """

    MAX_NAME_CHARACTERS = 100
    # Maximum number of presets of one owner in one organization.
    MAX_PER_OWNER = 100

    name = models.CharField(max_length=MAX_NAME_CHARACTERS)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=delete_private_presets, null=True, related_name="+"
    )
    is_shared = models.BooleanField(default=False)
    request = OrderedJSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name", "pk")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("organization", "owner", "name"), name="export_preset_name_is_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ExportFileManager(models.Manager["ExportFile"]):
    """Defers the pieces of files, which only manifests show."""

    def get_queryset(self) -> models.QuerySet["ExportFile"]:
        return super().get_queryset().defer("partitions")


class ExportFile(JobFile):
    """A file of a completed export.

    partitions: the pieces that several workers wrote: rows, bytes and sha256 of each, in the order
        of the file. Empty if one worker wrote the file.
    """

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="files")
    partitions = models.JSONField(default=list, db_default=[])

    objects = ExportFileManager()

    class Meta(JobFile.Meta):
        indexes: ClassVar = [
            GinIndex(fields=["name"], opclasses=["gin_trgm_ops"], name="exportfile_name")
        ]


class PartitionStatus(models.TextChoices):
    """The state of a partition.

    PENDING: no worker reads it. DONE: its part or file is saved. SMALL: it was read, but a part
    must be larger, so it will be joined to its neighbors and read again. FAILED: another worker had
    an error; the worker that runs the export reads it again, and its error ends the attempt.
    """

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    SMALL = "small"
    FAILED = "failed"


class ExportPartition(models.Model):
    """Consecutive rows of an export that several workers read: a part of its file, or a file.

    The worker that runs the export stores the partitions and deletes them at the end of its
    attempt; if it cannot, they are deleted with the files of the attempt. Each claim of a partition
    has its own token, which is empty while no worker reads the partition.

    claim: the token of the attempt.
    number: the order in the file; not consecutive after partitions were joined.
    fingerprint: of the statement that reads all rows. Workers that would read them by another
        statement, because they run another version of the code, take no partition.
    slices: the rows, as `exports.reading.partitioning.Slice`.
    expected_bytes: the planned size of the rows' text.
    snapshot, upload: identify the shared snapshot, and the upload in parts; empty for a file.
    tries: the number of claims. The number of a part depends on it, so that a worker that lost its
        claim cannot replace the part of its successor.
    is_remote: whether another worker than the one that runs the export reads it.
    rows, bytes: counts so far.
    part: identifies and describes the stored bytes.
    """

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="partitions")
    claim = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)
    slices = models.JSONField()
    expected_bytes = models.BigIntegerField()
    snapshot = models.CharField(max_length=100)
    upload = models.TextField()
    status = models.CharField(
        max_length=20, choices=PartitionStatus.choices, default=PartitionStatus.PENDING
    )
    token = models.CharField(max_length=40, blank=True, default="")
    tries = models.PositiveSmallIntegerField(default=0)
    is_remote = models.BooleanField(default=False)
    heartbeat_at = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    part = models.JSONField(null=True)

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("export", "claim", "number"), name="export_partition_number_is_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.export_id}/{self.number}"


class ExportEvent(JobEvent):
    """A change of an export's status."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="events")
    status = models.CharField(max_length=20, choices=STATUS_CHOICES)

    class Meta(JobEvent.Meta):
        pass


class ExportSearch(JobSearch):
    """The text by which the staff finds an export."""

    class Meta(JobSearch.Meta):
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
    bytes = optional_limit(
        "MAX_BYTES", "bytes per export", "Size of all files of one export.", unit="bytes"
    )

    class Meta(JobLimits.Meta):
        verbose_name = verbose_name_plural = "export limits"
