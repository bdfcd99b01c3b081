"""The webhook events of batches."""

from batches.lifecycle.representation import BatchEventDataSerializer
from batches.models import Batch
from longshore.jobs.statuses import Status
from webhooks.events import EventType
from webhooks.job_events import JobEvents

BATCH_EVENTS: JobEvents[Batch] = JobEvents(
    # A requested batch has no event: the client that requested it uploads its file.
    types={
        Status.QUEUED: EventType.BATCH_QUEUED,
        Status.PROCESSING: EventType.BATCH_STARTED,
        Status.COMPLETED: EventType.BATCH_COMPLETED,
        Status.FAILED: EventType.BATCH_FAILED,
        Status.TIMED_OUT: EventType.BATCH_FAILED,
        Status.CANCELED: EventType.BATCH_CANCELED,
        Status.EXPIRED: EventType.BATCH_EXPIRED,
    },
    deletion=EventType.BATCH_DELETED,
    serializer=BatchEventDataSerializer,
    cleared={"input": None, "warnings": [], "reason": ""},
)
