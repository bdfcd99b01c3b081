"""Tells the senders that something waits for a subscription."""

import logging
from collections.abc import Iterable

from celery import current_app
from django.core.cache import cache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

QUEUE = "webhooks"
# The name of the task, which stands a floor above.
SEND = "webhooks.send"

# As long as a message waits, there is no need of another; one that is lost is not waited for.
_WAITING_SECONDS = 5


def wake_all(numbers: Iterable[int]) -> None:
    """As `wake`, but a dead broker is asked no more than once."""
    for number in numbers:
        if wake(number):
            return


def wake(number: int, seconds: float = 0) -> bool:
    """Send a message unless one waits. Return true if the broker fails; the sweep sends it then.

    seconds: how long the message waits before a sender takes it.
    """
    try:
        if not cache.add(_key(number), 1, timeout=_WAITING_SECONDS):
            return False
    except RedisError as error:
        logger.warning("Whether a message waits is not known: %s", error)
    try:
        current_app.send_task(SEND, [number], queue=QUEUE, countdown=seconds or None)
    except Exception as error:
        # Whatever its client raises.
        logger.warning("Subscription %s waits for the broker: %s", number, error)
        return True
    return False


def taken(number: int) -> None:
    """The message has come; who has more to send from now on sends another."""
    try:
        cache.delete(_key(number))
    except RedisError as error:
        logger.warning("The next message for subscription %s may be late: %s", number, error)


def _key(number: int) -> str:
    return f"webhooks:{number}"
