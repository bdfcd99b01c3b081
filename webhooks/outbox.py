"""Transactional outbox: stores events and their deliveries in the caller's transaction."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.db import connection, transaction
from psycopg import sql

from longshore.resources.readers import restricted
from webhooks import queueing
from webhooks.events import ALL_EVENTS, EventType
from webhooks.models import Delivery, Event, Subscription
from webhooks.payloads import Data

# SQL text, because Django needs five times as long to build this query as PostgreSQL to run it, and
# creations of one organization wait for each other meanwhile.
_MATCHING = sql.SQL(
    """
SELECT number FROM {subscriptions}
WHERE deleted_at IS NULL
    AND organization_id = %(organization)s
    AND challenge = ''
    -- If Longshore disabled a subscription, its deliveries fail and can be recovered later.
    AND (active OR disabled_at IS NOT NULL)
    AND events && %(types)s::varchar[]
    AND (resources = '{{}}' OR %(resource)s = ANY (resources))
    AND (types = '{{}}' OR %(export_type)s = ANY (types))
    -- Only an API key that may read a restricted resource can name it in a subscription.
    AND resources @> %(restricted)s::varchar[]
ORDER BY number
"""
)


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
    deliver(event, _matching(event))
    return event


def _matching(event: Event) -> list[int]:
    """Return the keys of the subscriptions that get a delivery of an event."""
    statement = _MATCHING.format(subscriptions=sql.Identifier(Subscription._meta.db_table))
    values: dict[str, Any] = {
        "organization": event.organization_id,
        "types": [ALL_EVENTS, str(event.type)],
        "resource": event.resource,
        "export_type": event.export_type,
        "restricted": restricted([event.resource, *event.other_resources]),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), values)
        return [number for (number,) in cursor.fetchall()]


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
