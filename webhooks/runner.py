"""Sends what is due for a subscription: claim, request after request, record."""

import logging
import time
from collections.abc import Iterator

from django.utils import timezone
from structlog.contextvars import bind_contextvars

from longshore.accounts.sealing import Unreadable
from webhooks import lifecycle, payloads, queueing, senders
from webhooks.lifecycle import Batch
from webhooks.sending import Result, Sender

logger = logging.getLogger(__name__)

# After this many seconds a sender makes way for others, and goes to the end of the queue.
TURN = 5.0


def run(number: int) -> None:
    """Send what is due for a subscription until nothing is, others do, or the turn is over."""
    queueing.taken(number)
    bind_contextvars(subscription=number)
    end = time.monotonic() + TURN
    while batch := _claim(number):
        if batch.more:
            queueing.wake(number)
        results: list[Result] = []
        try:
            for result in _send(batch, end):
                results.append(result)
        finally:
            if results:
                lifecycle.record(batch, results)
        queueing.wake_all(senders.next_in_line(batch.subscription))
        if time.monotonic() >= end:
            queueing.wake(number)
            return


def _claim(number: int) -> Batch | None:
    try:
        return lifecycle.claim(number)
    except senders.RateReached:
        queueing.wake(number, senders.RATE_SECONDS)
        return None


def _send(batch: Batch, end: float) -> Iterator[Result]:
    """Ends with the first that fails, and with the turn."""
    try:
        sender = Sender(batch.subscription)
    except Unreadable as error:
        logger.error("Subscription %s is not sent to: %s", batch.subscription, error)
        yield Result(batch.deliveries[0], timezone.now(), 0, None, str(error), "", None)
        return
    found = payloads.complete([delivery.event for delivery in batch.deliveries])
    for delivery, data in zip(batch.deliveries, found, strict=True):
        result = sender.send(delivery, payloads.body(delivery.event, data))
        yield result
        if not result.succeeded or time.monotonic() >= end:
            return
