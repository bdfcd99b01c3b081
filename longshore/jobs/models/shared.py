"""Tables that all kinds of job share."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from longshore.accounts.models import Organization
from longshore.jobs.statuses import Lane, Status


class JobTotal(models.Model):
    """Totals of the jobs of a kind and lane that ended in a status.

    `longshore.jobs.counters` maintains them.

    bucket: upper bound in seconds of a histogram bucket. The row counts the jobs that took at most
        this long and longer than the next smaller bucket.
    seconds: total duration of their last attempts.
    """

    kind = models.CharField(max_length=40)
    lane = models.CharField(max_length=20, choices=Lane.choices)
    status = models.CharField(max_length=20, choices=Status.choices)
    bucket = models.FloatField()
    jobs = models.BigIntegerField()
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    seconds = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("kind", "lane", "status", "bucket"), name="job_total_is_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.lane} {self.status} {self.bucket}"


class JobCount(models.Model):
    """Number of stored jobs of a kind, lane and status; `longshore.jobs.counters` maintains it."""

    kind = models.CharField(max_length=40)
    lane = models.CharField(max_length=20, choices=Lane.choices)
    status = models.CharField(max_length=20, choices=Status.choices)
    jobs = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("kind", "lane", "status"), name="job_count_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.lane} {self.status}"


class JobHour(models.Model):
    """Jobs of an organization and kind that ended in a status within one hour.

    `longshore.jobs.counters` adds to it in the transaction that ends a job, and keeps the rows for
    `HOURS_KEPT`. Deleting a job does not lower it.

    hour: its beginning, in UTC.
    rows, bytes: of completed jobs. The bytes are those of `JobKind.bytes_field`.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    hour = models.DateTimeField()
    kind = models.CharField(max_length=40)
    status = models.CharField(max_length=20, choices=Status.choices)
    jobs = models.BigIntegerField()
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("organization", "hour", "kind", "status"), name="job_hour_is_unique"
            )
        ]
        # Sums over all organizations.
        indexes: ClassVar = [models.Index(fields=("hour",), name="job_hour_by_hour")]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.hour} {self.kind} {self.status}"


class DiscardedFolder(models.Model):
    """A folder in storage whose organization was deleted; maintenance deletes its files.

    The row stays for a while: a worker may still write a file while the organization is deleted.
    """

    kind = models.CharField(max_length=40)
    path = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("kind", "path"), name="discarded_folder_is_unique")
        ]

    def __str__(self) -> str:
        return self.path
