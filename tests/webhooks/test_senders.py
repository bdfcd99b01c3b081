"""How many senders there are at a time for targets that may keep them waiting."""

from collections.abc import Iterable
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from longshore.accounts.models import Organization
from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.webhooks.receiver import Receiver, slowly
from webhooks import lifecycle, runner, senders, subscriptions
from webhooks.lifecycle import Batch
from webhooks.models import Delivery, Subscription
from webhooks.sending import Result

pytestmark = pytest.mark.django_db(transaction=True)


def waiting_for(count: int, organization: Organization, **values: object) -> list[Subscription]:
    """Subscriptions that were never answered, each with two deliveries that are due."""
    made = SubscriptionFactory.create_batch(
        count, organization=organization, **{"is_quick": False, **values}
    )
    for subscription in made:
        DeliveryFactory.create_batch(2, subscription=subscription)
    return made


def claims(found: Iterable[Subscription]) -> list[Batch]:
    batches = [lifecycle.claim(each.pk) for each in found]
    return [batch for batch in batches if batch is not None]


def succeed(batch: Batch, milliseconds: int = 5) -> None:
    lifecycle.record(
        batch,
        [
            Result(each, timezone.now(), milliseconds, 204, "", "", None)
            for each in batch.deliveries
        ],
    )


def test_who_was_never_answered_has_one_sender_with_one_delivery(acme: Organization) -> None:
    [new] = waiting_for(1, acme)
    [batch] = claims([new])
    assert (len(batch.deliveries), batch.careful, batch.more) == (1, True, False)
    assert claims([new]) == []


def test_a_quick_answer_lets_more_senders_come_and_a_slow_one_does_not(acme: Organization) -> None:
    for milliseconds, quick in ((1900, True), (2100, False)):
        [new] = waiting_for(1, acme)
        DeliveryFactory.create_batch(senders.MAX_DELIVERIES, subscription=new)
        [batch] = claims([new])
        succeed(batch, milliseconds)
        new.refresh_from_db()
        assert new.is_quick is quick
        [batch] = claims([new])
        assert (len(batch.deliveries), batch.more) == ((20, True) if quick else (1, False))
        succeed(batch, milliseconds)


def test_another_target_is_a_new_one(acme: Organization) -> None:
    subscription = SubscriptionFactory.create(organization=acme)
    subscriptions.change(subscription, {"target": "https://receiver.example.com/another"})
    subscription.refresh_from_db()
    assert not subscription.is_quick


@pytest.mark.parametrize("values", [{}, {"is_quick": True, "consecutive_failures": 1}])
def test_an_organization_has_so_many_careful_senders(
    acme: Organization, globex: Organization, values: dict[str, object]
) -> None:
    batches = claims(waiting_for(senders.MAX_UNPROVEN + 3, acme, **values))
    assert len(batches) == senders.MAX_UNPROVEN
    # Neither who is quick nor another organization waits for them.
    assert len(claims(waiting_for(1, acme, is_quick=True))) == 1
    assert len(claims(waiting_for(1, globex, **values))) == 1
    succeed(batches[0])
    assert len(claims(waiting_for(2, acme, **values))) == 1


def test_all_organizations_together_leave_senders_for_who_is_quick(acme: Organization) -> None:
    others = [
        each
        for number in range(4)
        for each in waiting_for(
            8, Organization.objects.create(name=f"{number}", slug=f"organization-of-{number}")
        )
    ]
    assert len(claims(others)) == senders.MAX_UNPROVEN_TOTAL
    assert claims(waiting_for(1, acme)) == []
    assert len(claims(waiting_for(1, acme, is_quick=True))) == 1


def test_racing_senders_of_many_targets_are_no_more(acme: Organization) -> None:
    new = waiting_for(senders.MAX_UNPROVEN + 8, acme)
    barrier = Barrier(len(new))
    found: list[Batch] = []

    def race(subscription: Subscription) -> None:
        barrier.wait()
        found.extend(claims([subscription]))
        connection.close()

    threads = [Thread(target=race, args=(each,)) for each in new]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == senders.MAX_UNPROVEN


def test_who_has_waited_for_longest_is_next(
    acme: Organization,
    globex: Organization,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    receiver.behaviours["/slow"] = slowly(2.1)
    [slow] = waiting_for(1, acme, target=receiver.url("/slow"))
    later, sooner, quick = waiting_for(3, acme)
    Subscription.objects.filter(pk=quick.pk).update(is_quick=True)
    sending = waiting_for(1, acme)
    claims(sending)
    waiting_for(1, globex)
    Delivery.objects.filter(subscription=slow).first().delete()  # type: ignore[union-attr]
    Delivery.objects.filter(subscription=later).update(next_attempt_at=timezone.now())
    woken: list[int] = []
    monkeypatch.setattr("webhooks.queueing.wake", woken.append)
    runner.run(slow.pk)
    assert woken == [sooner.pk, later.pk]
