"""Abstract tables of a job, its events, its turns and its files."""

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import ClassVar, Self, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from longshore.accounts.models import ApiKey, Organization
from longshore.database.fields import OrderedJSONField
from longshore.database.ids import new_id
from longshore.jobs.statuses import FAILED, SUCCEEDED, UNFINISHED, Lane, Status
from longshore.resources.readers import unreadable

J = TypeVar("J", bound="Job")
# Number of events of a job that the API and the admin show. Each retry adds some, and retries are
# not limited.
MAX_EVENTS = 1000
# The one rule of expiry in SQL; `Job.expired` states it for one object. A job expires at its time,
# whether or not maintenance has already deleted its files.
_RETENTION_IS_OVER = models.Q(status=Status.COMPLETED, expires_at__lte=Now())


class JobQuerySet(models.QuerySet[J]):
    """Queries that every kind of job has."""

    def visible(self) -> Self:
        """Exclude soft-deleted jobs."""
        return self.filter(deleted_at=None)

    def ready(self) -> Self:
        """Select completed jobs that are neither expired nor deleted."""
        return self.visible().filter(~_RETENTION_IS_OVER, status=Status.COMPLETED)

    def readable_by(self, api_key: ApiKey) -> Self:
        """Select the jobs of an API key's organization whose resources it may read."""
        own = self.filter(organization=api_key.organization_id)
        hidden = unreadable(api_key)
        return own.exclude(hidden) if hidden else own

    def shown_as(self, statuses: Collection[str]) -> Self:
        """Select jobs whose `shown_status` is one of `statuses`."""
        wanted = models.Q(status__in=statuses) & ~_RETENTION_IS_OVER
        if Status.EXPIRED in statuses:
            wanted |= _RETENTION_IS_OVER
        return self.filter(wanted)


def public_id_field(prefix: str) -> "models.CharField[str, str]":
    """Return the field `public_id` of a kind of job whose ids begin with `prefix`."""
    return models.CharField(
        max_length=40, unique=True, default=partial(new_id, prefix), editable=False
    )


def list_index(name: str, *by: str | models.Expression) -> models.Index:
    """Return an index of an organization's jobs by values, newest first as in the API's lists.

    Lists with numbered pages also count the jobs, by this index alone.
    """
    newest_first = (F("created_at").desc(), F("number").desc())
    visible = models.Q(deleted_at__isnull=True)
    return models.Index("organization", *by, *newest_first, name=name, condition=visible)


def admin_index(name: str, field: str) -> models.Index:
    """Return an index of the jobs of all organizations by a field, newest first."""
    visible = models.Q(deleted_at__isnull=True)
    return models.Index(fields=(field, "-number"), name=name, condition=visible)


def known_statuses(statuses: Collection[str]) -> models.CheckConstraint:
    """Return a constraint of a kind of job: its status is one of these, the choices of the field.

    A kind that has only some statuses also overrides the field `status` with their choices.
    """
    values = [str(status) for status in statuses]
    return models.CheckConstraint(
        name="%(class)s_status_is_known", condition=models.Q(status__in=values)
    )


