"""An export, its files, its events, and the order in which organizations get their turn."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Now
from django.utils import timezone

from exports.models.status import UNFINISHED, Lane, Status
from exports.spec import ExportSpec
from longshore.accounts.models import ApiKey, Organization
from longshore.database.fields import OrderedJSONField
from longshore.database.ids import new_id


def retention() -> timedelta:
    return timedelta(hours=settings.EXPORT_RETENTION_HOURS)


def end_of_retention() -> datetime:
    return timezone.now() + retention()


class ExportQuerySet(models.QuerySet["Export"]):
    def visible(self) -> "ExportQuerySet":
        return self.filter(deleted_at=None)

    def shown_as(self, statuses: Collection[str]) -> "ExportQuerySet":
        """Exports of any of these statuses, as `Export.shown_status` says."""
        over = models.Q(status=Status.COMPLETED, expires_at__lte=Now())
        wanted = models.Q(status__in=statuses) & ~over
        return self.filter(wanted | over if Status.EXPIRED in statuses else wanted)


def _list_index(name: str, *by: str | models.Expression) -> models.Index:
    """An index of an organization's exports by a value, in the order of `NewestFirst`."""
    newest_first = (models.F("created_at").desc(), models.F("number").desc())
    return models.Index("organization", *by, *newest_first, name=name)


class Export(models.Model):
    """A request for a file.

    number: internal. It counts the exports of all organizations: never show it to a client.
    organization_number: counts the exports of one organization, and is shown as `number`.
    request: the body as it came; spec: what it was understood to mean.
    date_from, date_to: the ends of the request's range as it gives them, as texts; null where
        there is none.
    records_count: rows counted when it was created, rows written once it is completed.
    not_before: when the next attempt may begin.
    slot: the lane of the worker that took it up last; a worker of `large` helps `quick`.
    stored_bytes: of its files in storage; 0 before they are complete and once they are deleted.
    claims: a token for each time that a worker took it up; the last one may write. Emptied
        when the files are deleted.
    snapshot_at: the moment of the database that the files show.
    replica_failures: attempts that the read replica ended; not counted as failures of the export.
    deleted_at: time of the soft delete; the row is purged after its files.
    """

    number = models.BigAutoField(primary_key=True)
    public_id = models.CharField(
        max_length=40, unique=True, default=partial(new_id, "exp"), editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="exports", db_index=False
    )
    organization_number = models.PositiveBigIntegerField(null=True)
    api_key = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL)
    resource = models.CharField(max_length=100)
    format = models.CharField(max_length=20)
    compression = models.CharField(max_length=20)
    request = OrderedJSONField()
    date_from = models.CharField(max_length=64, null=True)  # noqa: DJ001
    date_to = models.CharField(max_length=64, null=True)  # noqa: DJ001
    spec = models.JSONField()
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.QUEUED)
    lane = models.CharField(max_length=20, choices=Lane.choices, default=Lane.LARGE)
    slot = models.CharField(
        max_length=20, choices=Lane.choices, blank=True, default="", db_default=""
    )
    created_at = models.DateTimeField(default=timezone.now)
    enqueued_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(default=end_of_retention)
    estimated_completion = models.DateTimeField(null=True)
    records_count = models.BigIntegerField(null=True)
    processed_count = models.BigIntegerField(default=0)
    snapshot_at = models.DateTimeField(null=True)
    replica_failures = models.PositiveSmallIntegerField(default=0, db_default=0)
    stored_bytes = models.PositiveBigIntegerField(default=0, db_default=0)
    deleted_at = models.DateTimeField(null=True)
    claims = ArrayField(models.CharField(max_length=40), default=list)
    error = models.JSONField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        permissions = (("download_export", "Can download the files of exports"),)
        indexes: ClassVar = [
            models.Index(fields=("organization", "-number"), name="export_by_organization"),
            # Lists of the API, without a filter and by each that they have.
            _list_index("export_by_creation"),
            _list_index("export_by_resource", "resource"),
            _list_index("export_by_state", "status"),
            _list_index("export_by_type", KT("request__type")),
            models.Index(
                fields=("heartbeat_at",),
                name="export_unfinished",
                condition=models.Q(status__in=UNFINISHED),
            ),
            models.Index(
                fields=("organization", "lane"),
                name="export_unfinished_of",
                condition=models.Q(status__in=UNFINISHED),
            ),
            models.Index(
                fields=("expires_at",),
                name="export_to_expire",
                condition=~models.Q(claims=[]),
            ),
            models.Index(
                fields=("deleted_at",),
                name="export_deleted",
                condition=models.Q(deleted_at__isnull=False),
            ),
            models.Index(
                fields=("completed_at",),
                name="export_to_forget",
                condition=models.Q(claims=[]),
            ),
            models.Index(fields=("lane", "status"), name="export_by_status"),
            # Late pages of the admin's list are found in this index alone.
            models.Index(
                fields=("-number",),
                name="export_visible",
                condition=models.Q(deleted_at__isnull=True),
            ),
            # The admin's filter by resource, which no organization narrows.
            models.Index(
                fields=("resource", "-number"),
                name="export_visible_by_resource",
                condition=models.Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=("organization",),
                include=("stored_bytes",),
                name="export_stored",
                condition=models.Q(stored_bytes__gt=0),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("organization", "organization_number"),
                name="export_number_is_given_once",
            ),
            models.CheckConstraint(
                name="export_status_is_known", condition=models.Q(status__in=Status.values)
            ),
            models.CheckConstraint(
                name="export_is_completed_with_its_time_and_count",
                condition=~models.Q(status=Status.COMPLETED)
                | models.Q(completed_at__isnull=False, records_count__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    def parsed_spec(self) -> ExportSpec:
        return ExportSpec.from_json(self.spec)

    @property
    def expired(self) -> bool:
        """True from the minute on, whether or not the files were already deleted."""
        over = self.status == Status.COMPLETED and self.expires_at <= timezone.now()
        return over or self.status == Status.EXPIRED

    @property
    def shown_status(self) -> Status:
        return Status.EXPIRED if self.expired else Status(self.status)

    @property
    def progress(self) -> int:
        """Percent of the rows written; 100 only when the file is ready."""
        if self.status == Status.COMPLETED or (self.status == Status.EXPIRED and not self.error):
            return 100
        if not self.records_count:
            return 0
        return min(99, 100 * self.processed_count // self.records_count)


class ExportFile(models.Model):
    """A file of a completed export; gone from storage once the export is expired."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=255)
    storage_key = models.CharField(max_length=255, unique=True)
    content_type = models.CharField(max_length=100)
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name


class ExportEvent(models.Model):
    """A change of an export's status, written with it.

    attempt: how often workers had taken the export up since it was queued last.
    reason: why, where that is not what usually happens.
    """

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="events")
    status = models.CharField(max_length=20, choices=Status.choices)
    attempt = models.PositiveIntegerField()
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.export_id} {self.status}"


class ExportTurn(models.Model):
    """When a worker last took up an export of an organization in a lane, for others to come first.

    Exports do not tell, for they may have been deleted since.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    lane = models.CharField(max_length=20, choices=Lane.choices)
    taken_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("organization", "lane"), name="export_turn_is_the_last_one"
            )
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.lane}"


class DiscardedFolder(models.Model):
    """A folder of the storage whose organization was deleted; its files are deleted at once.

    The row stays for a while: a worker may still write a file as the organization is deleted.
    """

    path = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.path
