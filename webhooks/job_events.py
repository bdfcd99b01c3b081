"""Webhook events of jobs: the job as the API shows it, without its request.

Deleting a job deletes its events, except the one that reports the deletion.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import prefetch_related_objects

from longshore.jobs.api.serializers import JobSerializer
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import Job
from longshore.jobs.statuses import Status
from webhooks import outbox
from webhooks.events import EventType

J = TypeVar("J", bound=Job)

# Maximum number of files in an event. An export has up to 1,000 files, and each of up to 50
# subscriptions receives the event.
MAX_EVENT_FILES = 100


@dataclass(frozen=True)
class JobEvents(Generic[J]):
    """The events of one kind of job, whose jobs have files.

    types: the event of each status; a status without one is not reported.
    deletion: the event of a deletion.
    serializer: of the data.
    cleared: values, in the event of a deletion, of the fields that repeat texts of the client.
    """

    types: Mapping[Status, EventType]
    deletion: EventType
    serializer: type[JobSerializer[J]]
    cleared: Mapping[str, Any]

    def publish(self, job: J) -> None:
        """Store the event of a job's new status, in the transaction that changes the status.

        job: as it is in the database.
        """
        if event_type := self.types.get(Status(job.status)):
            prefetch_related_objects([job], "files")
            self._publish(job, event_type)

    def publish_deletion(self, job: J) -> None:
        """Store the event of a deletion, in the transaction that deletes the job.

        The event identifies the job, but lists no files and repeats no text of the client.
        """
        self._publish(job, self.deletion, files=[], error=None, metadata={}, **self.cleared)

    def _publish(self, job: J, event_type: EventType, **changes: Any) -> None:
        data = dict(self.serializer(job).data)
        data |= {"files": data["files"][:MAX_EVENT_FILES]} | changes
        # Only exports have a type: the named export of the request.
        export_type = data.get("type") or ""
        outbox.publish(
            job.organization_id, event_type, data, job.resource, export_type, job.other_resources
        )


class PublishingLifecycle(Lifecycle[J]):
    """Changes the status of jobs of one kind, and publishes the changes as webhook events."""

    events: ClassVar[JobEvents[Any]]

    def changed(self, job: J) -> None:
        super().changed(job)
        self.events.publish(job)

    def deleted(self, job: J) -> None:
        outbox.delete_events(job.organization_id, job.public_id)
        super().deleted(job)
        self.events.publish_deletion(job)
