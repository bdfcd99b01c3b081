"""Messages in the form of a dialect, and subscriptions that expect it."""

import json
from collections.abc import Mapping, Sequence

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from longshore.accounts.models import Organization
from longshore.accounts.sealing import seal
from longshore.api.errors import InvalidInput
from tests.conftest import KeyClient
from tests.factories import SubscriptionFactory
from tests.webhooks.conftest import SECRET, Publish, the_delivery
from tests.webhooks.receiver import Receiver
from webhooks import actions, envelopes, runner, signing_secrets, subscriptions
from webhooks.envelopes import Envelope
from webhooks.events import EventType
from webhooks.models import DeliveryStatus, Event, Subscription
from webhooks.payloads import Data

pytestmark = pytest.mark.django_db(transaction=True)


class Shouting(Envelope):
    title = "Shouting"
    events = (EventType.EXPORT_CREATED, EventType.EXPORT_FAILED)

    def body(self, event: Event, data: Data, subscription: Subscription) -> str:
        return json.dumps([event.type.upper(), data, subscription.public_id])

    def headers(self, secrets: Sequence[str], message_id: str, body: str) -> Mapping[str, str]:
        return {
            "X-Shout": f"{message_id} {' '.join(secrets)} {len(body)}",
            "Content-Type": "application/vnd.shout+json",
        }


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(envelopes._envelopes, "shouting", Shouting())


@pytest.fixture
def shouting(acme: Organization, receiver: Receiver) -> Subscription:
    return SubscriptionFactory.create(
        organization=acme,
        target=receiver.url(),
        secret=seal(SECRET),
        dialect="shouting",
        events=["export.created"],
        headers={"x-shout": seal("the owner's"), "X-Other": seal("kept")},
    )


def values(receiver: Receiver, **changes: object) -> dict[str, object]:
    return {"target": receiver.url(), "events": ["export.created"]} | changes


def test_a_message_has_the_body_and_the_headers_of_its_dialect(
    shouting: Subscription, receiver: Receiver, publish: Publish
) -> None:
    event = publish()
    runner.run(shouting.pk)
    [message] = receiver.messages
    assert json.loads(message.body) == ["EXPORT.CREATED", event.data, shouting.public_id]
    length = len(message.body.decode())
    assert message.headers["x-shout"] == f"{event.public_id} {SECRET} {length}"
    assert message.headers["x-other"] == "kept"
    assert message.headers["content-type"] == "application/vnd.shout+json"
    assert "webhook-id" not in message.headers


def test_each_subscription_gets_the_same_event_in_its_own_form(
    shouting: Subscription, subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    event = publish()
    runner.run(subscription.pk)
    runner.run(shouting.pk)
    native, shouted = receiver.messages
    assert json.loads(native.body)["id"] == event.public_id
    assert json.loads(shouted.body)[1] == json.loads(native.body)["data"]


def test_a_test_is_sent_in_the_form_of_the_dialect_and_both_secrets_sign(
    shouting: Subscription, receiver: Receiver
) -> None:
    new = subscriptions.rotate(shouting, "any text")
    actions.test(shouting)
    runner.run(shouting.pk)
    [message] = receiver.messages
    assert json.loads(message.body)[0] == "WEBHOOK.TEST"
    assert f" {new} {SECRET} " in message.headers["x-shout"]


def test_events_that_a_dialect_does_not_have_are_refused(
    acme: Organization, alice: KeyClient, receiver: Receiver
) -> None:
    for event in ("*", "batch.completed"):
        with pytest.raises(InvalidInput, match="Webhooks of Shouting do not have the events"):
            subscriptions.create(acme.pk, values(receiver, dialect="shouting", events=[event]))
    created, _ = subscriptions.create(acme.pk, values(receiver, dialect="shouting"))
    address = f"/v1/webhooks/{created.public_id}"
    response = alice.patch(address, {"events": ["export.failed", "batch.failed"]})
    assert response.status_code == 400
    [problem] = response.json()["details"]["problems"]
    assert problem == {
        "error": "invalid_event",
        "field": "events",
        "value": ["export.failed", "batch.failed"],
        "message": "Webhooks of Shouting do not have the events batch.failed.",
        "accepted": ["export.created", "export.failed"],
    }
    assert alice.patch(address, {"events": ["export.failed"]}).json()["dialect"] == "shouting"


def test_equal_subscriptions_of_two_dialects_are_no_duplicates(
    acme: Organization, receiver: Receiver
) -> None:
    for dialect in ("", "shouting"):
        subscriptions.create(acme.pk, values(receiver, dialect=dialect))
    assert Subscription.objects.count() == 2


def test_targets_of_dialects_are_not_challenged(
    acme: Organization, receiver: Receiver, settings: Settings, publish: Publish
) -> None:
    settings.WEBHOOK_CHALLENGE = True
    created, _ = subscriptions.create(acme.pk, values(receiver, dialect="shouting"))
    subscriptions.change(created, {"target": receiver.url("/new")})
    publish()
    runner.run(created.pk)
    assert [json.loads(message.body)[0] for message in receiver.messages] == ["EXPORT.CREATED"]


def test_without_its_dialect_a_subscription_fails_visibly_and_can_be_switched_off(
    shouting: Subscription,
    alice: KeyClient,
    receiver: Receiver,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(envelopes._envelopes, "shouting")
    publish()
    runner.run(shouting.pk)
    delivery = the_delivery()
    assert delivery.status == DeliveryStatus.PENDING
    assert delivery.attempts.get().error == "The dialect 'shouting' is not installed."
    assert receiver.messages == []
    address = f"/v1/webhooks/{shouting.public_id}"
    assert alice.patch(address, {"events": ["export.failed"]}).status_code == 400
    assert alice.patch(address, {"active": False}).json()["active"] is False


@pytest.mark.usefixtures("static_files")
def test_the_admin_shows_the_form_of_the_messages(
    shouting: Subscription,
    subscription: Subscription,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.force_login(User.objects.create_superuser("root"))

    def shown(each: Subscription) -> str:
        page = client.get(reverse("admin:webhooks_subscription_change", args=[each.pk]))
        _, _, rest = page.content.decode().partition("Message format")
        return rest[:1000]

    assert "Shouting" in shown(shouting)
    assert "Longshore" in shown(subscription)
    monkeypatch.delitem(envelopes._envelopes, "shouting")
    assert "shouting (not installed)" in shown(shouting)
    assert signing_secrets.PREFIX not in shown(shouting)
