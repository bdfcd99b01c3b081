"""Renders webhooks and the callbacks of their events."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q

from dialects.commercelayer.documents import BASE_ATTRIBUTES, Shown, moment
from dialects.commercelayer.queries import Kind, attribute, computed
from dialects.commercelayer.topics import TOPIC_OF
from longshore.accounts.sealing import Unreadable, unseal
from longshore.resources.columns import ColumnType
from webhooks.models import Delivery, Subscription

OPEN, CLOSED = "open", "closed"
# Longshore disables a subscription after too many failures; its owner deactivates it.
_CIRCUIT_STATE = f"CASE WHEN {{row}}.disabled_at IS NULL THEN '{CLOSED}' ELSE '{OPEN}' END"
# When the owner deactivated it, in `Subscription.dialect_fields`. Other APIs do not store it.
DISABLED_AT = "disabled_at"
_DISABLED_AT = (
    "CASE WHEN NOT {row}.active AND {row}.disabled_at IS NULL THEN COALESCE("
    f"({{row}}.dialect_fields ->> '{DISABLED_AT}')::timestamptz, {{row}}.updated_at) END"
)
_TOPIC = "CASE {row}.events[1] " + " ".join(f"WHEN '{k}' THEN '{v}'" for k, v in TOPIC_OF.items())
_CALLBACKS = "last_event_callbacks"
WEBHOOKS: Kind[Subscription] = Kind(
    "webhooks",
    Subscription,
    (
        attribute(Subscription, "public_id", "id"),
        attribute(Subscription, "name"),
        computed("topic", f"{_TOPIC} END"),
        attribute(Subscription, "target", "callback_url"),
        computed("disabled_at", _DISABLED_AT, ColumnType.DATETIME),
        computed("circuit_state", _CIRCUIT_STATE),
        attribute(Subscription, "consecutive_failures", "circuit_failure_count"),
        attribute(Subscription, "created_at"),
        attribute(Subscription, "updated_at"),
    ),
    (
        *("name", "topic", "callback_url", "include_resources", "disabled_at"),
        *("circuit_state", "circuit_failure_count", "shared_secret", *BASE_ATTRIBUTES),
    ),
    (_CALLBACKS,),
    (_CALLBACKS,),
)


def _of_webhooks(ids: Sequence[str]) -> Q:
    """Select the deliveries of webhooks. Their numbers are read first, so that an index serves."""
    webhooks = Subscription.objects.filter(public_id__in=ids)
    return Q(subscription__in=[*webhooks.values_list("pk", flat=True)])


_WEBHOOK_ID = """(SELECT subscription.public_id FROM webhooks_subscription AS subscription
 WHERE subscription.number = {row}.subscription_id)"""
CALLBACKS: Kind[Delivery] = Kind(
    "event_callbacks",
    Delivery,
    (
        attribute(Delivery, "public_id", "id"),
        computed("webhook_id", _WEBHOOK_ID),
        attribute(Delivery, "created_at"),
    ),
    ("callback_url", "payload", "response_code", "response_message", *BASE_ATTRIBUTES),
    # As the indexes of deliveries, which have no order by number.
    order=("-created_at", "-number"),
    stored={"webhook_id": _of_webhooks},
)
# Attributes of a webhook that only this dialect has, in `Subscription.dialect_fields`.
STORED: Mapping[str, Any] = {
    "reference": None,
    "reference_origin": None,
    "metadata": {},
}


def render_webhook(webhook: Subscription, *, shows_secret: bool) -> Shown:
    """Return a webhook as documents show it.

    shows_secret: whether the key of the request may see the shared secret.
    """
    disabled_at = webhook.dialect_fields.get(DISABLED_AT) or webhook.updated_at
    is_disabled = not webhook.active and webhook.disabled_at is None
    attributes = {
        "name": webhook.name,
        "topic": TOPIC_OF[webhook.events[0]],
        "callback_url": webhook.target,
        "disabled_at": moment(disabled_at) if is_disabled else None,
        "include_resources": [],
        "circuit_state": CLOSED if webhook.disabled_at is None else OPEN,
        "circuit_failure_count": webhook.consecutive_failures,
        "shared_secret": _secret(webhook) if shows_secret else None,
        "created_at": moment(webhook.created_at),
        "updated_at": moment(webhook.updated_at),
        **{name: webhook.dialect_fields.get(name, empty) for name, empty in STORED.items()},
    }
    return Shown("webhooks", webhook.public_id, attributes, (_CALLBACKS,))


def render_callback(delivery: Delivery, payload: Mapping[str, Any]) -> Shown:
    """Return a delivery as documents show it, with its last attempt.

    delivery: with its subscription and attempts. payload: the document that it sends.
    """
    attempts = list(delivery.attempts.all())
    last = attempts[-1] if attempts else None
    code = last.status_code if last else None
    attributes = {
        "callback_url": delivery.subscription.target,
        "payload": payload,
        "response_code": None if code is None else str(code),
        "response_message": (last.error or last.response) if last else None,
        "created_at": moment(delivery.created_at),
        "updated_at": moment(last.started_at if last else delivery.created_at),
        "reference": None,
        "reference_origin": None,
        "metadata": {},
    }
    return Shown("event_callbacks", delivery.public_id, attributes)


def _secret(webhook: Subscription) -> str | None:
    try:
        return unseal(webhook.secret)
    except Unreadable:  # SECRET_KEY has changed.
        return None
