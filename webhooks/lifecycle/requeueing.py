"""Requeues deliveries, also those of dead senders, and fails deliveries that cannot be sent."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from webhooks.events import EventType
from webhooks.lifecycle.results import DELAYS, ended
from webhooks.models import Delivery, DeliveryStatus, Subscription

_MAX_DELIVERY_AGE = sum(DELAYS, timedelta())


def redeliver(delivery: Delivery) -> bool:
    """Send a delivery again, with all its attempts. Return False if it is being sent now."""
    row = Delivery.objects.filter(pk=delivery.pk).exclude(status=DeliveryStatus.SENDING)
    return row.update(**_requeued()) == 1


def recover(subscription: Subscription, since: datetime) -> int:
    """Send the failed deliveries of events since a time again. Return how many there are."""
    failed = Delivery.objects.filter(
        subscription=subscription, status=DeliveryStatus.FAILED, event__created_at__gte=since
    )
    return _locked(failed).update(**_requeued())


def release_expired_leases() -> int:
    """Make the deliveries of dead senders due again. Return how many there are.

    Each counts as an attempt: a delivery that kills every sender fails in the end. The target may
    have received it, and receives it again.
    """
    expired = Delivery.objects.filter(status=DeliveryStatus.SENDING, lease_ends_at__lt=Now())
    with transaction.atomic():
        # Skip locked deliveries: a sender is recording their results.
        locked = expired.select_for_update(skip_locked=True)
        held = Delivery.objects.filter(pk__in=list(locked.values_list("pk", flat=True)))
        exhausted = held.filter(attempts_count__gte=len(DELAYS))
        failed = exhausted.update(**ended(DeliveryStatus.FAILED))
        others = held.filter(status=DeliveryStatus.SENDING)
        due = {"next_attempt_at": Now(), "completed_at": None}
        return failed + others.update(**ended(DeliveryStatus.PENDING) | due)


def fail_undeliverable() -> int:
    """Fail the pending deliveries of inactive and of unverified subscriptions. Return how many.

    A delivery waits for the target to repeat its challenge for as long as all attempts of a
    delivery would take.
    """
    inactive = Subscription.objects.filter(active=False).values("pk")
    unverified = Subscription.objects.exclude(challenge="").values("pk")
    pending = Delivery.objects.filter(status=DeliveryStatus.PENDING)
    held = pending.filter(
        subscription__in=unverified, next_attempt_at__lte=Now() - _MAX_DELIVERY_AGE
    )
    held = held.exclude(event__type=EventType.WEBHOOK_CHALLENGE)
    failed = {"status": DeliveryStatus.FAILED, "next_attempt_at": None, "completed_at": Now()}
    # Two transactions: each locks in the order of the keys, both together would not.
    with transaction.atomic():
        count = _locked(pending.filter(subscription__in=inactive)).update(**failed)
    with transaction.atomic():
        return count + _locked(held).update(**failed)


def _requeued() -> dict[str, Any]:
    return {
        "status": DeliveryStatus.PENDING,
        "attempts_count": 0,
        "next_attempt_at": Now(),
        "completed_at": None,
    }


def _locked(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Lock deliveries in the order of their keys and return them. Another order may deadlock."""
    rows = deliveries.order_by("pk").select_for_update(of=("self",)).values("pk")
    return Delivery.objects.filter(pk__in=rows)
