"""Hands queued exports to the workers."""

import logging

from celery import current_app
from django.db.models.functions import Now

from exports.models import Export

logger = logging.getLogger(__name__)

# The name of the task, which stands a floor above.
RUN_EXPORT = "exports.run"


def waiting(lane: str) -> int:
    """How many messages nobody has taken yet; a broker that does not answer has none."""
    try:
        with current_app.connection_or_acquire() as broker:
            declared = broker.default_channel.queue_declare(lane, passive=True)
            return int(declared.message_count)
    except Exception:
        # Whatever its client raises, also for a queue without messages, which need not exist.
        return 0


def enqueue(export: Export, *, is_marked: bool = False) -> None:
    """Tell the workers of a lane that one more export waits; a dead broker costs only time.

    is_marked: whether `enqueued_at` was stored in advance; it is taken back where no message is
        sent.
    """
    exports = Export.objects.filter(pk=export.pk)
    try:
        current_app.send_task(RUN_EXPORT, [export.pk], queue=export.lane)
    except Exception as error:
        # Whatever its client raises, the export is stored, and `upkeep` will try again.
        logger.warning("Export %s waits for the broker: %s", export, error)
        if is_marked:
            exports.update(enqueued_at=None)
        return
    if not is_marked:
        exports.update(enqueued_at=Now())
