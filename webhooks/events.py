"""The closed list of event types, with their descriptions."""

from collections.abc import Iterable

from django.db.models import TextChoices

# Subscribes to all types, including those of later releases.
ALL_EVENTS = "*"


class EventType(TextChoices):
    """Types of events. The label of a type says when the event is published."""

    EXPORT_QUEUED = "export.queued", "An export is waiting for a worker."
    EXPORT_STARTED = "export.started", "A worker has started an export."
    EXPORT_CREATED = "export.created", "An export's file is ready to download."
    EXPORT_FAILED = "export.failed", "An export failed or timed out; `error` says why."
    EXPORT_CANCELED = "export.canceled", "An export was canceled."
    EXPORT_EXPIRED = (
        "export.expired",
        "The retention of an export has ended; its files are deleted.",
    )
    EXPORT_DELETED = "export.deleted", "An export was deleted, together with its other events."
    BATCH_QUEUED = "batch.queued", "A batch is waiting for a worker."
    BATCH_STARTED = "batch.started", "A worker has started a batch."
    BATCH_COMPLETED = "batch.completed", "A batch is completed."
    BATCH_FAILED = "batch.failed", "A batch failed or timed out; `error` says why."
    BATCH_CANCELED = "batch.canceled", "A batch was canceled."
    BATCH_EXPIRED = (
        "batch.expired",
        "A batch's retention has ended, or its file was not uploaded in time; its files are "
        "deleted.",
    )
    BATCH_DELETED = "batch.deleted", "A batch was deleted, together with its other events."
    WEBHOOK_CHALLENGE = (
        "webhook.challenge",
        "The target must repeat the challenge before it gets events. Sent only to that target.",
    )
    WEBHOOK_TEST = (
        "webhook.test",
        "A test of a subscription was requested. Sent only to that subscription.",
    )
    WEBHOOK_DISABLED = (
        "webhook.disabled",
        "A subscription was disabled because its target keeps failing.",
    )


# Other names of event types, which subscriptions and filters accept.
_ALIASES = {"export.completed": EventType.EXPORT_CREATED.value}
# All names that requests may use.
EVENT_TYPES = (*EventType.values, *_ALIASES)


def canonical_types(names: Iterable[str]) -> list[str]:
    """Return the event types that some names stand for, in the order of their declaration."""
    chosen = {_ALIASES.get(name, name) for name in names}
    return [name for name in EventType.values if name in chosen]
