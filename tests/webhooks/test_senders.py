"""Limits of concurrent senders for targets that are slow, failing or new."""

from collections.abc import Iterable
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from longshore.accounts.models import Organization
from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.webhooks.conftest import woken
from tests.webhooks.receiver import Receiver, slowly
from webhooks import runner, senders, subscriptions
from webhooks.lifecycle import claims, results
from webhooks.lifecycle.claims import DeliveryClaim
from webhooks.models import Delivery, Subscription
from webhooks.sending import Result

pytestmark = pytest.mark.django_db(transaction=True)


def unproven_subscriptions(
    count: int, organization: Organization, **values: object
) -> list[Subscription]:
    """Create subscriptions whose targets never responded, each with two due deliveries."""
    made = SubscriptionFactory.create_batch(
        count, organization=organization, **{"is_quick": False, **values}
    )
    for subscription in made:
        DeliveryFactory.create_batch(2, subscription=subscription)
    return made


def claim_all(subscriptions: Iterable[Subscription]) -> list[DeliveryClaim]:
    """Claim deliveries of each subscription; leave out those that get no sender."""
    outcomes = [claims.claim(subscription.pk) for subscription in subscriptions]
    return [claim for claim in outcomes if claim is not None]


def succeed(claim: DeliveryClaim, milliseconds: int = 5) -> None:
    results.record(
        claim,
        [
            Result(each, timezone.now(), milliseconds, 204, "", "", None)
            for each in claim.deliveries
        ],
    )


def test_a_target_that_never_responded_gets_one_sender_with_one_delivery(
    acme: Organization,
) -> None:
    [new] = unproven_subscriptions(1, acme)
    [claim] = claim_all([new])
    assert (len(claim.deliveries), claim.may_have_more) == (1, False)
    assert claim_all([new]) == []


def test_a_quick_response_allows_more_senders_and_a_slow_one_does_not(acme: Organization) -> None:
    for milliseconds, quick in ((1900, True), (2100, False)):
        [new] = unproven_subscriptions(1, acme)
        DeliveryFactory.create_batch(senders.DEFAULT_DELIVERIES, subscription=new)
        [claim] = claim_all([new])
        succeed(claim, milliseconds)
        new.refresh_from_db()
        assert new.is_quick is quick
        [claim] = claim_all([new])
        assert (len(claim.deliveries), claim.may_have_more) == ((20, True) if quick else (1, False))
        succeed(claim, milliseconds)


@pytest.mark.parametrize(
    ("sent", "seconds", "expected"),
    [(20, 0.02, 100), (20, 0.1, 50), (20, 1.0, 20), (100, 0.5, 50), (1, 15.0, 20), (20, 0.0, 100)],
)
def test_a_claim_takes_at_most_a_quarter_of_a_second_or_has_twenty_deliveries(
    sent: int, seconds: float, expected: int
) -> None:
    assert senders.next_limit(sent, seconds) == expected


def test_no_sender_is_woken_that_would_be_refused(acme: Organization) -> None:
    quick = SubscriptionFactory.create(organization=acme)
    DeliveryFactory.create_batch(
        senders.MAX_SENDERS * senders.DEFAULT_DELIVERIES, subscription=quick
    )
    held = claim_all([quick] * senders.MAX_SENDERS)
    assert [claim.may_have_more for claim in held] == [True, True, True, False]


def test_a_changed_target_is_unproven(acme: Organization) -> None:
    subscription = SubscriptionFactory.create(organization=acme)
    subscriptions.change(subscription, {"target": "https://receiver.example.com/another"})
    subscription.refresh_from_db()
    assert not subscription.is_quick


@pytest.mark.parametrize("values", [{}, {"is_quick": True, "consecutive_failures": 1}])
def test_the_senders_of_an_organization_for_unproven_targets_are_limited(
    acme: Organization, globex: Organization, values: dict[str, object]
) -> None:
    held = claim_all(unproven_subscriptions(senders.MAX_UNPROVEN + 3, acme, **values))
    assert len(held) == senders.MAX_UNPROVEN
    # Quick targets and other organizations do not wait for them.
    assert len(claim_all(unproven_subscriptions(1, acme, is_quick=True))) == 1
    assert len(claim_all(unproven_subscriptions(1, globex, **values))) == 1
    succeed(held[0])
    assert len(claim_all(unproven_subscriptions(2, acme, **values))) == 1


def test_unproven_targets_of_all_organizations_leave_senders_for_quick_targets(
    acme: Organization,
) -> None:
    others = [
        each
        for number in range(4)
        for each in unproven_subscriptions(
            8, Organization.objects.create(name=f"{number}", slug=f"organization-of-{number}")
        )
    ]
    assert len(claim_all(others)) == senders.MAX_UNPROVEN_TOTAL
    assert claim_all(unproven_subscriptions(1, acme)) == []
    assert len(claim_all(unproven_subscriptions(1, acme, is_quick=True))) == 1


def test_racing_senders_of_unproven_targets_keep_the_limit(acme: Organization) -> None:
    new = unproven_subscriptions(senders.MAX_UNPROVEN + 8, acme)
    barrier = Barrier(len(new))
    found: list[DeliveryClaim] = []

    def race(subscription: Subscription) -> None:
        barrier.wait()
        found.extend(claim_all([subscription]))
        connection.close()

    threads = [Thread(target=race, args=(each,)) for each in new]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == senders.MAX_UNPROVEN


def test_a_free_sender_wakes_the_subscriptions_that_waited_longest(
    acme: Organization, globex: Organization, receiver: Receiver
) -> None:
    receiver.behaviors["/slow"] = slowly(2.1)
    [slow] = unproven_subscriptions(1, acme, target=receiver.url("/slow"))
    later, sooner, quick = unproven_subscriptions(3, acme)
    Subscription.objects.filter(pk=quick.pk).update(is_quick=True)
    sending = unproven_subscriptions(1, acme)
    claim_all(sending)
    unproven_subscriptions(1, globex)
    Delivery.objects.filter(subscription=slow).first().delete()  # type: ignore[union-attr]
    Delivery.objects.filter(subscription=later).update(next_attempt_at=timezone.now())
    woken()
    runner.run(slow.pk)
    assert woken() == [sooner.pk, later.pk]
