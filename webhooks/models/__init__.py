"""Subscriptions, events, deliveries of events to subscriptions, and attempts to deliver."""

from webhooks.models.deliveries import (
    MAX_SHOWN_ATTEMPTS,
    NO_RESPONSE,
    SUCCESS,
    Attempt,
    AttemptQuerySet,
    Delivery,
    DeliveryStatus,
)
from webhooks.models.events import Event, EventQuerySet
from webhooks.models.subscriptions import (
    MAX_NAME_CHARACTERS,
    Subscription,
    SubscriptionQuerySet,
    Verification,
)

__all__ = (
    "MAX_NAME_CHARACTERS",
    "MAX_SHOWN_ATTEMPTS",
    "NO_RESPONSE",
    "SUCCESS",
    "Attempt",
    "AttemptQuerySet",
    "Delivery",
    "DeliveryStatus",
    "Event",
    "EventQuerySet",
    "Subscription",
    "SubscriptionQuerySet",
    "Verification",
)