class Job(models.Model):
    """Work that an organization requested and a worker does in the background.

    number: internal; counts the jobs of all organizations. Never show it to a client.
    organization_number: counts the jobs of one organization; shown to clients as `number`.
    other_resources: names of the resources, besides `resource`, whose records the job reads.
    request: the body as received; spec: the validated request, in the form that is executed.
    lane: where the job waits; slot: the lane of the worker that claimed it last.
    enqueued_at: when a message was last sent for it; null if none was sent.
    not_before: when the next attempt may begin.
    records_count: estimated records until the job is completed, then processed records.
    stored_bytes: size of its files in storage; 0 before they are complete and after deletion.
    claims: one token per attempt; the worker that holds the last one may change the job. Emptied
        when the files are deleted.
    has_files: whether it may have files in storage: those of an attempt, or an uploaded input. Set
        by the first claim, and by whatever stores an input; reset when all files are deleted.
    error: `{"error", "message"}` of a failed job.
    deleted_at: time of the soft delete. The row is purged after its files.
    """

    number = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    organization_number = models.PositiveBigIntegerField(null=True)
    # Its index is `%(class)s_admin_key`.
    api_key = models.ForeignKey(
        ApiKey,
        verbose_name="API key",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    resource = models.CharField(max_length=100)
    other_resources = ArrayField(models.CharField(max_length=100), default=list, db_default=[])
    request = OrderedJSONField()
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
    expires_at = models.DateTimeField()
    estimated_completion = models.DateTimeField(null=True)
    records_count = models.BigIntegerField(null=True)
    processed_count = models.BigIntegerField(default=0)
    stored_bytes = models.PositiveBigIntegerField(default=0, db_default=0)
    deleted_at = models.DateTimeField(null=True)
    claims = ArrayField(models.CharField(max_length=40), default=list)
    has_files = models.BooleanField(default=False, db_default=False)
    error = models.JSONField(null=True)

    class Meta:
        abstract = True
        ordering = ("-number",)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=("organization", "-number"), name="%(class)s_by_organization"),
            # The API's lists: without a filter, and by each filter.
            list_index("%(class)s_by_creation"),
            list_index("%(class)s_by_resource", "resource"),
            list_index("%(class)s_by_state", "status"),
            models.Index(
                fields=("heartbeat_at",),
                name="%(class)s_unfinished",
                condition=models.Q(status__in=UNFINISHED),
            ),
            models.Index(
                fields=("organization", "lane"),
                name="%(class)s_unfinished_of",
                condition=models.Q(status__in=UNFINISHED),
            ),
            models.Index(
                fields=("expires_at",),
                name="%(class)s_to_expire",
                condition=models.Q(has_files=True),
            ),
            models.Index(
                fields=("deleted_at",),
                name="%(class)s_deleted",
                condition=models.Q(deleted_at__isnull=False),
            ),
            models.Index(
                fields=("completed_at",),
                name="%(class)s_to_purge",
                condition=models.Q(has_files=False),
            ),
            models.Index(fields=("lane", "status"), name="%(class)s_by_status"),
            # Late pages of the admin's list need this index alone.
            models.Index(
                fields=("-number",),
                name="%(class)s_admin",
                condition=models.Q(deleted_at__isnull=True),
            ),
            # The admin's filters and its search are not limited to one organization.
            admin_index("%(class)s_admin_resource", "resource"),
            admin_index("%(class)s_admin_status", "status"),
            models.Index(
                fields=("-created_at", "-number"),
                name="%(class)s_admin_created",
                condition=models.Q(deleted_at__isnull=True),
            ),
            models.Index(fields=("organization_number",), name="%(class)s_admin_number"),
            # Complete: the deletion of a key needs it too.
            models.Index(fields=("api_key", "-number"), name="%(class)s_admin_key"),
            # The admin's home: the newest failed jobs, and the slowest jobs of a period.
            models.Index(
                F("completed_at").desc(),
                "organization",
                name="%(class)s_failed",
                condition=models.Q(deleted_at__isnull=True, status__in=FAILED),
            ),
            models.Index(
                (F("completed_at") - F("started_at")).desc(),
                "completed_at",
                "organization",
                name="%(class)s_slowest",
                condition=models.Q(
                    deleted_at__isnull=True, status__in=SUCCEEDED, started_at__isnull=False
                ),
            ),
            # The storage quota.
            models.Index(
                fields=("organization",),
                include=("stored_bytes",),
                name="%(class)s_stored",
                condition=models.Q(stored_bytes__gt=0),
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=("organization", "organization_number"),
                name="%(class)s_number_is_unique",
            ),
            models.CheckConstraint(
                name="%(class)s_completed_has_time_and_count",
                condition=~models.Q(status=Status.COMPLETED)
                | models.Q(completed_at__isnull=False, records_count__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def expired(self) -> bool:
        """Whether the retention is over, even if the files still exist."""
        is_over = self.status == Status.COMPLETED and self.expires_at <= timezone.now()
        return is_over or self.status == Status.EXPIRED

    @property
    def shown_status(self) -> Status:
        """The status as the API, the admin and events show it."""
        return Status.EXPIRED if self.expired else Status(self.status)

    @property
    def progress(self) -> int:
        """Percent of the records that are processed; 100 only after completion."""
        # A job that expired without having been queued was never started.
        was_completed = self.status == Status.EXPIRED and self.started_at is not None
        if self.status == Status.COMPLETED or was_completed:
            return 100
        if not self.records_count:
            return 0
        return min(99, 100 * self.processed_count // self.records_count)

    def newest_events(self) -> "list[JobEvent]":
        """Return the newest `MAX_EVENTS` events, the oldest of them first."""
        events: models.QuerySet[JobEvent] = self.events.order_by("-pk")  # type: ignore[attr-defined]
        return [*events[:MAX_EVENTS]][::-1]

    def estimate(self, rows: int, now: datetime) -> datetime | None:
        """Return the expected end of a running job that has processed `rows` by `now`."""
        if not (rows and self.records_count and self.started_at):
            return self.estimated_completion
        remaining = max(0, self.records_count - rows)
        return now + (now - self.started_at) * (remaining / rows)


class JobEvent(models.Model):
    """A change of a job's status, written in the same transaction.

    attempt: number of attempts since a client last queued the job.
    reason: why the status changed, as a sentence; empty if the status itself says it.
    """

    status = models.CharField(max_length=20, choices=Status.choices)
    attempt = models.PositiveIntegerField()
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.status} {self.created_at}"


class JobTurn(models.Model):
    """When a worker last claimed a job of an organization in a lane.

    Decides which organization is next. A table of its own, because the jobs may be deleted.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    lane = models.CharField(max_length=20, choices=Lane.choices)
    taken_at = models.DateTimeField()

    class Meta:
        abstract = True
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=("organization", "lane"), name="%(class)s_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.lane}"


class JobFile(models.Model):
    """A file of a job. The row outlives the file, which is deleted when the job expires."""

    name = models.CharField(max_length=255)
    storage_key = models.CharField(max_length=255, unique=True)
    content_type = models.CharField(max_length=100)
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        abstract = True
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.name
