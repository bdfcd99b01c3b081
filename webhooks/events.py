"""What can happen: a closed list of types, each with what it means."""

from django.db.models import TextChoices

# In place of types: a subscription to all, also to those that are yet to come.
EVERY = "*"


class EventType(TextChoices):
    """The types; a label says when such an event happens."""

    EXPORT_QUEUED = "export.queued", "An export waits for a worker."
    EXPORT_STARTED = "export.started", "A worker has begun to write an export."
    EXPORT_CREATED = "export.created", "An export's file is ready to download."
    EXPORT_FAILED = "export.failed", "An export has failed, or took too long; its error says why."
    EXPORT_CANCELED = "export.canceled", "An export was canceled."
    EXPORT_EXPIRED = "export.expired", "An export's files were deleted because their time is over."
    EXPORT_DELETED = "export.deleted", "An export was deleted, and with it its other events."
    BATCH_QUEUED = "batch.queued", "A batch waits for a worker."
    BATCH_STARTED = "batch.started", "A worker has begun to write a batch."
    BATCH_COMPLETED = "batch.completed", "A batch has been written."
    BATCH_FAILED = "batch.failed", "A batch has failed; its error says why."
    WEBHOOK_CHALLENGE = (
        "webhook.challenge",
        "A target must repeat the challenge before it gets events. Sent to that target only.",
    )
    WEBHOOK_TEST = "webhook.test", "Somebody tries a subscription out; only that one gets it."
    WEBHOOK_DISABLED = "webhook.disabled", "A subscription was disabled, for its target fails."
