"""Real workers, started as `make run` does, and real receivers."""

import os
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from celery import current_app
from django.db import connection, transaction
from django.utils import timezone

from exports_project.embedded import child_processes
from exports_project.processes import PROCESSES
from longshore.accounts.models import Organization
from longshore.accounts.sealing import seal
from longshore.cache import cache
from longshore.jobs import heartbeats
from tests.exports.conftest import wait_for
from tests.factories import SubscriptionFactory
from tests.programs import command_of
from tests.webhooks import receiver as behavior
from tests.webhooks.conftest import Publish
from tests.webhooks.receiver import Handler, Receiver, respond
from webhooks import maintenance, senders, signing_secrets
from webhooks.models import Attempt, Delivery, DeliveryStatus, Subscription

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a worker of the webhooks queue and waits until it is ready."""
    children: list[subprocess.Popen[bytes]] = []
    current_app.control.purge()

    def start() -> subprocess.Popen[bytes]:
        cache.clear()
        child = child_processes.spawn(
            command_of(PROCESSES["webhooks"]),
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


def test_a_message_is_sent_again_if_its_sender_dies_before_recording_it(
    start: Start, subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    worker = start()

    def kill(handler: Handler) -> None:
        worker.kill()
        worker.wait()
        respond(204)(handler)

    receiver.behaviors["/"] = behavior.in_turn(kill, respond(204))
    event = publish()
    wait_for(lambda: worker.poll() is not None)
    # The target received the message, but no result was recorded.
    assert receiver.ids() == [event.public_id]
    assert Delivery.objects.get().status == DeliveryStatus.SENDING
    assert not Attempt.objects.exists()
    start()
    Delivery.objects.update(lease_ends_at=timezone.now())
    maintenance.sweep()
    wait_for(lambda: Delivery.objects.get().status == DeliveryStatus.DELIVERED)
    assert receiver.ids() == [event.public_id] * 2


def test_forty_hanging_new_targets_delay_neither_quick_targets_nor_other_organizations(
    start: Start, receiver: Receiver, publish: Publish, acme: Organization, globex: Organization
) -> None:
    hanging = [f"/hanging/{number}" for number in range(40)]
    for path in hanging:
        receiver.behaviors[path] = behavior.slowly(60)
        SubscriptionFactory.create(organization=acme, target=receiver.url(path), is_quick=False)
    SubscriptionFactory.create(organization=acme, target=receiver.url("/quick"))
    SubscriptionFactory.create(organization=globex, target=receiver.url("/new"), is_quick=False)
    start()
    for _ in range(3):
        events = {publish().public_id, publish(organization=globex).public_id}
        began = time.monotonic()
        wait_for(lambda: events <= {*receiver.ids("/quick"), *receiver.ids("/new")})  # noqa: B023
        # The hanging targets take 15 seconds each.
        assert time.monotonic() - began < 10
    hung = [message for message in receiver.messages if message.path in hanging]
    assert len(hung) == senders.MAX_UNPROVEN


def test_new_targets_are_served_in_turn_without_a_sweep(
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


def test_a_thousand_events_reach_all_working_targets_despite_failing_ones(
    start: Start, receiver: Receiver, publish: Publish
) -> None:
    """Twenty targets get fifty events each: two hang, two reset connections and one is closed."""
    start()
    secret = signing_secrets.generate()
    dead = {
        "/15": behavior.slowly(60),
        "/16": behavior.drip_body,
        "/17": behavior.reset,
        "/18": behavior.reset,
    }
    receiver.behaviors |= dead
    targets = [receiver.url(f"/{number}") for number in range(19)] + ["http://127.0.0.1:1/"]
    subscribed = SubscriptionFactory.create_batch(20, secret=seal(secret))
    for subscription, target in zip(subscribed, targets, strict=True):
        subscription.target = target
        subscription.save()
    sent: dict[str, float] = {}
    for _ in range(50):
        for subscription in subscribed:
            with transaction.atomic():
                event = publish(organization=subscription.organization)
            sent[event.public_id] = time.monotonic()
    healthy = {f"/{number}" for number in range(15)}

    def arrived() -> list[behavior.Message]:
        return [message for message in receiver.messages if message.path in healthy]

    wait_for(lambda: len(arrived()) >= 750)
    delays = [message.at - sent[message.id] for message in arrived()]
    assert statistics.median(delays) < 5
    assert set(Counter(message.id for message in arrived()).values()) == {1}
    for message in arrived()[::50]:
        message.verified(secret)
    # Deliveries to the failing targets are kept, and few attempts are made.
    undelivered = Delivery.objects.filter(subscription__in=subscribed[15:])
    assert undelivered.exclude(status=DeliveryStatus.DELIVERED).count() == 250
    assert Attempt.objects.filter(delivery__in=undelivered).count() < 50
