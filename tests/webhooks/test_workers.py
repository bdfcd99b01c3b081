"""Real workers, as `make run` starts them, and real receivers."""

import os
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from celery import current_app
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone

from exports_project.embedded import processes
from exports_project.processes import PROCESSES
from longshore.accounts.models import Organization
from longshore.accounts.sealing import seal
from longshore.jobs import heartbeats
from tests.exports.conftest import wait_for
from tests.factories import SubscriptionFactory
from tests.webhooks import receiver as behaviour
from tests.webhooks.conftest import Publish
from tests.webhooks.receiver import Handler, Receiver, answer
from webhooks import maintenance, senders, signing_secrets
from webhooks.models import Attempt, Delivery, DeliveryStatus, Subscription

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a worker of the queue of webhooks, which takes tasks when this returns."""
    children: list[subprocess.Popen[bytes]] = []
    current_app.control.purge()

    def start() -> subprocess.Popen[bytes]:
        cache.clear()
        child = processes.spawn(
            PROCESSES["webhooks"].command(),
            output=None,
            death_signal=signal.SIGKILL,
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "TEST_DATABASE": connection.settings_dict["NAME"],
            },
        )
        children.append(child)
        wait_for(lambda: heartbeats.is_fresh("webhooks"))
        return child

    yield start
    for child in children:
        child.kill()
        child.wait()


def test_a_message_whose_sender_dies_before_it_says_so_comes_again(
    start: Start, subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    worker = start()

    def kill(handler: Handler) -> None:
        worker.kill()
        worker.wait()
        answer(204)(handler)

    receiver.behaviours["/"] = behaviour.in_turn(kill, answer(204))
    event = publish()
    wait_for(lambda: worker.poll() is not None)
    # It was received, and nobody knows.
    assert receiver.ids() == [event.public_id]
    assert Delivery.objects.get().status == DeliveryStatus.SENDING
    assert not Attempt.objects.exists()
    start()
    Delivery.objects.update(lease_ends_at=timezone.now())
    maintenance.sweep()
    wait_for(lambda: Delivery.objects.get().status == DeliveryStatus.DELIVERED)
    assert receiver.ids() == [event.public_id] * 2


def test_forty_new_targets_that_hang_delay_nobody_who_is_known_to_be_quick(
    start: Start, receiver: Receiver, publish: Publish, acme: Organization, globex: Organization
) -> None:
    """Nor whoever is new in an organization of his own."""
    hanging = [f"/hanging/{number}" for number in range(40)]
    for path in hanging:
        receiver.behaviours[path] = behaviour.slowly(60)
        SubscriptionFactory.create(organization=acme, target=receiver.url(path), is_quick=False)
    SubscriptionFactory.create(organization=acme, target=receiver.url("/quick"))
    SubscriptionFactory.create(organization=globex, target=receiver.url("/new"), is_quick=False)
    start()
    for _ in range(3):
        events = {publish().public_id, publish(organization=globex).public_id}
        began = time.monotonic()
        wait_for(lambda: events <= {*receiver.ids("/quick"), *receiver.ids("/new")})  # noqa: B023
        assert time.monotonic() - began < 2
    hung = [message for message in receiver.messages if message.path in hanging]
    assert len(hung) == senders.MAX_UNPROVEN


def test_new_targets_are_served_one_after_the_other_without_a_sweep(
    start: Start, receiver: Receiver, publish: Publish, acme: Organization
) -> None:
    for number in range(30):
        SubscriptionFactory.create(
            organization=acme, target=receiver.url(f"/{number}"), is_quick=False
        )
    start()
    with transaction.atomic():
        publish(2)
    wait_for(lambda: len(receiver.messages) == 60)
    wait_for(lambda: not Subscription.objects.filter(is_quick=False).exists())


def test_a_thousand_events_reach_who_is_there_whoever_is_not(
    start: Start, receiver: Receiver, publish: Publish
) -> None:
    """Fifty events for each of twenty targets, of which two hang, two reset and one is closed."""
    start()
    secret = signing_secrets.generate()
    dead = {
        "/15": behaviour.slowly(60),
        "/16": behaviour.drip_body,
        "/17": behaviour.reset,
        "/18": behaviour.reset,
    }
    receiver.behaviours |= dead
    targets = [receiver.url(f"/{number}") for number in range(19)] + ["http://127.0.0.1:1/"]
    told = SubscriptionFactory.create_batch(20, secret=seal(secret))
    for subscription, target in zip(told, targets, strict=True):
        subscription.target = target
        subscription.save()
    sent: dict[str, float] = {}
    for _ in range(50):
        for subscription in told:
            with transaction.atomic():
                event = publish(organization=subscription.organization)
            sent[event.public_id] = time.monotonic()
    healthy = {f"/{number}" for number in range(15)}

    def arrived() -> list[behaviour.Message]:
        return [message for message in receiver.messages if message.path in healthy]

    wait_for(lambda: len(arrived()) >= 750)
    late = [message.at - sent[message.id] for message in arrived()]
    assert statistics.median(late) < 1
    assert set(Counter(message.id for message in arrived()).values()) == {1}
    for message in arrived()[::50]:
        message.verified(secret)
    # Of the others nothing is lost, and each is tried a few times only.
    waiting = Delivery.objects.filter(subscription__in=told[15:])
    assert waiting.exclude(status=DeliveryStatus.DELIVERED).count() == 250
    assert Attempt.objects.filter(delivery__in=waiting).count() < 50
