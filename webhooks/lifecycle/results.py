"""Results of attempts: stored with their deliveries, which end or are retried with backoff."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from webhooks import challenges
from webhooks.events import EventType
from webhooks.lifecycle import pauses
from webhooks.lifecycle.claims import DeliveryClaim
from webhooks.models import NO_RESPONSE, SUCCESS, Attempt, Delivery, DeliveryStatus
from webhooks.sending import GONE, Result

# Backoff after each failed attempt: from 5 s, times six, up to 20 h; about three days in total.
DELAYS = tuple(timedelta(seconds=min(5 * 6**number, 72_000)) for number in range(9))
_JITTER = 0.1


def record(claim: DeliveryClaim, results: Sequence[Result]) -> None:
    """Store the results of a claim. Only the last result may be a failure.

    Deliveries without a result were not sent: they become due again, as before. Deliveries that
    another sender has claimed meanwhile keep the status that the other sender gives them.
    """
    held = Delivery.objects.filter(claim=claim.token, status=DeliveryStatus.SENDING)
    numbers = [result.delivery.pk for result in results]
    with transaction.atomic():
        # Deleting an export deletes its deliveries, even while they are being sent.
        sent = Delivery.objects.filter(pk__in=numbers).order_by("pk")
        existing = set(sent.select_for_update(no_key=True).values_list("pk", flat=True))
        Attempt.objects.bulk_create(
            _attempt(result) for result in results if result.delivery.pk in existing
        )
        if succeeded := [result.delivery.pk for result in results if result.succeeded]:
            held.filter(pk__in=succeeded).update(**ended(DeliveryStatus.DELIVERED, SUCCESS))
        for result in results:
            if result.succeeded and result.delivery.event.type == EventType.WEBHOOK_CHALLENGE:
                challenges.accept(claim.subscription, result.delivery.event)
        for result in results[len(succeeded) :]:
            held.filter(pk=result.delivery.pk).update(**_after_failure(result))
        if len(results) < len(claim.deliveries):
            # The deliveries above are not `SENDING` any more: only the unsent ones are left.
            held.update(status=DeliveryStatus.PENDING, claim="", lease_ends_at=None)
        pauses.update_health(claim.subscription, results)


def ended(status: DeliveryStatus, response_class: int = NO_RESPONSE) -> dict[str, Any]:
    """Return the fields of a delivery whose attempt has ended: counted, and without a claim."""
    return {
        "status": status,
        "attempts_count": F("attempts_count") + 1,
        "response_class": response_class,
        "next_attempt_at": None,
        "completed_at": Now(),
        "claim": "",
        "lease_ends_at": None,
    }


def _attempt(result: Result) -> Attempt:
    return Attempt(
        delivery=result.delivery,
        started_at=result.started_at,
        milliseconds=result.milliseconds,
        status_code=result.status_code,
        error=result.error,
        response=result.response,
        response_headers=result.response_headers,
    )


def _after_failure(result: Result) -> dict[str, Any]:
    """Return the fields of a delivery after a failed attempt: to be retried, or failed for good."""
    attempts = result.delivery.attempts_count
    response_class = (result.status_code or 0) // 100
    if attempts >= len(DELAYS) or result.status_code == GONE:
        return ended(DeliveryStatus.FAILED, response_class)
    # Not for security: the jitter spreads retries of deliveries that failed together.
    jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
    retry_after = timedelta(seconds=result.retry_after or 0)
    return ended(DeliveryStatus.PENDING, response_class) | {
        "next_attempt_at": Now() + max(DELAYS[attempts] * jitter, retry_after),
        "completed_at": None,
    }
