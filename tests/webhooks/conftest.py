"""Shared fixtures: a receiver, and a subscription of acme that targets it."""

from collections.abc import Callable, Iterator

import pytest

from longshore.accounts.models import Organization
from longshore.accounts.sealing import seal
from tests.factories import SubscriptionFactory
from tests.webhooks.receiver import Receiver, receiving
from webhooks import outbox, signing_secrets
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


def the_delivery() -> Delivery:
    return Delivery.objects.select_related("event", "subscription").get()
