"""Delivery, retries with backoff, pauses, disabling, recovery, and purging."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction
from django.utils import timezone

from longshore.accounts.models import Organization
from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.webhooks.conftest import SECRET, Publish, the_delivery, wait_until_blocked, woken
from tests.webhooks.receiver import Receiver, in_turn, respond
from webhooks import actions, maintenance, payloads, runner, senders, subscriptions
from webhooks.events import EventType
from webhooks.lifecycle import activation, claims, pauses, requeueing, results
from webhooks.lifecycle.claims import DeliveryClaim
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
    """Send what is due now, as one sender does."""
    runner.run(subscription.pk)
    subscription.refresh_from_db()


def make_due(subscription: Subscription) -> None:
    """Make pending deliveries due and end the pause."""
    Delivery.objects.filter(status=DeliveryStatus.PENDING).update(next_attempt_at=timezone.now())
    Subscription.objects.filter(pk=subscription.pk).update(paused_until=None)


def seconds_until(moment: datetime | None) -> float:
    assert moment is not None
    return (moment - timezone.now()).total_seconds()


def seconds_after_the_last_attempt(delivery: Delivery) -> float:
    """Return the time from the end of the last attempt until the next one."""
    last = delivery.attempts.last()
    assert last is not None
    assert delivery.next_attempt_at is not None
    ended = last.started_at + timedelta(milliseconds=last.milliseconds)
    return (delivery.next_attempt_at - ended).total_seconds()


def claimed(subscription: Subscription) -> DeliveryClaim:
    claim = claims.claim(subscription.pk)
    assert claim is not None
    return claim


def result_of(delivery: Delivery, status: int = 204, milliseconds: int = 5) -> Result:
    error = "" if status == 204 else f"The target responded with {status}."
    return Result(delivery, timezone.now(), milliseconds, status, error, "", None)


@pytest.fixture
def failing(subscription: Subscription, receiver: Receiver) -> Subscription:
    receiver.behaviors["/"] = respond(500, b"broken")
    return subscription


def test_due_deliveries_are_delivered_once(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    events = [publish() for _ in range(25)]
    send(subscription)
    send(subscription)
    assert sorted(receiver.ids()) == sorted(event.public_id for event in events)
    assert set(Delivery.objects.values_list("status", flat=True)) == {DeliveryStatus.DELIVERED}
    assert Attempt.objects.count() == 25


def test_a_delivery_is_retried_with_growing_delay_and_fails_after_ten_attempts(
    failing: Subscription, receiver: Receiver, publish: Publish
) -> None:
    event = publish()
    waits = []
    for _ in range(9):
        send(failing)
        delivery = the_delivery()
        assert delivery.status == DeliveryStatus.PENDING
        waits.append(seconds_after_the_last_attempt(delivery))
        make_due(failing)
    send(failing)
    delivery = the_delivery()
    assert (delivery.status, delivery.next_attempt_at) == (DeliveryStatus.FAILED, None)
    for wait, delay in zip(waits, results.DELAYS, strict=True):
        # The result is recorded some time after the attempt.
        assert 0.89 * delay.total_seconds() < wait < 1.11 * delay.total_seconds() + 5
    assert timedelta(days=2.9) < sum(results.DELAYS, timedelta()) < timedelta(days=3.2)
    # Every attempt has the same id, but a new timestamp and signature.
    assert receiver.ids() == [event.public_id] * 10
    receiver.messages[-1].verified(SECRET)
    attempts = list(delivery.attempts.values_list("status_code", "response"))
    assert attempts == [(500, "broken")] * 10


def test_a_retry_after_the_target_is_repaired_succeeds_and_resets_the_failures(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    receiver.behaviors["/"] = in_turn(respond(500), respond(204))
    publish()
    send(subscription)
    failing = Subscription.objects.filter(consecutive_failures=1, failing_since__isnull=False)
    assert failing.exists()
    make_due(subscription)
    send(subscription)
    assert the_delivery().status == DeliveryStatus.DELIVERED
    assert Subscription.objects.filter(consecutive_failures=0, failing_since=None).exists()


@pytest.mark.parametrize("status", [429, 503])
def test_an_overloaded_target_is_paused_for_its_retry_after(
    subscription: Subscription, receiver: Receiver, publish: Publish, status: int
) -> None:
    receiver.behaviors["/"] = respond(status, Retry_After="120")
    publish(3)
    send(subscription)
    assert len(receiver.messages) == 1
    assert 115 < seconds_until(subscription.paused_until) <= 120
    tried = Delivery.objects.get(attempts_count=1)
    assert 115 < seconds_until(tried.next_attempt_at) <= 120
    send(subscription)
    assert len(receiver.messages) == 1


def test_an_overloaded_target_without_retry_after_is_paused_for_ten_seconds(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    receiver.behaviors["/"] = respond(503)
    publish()
    send(subscription)
    assert 8 < seconds_until(subscription.paused_until) <= 10


def test_pauses_start_at_the_third_failure_and_double(
    failing: Subscription, publish: Publish
) -> None:
    publish(8)
    seconds = []
    for _ in range(6):
        failing.refresh_from_db()
        Subscription.objects.filter(pk=failing.pk).update(paused_until=None)
        claim = claimed(failing)
        results.record(claim, [result_of(claim.deliveries[0], 500)])
        failing.refresh_from_db()
        seconds.append(round(seconds_until(failing.paused_until)))
    assert seconds == [0, 0, 1, 2, 4, 8]


def test_the_pauses_before_disabling_take_more_than_two_days() -> None:
    failed = result_of(Delivery(), 500)
    lengths = [pauses.pause_after(count, failed) for count in range(1, pauses.MAX_FAILURES)]
    assert timedelta(days=2) < sum(lengths, timedelta()) < timedelta(days=3)


def test_a_failing_target_gets_one_delivery_at_a_time(
    failing: Subscription, receiver: Receiver, publish: Publish
) -> None:
    publish(5)
    send(failing)
    # The third consecutive failure pauses the target.
    assert len(receiver.messages) == 3
    Subscription.objects.update(paused_until=None)
    assert len(claimed(failing).deliveries) == 1
    assert claims.claim(failing.pk) is None


def test_a_slow_target_gets_one_delivery_at_a_time(
    subscription: Subscription, publish: Publish
) -> None:
    publish(4)
    claim = claimed(subscription)
    publish(4)
    slow = [result_of(delivery, milliseconds=2500) for delivery in claim.deliveries]
    results.record(claim, slow)
    claim = claimed(subscription)
    assert len(claim.deliveries) == 1
    assert claims.claim(subscription.pk) is None
    results.record(claim, [result_of(claim.deliveries[0])])
    assert len(claimed(subscription).deliveries) == 3


def test_the_number_of_senders_of_a_target_is_limited(
    subscription: Subscription, publish: Publish
) -> None:
    publish(100)
    found = [claimed(subscription) for _ in range(senders.MAX_SENDERS)]
    assert claims.claim(subscription.pk) is None
    keys = {delivery.pk for claim in found for delivery in claim.deliveries}
    assert len(keys) == senders.MAX_SENDERS * senders.DEFAULT_DELIVERIES


def test_racing_senders_keep_the_limit_and_share_no_delivery(
    subscription: Subscription, publish: Publish
) -> None:
    publish(300)
    barrier, outcomes = Barrier(8), []

    def race() -> None:
        barrier.wait()
        outcomes.append(claims.claim(subscription.pk))
        connection.close()

    threads = [Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [claim for claim in outcomes if claim is not None]
    assert len(found) == senders.MAX_SENDERS
    keys = [delivery.pk for claim in found for delivery in claim.deliveries]
    assert len(keys) == len(set(keys))


def test_claimed_deliveries_that_were_not_sent_stay_due(
    subscription: Subscription, publish: Publish
) -> None:
    publish(3)
    claim = claimed(subscription)
    results.record(claim, [result_of(claim.deliveries[0])])
    first, *others = Delivery.objects.order_by("pk")
    assert first.status == DeliveryStatus.DELIVERED
    for other in others:
        assert (other.status, other.attempts_count) == (DeliveryStatus.PENDING, 0)
        assert seconds_until(other.next_attempt_at) <= 0


def test_a_410_disables_the_subscription_and_fails_its_deliveries(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    receiver.behaviors["/"] = respond(410)
    publish(2)
    send(subscription)
    assert not subscription.active
    assert subscription.disabled_reason == "The target responded with 410 Gone."
    assert subscription.disabled_at is not None
    assert len(receiver.messages) == 1
    maintenance.sweep()
    statuses = Delivery.objects.filter(event__type=EventType.EXPORT_CREATED)
    assert set(statuses.values_list("status", flat=True)) == {DeliveryStatus.FAILED}


def test_thirty_consecutive_failures_disable_the_subscription(
    failing: Subscription, publish: Publish
) -> None:
    Subscription.objects.update(consecutive_failures=28)
    publish(3)
    send(failing)
    assert failing.active
    make_due(failing)
    send(failing)
    assert not failing.active
    assert failing.disabled_reason.startswith("30 consecutive attempts failed.")


def test_five_days_of_failures_disable_the_subscription(
    failing: Subscription, publish: Publish
) -> None:
    started = timezone.now() - timedelta(days=5)
    Subscription.objects.update(consecutive_failures=4, failing_since=started)
    publish()
    send(failing)
    assert not failing.active
    assert failing.disabled_reason.startswith("All attempts of the last 5 days failed.")


def test_disabling_notifies_the_organization_once_by_event_and_email(
    failing: Subscription, publish: Publish, mailoutbox: list[object], receiver: Receiver
) -> None:
    other = SubscriptionFactory.create(
        organization=failing.organization, target=receiver.url("/other")
    )
    failing.organization.email = "ops@acme.example"
    failing.organization.save()
    activation.disable(failing, "A test.")
    activation.disable(failing, "A test again.")
    event = Event.objects.get(type=EventType.WEBHOOK_DISABLED)
    assert event.data["id"] == failing.public_id
    assert event.data["reason"] == "A test."
    send(other)
    assert receiver.ids("/other") == [event.public_id]
    maintenance.notify()
    maintenance.notify()
    [mail] = mailoutbox
    assert mail.to == ["ops@acme.example"]  # type: ignore[attr-defined]
    body = mail.body  # type: ignore[attr-defined]
    for part in (failing.target, "A test.", failing.public_id):
        assert part in body
    assert SECRET not in body


def test_a_failed_notification_is_repeated_at_the_next_run(
    failing: Subscription, mailoutbox: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.organization.email = "ops@acme.example"
    failing.organization.save()
    activation.disable(failing, "A test.")

    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(maintenance, "send_mail", refuse)
        maintenance.notify()
    maintenance.notify()
    assert len(mailoutbox) == 1


def test_an_organization_without_an_email_address_gets_only_the_event(
    failing: Subscription, mailoutbox: list[object]
) -> None:
    activation.disable(failing, "A test.")
    maintenance.notify()
    assert mailoutbox == []
    failing.refresh_from_db()
    assert failing.notified_at is not None


def test_activating_a_disabled_subscription_resets_its_failures(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    ahead = timezone.now() + timedelta(hours=4)
    row = Subscription.objects.filter(pk=subscription.pk)
    row.update(consecutive_failures=30, failing_since=timezone.now(), paused_until=ahead)
    activation.disable(subscription, "A test.")
    subscriptions.change(subscription, {"active": True})
    event = publish()
    send(subscription)
    assert event.public_id in receiver.ids()
    assert row.get().consecutive_failures == 0


def test_events_missed_while_disabled_can_be_recovered(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    began = timezone.now()
    activation.disable(subscription, "A test.")
    missed = publish()
    maintenance.sweep()
    subscriptions.change(subscription, {"active": True})
    send(subscription)
    assert receiver.messages == []
    assert actions.recover(subscription, began) == 2  # The missed event, and webhook.disabled.
    send(subscription)
    assert missed.public_id in receiver.ids()
    assert subscription.disabled_at is None


@pytest.mark.parametrize("action", ["test", "redeliver", "recover"])
def test_an_action_of_the_owner_ends_the_pause(
    subscription: Subscription, receiver: Receiver, publish: Publish, action: str
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
    match action:
        case "test":
            requested = actions.test(subscription).event.public_id
        case "redeliver":
            actions.redeliver(failed)
            requested = event.public_id
        case _:
            assert actions.recover(subscription, began) == 1
            requested = event.public_id
    send(subscription)
    assert set(receiver.ids()) == {requested, waiting.public_id}
    assert subscription.consecutive_failures == 0


def test_deliveries_are_sent_again_when_the_lease_of_their_sender_ends(
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
    # The first sender was alive after all: its results come too late.
    results.record(late, [result_of(late.deliveries[0], 500)])
    assert the_delivery().status == DeliveryStatus.DELIVERED


def test_results_before_an_exception_are_recorded(
    subscription: Subscription,
    receiver: Receiver,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(3)
    real = payloads.body
    events: list[Event] = []

    def fail_second(event: Event, data: payloads.Data) -> str:
        events.append(event)
        if len(events) == 2:
            raise MemoryError
        return real(event, data)

    with monkeypatch.context() as patch:
        patch.setattr(payloads, "body", fail_second)
        with pytest.raises(MemoryError):
            runner.run(subscription.pk)
    send(subscription)
    assert len(set(receiver.ids())) == len(receiver.messages) == 3


def test_a_redelivery_keeps_the_id_and_the_earlier_attempts(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    event = publish()
    send(subscription)
    actions.redeliver(the_delivery())
    assert the_delivery().attempts_count == 0
    send(subscription)
    assert receiver.ids() == [event.public_id] * 2
    assert the_delivery().attempts.count() == 2


def test_a_deactivated_subscription_receives_nothing(
    subscription: Subscription, receiver: Receiver, publish: Publish
) -> None:
    publish()
    subscriptions.change(subscription, {"active": False})
    publish()
    send(subscription)
    maintenance.sweep()
    assert receiver.messages == []
    assert the_delivery().status == DeliveryStatus.FAILED


def test_a_new_target_resets_the_failures(failing: Subscription, receiver: Receiver) -> None:
    Subscription.objects.update(
        consecutive_failures=9, failing_since=timezone.now(), paused_until=timezone.now()
    )
    subscriptions.change(failing, {"target": receiver.url("/new")})
    failing.refresh_from_db()
    assert (failing.consecutive_failures, failing.paused_until) == (0, None)


@pytest.mark.parametrize("status", [204, 410, 500])
def test_a_result_of_the_old_target_does_not_count_for_a_new_one(
    subscription: Subscription, receiver: Receiver, publish: Publish, status: int
) -> None:
    publish()
    claim = claimed(subscription)
    subscriptions.change(subscription, {"target": receiver.url("/new")})
    results.record(claim, [result_of(claim.deliveries[0], status)])
    subscription.refresh_from_db()
    assert (subscription.active, subscription.disabled_at) == (True, None)
    assert (subscription.consecutive_failures, subscription.is_quick) == (0, False)
    assert Attempt.objects.get().status_code == status
    assert not Event.objects.filter(type=EventType.WEBHOOK_DISABLED).exists()


def test_a_sweep_does_not_deadlock_with_a_deletion_of_deliveries(
    subscription: Subscription, acme: Organization
) -> None:
    """A deletion locks the deliveries of an event in the order of their keys."""
    unverified = SubscriptionFactory.create(organization=acme, challenge="token")
    long_ago = timezone.now() - timedelta(days=7)
    held = DeliveryFactory.create(subscription=unverified, next_attempt_at=long_ago)
    failed = DeliveryFactory.create(subscription=subscription)
    Subscription.objects.filter(pk=subscription.pk).update(active=False)

    def sweep() -> int:
        try:
            return requeueing.fail_undeliverable()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Delivery.objects.select_for_update().get(pk=held.pk)
        count = pool.submit(sweep)
        wait_until_blocked()
        Delivery.objects.select_for_update().get(pk=failed.pk)
    assert count.result(timeout=60) == 2


def test_a_sweep_wakes_senders_only_for_due_deliveries(subscription: Subscription) -> None:
    woken()
    DeliveryFactory.create_batch(3, subscription=subscription)
    for values in (
        {"next_attempt_at": timezone.now() + timedelta(minutes=1)},
        {"subscription__paused_until": timezone.now() + timedelta(minutes=1)},
        {"status": DeliveryStatus.DELIVERED},
    ):
        DeliveryFactory.create(**values)
    maintenance.sweep()
    assert woken() == [subscription.pk]


def test_a_purge_deletes_events_after_the_retention_of_their_deliveries(
    subscription: Subscription, publish: Publish
) -> None:
    publish(3)
    send(subscription)
    long_ago = timezone.now() - maintenance.RETENTION - timedelta(minutes=1)
    Event.objects.update(created_at=long_ago)
    maintenance.purge()
    assert Event.objects.count() == 3
    Delivery.objects.update(completed_at=long_ago)
    publish()
    maintenance.purge()
    assert Event.objects.count() == Delivery.objects.count() == 1
    assert Attempt.objects.count() == 0


def test_a_purge_deletes_expired_secrets_and_deleted_subscriptions(
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
    activation.soft_delete(subscription)
    subscription.refresh_from_db()
    assert (subscription.secret, subscription.headers) == ("", {})
    maintenance.purge()
    assert Subscription.objects.count() == 1
    Event.objects.all().delete()
    maintenance.purge()
    assert Subscription.objects.count() == 0
