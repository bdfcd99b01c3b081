"""WEBHOOK_CHALLENGE: a target gets no events until it has repeated a signed token."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from longshore.accounts.models import Organization
from tests.conftest import KeyClient
from tests.webhooks.conftest import Publish
from tests.webhooks.receiver import Handler, Receiver, respond
from webhooks import maintenance, runner, senders
from webhooks.lifecycle import results
from webhooks.models import Delivery, DeliveryStatus, Event, Subscription

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def challenge_required(settings: Settings) -> None:
    settings.WEBHOOK_CHALLENGE = True


def subscribe(client: KeyClient, receiver: Receiver) -> dict[str, Any]:
    body = {"target": receiver.url(), "events": "*"}
    response = client.post("/v1/webhooks", body)
    assert response.status_code == 201
    shown: dict[str, Any] = response.json()
    return shown


def repeat_challenges(receiver: Receiver) -> None:
    """Make the receiver repeat challenges from now on."""

    def behave(handler: Handler) -> None:
        data = json.loads(receiver.messages[-1].body)["data"]
        body = json.dumps({"challenge": data.get("challenge")}).encode()
        respond(200, body)(handler)

    receiver.behaviors["/"] = behave


def received_types(receiver: Receiver) -> list[str]:
    return [json.loads(message.body)["type"] for message in receiver.messages]


def test_a_target_that_repeats_its_challenge_gets_events(
    alice: KeyClient, receiver: Receiver, publish: Publish
) -> None:
    shown = subscribe(alice, receiver)
    assert (shown["verification"], shown["verified_at"]) == ("pending", None)
    publish()
    repeat_challenges(receiver)
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
    assert received_types(receiver) == ["webhook.challenge", "export.created"]


def test_a_target_that_does_not_repeat_its_challenge_gets_only_challenges(
    alice: KeyClient, receiver: Receiver, publish: Publish
) -> None:
    shown = subscribe(alice, receiver)
    receiver.behaviors["/"] = respond(200, b'{"challenge": "something else"}')
    publish()
    number = Subscription.objects.get().pk
    runner.run(number)
    delivery = Delivery.objects.get()
    assert delivery.status == DeliveryStatus.PENDING
    assert delivery.attempts.get().error == "The response does not contain the challenge."
    assert alice.get(shown["url"]).json()["verification"] == "pending"
    repeat_challenges(receiver)
    assert alice.post(f"{shown['url']}/test").json()["type"] == "webhook.challenge"
    runner.run(number)
    assert alice.get(shown["url"]).json()["verification"] == "verified"
    assert set(received_types(receiver)) == {"webhook.challenge"}


def test_a_new_target_is_challenged_again(
    alice: KeyClient, receiver: Receiver, publish: Publish
) -> None:
    shown = subscribe(alice, receiver)
    repeat_challenges(receiver)
    number = Subscription.objects.get().pk
    runner.run(number)
    publish()
    changed = alice.patch(shown["url"], {"target": receiver.url("/other"), "name": "Other"})
    assert changed.json()["verification"] == "pending"
    receiver.messages.clear()
    runner.run(number)
    # Pending deliveries are not sent to the new target either.
    assert received_types(receiver) == ["webhook.challenge"]
    assert alice.patch(shown["url"], {"name": "Same target"}).json()["verification"] == "pending"


def test_without_the_setting_no_target_is_challenged(
    alice: KeyClient, receiver: Receiver, settings: Settings, acme: Organization, publish: Publish
) -> None:
    settings.WEBHOOK_CHALLENGE = False
    shown = subscribe(alice, receiver)
    assert shown["verification"] == "not_required"
    publish()
    settings.WEBHOOK_CHALLENGE = True
    publish()
    runner.run(Subscription.objects.get().pk)
    assert received_types(receiver) == ["export.created", "export.created"]


def subscribe_verified(client: KeyClient, receiver: Receiver) -> dict[str, Any]:
    """Subscribe a target and let it repeat its challenge."""
    shown = subscribe(client, receiver)
    repeat_challenges(receiver)
    runner.run(Subscription.objects.get().pk)
    receiver.messages.clear()
    return shown


@pytest.mark.parametrize("by", ["API", "admin"])
def test_activating_a_subscription_challenges_its_target(
    alice: KeyClient, admin_client: Client, receiver: Receiver, by: str
) -> None:
    body = {"target": receiver.url(), "events": "*", "active": False}
    shown = alice.post("/v1/webhooks", body).json()
    maintenance.sweep()
    assert Delivery.objects.get().status == DeliveryStatus.FAILED
    repeat_challenges(receiver)
    subscription = Subscription.objects.get()
    if by == "API":
        alice.patch(shown["url"], {"active": True})
    else:
        button = reverse("admin:webhooks_subscription_enable", args=[subscription.pk])
        assert admin_client.post(button, {"_form_submitted": "on"}).status_code == 200
    runner.run(subscription.pk)
    assert alice.get(shown["url"]).json()["verification"] == "verified"


def test_a_target_that_never_repeats_its_challenge_is_disabled(
    alice: KeyClient, receiver: Receiver
) -> None:
    shown = subscribe(alice, receiver)
    maintenance.sweep()
    assert alice.get(shown["url"]).json()["active"] is True
    Delivery.objects.update(attempts_count=len(results.DELAYS))
    number = Subscription.objects.get().pk
    runner.run(number)
    maintenance.sweep()
    after = alice.get(shown["url"]).json()
    assert (after["active"], after["verification"]) == (False, "pending")
    assert after["disabled_reason"] == "The target did not repeat its challenge in any attempt."
    repeat_challenges(receiver)
    alice.patch(shown["url"], {"active": True})
    runner.run(number)
    after = alice.get(shown["url"]).json()
    assert (after["verification"], after["disabled_reason"]) == ("verified", "")


def test_deliveries_held_by_a_challenge_wake_no_sender_and_fail_in_the_end(
    alice: KeyClient, receiver: Receiver, publish: Publish
) -> None:
    shown = subscribe_verified(alice, receiver)
    publish()
    number = Subscription.objects.get().pk
    assert list(senders.due_subscriptions()) == [number]
    receiver.behaviors["/other"] = respond(200)
    alice.patch(shown["url"], {"target": receiver.url("/other")})
    runner.run(number)
    Subscription.objects.update(paused_until=None)
    # The challenge is due later; the event waits for the challenge.
    assert list(senders.due_subscriptions()) == []
    held = Delivery.objects.get(event__type="export.created")
    maintenance.sweep()
    held.refresh_from_db()
    assert held.status == DeliveryStatus.PENDING
    long_ago = timezone.now() - timedelta(days=4)
    Delivery.objects.filter(pk=held.pk).update(next_attempt_at=long_ago)
    maintenance.sweep()
    held.refresh_from_db()
    assert held.status == DeliveryStatus.FAILED
    assert held.completed_at
    older = timezone.now() - maintenance.RETENTION
    Delivery.objects.filter(pk=held.pk).update(completed_at=older)
    Event.objects.filter(pk=held.event_id).update(created_at=older)
    maintenance.purge()
    assert not Delivery.objects.filter(pk=held.pk).exists()


@pytest.mark.usefixtures("static_files")
def test_only_the_target_sees_the_token(
    alice: KeyClient, admin_client: Client, receiver: Receiver
) -> None:
    shown = subscribe(alice, receiver)
    token = Subscription.objects.get().challenge
    event, delivery = Event.objects.get(), Delivery.objects.get()
    [listed] = alice.get("/v1/events").json()["results"]
    assert listed["data"] == {"object": "webhook", "id": shown["id"]}
    for address in (shown["url"], f"{shown['url']}/deliveries", "/v1/events"):
        assert token not in json.dumps(alice.get(address).json())
    for found in (event, delivery):
        address = reverse(f"admin:webhooks_{found._meta.model_name}_change", args=[found.pk])
        page = admin_client.get(address)
        assert page.status_code == 200
        assert token not in page.content.decode()
    runner.run(delivery.subscription_id)
    assert json.loads(receiver.messages[0].body)["data"]["challenge"] == token


def test_changing_headers_replaces_a_challenge_but_keeps_a_verification(
    alice: KeyClient, receiver: Receiver
) -> None:
    shown = subscribe(alice, receiver)
    tokens = [Subscription.objects.get().challenge]
    for change in ({"headers": {"X-Team": "1"}}, {"name": "Other"}, {"headers": {"X-Team": None}}):
        alice.patch(shown["url"], change)
        tokens.append(Subscription.objects.get().challenge)
    assert [tokens.count(token) for token in tokens] == [1, 2, 2, 1]
    repeat_challenges(receiver)
    runner.run(Subscription.objects.get().pk)
    changed = alice.patch(shown["url"], {"headers": {"Authorization": "Bearer 2"}})
    assert changed.json()["verification"] == "verified"
