"""Idempotency-Key of requests about webhooks: one effect, and no secret is stored readable."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.apps import apps
from django.db import connections
from django.http import HttpResponse

from longshore.accounts.models import Organization, Scope
from longshore.accounts.sealing import unseal
from longshore.api.models import IdempotencyKey
from tests.conftest import KeyClient
from tests.factories import DeliveryFactory
from tests.webhooks.receiver import Receiver
from webhooks import runner
from webhooks.models import Delivery, DeliveryStatus, Subscription

pytestmark = pytest.mark.django_db(transaction=True)

BODY = {
    "target": "https://receiver.example.com/longshore",
    "events": ["export.created"],
    "headers": {"Authorization": "Bearer hush"},
}
SINCE = {"since": "2024-12-25T12:00:00Z"}


def ask(client: KeyClient, address: str, body: Any = None, key: str = "k") -> HttpResponse:
    return client.post(address, body or {}, headers={"Idempotency-Key": key})


def replayed(response: HttpResponse) -> bool:
    return response.get("Idempotent-Replayed") == "true"


def error(response: HttpResponse) -> tuple[int, str]:
    return response.status_code, json.loads(response.content)["error"]


@pytest.fixture
def failed(subscription: Subscription) -> Delivery:
    return DeliveryFactory.create(subscription=subscription, status=DeliveryStatus.FAILED)


def actions(failed: Delivery) -> list[tuple[str, Any, int]]:
    """Return address, body and status of every action on a subscription and its delivery."""
    webhook = f"/v1/webhooks/{failed.subscription.public_id}"
    return [
        (f"{webhook}/rotate-secret", {}, 200),
        (f"{webhook}/test", {}, 201),
        (f"{webhook}/recover", SINCE, 200),
        (f"/v1/deliveries/{failed.public_id}/redeliver", {}, 200),
    ]


def test_a_repeated_creation_returns_the_same_secret(alice: KeyClient) -> None:
    first, again = (ask(alice, address, BODY) for address in ("/v1/webhooks", "/v1/webhooks/"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert (replayed(first), replayed(again)) == (False, True)
    assert first.content == again.content
    assert first["Location"] == again["Location"]
    assert unseal(Subscription.objects.get().secret) == json.loads(again.content)["secret"]


def test_another_key_makes_another_request(alice: KeyClient) -> None:
    ask(alice, "/v1/webhooks", BODY)
    assert error(ask(alice, "/v1/webhooks", BODY, key="l")) == (409, "duplicate_subscription")
    other = BODY | {"events": "*"}
    assert ask(alice, "/v1/webhooks", other, key="l").status_code == 201
    assert Subscription.objects.count() == 2


def test_every_action_runs_once_per_key(alice: KeyClient, bob: KeyClient, failed: Delivery) -> None:
    for address, body, status in actions(failed):
        first, again = ask(alice, address, body), ask(bob, address, body)
        assert (first.status_code, again.status_code) == (status, status)
        assert (replayed(first), replayed(again)) == (False, True)
        assert first.content == again.content
        second = ask(alice, address, body, key="l")
        assert (second.status_code, replayed(second)) == (status, False)
        if address.endswith(("secret", "test")):
            assert second.content != first.content
    assert Delivery.objects.filter(event__type="webhook.test").count() == 2


def test_a_repeated_action_sends_no_second_message(
    alice: KeyClient, failed: Delivery, receiver: Receiver
) -> None:
    for address, body, _ in actions(failed)[1:]:
        Delivery.objects.filter(pk=failed.pk).update(status=DeliveryStatus.FAILED)
        before = len(receiver.messages)
        for _ in range(2):
            ask(alice, address, body)
            runner.run(failed.subscription_id)
        assert len(receiver.messages) == before + 1


def test_another_body_with_the_same_key_is_rejected(alice: KeyClient, failed: Delivery) -> None:
    for address, body, _ in [("/v1/webhooks", BODY, 201), *actions(failed)]:
        first = ask(alice, address, body)
        other = body | {"name": "Another"}
        assert error(ask(alice, address, other)) == (409, "idempotency_key_reused")
        assert ask(alice, address, body).content == first.content


def test_a_rejected_request_can_be_corrected_with_the_same_key(
    alice: KeyClient, subscription: Subscription
) -> None:
    address = f"/v1/webhooks/{subscription.public_id}"
    for path, wrong, right in (
        ("/v1/webhooks", BODY | {"events": ["export.finished"]}, BODY),
        (f"{address}/rotate-secret", {"secret": "whsec_short"}, {}),
        (f"{address}/recover", {"since": "yesterday"}, SINCE),
    ):
        assert ask(alice, path, wrong).status_code == 400
        assert not IdempotencyKey.objects.filter(operation=f"POST {path}").exists()
        response = ask(alice, path, right)
        assert (response.status_code // 100, replayed(response)) == (2, False)
    Subscription.objects.update(active=False)
    assert error(ask(alice, f"{address}/test")) == (409, "subscription_inactive")
    Subscription.objects.update(active=True)
    assert ask(alice, f"{address}/test").status_code == 201


def test_another_organization_gets_nothing_with_the_same_key(
    alice: KeyClient, charlie: KeyClient, failed: Delivery
) -> None:
    for address, body, _ in actions(failed):
        ask(alice, address, body)
        assert error(ask(charlie, address, body)) == (404, "not_found")
    hers, his = (ask(client, "/v1/webhooks", BODY) for client in (alice, charlie))
    assert not replayed(his)
    assert json.loads(hers.content)["secret"] != json.loads(his.content)["secret"]


def test_concurrent_requests_with_one_key_create_one_subscription(acme: Organization) -> None:
    clients = [KeyClient(acme, str(number), Scope.WRITE) for number in range(4)]
    start = Barrier(len(clients))

    def race(client: KeyClient) -> HttpResponse:
        start.wait()
        try:
            return ask(client, "/v1/webhooks", BODY)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(clients)) as pool:
        responses = list(pool.map(race, clients))
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert sum(map(replayed, responses)) == len(clients) - 1
    assert Subscription.objects.count() == 1


def test_the_database_contains_no_readable_secret(alice: KeyClient) -> None:
    own = "whsec_" + "QUJD" * 10
    made = json.loads(ask(alice, "/v1/webhooks", BODY | {"secret": own}).content)
    address = f"/v1/webhooks/{made['id']}/rotate-secret"
    new = json.loads(ask(alice, address).content)["secret"]
    assert json.loads(ask(alice, address).content)["secret"] == new
    assert IdempotencyKey.objects.count() == 2
    rows = [model._default_manager.values() for model in apps.get_models()]
    stored = "".join(str(list(each)) for each in rows)
    assert made["id"] in stored
    for text in ("whsec_", own[6:], new[6:], "hush"):
        assert text not in stored


def test_stored_responses_of_a_deleted_subscription_are_not_replayed(alice: KeyClient) -> None:
    made = json.loads(ask(alice, "/v1/webhooks", BODY).content)
    address = f"/v1/webhooks/{made['id']}"
    assert ask(alice, f"{address}/rotate-secret").status_code == 200
    other = json.loads(ask(alice, "/v1/webhooks", BODY | {"events": "*"}, key="l").content)
    assert alice.delete(address).status_code == 204
    for path, body in (("/v1/webhooks", BODY), (f"{address}/rotate-secret", {})):
        response = ask(alice, path, body)
        assert error(response) == (409, "idempotency_key_reused")
        assert b"whsec_" not in response.content
    kept = IdempotencyKey.objects.exclude(body="")
    assert list(kept.values_list("subject", flat=True)) == [other["id"]]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/webhooks/whsub_{}/test",
        "/v1/deliveries/dlv_{}/redeliver",
        "/v1/webhooks/whsub_{}/test/",
    ],
)
def test_an_id_of_any_length_is_not_found(alice: KeyClient, path: str) -> None:
    for length in (40, 234, 235, 300, 2_000):
        response = ask(alice, path.format("x" * length))
        assert response.status_code == 404, response.content
        assert json.loads(response.content)["error"] == "not_found"
