"""Changes of subscriptions: their fields, whether they are active, and their deletion."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from longshore.api import idempotency
from webhooks import outbox
from webhooks.events import EventType
from webhooks.models import Subscription
from webhooks.targets import host_of

# State of a subscription whose target is new or was activated again.
_HEALTHY: dict[str, Any] = {
    "consecutive_failures": 0,
    "failing_since": None,
    "last_error": "",
    "paused_until": None,
    "is_quick": False,
}


def change(
    subscription: Subscription, values: dict[str, Any], *, resets_failures: bool = False
) -> None:
    """Change fields of a subscription. A new target, or activation, resets its failures."""
    reset: dict[str, Any] = {}
    if "target" in values:
        values = values | {"host": host_of(values["target"])}
    is_activated = values.get("active") and not subscription.active
    if resets_failures or is_activated or "target" in values:
        reset = _HEALTHY
    if "active" in values:
        reset = reset | {"disabled_at": None, "disabled_reason": "", "notified_at": None}
    row = Subscription.objects.visible().filter(pk=subscription.pk)
    row.update(**values | reset, updated_at=Now())


def disable(subscription: Subscription, reason: str) -> None:
    """Disable a subscription on behalf of Longshore and publish `webhook.disabled`.

    A periodic task notifies the owner by email. Idempotent: the first reason is kept.
    """
    row = Subscription.objects.filter(pk=subscription.pk, active=True, deleted_at=None)
    with transaction.atomic():
        changed = row.update(
            active=False, disabled_at=Now(), disabled_reason=reason, notified_at=None
        )
        if changed:
            data = {
                "id": subscription.public_id,
                "object": "webhook",
                "name": subscription.name,
                "target": subscription.target,
                "reason": reason,
            }
            outbox.publish(subscription.organization_id, EventType.WEBHOOK_DISABLED, data)


def soft_delete(subscription: Subscription) -> None:
    """Soft-delete a subscription: deactivate it, and delete its secrets and stored responses.

    The next sweep fails its pending deliveries; the row is purged after its deliveries.
    """
    row = Subscription.objects.visible().filter(pk=subscription.pk)
    with transaction.atomic():
        row.update(deleted_at=Now(), active=False, headers={}, secret="", previous_secret="")
        idempotency.purge_responses(subscription.organization_id, subscription.public_id)
