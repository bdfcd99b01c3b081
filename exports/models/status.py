"""The statuses of an export and the lanes in which exports wait."""

from django.db import models


class Status(models.TextChoices):
    """The life of an export; `exports.lifecycle.transitions` is the only module that changes it."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELED = "canceled"
    EXPIRED = "expired"


UNFINISHED = (Status.QUEUED, Status.PROCESSING)
ENDS = (Status.COMPLETED, Status.FAILED, Status.TIMED_OUT, Status.CANCELED)


class Lane(models.TextChoices):
    """The queues of the broker: in one of its own, what is small never waits for what is large."""

    QUICK = "quick"
    LARGE = "large"
