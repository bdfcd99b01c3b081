"""The work of a sender: claim due deliveries of a subscription, send them, record the results."""

import logging
import time
from collections.abc import Iterator

from django.utils import timezone
from structlog.contextvars import bind_contextvars

from longshore.accounts.sealing import Unreadable
from webhooks import payloads, queueing, senders
from webhooks.envelopes import UnknownDialect
from webhooks.lifecycle import claims, results
from webhooks.lifecycle.claims import DeliveryClaim
from webhooks.sending import Result, Sender

logger = logging.getLogger(__name__)

# After this time a sender goes to the end of the queue, so that other subscriptions get their turn.
TURN_SECONDS = 5.0


def run(number: int) -> None:
    """Send the due deliveries of the subscription with this key.

    Returns when nothing is due, when enough other senders serve it, or when the turn is over.
    """
    queueing.mark_taken(number)
    bind_contextvars(subscription=number)
    end = time.monotonic() + TURN_SECONDS
    limit = senders.DEFAULT_DELIVERIES
    while claim := _claim(number, limit):
        if claim.may_have_more:
            queueing.wake(number)
        began, sent = time.monotonic(), list[Result]()
        try:
            for result in _send(claim, end):
                sent.append(result)
        finally:
            if sent:
                results.record(claim, sent)
        limit = senders.next_limit(len(sent), time.monotonic() - began)
        queueing.wake_all(senders.next_subscriptions(claim.subscription))
        if time.monotonic() >= end:
            queueing.wake(number)
            return


def _claim(number: int, limit: int) -> DeliveryClaim | None:
    try:
        return claims.claim(number, limit)
    except senders.RateLimitReached:
        queueing.wake(number, senders.RATE_SECONDS)
        return None


def _send(claim: DeliveryClaim, end: float) -> Iterator[Result]:
    """Send the deliveries of a claim in order; stop after a failure or at the end of the turn."""
    try:
        sender = Sender(claim.subscription)
    except (Unreadable, UnknownDialect) as error:
        logger.error("Cannot send to the subscription %s: %s", claim.subscription, error)
        yield Result(claim.deliveries[0], timezone.now(), 0, None, str(error), "", None)
        return
    found = payloads.complete([delivery.event for delivery in claim.deliveries])
    for delivery, data in zip(claim.deliveries, found, strict=True):
        result = sender.send(delivery, data)
        yield result
        if not result.succeeded or time.monotonic() >= end:
            return
