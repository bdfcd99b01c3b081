"""The vocabulary of jobs: the statuses of a job and the lanes of its queues."""

from django.db.models import TextChoices


class Status(TextChoices):
    """The status of a job. `longshore.jobs.lifecycle.Lifecycle` is the only class that changes it.

    REQUESTED: created, but its input is incomplete, so it is not queued yet. Only some kinds of job
        have this status.
    """

    REQUESTED = "requested"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELED = "canceled"
    EXPIRED = "expired"


# Jobs that count against the limit of unfinished jobs, and can be canceled.
UNFINISHED = (Status.REQUESTED, Status.QUEUED, Status.PROCESSING)
# The statuses in which an attempt ends. A job expires after it was completed, or without having
# been queued.
TERMINAL = (Status.COMPLETED, Status.FAILED, Status.TIMED_OUT, Status.CANCELED)
FAILED = (Status.FAILED, Status.TIMED_OUT)
# The statuses of a job that was completed once. A job that was never started may also be expired.
SUCCEEDED = (Status.COMPLETED, Status.EXPIRED)
RETRYABLE = (Status.FAILED, Status.TIMED_OUT, Status.CANCELED, Status.EXPIRED)
# The statuses of a kind of job whose jobs are queued as soon as they are created.
QUEUED_AT_ONCE = tuple(status for status in Status if status != Status.REQUESTED)


class Lane(TextChoices):
    """The lanes of a kind of job. Each has a queue of its own: small jobs never wait for large."""

    QUICK = "quick"
    LARGE = "large"
