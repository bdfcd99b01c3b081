"""Hands queued exports to the workers."""

import logging

from celery import current_app
from django.db.models.functions import Now

from exports.models import Export, Lane, Status
from longshore.jobs import heartbeats

logger = logging.getLogger(__name__)

# The name of the task, which stands a floor above.
RUN_EXPORT = "exports.run"
DISCARD = "exports.discard"

# After this, workers of `large` need not look at a small export any more.
_HELP_SECONDS = 30
# A message that is not needed is not sent to a queue of so many: its workers are busy, or away, and
# a broker keeps even a message that has expired until a worker takes it.
_MAX_WAITING = 20


def waiting(lane: str) -> int:
    """How many messages nobody has taken yet; a broker that does not answer has none."""
    try:
        with current_app.connection_or_acquire() as broker:
            declared = broker.default_channel.queue_declare(lane, passive=True)
            return int(declared.message_count)
    except Exception:
        # Whatever its client raises, also for a queue without messages, which need not exist.
        return 0


def own_lane() -> Lane:
    """The lane of the worker in which this runs."""
    return Lane(heartbeats.lane_of(current_app.amqp.queues.consume_from) or Lane.LARGE)


def hand_on(number: int, claimed: Export) -> None:
    """Within a lane, the message of `claimed` is now that of export `number`, which still waits.

    If there is none, `upkeep` sends one.
    """
    waits = Export.objects.filter(pk=number, status=Status.QUEUED, lane=claimed.lane)
    waits.update(enqueued_at=claimed.enqueued_at)


def discard_soon() -> None:
    """Have a worker delete the files of deleted exports and organizations.

    If no message is sent, `upkeep.expire` deletes them.
    """
    try:
        if waiting(current_app.conf.task_default_queue) < _MAX_WAITING:
            current_app.send_task(DISCARD)
    except Exception as error:
        # Whatever its client raises.
        logger.warning("Deleted files wait for the broker: %s", error)


def enqueue(export: Export, *, is_marked: bool = False) -> bool:
    """Tell the workers of a lane that one more export waits; false where the broker is dead.

    Workers of `large` hear of small exports too, by a message of their own: a busy one keeps none
    from the workers of `quick`.
    is_marked: whether `enqueued_at` was stored in advance; it is taken back where no message is
        sent.
    """
    exports = Export.objects.filter(pk=export.pk)
    try:
        current_app.send_task(RUN_EXPORT, [export.pk], queue=export.lane)
        if export.lane == Lane.QUICK and waiting(Lane.LARGE) < _MAX_WAITING:
            current_app.send_task(RUN_EXPORT, [export.pk], queue=Lane.LARGE, expires=_HELP_SECONDS)
    except Exception as error:
        # Whatever its client raises, the export is stored, and `upkeep` will try again.
        logger.warning("Export %s waits for the broker: %s", export, error)
        if is_marked:
            exports.update(enqueued_at=None)
        return False
    if not is_marked:
        exports.update(enqueued_at=Now())
    return True
