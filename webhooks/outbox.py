"""Transactional outbox: stores events and their deliveries in the caller's transaction."""

from collections.abc import Iterable, Sequence
from functools import partial

from django.db import transaction

from webhooks import queueing
from webhooks.events import EventType
from webhooks.models import Delivery, Event, Subscription
from webhooks.payloads import Data


def publish(
    organization_id: str,
    event_type: EventType,
    data: Data,
    resource: str = "",
    export_type: str = "",
    other_resources: Sequence[str] = (),
) -> Event:
    """Store an event and a delivery to each matching subscription; wake senders on commit.

    Call it in the transaction of the change that the event reports, so that both are stored or
    neither. Takes three statements, however many subscriptions match.
    """
    event = Event.objects.create(
        organization_id=organization_id,
        type=event_type,
        data=data,
        resource=resource,
        other_resources=[*other_resources],
        export_type=export_type,
        subject=data.get("id") or "",
    )
    deliver(event, Subscription.objects.matching(event).values_list("pk", flat=True))
    return event


def delete_events(organization_id: str, subject: str) -> None:
    """Delete the events of a subject, with all their deliveries, pending ones too.

    A delivery that a sender is sending at this moment still arrives.
    """
    events = Event.objects.filter(organization=organization_id, subject=subject).exclude(subject="")
    # Lock in the order of a purge (events, then deliveries) and of senders (deliveries by key).
    # Another order may deadlock.
    list(events.order_by("pk").select_for_update().values_list("pk"))
    deliveries = Delivery.objects.filter(event__in=events.order_by())
    list(deliveries.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    events.delete()


def deliver(event: Event, subscriptions: Iterable[int]) -> list[Delivery]:
    """Create a delivery of an event to each subscription, given by key; wake senders on commit."""
    deliveries = Delivery.objects.bulk_create(
        Delivery(event=event, subscription_id=number) for number in subscriptions
    )
    if deliveries:
        numbers = [delivery.subscription_id for delivery in deliveries]
        transaction.on_commit(partial(queueing.wake_all, numbers))
    return deliveries
