"""The documented error examples of operations on webhooks equal the responses of the API."""

from typing import Any

import pytest

from longshore.accounts.models import Organization
from tests.api.examples import examples
from tests.conftest import KeyClient
from tests.factories import DeliveryFactory, SubscriptionFactory
from webhooks.api.error_examples import invalid_changes
from webhooks.api.examples import SUBSCRIPTION
from webhooks.models import DeliveryStatus, Subscription
from webhooks.subscriptions import MAX_SUBSCRIPTIONS

pytestmark = pytest.mark.django_db
ADDRESS = f"/v1/webhooks/{SUBSCRIPTION['id']}"
BODY: dict[str, Any] = {"target": "https://receiver.example.com/longshore", "events": ["*"]}


@pytest.fixture
def subscription(acme: Organization) -> Subscription:
    """The subscription of the examples."""
    return SubscriptionFactory.create(
        organization=acme, public_id=SUBSCRIPTION["id"], target=BODY["target"]
    )


@pytest.mark.parametrize("body", list(invalid_changes()), ids=str)
def test_example_of_an_invalid_body_equals_the_response(
    alice: KeyClient, subscription: Subscription, body: dict[str, Any]
) -> None:
    response = alice.patch(ADDRESS, body)
    assert response.status_code == 400
    assert response.json() in examples("change_webhook", 400)
    assert response.json() in examples("create_webhook", 400)


def test_examples_of_an_invalid_secret_and_time_equal_the_responses(
    alice: KeyClient, subscription: Subscription
) -> None:
    response = alice.post(f"{ADDRESS}/rotate-secret", {"secret": "whsec_short"})
    assert response.json() in examples("rotate_webhook_secret", 400)
    response = alice.post(f"{ADDRESS}/recover", {"since": "yesterday"})
    assert response.json() in examples("recover_webhook", 400)


def test_example_of_an_invalid_filter_equals_the_response(
    alice: KeyClient, subscription: Subscription
) -> None:
    assert alice.get("/v1/webhooks?color=red").json() in examples("list_webhooks", 400)
    assert alice.get("/v1/events?type=export").json() in examples("list_events", 400)


def test_example_of_an_inactive_subscription_equals_the_response(
    alice: KeyClient, subscription: Subscription
) -> None:
    Subscription.objects.update(active=False, disabled_reason="The target responded with 410 Gone.")
    response = alice.post(f"{ADDRESS}/test")
    assert response.status_code == 409
    assert response.json() in examples("test_webhook", 409)


def test_example_of_a_duplicate_subscription_equals_the_response(
    alice: KeyClient, subscription: Subscription
) -> None:
    assert alice.post("/v1/webhooks", BODY).json() in examples("create_webhook", 409)


def test_example_of_too_many_subscriptions_equals_the_response(
    alice: KeyClient, acme: Organization
) -> None:
    SubscriptionFactory.create_batch(MAX_SUBSCRIPTIONS, organization=acme)
    assert alice.post("/v1/webhooks", BODY).json() in examples("create_webhook", 422)


def test_example_of_a_delivery_in_progress_equals_the_response(
    alice: KeyClient, subscription: Subscription
) -> None:
    delivery = DeliveryFactory.create(subscription=subscription, status=DeliveryStatus.SENDING)
    response = alice.post(f"/v1/deliveries/{delivery.public_id}/redeliver")
    assert response.json() in examples("redeliver", 409)
