"""Actions that owners and staff run on deliveries: test, redeliver and recover.

Each ends the pause of a failing target: the owner has probably repaired it and wants to see the
result now.
"""

from datetime import datetime
from functools import partial

from django.db import transaction

from longshore.api.errors import ApiError, ErrorCode
from webhooks import challenges, outbox, queueing
from webhooks.errors import WebhookErrorCode
from webhooks.events import EventType
from webhooks.lifecycle import pauses, requeueing
from webhooks.models import Delivery, DeliveryStatus, Event, Subscription


def test(subscription: Subscription) -> Delivery:
    """Send a `webhook.test` to one subscription. Raise ApiError if it is not active.

    A target that has not repeated its challenge gets a new challenge instead.
    """
    _refuse_inactive(subscription)
    if subscription.challenge:
        with transaction.atomic():
            delivery = challenges.send(subscription)
            pauses.end_pause(subscription)
        return delivery
    data = {"object": "webhook", "id": subscription.public_id, "message": "It works."}
    with transaction.atomic():
        event = Event.objects.create(
            organization_id=subscription.organization_id, type=EventType.WEBHOOK_TEST, data=data
        )
        [delivery] = outbox.deliver(event, [subscription.pk])
        pauses.end_pause(subscription)
    return delivery


def redeliver(delivery: Delivery) -> None:
    """Send a delivery again, at once.

    Raises ApiError if it is being sent now or if its subscription is not active.
    """
    _refuse_inactive(delivery.subscription)
    with transaction.atomic():
        if not requeueing.redeliver(delivery):
            raise already_sending()
        pauses.end_pause(delivery.subscription)
        transaction.on_commit(partial(queueing.wake, delivery.subscription_id))


def recover(subscription: Subscription, since: datetime) -> int:
    """Send the failed deliveries of events since a time again. Return how many there are.

    Raises ApiError if the subscription is not active.
    """
    _refuse_inactive(subscription)
    with transaction.atomic():
        transaction.on_commit(partial(queueing.wake, subscription.pk))
        recovered = requeueing.recover(subscription, since)
        # Lock deliveries before their subscription, as `results.record` does. `claims.claim` locks
        # in the other order, but skips locked deliveries, so it cannot deadlock.
        pauses.end_pause(subscription)
    return recovered


def already_sending() -> ApiError:
    """Return the error of a redelivery while the delivery is being sent."""
    sending = DeliveryStatus.SENDING.value
    accepted = [status for status in DeliveryStatus.values if status != sending]
    details = {"status": sending, "accepted": accepted}
    return ApiError(ErrorCode.INVALID_STATUS, "The delivery is being sent now.", details)


def _refuse_inactive(subscription: Subscription) -> None:
    if not subscription.active:
        text = f"The subscription {subscription} is not active. Activate it first."
        details = {"active": False, "disabled_reason": subscription.disabled_reason}
        raise ApiError(WebhookErrorCode.SUBSCRIPTION_INACTIVE, text, details)
