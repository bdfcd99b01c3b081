"""What becomes of deliveries, and of subscriptions whose targets fail."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.webhooks.conftest import SECRET, Publish, the_delivery
from tests.webhooks.receiver import Receiver, answer, in_turn
from webhooks import (
    actions,
    lifecycle,
    maintenance,
    runner,
    senders,
    subscriptions,
)
from webhooks.events import EventType
from webhooks.lifecycle import Batch
from webhooks.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Event,
    Subscription,
)
from webhooks.sending import Result

pytestmark = pytest.mark.django_db(transaction=True)


def send(subscription: Subscription) -> None:
    """What is due now, as one sender sends it."""
    runner.run(subscription.pk)
    subscription.refresh_from_db()


def at_once(subscription: Subscription) -> None:
    """As if every wait were over."""
    Delivery.objects.filter(status=DeliveryStatus.PENDING).update(next_attempt_at=timezone.now())
    Subscription.objects.filter(pk=subscription.pk).update(paused_until=None)


def seconds_until(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - timezone.now()).total_seconds()


def claimed(subscription: Subscription) -> Batch:
    batch = lifecycle.claim(subscription.pk)
    assert batch is not None
    return batch


def a_result(delivery: Delivery, status: int = 204, milliseconds: int = 5) -> Result:
    error = "" if status == 204 else f"The answer was {status}."
    return Result(delivery, timezone.now(), milliseconds, status, error, "", None)


@pytest.fixture
def failing(subscription: Subscription, receiver: Receiver) -> Subscription:
    receiver.behaviours["/"] = answer(500, b"broken")
    return subscription


def test_what_is_due_is_delivered_once(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    events = [publish() for _ in range(25)]
    send(subscription)
    send(subscription)
    assert sorted(receiver.ids()) == sorted(event.public_id for event in events)
    assert set(Delivery.objects.values_list("status", flat=True)) == {DeliveryStatus.DELIVERED}
    assert Attempt.objects.count() == 25


def test_a_failed_delivery_waits_longer_each_time_and_fails_after_ten_attempts(
    failing: Subscription, receiver: Receiver, publish: Publish
) -> None:
    event = publish()
    waits = []
    for _ in range(9):
        send(failing)
        waits.append(seconds_until(the_delivery().next_attempt_at))
        assert the_delivery().status == DeliveryStatus.PENDING
        at_once(failing)
    send(failing)
    delivery = the_delivery()
    assert (delivery.status, delivery.next_attempt_at) == (DeliveryStatus.FAILED, None)
    for wait, delay in zip(waits, lifecycle.DELAYS, strict=True):
        assert 0.89 * delay.total_seconds() - 1 < wait < 1.11 * delay.total_seconds()
    assert timedelta(days=2.9) < sum(lifecycle.DELAYS, timedelta()) < timedelta(days=3.2)
    # The id is the same, the rest is as new.
    assert receiver.ids() == [event.public_id] * 10
    receiver.messages[-1].verified(SECRET)
    attempts = list(delivery.attempts.values_list("status_code", "response"))
    assert attempts == [(500, "broken")] * 10


def test_it_is_delivered_once_the_target_works_again(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    receiver.behaviours["/"] = in_turn(answer(500), answer(204))
    publish()
    send(subscription)
    failing = Subscription.objects.filter(consecutive_failures=1, failing_since__isnull=False)
    assert failing.exists()
    at_once(subscription)
    send(subscription)
    assert the_delivery().status == DeliveryStatus.DELIVERED
    assert Subscription.objects.filter(consecutive_failures=0, failing_since=None).exists()


@pytest.mark.parametrize("status", [429, 503])
def test_who_is_overloaded_is_left_alone_for_as_long_as_it_asks(
    subscription: Subscription, receiver: Receiver, publish: Publish, status: int
) -> None:
    receiver.behaviours["/"] = answer(status, Retry_After="120")
    publish(3)
    send(subscription)
    assert len(receiver.messages) == 1
    assert 115 < seconds_until(subscription.paused_until) <= 120
    tried = Delivery.objects.get(attempts_count=1)
    assert 115 < seconds_until(tried.next_attempt_at) <= 120
    send(subscription)
    assert len(receiver.messages) == 1


def test_who_is_overloaded_and_does_not_say_for_how_long_gets_a_moment(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    receiver.behaviours["/"] = answer(503)
    publish()
    send(subscription)
    assert 8 < seconds_until(subscription.paused_until) <= 10


def test_who_fails_again_and_again_is_left_alone_twice_as_long_each_time(
    failing: Subscription, publish: Publish
) -> None:
    publish(8)
    pauses = []
    for _ in range(6):
        failing.refresh_from_db()
        Subscription.objects.filter(pk=failing.pk).update(paused_until=None)
        batch = claimed(failing)
        lifecycle.record(batch, [a_result(batch.deliveries[0], 500)])
        failing.refresh_from_db()
        pauses.append(round(seconds_until(failing.paused_until)))
    assert pauses == [0, 0, 1, 2, 4, 8]


def test_thirty_failures_are_days_rather_than_a_burst() -> None:
    failed = a_result(Delivery(), 500)
    pauses = [lifecycle._pause(count, failed) for count in range(1, lifecycle.MAX_FAILURES)]
    assert timedelta(days=2) < sum(pauses, timedelta()) < timedelta(days=3)


def test_a_failing_target_gets_one_delivery_at_a_time(
    failing: Subscription, receiver: Receiver, publish: Publish
) -> None:
    publish(5)
    send(failing)
    # The second failure in a row, and the third: after that it is paused.
    assert len(receiver.messages) == 3
    Subscription.objects.update(paused_until=None)
    assert len(claimed(failing).deliveries) == 1
    assert lifecycle.claim(failing.pk) is None


def test_a_slow_target_gets_one_delivery_at_a_time(
    subscription: Subscription, publish: Publish
) -> None:
    publish(4)
    batch = claimed(subscription)
    publish(4)
    lifecycle.record(batch, [a_result(each, milliseconds=2500) for each in batch.deliveries])
    batch = claimed(subscription)
    assert len(batch.deliveries) == 1
    assert lifecycle.claim(subscription.pk) is None
    lifecycle.record(batch, [a_result(batch.deliveries[0])])
    assert len(claimed(subscription).deliveries) == 3


def test_so_many_senders_have_a_target_at_a_time(
    subscription: Subscription, publish: Publish
) -> None:
    publish(100)
    batches = [claimed(subscription) for _ in range(senders.MAX_SENDERS)]
    assert lifecycle.claim(subscription.pk) is None
    taken = {each.pk for batch in batches for each in batch.deliveries}
    assert len(taken) == senders.MAX_SENDERS * senders.MAX_DELIVERIES


def test_racing_senders_are_no_more(subscription: Subscription, publish: Publish) -> None:
    publish(300)
    barrier, batches = Barrier(8), []

    def race() -> None:
        barrier.wait()
        batches.append(lifecycle.claim(subscription.pk))
        connection.close()

    threads = [Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [batch for batch in batches if batch is not None]
    assert len(found) == senders.MAX_SENDERS
    taken = [each.pk for batch in found for each in batch.deliveries]
    assert len(taken) == len(set(taken))


def test_what_was_not_sent_is_due_as_before(subscription: Subscription, publish: Publish) -> None:
    publish(3)
    batch = claimed(subscription)
    lifecycle.record(batch, [a_result(batch.deliveries[0])])
    first, *others = Delivery.objects.order_by("pk")
    assert first.status == DeliveryStatus.DELIVERED
    for other in others:
        assert (other.status, other.attempts_count) == (DeliveryStatus.PENDING, 0)
        assert seconds_until(other.next_attempt_at) <= 0


def test_410_ends_the_subscription(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    receiver.behaviours["/"] = answer(410)
    publish(2)
    send(subscription)
    assert not subscription.active
    assert subscription.disabled_reason == "The target answered 410 Gone."
    assert subscription.disabled_at is not None
    assert len(receiver.messages) == 1
    maintenance.sweep()
    statuses = Delivery.objects.filter(event__type=EventType.EXPORT_CREATED)
    assert set(statuses.values_list("status", flat=True)) == {DeliveryStatus.FAILED}


def test_thirty_failures_in_a_row_disable(failing: Subscription, publish: Publish) -> None:
    Subscription.objects.update(consecutive_failures=28)
    publish(3)
    send(failing)
    assert failing.active
    at_once(failing)
    send(failing)
    assert not failing.active
    assert failing.disabled_reason.startswith("30 attempts in a row have failed.")


def test_five_days_of_failures_disable(failing: Subscription, publish: Publish) -> None:
    started = timezone.now() - timedelta(days=5)
    Subscription.objects.update(consecutive_failures=4, failing_since=started)
    publish()
    send(failing)
    assert not failing.active
    assert failing.disabled_reason.startswith("Every attempt has failed for 5 days.")


def test_the_organization_is_told_once_by_event_and_email(
    failing: Subscription, publish: Publish, mailoutbox: list[object], receiver: Receiver
) -> None:
    other = SubscriptionFactory.create(
        organization=failing.organization, target=receiver.url("/other")
    )
    failing.organization.email = "ops@acme.example"
    failing.organization.save()
    lifecycle.disable(failing, "A test.")
    lifecycle.disable(failing, "A test again.")
    event = Event.objects.get(type=EventType.WEBHOOK_DISABLED)
    assert event.data["id"] == failing.public_id
    assert event.data["reason"] == "A test."
    send(other)
    assert receiver.ids("/other") == [event.public_id]
    maintenance.tell()
    maintenance.tell()
    [mail] = mailoutbox
    assert mail.to == ["ops@acme.example"]  # type: ignore[attr-defined]
    body = mail.body  # type: ignore[attr-defined]
    for part in (failing.target, "A test.", failing.public_id):
        assert part in body
    assert SECRET not in body


def test_a_mail_server_that_is_away_is_asked_again(
    failing: Subscription, mailoutbox: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.organization.email = "ops@acme.example"
    failing.organization.save()
    lifecycle.disable(failing, "A test.")

    def away(*_: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(maintenance, "send_mail", away)
        maintenance.tell()
    maintenance.tell()
    assert len(mailoutbox) == 1


def test_an_organization_without_an_address_is_told_by_the_event_alone(
    failing: Subscription, mailoutbox: list[object]
) -> None:
    lifecycle.disable(failing, "A test.")
    maintenance.tell()
    assert mailoutbox == []
    failing.refresh_from_db()
    assert failing.notified_at is not None


def test_one_that_is_activated_again_begins_anew(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    ahead = timezone.now() + timedelta(hours=4)
    row = Subscription.objects.filter(pk=subscription.pk)
    row.update(consecutive_failures=30, failing_since=timezone.now(), paused_until=ahead)
    lifecycle.disable(subscription, "A test.")
    subscriptions.change(subscription, {"active": True})
    event = publish()
    send(subscription)
    assert event.public_id in receiver.ids()
    assert row.get().consecutive_failures == 0


def test_what_a_disabled_subscription_misses_can_be_recovered(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    began = timezone.now()
    lifecycle.disable(subscription, "A test.")
    missed = publish()
    maintenance.sweep()
    subscriptions.change(subscription, {"active": True})
    send(subscription)
    assert receiver.messages == []
    assert actions.recover(subscription, began) == 2  # And that it was disabled.
    send(subscription)
    assert missed.public_id in receiver.ids()
    assert subscription.disabled_at is None


@pytest.mark.parametrize("ask", ["test", "redeliver", "recover"])
def test_an_owner_who_asks_for_something_does_not_wait_for_a_pause_to_end(
    subscription: Subscription, receiver: Receiver, publish: Publish, ask: str
) -> None:
    began = timezone.now()
    event = publish()
    failed = Delivery.objects.get(event=event)
    Delivery.objects.update(status=DeliveryStatus.FAILED, next_attempt_at=None)
    waiting = publish()
    ahead = timezone.now() + timedelta(hours=4)
    Subscription.objects.update(consecutive_failures=29, paused_until=ahead)
    send(subscription)
    assert receiver.messages == []
    match ask:
        case "test":
            asked = actions.test(subscription).event.public_id
        case "redeliver":
            actions.redeliver(failed)
            asked = event.public_id
        case _:
            assert actions.recover(subscription, began) == 1
            asked = event.public_id
    send(subscription)
    assert set(receiver.ids()) == {asked, waiting.public_id}
    assert subscription.consecutive_failures == 0


def test_a_dead_senders_deliveries_are_sent_once_more(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    event = publish()
    late = claimed(subscription)
    maintenance.sweep()
    send(subscription)
    assert receiver.messages == []
    Delivery.objects.update(lease_ends_at=timezone.now())
    maintenance.sweep()
    send(subscription)
    assert receiver.ids() == [event.public_id]
    # It was not dead after all: what it says comes too late.
    lifecycle.record(late, [a_result(late.deliveries[0], 500)])
    assert the_delivery().status == DeliveryStatus.DELIVERED


def test_an_exception_between_two_messages_loses_nothing(
    subscription: Subscription,
    receiver: Receiver,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(3)
    real = runner._send

    def broken(batch: Batch, end: float) -> Iterator[Result]:
        yield next(iter(real(batch, end)))
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(runner, "_send", broken)
        with pytest.raises(MemoryError):
            runner.run(subscription.pk)
    send(subscription)
    assert len(set(receiver.ids())) == len(receiver.messages) == 3


def test_a_redelivery_has_the_same_id_and_all_its_attempts_before_it(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    event = publish()
    send(subscription)
    actions.redeliver(the_delivery())
    assert the_delivery().attempts_count == 0
    send(subscription)
    assert receiver.ids() == [event.public_id] * 2
    assert the_delivery().attempts.count() == 2


def test_a_deactivated_subscription_is_sent_nothing(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    publish()
    subscriptions.change(subscription, {"active": False})
    publish()
    send(subscription)
    maintenance.sweep()
    assert receiver.messages == []
    assert the_delivery().status == DeliveryStatus.FAILED


def test_a_new_target_begins_anew(failing: Subscription, receiver: Receiver) -> None:
    Subscription.objects.update(
        consecutive_failures=9, failing_since=timezone.now(), paused_until=timezone.now()
    )
    subscriptions.change(failing, {"target": receiver.url("/new")})
    failing.refresh_from_db()
    assert (failing.consecutive_failures, failing.paused_until) == (0, None)


def test_a_sweep_wakes_those_for_whom_something_is_due(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr("webhooks.queueing.wake", woken.append)
    DeliveryFactory.create_batch(3, subscription=subscription)
    for later in (
        {"next_attempt_at": timezone.now() + timedelta(minutes=1)},
        {"subscription__paused_until": timezone.now() + timedelta(minutes=1)},
        {"status": DeliveryStatus.DELIVERED},
    ):
        DeliveryFactory.create(**later)
    maintenance.sweep()
    assert woken == [subscription.pk]


def test_old_events_go_with_their_deliveries_and_what_was_sent_lately_stays(
    subscription: Subscription, publish: Publish
) -> None:
    publish(3)
    send(subscription)
    long_ago = timezone.now() - maintenance.KEPT - timedelta(minutes=1)
    Event.objects.update(created_at=long_ago)
    maintenance.purge()
    assert Event.objects.count() == 3
    Delivery.objects.update(completed_at=long_ago)
    publish()
    maintenance.purge()
    assert Event.objects.count() == Delivery.objects.count() == 1
    assert Attempt.objects.count() == 0


def test_old_secrets_and_deleted_subscriptions_go(
    subscription: Subscription, publish: Publish
) -> None:
    subscriptions.rotate(subscription, None)
    maintenance.purge()
    subscription.refresh_from_db()
    assert subscription.previous_secret
    Subscription.objects.update(previous_secret_ends_at=timezone.now())
    publish()
    maintenance.purge()
    subscription.refresh_from_db()
    assert subscription.previous_secret == ""
    lifecycle.delete(subscription)
    subscription.refresh_from_db()
    assert (subscription.secret, subscription.headers) == ("", {})
    maintenance.purge()
    assert Subscription.objects.count() == 1
    Event.objects.all().delete()
    maintenance.purge()
    assert Subscription.objects.count() == 0
