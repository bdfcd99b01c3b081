"""The topics of webhooks and the names of events, which are the same words."""

from collections.abc import Mapping

from webhooks.events import EventType

# A retry of a failed attempt and a restart queue a job again: they are reported as created, too.
TOPICS: Mapping[str, tuple[EventType, ...]] = {
    "exports.create": (EventType.EXPORT_QUEUED,),
    "exports.start": (EventType.EXPORT_STARTED,),
    "exports.complete": (EventType.EXPORT_CREATED,),
    "exports.interrupt": (EventType.EXPORT_FAILED, EventType.EXPORT_CANCELED),
    "exports.destroy": (EventType.EXPORT_DELETED,),
    "imports.create": (EventType.BATCH_QUEUED,),
    "imports.start": (EventType.BATCH_STARTED,),
    "imports.complete": (EventType.BATCH_COMPLETED,),
    "imports.interrupt": (EventType.BATCH_FAILED, EventType.BATCH_CANCELED),
    "imports.destroy": (EventType.BATCH_DELETED,),
}
TOPIC_OF: Mapping[str, str] = {
    event_type.value: topic for topic, types in TOPICS.items() for event_type in types
}
