"""Claims of due deliveries: one sender at a time holds a delivery, until its lease ends."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from longshore.database.ids import new_id
from webhooks import senders
from webhooks.models import Delivery, DeliveryStatus, Subscription

# A sender that has not recorded its results by then is considered dead. It sends for at most
# `runner.TURN_SECONDS`, plus the timeout of the last request.
LEASE = timedelta(seconds=30)


@dataclass(frozen=True)
class DeliveryClaim:
    """The deliveries that one sender has claimed, oldest first.

    token: fences the claim; only deliveries that still carry it are changed by the results.
    may_have_more: true if another sender is allowed and might find due deliveries.
    """

    subscription: Subscription
    deliveries: list[Delivery]
    token: str
    may_have_more: bool


def claim(number: int, limit: int = senders.DEFAULT_DELIVERIES) -> DeliveryClaim | None:
    """Claim due deliveries of the subscription with this key.

    limit: maximum number of deliveries.

    Returns None if nothing is due or if the subscription already has its maximum of senders.
    Raises RateLimitReached if the rate limit of the target's host is used up for this second.
    """
    with transaction.atomic():
        subscriptions = Subscription.objects.filter(senders.sendable(), pk=number)
        subscription = subscriptions.select_for_update(no_key=True).first()
        if subscription is None or not (slot := senders.free_slot(subscription, limit)):
            return None
        own = Delivery.objects.filter(subscription=number).order_by()
        deliveries = list(
            own.filter(senders.due())
            .select_related("event")
            .order_by("next_attempt_at", "pk")
            .select_for_update(skip_locked=True, of=("self",))[: slot.deliveries]
        )
        if not deliveries:
            return None
        if not (allowed := senders.consume_rate(subscription, len(deliveries))):
            raise senders.RateLimitReached
        deliveries = deliveries[:allowed]
        token = new_id("claim")
        own.filter(pk__in=[delivery.pk for delivery in deliveries]).update(
            status=DeliveryStatus.SENDING, claim=token, lease_ends_at=Now() + LEASE
        )
    may_have_more = not slot.is_last and len(deliveries) == slot.deliveries
    return DeliveryClaim(subscription, deliveries, token, may_have_more)
