"""Shared fixtures: a receiver, and a subscription of acme that targets it."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from celery import current_app
from django.db import connection

from longshore.accounts.models import Organization
from longshore.accounts.sealing import seal
from tests.factories import SubscriptionFactory
from tests.webhooks.receiver import Receiver, receiving
from webhooks import outbox, queueing, signing_secrets
from webhooks.events import EventType
from webhooks.models import Delivery, Event, Subscription
from webhooks.payloads import Data

SECRET = signing_secrets.generate()
DATA: Data = {"object": "thing", "id": "thing_1", "text": "Grüße"}
Publish = Callable[..., Event]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as each:
        yield each


@pytest.fixture
def subscription(acme: Organization, receiver: Receiver) -> Subscription:
    """A subscription to all events of acme."""
    return SubscriptionFactory.create(organization=acme, target=receiver.url(), secret=seal(SECRET))


@pytest.fixture
def publish(acme: Organization) -> Publish:
    """Publish events of an organization; return the last one."""

    def publish(number: int = 1, organization: Organization = acme) -> Event:
        for _ in range(number):
            event = outbox.publish(organization.pk, EventType.EXPORT_CREATED, DATA)
        return event

    return publish


def taken_messages() -> list[tuple[int, datetime | None]]:
    """Empty the queue of webhooks. Return the subscription of each message, and its ETA."""
    found = []
    with current_app.connection_for_read() as broker:
        channel: Any = broker.default_channel
        while message := channel.basic_get(queueing.QUEUE, no_ack=True):
            [number], *_ = message.payload
            eta = message.headers["eta"]
            found.append((number, datetime.fromisoformat(eta) if eta else None))
    return found


def woken() -> list[int]:
    """Empty the queue of webhooks. Return the subscriptions whose senders were woken."""
    return [number for number, _ in taken_messages()]


def the_delivery() -> Delivery:
    return Delivery.objects.select_related("event", "subscription").get()


def wait_until_blocked() -> None:
    """Wait until another connection waits for a lock."""
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < deadline
            time.sleep(0.01)
