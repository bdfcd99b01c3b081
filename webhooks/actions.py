"""What owners ask for of deliveries: a try, and to have them sent again.

A target that failed so often that it is left alone for a while is sent to at once: whoever has
mended it wants to see so.
"""

from datetime import datetime
from functools import partial

from django.db import transaction

from longshore.api.errors import ApiError, ErrorCode
from webhooks import challenges, lifecycle, outbox, queueing
from webhooks.errors import WebhookErrorCode
from webhooks.events import EventType
from webhooks.models import Delivery, DeliveryStatus, Event, Subscription


def test(subscription: Subscription) -> Delivery:
    """Send a `webhook.test` to one subscription. Raises ApiError if it is not active.

    A target that has not repeated its challenge gets a new challenge instead.
    """
    _refuse_inactive(subscription)
    if subscription.challenge:
        with transaction.atomic():
            delivery = challenges.send(subscription)
            lifecycle.resume(subscription)
        return delivery
    data = {"object": "webhook", "id": subscription.public_id, "message": "It works."}
    with transaction.atomic():
        event = Event.objects.create(
            organization_id=subscription.organization_id, type=EventType.WEBHOOK_TEST, data=data
        )
        [delivery] = outbox.deliver(event, [subscription.pk])
        lifecycle.resume(subscription)
    return delivery


def redeliver(delivery: Delivery) -> None:
    """Send it once more. Raises ApiError where it is being sent, or its target is not active."""
    _refuse_inactive(delivery.subscription)
    with transaction.atomic():
        if not lifecycle.redeliver(delivery):
            accepted = [status for status in DeliveryStatus if status != DeliveryStatus.SENDING]
            text = "The delivery is being sent right now."
            details = {"status": DeliveryStatus.SENDING, "accepted": accepted}
            raise ApiError(ErrorCode.INVALID_STATUS, text, details)
        lifecycle.resume(delivery.subscription)
        transaction.on_commit(partial(queueing.wake, delivery.subscription_id))


def recover(subscription: Subscription, since: datetime) -> int:
    """Send again what has failed since then. Raises ApiError where it is not active."""
    _refuse_inactive(subscription)
    with transaction.atomic():
        transaction.on_commit(partial(queueing.wake, subscription.pk))
        recovered = lifecycle.recover(subscription, since)
        # Deliveries are locked before their subscriptions, here as everywhere.
        lifecycle.resume(subscription)
    return recovered


def _refuse_inactive(subscription: Subscription) -> None:
    if not subscription.active:
        text = f"The subscription {subscription} is not active. Activate it first."
        details = {"active": False, "disabled_reason": subscription.disabled_reason}
        raise ApiError(WebhookErrorCode.SUBSCRIPTION_INACTIVE, text, details)
