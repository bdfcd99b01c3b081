"""/v1/webhooks, /v1/deliveries and /v1/events; isolation of organizations."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from longshore.accounts.models import Organization
from longshore.accounts.sealing import unseal
from longshore.api.errors import ApiError, ErrorCode
from tests.conftest import KeyClient
from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.webhooks.conftest import SECRET, Publish
from tests.webhooks.receiver import Receiver, respond
from webhooks import runner, signing_secrets, subscriptions
from webhooks.events import EventType
from webhooks.lifecycle import activation
from webhooks.models import (
    MAX_SHOWN_ATTEMPTS,
    Attempt,
    Delivery,
    DeliveryStatus,
    Event,
    Subscription,
)
from webhooks.subscriptions import MAX_SUBSCRIPTIONS

pytestmark = pytest.mark.django_db(transaction=True)

BODY: dict[str, Any] = {
    "target": "https://receiver.example.com/longshore",
    "events": ["export.failed", "export.created"],
    "name": "Warehouse",
    "headers": {"Authorization": "Bearer hush"},
}


@pytest.fixture
def made(alice: KeyClient) -> dict[str, Any]:
    response = alice.post("/v1/webhooks", BODY)
    assert response.status_code == 201
    found: dict[str, Any] = response.json()
    return found


def test_the_secret_is_shown_once_and_header_values_never(
    alice: KeyClient, made: dict[str, Any]
) -> None:
    secret = made.pop("secret")
    assert signing_secrets.is_secret(secret)
    assert made["headers"] == ["Authorization"]
    assert made["events"] == ["export.created", "export.failed"]
    address = f"/v1/webhooks/{made['id']}"
    assert alice.get(address).json() == made
    assert made["url"].endswith(address)
    shown = json.dumps([alice.get(address).json(), alice.get("/v1/webhooks").json()])
    stored = json.dumps(Subscription.objects.values("secret", "headers")[0])
    for text in (shown, stored):
        assert secret not in text
        assert "hush" not in text


def test_a_client_can_set_the_secret(alice: KeyClient) -> None:
    own = signing_secrets.generate()
    made = alice.post("/v1/webhooks", BODY | {"secret": own}).json()
    assert made["secret"] == own
    assert unseal(Subscription.objects.get().secret) == own


def test_secrets_are_in_no_log_and_no_other_response(
    alice: KeyClient, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    first, second = signing_secrets.generate(), signing_secrets.generate()
    body = BODY | {"target": receiver.url(), "events": "*", "secret": first}
    address = f"/v1/webhooks/{alice.post('/v1/webhooks', body).json()['id']}"
    refused = [
        alice.post("/v1/webhooks", BODY | {"secret": first[:-9], "headers": {"X": "hush\n"}}),
        alice.post("/v1/webhooks", body),
        alice.patch(address, {"secret": second, "headers": {"Host": "hush"}}),
    ]
    assert [response.status_code for response in refused] == [400, 409, 400]
    alice.post(f"{address}/rotate-secret", {"secret": second})
    for status in (500, 204):
        receiver.behaviors["/"] = respond(status)
        alice.post(f"{address}/test")
        runner.run(Subscription.objects.get().pk)
    [one, another] = receiver.messages
    assert one.headers["authorization"] == "Bearer hush"
    another.verified(first)
    another.verified(second)
    lists = (address, "/v1/webhooks", f"{address}/deliveries", "/v1/events")
    responses = [response.text for response in (*refused, *map(alice.get, lists))]
    assert "Authorization" in "".join(responses)
    for text in (caplog.text, *responses):
        for hidden in (first[:-9], second[:-9], "hush"):
            assert hidden not in text


def test_a_change_keeps_other_members(alice: KeyClient, made: dict[str, Any]) -> None:
    address = f"/v1/webhooks/{made['id']}"
    changed = alice.patch(address, {"events": "*", "headers": {"X-Team": "dock"}}).json()
    assert changed["events"] == ["*"]
    assert changed["headers"] == ["Authorization", "X-Team"]
    assert changed["target"] == made["target"]
    changed = alice.patch(address, {"headers": {"authorization": None}}).json()
    assert changed["headers"] == ["X-Team"]
    assert changed["updated_at"] > made["updated_at"]


def test_a_deleted_subscription_is_not_found(alice: KeyClient, made: dict[str, Any]) -> None:
    address = f"/v1/webhooks/{made['id']}"
    assert alice.delete(address).status_code == 204
    assert alice.get(address).status_code == 404
    assert alice.get("/v1/webhooks").json()["results"] == []
    # A deleted subscription is not a duplicate.
    assert alice.post("/v1/webhooks", BODY).status_code == 201


def test_a_rotation_shows_the_new_secret_once(alice: KeyClient, made: dict[str, Any]) -> None:
    address = f"/v1/webhooks/{made['id']}"
    rotated = alice.post(f"{address}/rotate-secret").json()
    assert rotated["secret"] != made["secret"]
    shown = alice.get(address).json()
    assert shown["previous_secret_ends_at"] == rotated["previous_secret_ends_at"]
    assert rotated["secret"] not in json.dumps(shown)
    own = signing_secrets.generate()
    assert alice.post(f"{address}/rotate-secret", {"secret": own}).json()["secret"] == own


def test_a_test_event_is_sent_to_one_subscription_of_other_events(
    alice: KeyClient, subscription: Subscription, receiver: Receiver
) -> None:
    SubscriptionFactory.create(organization=subscription.organization)
    Subscription.objects.update(events=["export.failed"])
    response = alice.post(f"/v1/webhooks/{subscription.public_id}/test")
    assert response.status_code == 201
    runner.run(subscription.pk)
    [message] = receiver.messages
    assert message.verified(SECRET)["type"] == "webhook.test"
    assert response.json()["event"] == message.id
    assert Delivery.objects.count() == 1


def test_deliveries_show_their_attempts(
    alice: KeyClient, subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    receiver.behaviors["/"] = respond(500, b"broken")
    event = publish()
    runner.run(subscription.pk)
    address = f"/v1/webhooks/{subscription.public_id}/deliveries"
    [delivery] = alice.get(address).json()["results"]
    [attempt] = delivery["attempts"]
    assert (delivery["event"], delivery["type"]) == (event.public_id, "export.created")
    assert (attempt["status_code"], attempt["response"]) == (500, "broken")
    assert attempt["error"] == "The target responded with 500."
    assert attempt["milliseconds"] >= 0
    for query, count in (
        ("status=pending", 1),
        ("status=failed,delivered", 0),
        ("type=export.created", 1),
        ("type=export.failed", 0),
    ):
        assert len(alice.get(f"{address}?{query}").json()["results"]) == count


def test_a_delivery_shows_its_newest_attempts_oldest_first(
    alice: KeyClient, subscription: Subscription
) -> None:
    first, second = DeliveryFactory.create_batch(2, subscription=subscription)
    for delivery, number in ((first, MAX_SHOWN_ATTEMPTS + 5), (second, 3)):
        Attempt.objects.bulk_create(
            Attempt(delivery=delivery, started_at=timezone.now(), milliseconds=index)
            for index in range(number)
        )
    [newer, older] = alice.get(f"/v1/webhooks/{subscription.public_id}/deliveries").json()[
        "results"
    ]
    assert [attempt["milliseconds"] for attempt in newer["attempts"]] == [0, 1, 2]
    shown = [attempt["milliseconds"] for attempt in older["attempts"]]
    assert shown == list(range(5, MAX_SHOWN_ATTEMPTS + 5))
    redelivered = alice.post(f"/v1/deliveries/{first.public_id}/redeliver").json()
    assert redelivered["attempts"] == older["attempts"]


def test_a_subscription_that_is_deleted_during_a_request_is_not_found(
    alice: KeyClient, subscription: Subscription, settings: Settings
) -> None:
    settings.WEBHOOK_CHALLENGE = True
    activation.soft_delete(subscription)
    for change in (
        lambda: subscriptions.rotate(subscription, None),
        lambda: subscriptions.change(subscription, {"target": "https://receiver.example.com/"}),
    ):
        with pytest.raises(ApiError) as caught:
            change()
        assert caught.value.code is ErrorCode.NOT_FOUND
    assert not Delivery.objects.exists()


def test_lists_take_a_constant_number_of_queries(
    alice: KeyClient,
    subscription: Subscription,
    publish: Publish,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    publish(3)
    runner.run(subscription.pk)
    alice.get("/v1/events")  # The first request of a minute stores the time of use of the key.
    address = f"/v1/webhooks/{subscription.public_id}/deliveries"
    for limit in (1, 3):
        with django_assert_num_queries(4):
            assert len(alice.get(f"{address}?limit={limit}").json()["results"]) == limit
        with django_assert_num_queries(2):
            assert len(alice.get(f"/v1/events?limit={limit}").json()["results"]) == limit


def test_a_redelivery_is_sent_at_once(
    alice: KeyClient, subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    publish()
    runner.run(subscription.pk)
    address = f"/v1/deliveries/{Delivery.objects.get().public_id}/redeliver"
    response = alice.post(address)
    assert (response.status_code, response.json()["status"]) == (200, "pending")
    runner.run(subscription.pk)
    assert len(receiver.messages) == 2
    Delivery.objects.update(status=DeliveryStatus.SENDING)
    response = alice.post(address)
    assert (response.status_code, response.json()["error"]) == (409, "invalid_status")


def test_deliveries_that_failed_since_a_time_are_recovered(
    alice: KeyClient, subscription: Subscription, receiver: Receiver
) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    for status in (DeliveryStatus.FAILED, DeliveryStatus.DELIVERED):
        for created_at in (timezone.now(), long_ago):
            DeliveryFactory.create(
                subscription=subscription, status=status, event__created_at=created_at
            )
    since = (timezone.now() - timedelta(days=1)).isoformat()
    address = f"/v1/webhooks/{subscription.public_id}/recover"
    assert alice.post(address, {"since": since}).json() == {"recovered": 1}
    runner.run(subscription.pk)
    assert len(receiver.messages) == 1


def test_an_inactive_subscription_rejects_tests_recovery_and_redelivery(
    alice: KeyClient, subscription: Subscription, publish: Publish
) -> None:
    publish()
    address = f"/v1/webhooks/{subscription.public_id}"
    assert alice.patch(address, {"active": False}).json()["active"] is False
    delivery = f"/v1/deliveries/{Delivery.objects.get().public_id}"
    for path, body in (
        (f"{address}/test", {}),
        (f"{address}/recover", {"since": "2024-12-25T12:00:00Z"}),
        (f"{delivery}/redeliver", {}),
    ):
        response = alice.post(path, body)
        assert (response.status_code, response.json()["error"]) == (409, "subscription_inactive")


def test_events_without_subscriptions_are_listed(alice: KeyClient, publish: Publish) -> None:
    event = publish()
    [shown] = alice.get("/v1/events").json()["results"]
    assert (shown["id"], shown["object"]) == (event.public_id, "event")
    assert shown["data"]["text"] == "Grüße"
    assert alice.get("/v1/events?type=export.failed").json()["results"] == []


def test_event_types_are_listed_with_their_descriptions(alice: KeyClient) -> None:
    results = alice.get("/v1/events/types").json()["results"]
    assert [each["type"] for each in results] == EventType.values
    assert all(each["description"] for each in results)


def test_export_completed_is_another_name_of_export_created(
    alice: KeyClient, publish: Publish
) -> None:
    body = BODY | {"events": ["export.failed", "export.completed", "export.created"]}
    made = alice.post("/v1/webhooks", body).json()
    assert made["events"] == ["export.created", "export.failed"]
    publish()
    [event] = alice.get("/v1/events", {"type": "export.completed"}).json()["results"]
    assert event["type"] == "export.created"
    deliveries = f"/v1/webhooks/{made['id']}/deliveries"
    [delivery] = alice.get(deliveries, {"type": "export.completed"}).json()["results"]
    assert delivery["type"] == "export.created"


def test_subscriptions_over_the_limit_are_rejected(
    alice: KeyClient, charlie: KeyClient, acme: Organization
) -> None:
    SubscriptionFactory.create_batch(MAX_SUBSCRIPTIONS, organization=acme)
    response = alice.post("/v1/webhooks", BODY)
    assert (response.status_code, response.json()["error"]) == (422, "too_many_subscriptions")
    assert charlie.post("/v1/webhooks", BODY).status_code == 201


def test_a_duplicate_subscription_is_rejected(
    alice: KeyClient, charlie: KeyClient, made: dict[str, Any]
) -> None:
    again = BODY | {"events": ["export.created", "export.failed", "export.created"]}
    response = alice.post("/v1/webhooks", again)
    assert (response.status_code, response.json()["error"]) == (409, "duplicate_subscription")
    assert response.json()["details"] == {"id": made["id"]}
    other = alice.post("/v1/webhooks", BODY | {"events": "*"}).json()
    response = alice.patch(f"/v1/webhooks/{other['id']}", {"events": BODY["events"]})
    assert response.status_code == 409
    assert charlie.post("/v1/webhooks", BODY).status_code == 201


ADDRESSES = [
    ("get", "/v1/webhooks/{webhook}", {}),
    ("patch", "/v1/webhooks/{webhook}", {"active": False}),
    ("post", "/v1/webhooks/{webhook}/rotate-secret", {}),
    ("post", "/v1/webhooks/{webhook}/test", {}),
    ("post", "/v1/webhooks/{webhook}/recover", {"since": "2024-12-25T12:00:00Z"}),
    ("get", "/v1/webhooks/{webhook}/deliveries", {}),
    ("post", "/v1/deliveries/{delivery}/redeliver", {}),
    ("delete", "/v1/webhooks/{webhook}", {}),
]
LISTS = ["/v1/webhooks", "/v1/events"]


@pytest.mark.parametrize(("method", "path", "body"), ADDRESSES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_subscriptions_and_deliveries_are_accessible_to_their_organization_only(
    bob: KeyClient,
    charlie: KeyClient,
    read_only: KeyClient,
    subscription: Subscription,
    publish: Publish,
    method: str,
    path: str,
    body: dict[str, Any],
    slash: str,
) -> None:
    publish()
    Delivery.objects.update(status=DeliveryStatus.FAILED)
    ids = {"webhook": subscription.public_id, "delivery": Delivery.objects.get().public_id}
    address = path.format(**ids) + slash
    before = list(Subscription.objects.values()), list(Delivery.objects.values())
    foreign = getattr(charlie, method)(address, body)
    unknown = getattr(charlie, method)(
        path.format(webhook="whsub_x", delivery="dlv_x") + slash, body
    )
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() == unknown.json()
    assert (list(Subscription.objects.values()), list(Delivery.objects.values())) == before
    assert Event.objects.count() == 1
    assert getattr(APIClient(), method)(address, body, format="json").status_code == 401
    allowed = 403 if method != "get" else 200
    assert getattr(read_only, method)(address, body).status_code == allowed
    assert getattr(bob, method)(address, body).status_code in (200, 201, 204)


@pytest.mark.parametrize("path", LISTS)
def test_lists_contain_objects_of_their_organization_only(
    bob: KeyClient, charlie: KeyClient, subscription: Subscription, publish: Publish, path: str
) -> None:
    publish()
    for slash in ("", "/"):
        assert len(bob.get(path + slash).json()["results"]) == 1
        assert charlie.get(path + slash).json()["results"] == []
        assert APIClient().get(path + slash).status_code == 401
