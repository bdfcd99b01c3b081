"""The transactional outbox, and the events that exports publish."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.db import connections, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from longshore.accounts.models import Organization
from longshore.api.errors import ErrorCode
from longshore.jobs import actions, maintenance
from tests.claims import claim
from tests.conftest import KeyClient
from tests.exports.conftest import contacts, downloaded, queued, storage  # noqa: F401  (fixtures)
from tests.factories import OrganizationFactory, SubscriptionFactory
from tests.webhooks.conftest import DATA, SECRET, Publish, wait_until_blocked, woken
from tests.webhooks.receiver import Receiver
from webhooks import outbox, payloads, queueing
from webhooks import runner as sender
from webhooks.events import EventType
from webhooks.models import Delivery, Event, Subscription

pytestmark = pytest.mark.django_db(transaction=True)


def matched(organization: Organization, resource: str = "", export_type: str = "") -> set[int]:
    """Publish an event; return the keys of the subscriptions that get a delivery."""
    event = outbox.publish(organization.pk, EventType.EXPORT_CREATED, DATA, resource, export_type)
    return set(event.deliveries.values_list("subscription", flat=True))


def test_an_event_is_stored_only_if_the_transaction_commits(
    subscription: Subscription, publish: Publish
) -> None:
    woken()
    with transaction.atomic():
        publish()
        transaction.set_rollback(True)
    assert (Event.objects.count(), Delivery.objects.count(), woken()) == (0, 0, [])
    with transaction.atomic():
        publish()
        assert woken() == []
    assert (Event.objects.count(), Delivery.objects.count()) == (1, 1)
    assert woken() == [subscription.pk]


def test_only_matching_subscriptions_get_a_delivery(
    acme: Organization, globex: Organization
) -> None:
    def make(**values: object) -> int:
        return SubscriptionFactory.create(**{"organization": acme} | values).pk

    matching = {
        make(),
        make(events=["export.failed", "export.created"]),
        make(resources=["contact", "item"]),
        make(resources=["contact"], types=["customer_list", "order_list"]),
        make(active=False, disabled_at=timezone.now()),
    }
    others = {
        make(events=["export.failed"]),
        make(resources=["shipment"]),
        make(types=["order_list"]),
        make(active=False),
        make(active=False, deleted_at=timezone.now()),
        make(organization=globex),
    }
    assert matched(acme, "contact", "customer_list") == matching
    assert matched(OrganizationFactory.create()) == set()
    assert len(matching | others) == Subscription.objects.count()


def test_publishing_takes_three_statements_for_any_number_of_subscriptions(
    acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (1, 49):
        SubscriptionFactory.create_batch(number, organization=acme)
        # The fourth statement is the query of `matched`.
        with transaction.atomic(), django_assert_num_queries(4):
            matched(acme)
    assert Delivery.objects.count() == 51


def test_one_message_waits_for_many_events(subscription: Subscription, publish: Publish) -> None:
    woken()
    publish(5)
    assert woken() == [subscription.pk]
    queueing.mark_taken(subscription.pk)
    publish()
    assert woken() == [subscription.pk]


def test_each_change_of_an_exports_status_publishes_an_event(queued: Export) -> None:  # noqa: F811
    def types() -> list[str]:
        return list(Event.objects.order_by("pk").values_list("type", flat=True))

    runner.run(queued.pk)
    assert types() == ["export.started", "export.created"]
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    queued.refresh_from_db()
    actions.retry(export_lifecycle, queued)
    assert types()[2:] == ["export.expired", "export.queued"]
    actions.cancel(export_lifecycle, queued)
    queued.refresh_from_db()
    actions.retry(export_lifecycle, queued)
    for code in (ErrorCode.INTERNAL_ERROR, ErrorCode.TIMEOUT):
        export = claim(export_lifecycle, queued)
        assert export is not None
        if code is ErrorCode.TIMEOUT:
            export_lifecycle.time_out(export, 1)
        else:
            export_lifecycle.fail(export, code, "no")
        queued.refresh_from_db()
        actions.retry(export_lifecycle, queued)
    failed = ["export.started", "export.failed", "export.queued"]
    assert types()[4:] == ["export.canceled", "export.queued", *failed, *failed]
    errors = Event.objects.filter(type="export.failed").order_by("pk")
    assert [event.data["error"]["error"] for event in errors] == ["internal_error", "timeout"]


def test_creating_an_export_publishes_an_event(
    alice: KeyClient,
    contacts: object,  # noqa: F811
    subscription: Subscription,
) -> None:
    made = alice.post("/v1/exports", {"resource": "contact"}).json()
    event = Event.objects.get()
    assert (event.type, event.resource, event.export_type) == ("export.queued", "contact", "")

    assert event.data["id"] == made["id"]
    assert event.deliveries.get().subscription == subscription


def test_the_event_of_an_export_holds_its_named_type(alice: KeyClient) -> None:
    assert alice.post("/v1/exports", {"type": "order_list"}).status_code == 201
    event = Event.objects.get(type=EventType.EXPORT_QUEUED)
    assert (event.resource, event.export_type) == ("order", "order_list")
    assert event.data["type"] == "order_list"


def test_a_message_holds_the_export_without_its_request_and_with_a_working_link(
    alice: KeyClient,
    queued: Export,  # noqa: F811
    subscription: Subscription,
    receiver: Receiver,
    settings: Settings,
) -> None:
    settings.BASE_URL = "http://testserver"
    Subscription.objects.update(events=["export.created"])
    runner.run(queued.pk)
    assert Event.objects.get(type="export.created").data["download_url"] is None
    sender.run(subscription.pk)
    [message] = receiver.messages
    data = message.verified(SECRET)["data"]
    shown = alice.get(f"/v1/exports/{queued.public_id}").json()
    assert shown.pop("request")
    assert list(data) == list(shown)
    link, _ = data.pop("download_url"), shown.pop("download_url")
    assert data == shown
    content = downloaded(link)
    assert content.startswith(b"id,name")
    assert len(content) == data["files"][0]["bytes"]


def test_each_attempt_signs_a_new_link_until_the_export_expires(
    queued: Export,  # noqa: F811
    subscription: Subscription,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Subscription.objects.update(events=["export.created"])
    runner.run(queued.pk)
    sender.run(subscription.pk)
    later = timezone.now().timestamp() + 60
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    for ends in (None, timezone.now()):
        if ends:
            Export.objects.update(expires_at=ends)
        Delivery.objects.update(status="pending", next_attempt_at=timezone.now())
        sender.run(subscription.pk)
    links = [httpx.Response(200, content=m.body).json()["data"] for m in receiver.messages]
    first, second, third = (data["download_url"] for data in links)
    assert first != second
    assert first.split("?")[0] == second.split("?")[0]
    assert third is None


def test_links_of_many_events_take_one_query(
    queued: Export,  # noqa: F811
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    runner.run(queued.pk)
    events = list(Event.objects.filter(type="export.created")) * 5
    with django_assert_num_queries(1):
        found = payloads.complete(events)
    assert len(found) == 5
    assert all(data["download_url"] for data in found)


def test_deleting_events_does_not_deadlock_with_a_purge(
    acme: Organization, subscription: Subscription, publish: Publish
) -> None:
    event = publish()

    def delete_events() -> None:
        try:
            with transaction.atomic():
                outbox.delete_events(acme.pk, event.subject)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        # The locking order of a purge: events are locked, then their deliveries are deleted.
        Event.objects.select_for_update().get(pk=event.pk)
        deletion = pool.submit(delete_events)
        wait_until_blocked()
        Delivery.objects.filter(event=event).delete()
        Event.objects.filter(pk=event.pk).delete()
    deletion.result(timeout=60)
    assert Event.objects.count() == 0
