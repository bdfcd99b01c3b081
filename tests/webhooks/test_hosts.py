"""Limits of an organization for each host: concurrent senders and deliveries per second."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from longshore.accounts.models import Organization
from longshore.cache import cache
from tests.conftest import KeyClient
from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.webhooks.conftest import taken_messages
from tests.webhooks.receiver import Receiver
from webhooks import runner, senders, subscriptions
from webhooks.lifecycle import claims, results
from webhooks.lifecycle.claims import DeliveryClaim
from webhooks.models import Delivery, DeliveryStatus, Subscription
from webhooks.sending import Result

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def reset_rate() -> None:
    """Forget the deliveries that were counted for the rate limit."""
    cache.clear()


@pytest.fixture
def endless_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count deliveries in a window that does not end during the test."""
    monkeypatch.setattr(senders, "RATE_SECONDS", 3600)


def quick_subscriptions(count: int, organization: Organization, target: str) -> list[Subscription]:
    """Create subscriptions with one host and quick targets, each with two due deliveries."""
    made = [
        SubscriptionFactory.create(
            organization=organization, target=f"{target}{place}", is_quick=True
        )
        for place in range(count)
    ]
    for subscription in made:
        DeliveryFactory.create_batch(2, subscription=subscription)
    return made


def claim_all(subscriptions: Iterable[Subscription]) -> list[DeliveryClaim]:
    """Claim deliveries of each subscription; leave out those that get no sender."""
    outcomes = [claims.claim(subscription.pk) for subscription in subscriptions]
    return [claim for claim in outcomes if claim is not None]


def test_the_senders_of_an_organization_for_one_host_are_limited(
    acme: Organization, globex: Organization, settings: Settings
) -> None:
    settings.WEBHOOK_HOST_SENDERS = 3
    ours = quick_subscriptions(5, acme, "https://a.example/")
    held = claim_all(ours)
    assert len(held) == 3
    assert len(claim_all(quick_subscriptions(1, acme, "https://b.example/"))) == 1
    assert len(claim_all(quick_subscriptions(2, globex, "https://A.example:8443/"))) == 2
    [waiting, _] = ours[3:]
    assert waiting.pk in senders.next_subscriptions(held[0].subscription)
    sent = [Result(each, timezone.now(), 5, 204, "", "", None) for each in held[0].deliveries]
    results.record(held[0], sent)
    assert len(claim_all(ours)) == 1


def test_the_deliveries_of_an_organization_to_one_host_per_second_are_limited(
    acme: Organization,
    globex: Organization,
    receiver: Receiver,
    settings: Settings,
    endless_window: None,
) -> None:
    settings.WEBHOOK_HOST_RATE = 5
    taken_messages()
    ours = quick_subscriptions(4, acme, receiver.url())
    for subscription in ours:
        runner.run(subscription.pk)
    assert len(receiver.messages) == 5
    etas = [eta for number, eta in taken_messages() if number == ours[3].pk]
    window = timedelta(seconds=senders.RATE_SECONDS)
    assert any(eta and eta > timezone.now() + window / 2 for eta in etas)
    foreign = quick_subscriptions(1, globex, receiver.url())
    runner.run(foreign[0].pk)
    assert len(receiver.messages) == 7
    # Deliveries over the limit stay due and have no attempt.
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING)
    assert list(waiting.values_list("attempts_count", flat=True)) == [0, 0, 0]
    cache.clear()
    for subscription in ours:
        runner.run(subscription.pk)
    assert len(receiver.messages) == 10


def test_without_limits_all_deliveries_are_sent(
    acme: Organization, receiver: Receiver, settings: Settings, endless_window: None
) -> None:
    settings.WEBHOOK_HOST_RATE = settings.WEBHOOK_HOST_SENDERS = None
    for subscription in quick_subscriptions(4, acme, receiver.url()):
        runner.run(subscription.pk)
    assert len(receiver.messages) == 8


def test_the_host_follows_the_target(acme: Organization) -> None:
    values = {"target": "https://One.example:8443/x", "events": ["*"]}
    subscription, _ = subscriptions.create(acme.pk, values)
    assert subscription.host == "one.example"
    subscriptions.change(subscription, {"target": "https://[2606:4700::1111]/"})
    assert Subscription.objects.get().host == "2606:4700::1111"


@pytest.mark.parametrize(
    ("host", "spellings"),
    [
        (
            "example.com",
            ["example.com", "EXAMPLE.com", "example。com", "example\uff0ecom", "example｡com"],
        ),
        ("xn--bcher-kva.example", ["bücher.example", "XN--BCHER-KVA.example"]),
        ("2606:4700::1111", ["[2606:4700::1111]", "[2606:4700:0::1111]", "[2606:4700:0:0::1111]"]),
        (
            "1.1.1.1",
            ["1.1.1.1", "[64:ff9b::101:101]", "[64:ff9b::1.1.1.1]", "[::ffff:1.1.1.1]"],
        ),
    ],
)
def test_all_spellings_of_a_host_count_as_one_host(
    alice: KeyClient, host: str, spellings: list[str]
) -> None:
    for place, spelling in enumerate(spellings):
        body = {"target": f"https://{spelling}/{place}", "events": "*"}
        assert alice.post("/v1/webhooks", body).status_code == 201
    assert set(Subscription.objects.values_list("host", flat=True)) == {host}
