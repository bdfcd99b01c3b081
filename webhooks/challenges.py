"""Proof that the target of a subscription wants its events: it repeats a token.

A challenge is an event of its own, signed and retried like any other. Until the target has
repeated the token, the subscription gets no other event.
"""

import secrets

from django.db.models.functions import Now

from webhooks import outbox
from webhooks.events import EventType
from webhooks.models import Delivery, Event, Subscription


def send(subscription: Subscription) -> Delivery:
    """Send a new challenge, which ends any older one and any proof. Call it in a transaction."""
    token = secrets.token_urlsafe(32)
    row = Subscription.objects.filter(pk=subscription.pk)
    row.update(challenge=token, verified_at=None)
    subscription.challenge, subscription.verified_at = token, None
    data = {"object": "webhook", "id": subscription.public_id, "challenge": token}
    event = Event.objects.create(
        organization_id=subscription.organization_id, type=EventType.WEBHOOK_CHALLENGE, data=data
    )
    [delivery] = outbox.deliver(event, [subscription.pk])
    return delivery


def refusal(event: Event, response: str) -> str:
    """Say why an answer to an event is not accepted although its status is 2xx; "" if it is.

    The token may stand anywhere in the first kilobyte: alone, or in JSON.
    """
    if event.type == EventType.WEBHOOK_CHALLENGE and event.data["challenge"] not in response:
        return "The answer does not repeat the challenge."
    return ""


def accept(subscription: Subscription, event: Event) -> None:
    """The target has repeated the token of this event; an older token proves nothing."""
    row = Subscription.objects.filter(pk=subscription.pk, challenge=event.data["challenge"])
    row.exclude(challenge="").update(challenge="", verified_at=Now())
