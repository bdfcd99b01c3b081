"""Verification of targets: a target proves that it wants the events by repeating a token.

A challenge is an event of type `webhook.challenge`, signed and retried like any other. Until the
target has repeated the token, the subscription gets no other event.
"""

import secrets

from django.db.models.functions import Now

from webhooks import outbox
from webhooks.events import EventType
from webhooks.models import Delivery, Event, Subscription


def send(subscription: Subscription) -> Delivery:
    """Send a new challenge. It replaces any older challenge and any verification.

    Call it in a transaction.
    """
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
    """Return why a 2xx response to an event is not accepted, or "" if it is.

    response: the first kilobyte of the body; the token may be anywhere in it.
    """
    if event.type == EventType.WEBHOOK_CHALLENGE and event.data["challenge"] not in response:
        return "The response does not contain the challenge."
    return ""


def accept(subscription: Subscription, event: Event) -> None:
    """Mark the target as verified if the token of this event is still the current one."""
    row = Subscription.objects.filter(pk=subscription.pk, challenge=event.data["challenge"])
    row.exclude(challenge="").update(challenge="", verified_at=Now())
