"""Messages that wake senders: at most one waits in the queue for each subscription."""

import logging
from collections.abc import Iterable

from celery import current_app
from redis.exceptions import RedisError

from longshore.cache import cache

logger = logging.getLogger(__name__)

QUEUE = "webhooks"
# Name of the task in `webhooks.tasks`, which imports this module.
SEND = "webhooks.send"

# While a message waits, no other is sent. The TTL bounds the delay if the broker loses a message.
_WAITING_SECONDS = 5


def wake_all(numbers: Iterable[int]) -> None:
    """Wake senders for several subscriptions. Stop at the first failure of the broker."""
    for number in numbers:
        if not wake(number):
            return


def wake(number: int, seconds: float = 0) -> bool:
    """Send a message for a subscription unless one already waits.

    seconds: delay before a sender takes the message.
    Returns False if the broker failed; the next sweep then sends the message.
    """
    try:
        if not cache.add(_key(number), 1, timeout=_WAITING_SECONDS):
            return True
    except RedisError as error:
        logger.warning("Could not check for a waiting message, sending another: %s", error)
    try:
        current_app.send_task(SEND, [number], queue=QUEUE, countdown=seconds or None)
    except Exception as error:
        # The client libraries of the brokers raise many kinds of exception.
        logger.warning("Could not wake a sender for subscription %s: %s", number, error)
        return False
    return True


def mark_taken(number: int) -> None:
    """Note that a sender has taken the message: from now on another one may be sent."""
    try:
        cache.delete(_key(number))
    except RedisError as error:
        logger.warning("The next message for subscription %s may be late: %s", number, error)


def _key(number: int) -> str:
    return f"webhooks:{number}"
