"""What one organization sends to one host is limited, and no other organization waits for it."""

from collections.abc import Iterable

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings

from longshore.accounts.models import Organization
from tests.conftest import KeyClient
from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.webhooks.receiver import Receiver
from webhooks import lifecycle, runner, senders, subscriptions
from webhooks.lifecycle import Batch
from webhooks.models import Delivery, DeliveryStatus, Subscription
from webhooks.sending import Result

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_count() -> None:
    """No deliveries were counted lately."""
    cache.clear()


@pytest.fixture
def one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window in which deliveries are counted does not end."""
    monkeypatch.setattr(senders, "RATE_SECONDS", 3600)


def quick(count: int, organization: Organization, target: str) -> list[Subscription]:
    """Subscriptions to one host that has answered quickly, each with two deliveries due."""
    made = [
        SubscriptionFactory.create(
            organization=organization, target=f"{target}{place}", is_quick=True
        )
        for place in range(count)
    ]
    for subscription in made:
        DeliveryFactory.create_batch(2, subscription=subscription)
    return made


def claims(found: Iterable[Subscription]) -> list[Batch]:
    batches = [lifecycle.claim(each.pk) for each in found]
    return [batch for batch in batches if batch is not None]


def test_one_organization_has_so_many_senders_for_a_host(
    acme: Organization, globex: Organization, settings: Settings
) -> None:
    settings.WEBHOOK_HOST_SENDERS = 3
    ours = quick(5, acme, "https://a.example/")
    batches = claims(ours)
    assert len(batches) == 3
    assert len(claims(quick(1, acme, "https://b.example/"))) == 1
    assert len(claims(quick(2, globex, "https://A.example:8443/"))) == 2
    [waiting, _] = ours[3:]
    assert waiting.pk in senders.next_in_line(batches[0].subscription)
    results = [Result(each, timezone.now(), 5, 204, "", "", None) for each in batches[0].deliveries]
    lifecycle.record(batches[0], results)
    assert len(claims(ours)) == 1


def test_a_host_gets_so_many_deliveries_a_second(
    acme: Organization,
    globex: Organization,
    receiver: Receiver,
    settings: Settings,
    one_window: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEBHOOK_HOST_RATE = 5
    woken: list[tuple[int, float]] = []
    monkeypatch.setattr(
        "webhooks.runner.queue.wake", lambda number, seconds=0: woken.append((number, seconds))
    )
    ours = quick(4, acme, receiver.url())
    for subscription in ours:
        runner.run(subscription.pk)
    assert len(receiver.messages) == 5
    assert (ours[3].pk, senders.RATE_SECONDS) in woken
    theirs = quick(1, globex, receiver.url())
    runner.run(theirs[0].pk)
    assert len(receiver.messages) == 7
    # What was not sent is due as before, and was no attempt.
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING)
    assert list(waiting.values_list("attempts_count", flat=True)) == [0, 0, 0]
    cache.clear()
    for subscription in ours:
        runner.run(subscription.pk)
    assert len(receiver.messages) == 10


def test_without_a_limit_all_are_sent(
    acme: Organization, receiver: Receiver, settings: Settings, one_window: None
) -> None:
    settings.WEBHOOK_HOST_RATE = settings.WEBHOOK_HOST_SENDERS = None
    for subscription in quick(4, acme, receiver.url()):
        runner.run(subscription.pk)
    assert len(receiver.messages) == 8


def test_the_host_is_that_of_the_target(acme: Organization) -> None:
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
def test_every_spelling_of_a_host_is_one_host(
    alice: KeyClient, host: str, spellings: list[str]
) -> None:
    for place, spelling in enumerate(spellings):
        body = {"target": f"https://{spelling}/{place}", "events": "*"}
        assert alice.post("/v1/webhooks", body).status_code == 201
    assert set(Subscription.objects.values_list("host", flat=True)) == {host}
