"""With WEBHOOK_CHALLENGE, a target gets no events until it has repeated a signed token."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import Organization
from tests.conftest import KeyClient
from tests.webhooks.conftest import Publish
from tests.webhooks.receiver import Handler, Receiver, answer
from webhooks import runner
from webhooks.models import Delivery, DeliveryStatus, Subscription

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def challenged(settings: Settings) -> None:
    settings.WEBHOOK_CHALLENGE = True


def subscribe(client: KeyClient, receiver: Receiver) -> dict[str, Any]:
    body = {"target": receiver.url(), "events": "*"}
    response = client.post("/v1/webhooks", body)
    assert response.status_code == 201
    shown: dict[str, Any] = response.json()
    return shown


def repeat(receiver: Receiver) -> None:
    """From now on the receiver repeats challenges."""

    def behave(handler: Handler) -> None:
        data = json.loads(receiver.messages[-1].body)["data"]
        body = json.dumps({"challenge": data.get("challenge")}).encode()
        answer(200, body)(handler)

    receiver.behaviours["/"] = behave


def types(receiver: Receiver) -> list[str]:
    return [json.loads(message.body)["type"] for message in receiver.messages]


def test_a_target_that_repeats_its_challenge_gets_events(
    alice: KeyClient, receiver: Receiver, publish: Publish
) -> None:
    shown = subscribe(alice, receiver)
    assert (shown["verification"], shown["verified_at"]) == ("pending", None)
    publish()
    repeat(receiver)
    number = Subscription.objects.get().pk
    runner.run(number)
    [message] = receiver.messages
    sent = message.verified(shown["secret"])
    assert (sent["type"], sent["data"]["id"]) == ("webhook.challenge", shown["id"])
    after = alice.get(shown["url"]).json()
    assert after["verification"] == "verified"
    assert after["verified_at"]
    publish()
    runner.run(number)
    assert types(receiver) == ["webhook.challenge", "export.created"]


def test_a_target_that_does_not_repeat_it_gets_nothing_else(
    alice: KeyClient, receiver: Receiver, publish: Publish
) -> None:
    shown = subscribe(alice, receiver)
    receiver.behaviours["/"] = answer(200, b'{"challenge": "something else"}')
    publish()
    number = Subscription.objects.get().pk
    runner.run(number)
    delivery = Delivery.objects.get()
    assert delivery.status == DeliveryStatus.PENDING
    assert delivery.attempts.get().error == "The answer does not repeat the challenge."
    assert alice.get(shown["url"]).json()["verification"] == "pending"
    repeat(receiver)
    assert alice.post(f"{shown['url']}/test").json()["type"] == "webhook.challenge"
    runner.run(number)
    assert alice.get(shown["url"]).json()["verification"] == "verified"
    assert set(types(receiver)) == {"webhook.challenge"}


def test_a_new_target_has_to_prove_itself_again(
    alice: KeyClient, receiver: Receiver, publish: Publish
) -> None:
    shown = subscribe(alice, receiver)
    repeat(receiver)
    number = Subscription.objects.get().pk
    runner.run(number)
    publish()
    changed = alice.patch(shown["url"], {"target": receiver.url("/other"), "name": "Other"})
    assert changed.json()["verification"] == "pending"
    receiver.messages.clear()
    runner.run(number)
    # What waits for the target is not sent either.
    assert types(receiver) == ["webhook.challenge"]
    assert alice.patch(shown["url"], {"name": "Same target"}).json()["verification"] == "pending"


def test_without_the_setting_nothing_is_challenged(
    alice: KeyClient, receiver: Receiver, settings: Settings, acme: Organization, publish: Publish
) -> None:
    settings.WEBHOOK_CHALLENGE = False
    shown = subscribe(alice, receiver)
    assert shown["verification"] == "not_required"
    publish()
    settings.WEBHOOK_CHALLENGE = True
    publish()
    runner.run(Subscription.objects.get().pk)
    assert types(receiver) == ["export.created", "export.created"]
