"""Counters of exports for metrics; `exports.lifecycle.metric_counters` maintains them."""

from typing import ClassVar

from django.db import models

from exports.models.status import Lane, Status


class ExportTotal(models.Model):
    """Totals of the exports of a lane that ended in a status.

    `exports.lifecycle.metric_counters` maintains them.

    le: the bucket of a histogram: they took so many seconds or fewer, but more than the one before.
    seconds: of their last attempts, all together.
    """

    lane = models.CharField(max_length=20, choices=Lane.choices)
    status = models.CharField(max_length=20, choices=Status.choices)
    le = models.FloatField()
    exports = models.BigIntegerField()
    rows = models.BigIntegerField()
    bytes = models.BigIntegerField()
    seconds = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("lane", "status", "le"), name="export_total_has_one_row_for_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.lane} {self.status} {self.le}"


class ExportCount(models.Model):
    """Number of stored exports of a lane and a status.

    `exports.lifecycle.metric_counters` maintains it.
    """

    lane = models.CharField(max_length=20, choices=Lane.choices)
    status = models.CharField(max_length=20, choices=Status.choices)
    exports = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("lane", "status"), name="export_count_has_one_row_for_each"
            )
        ]

    def __str__(self) -> str:
        return f"{self.lane} {self.status}"
