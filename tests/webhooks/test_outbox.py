"""Events and deliveries are written with what they tell of; exports are told of as they are."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from exports.execution import runner
from exports.lifecycle import actions
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from longshore.accounts.models import Organization
from longshore.api.errors import ErrorCode
from longshore.jobs import maintenance
from tests.conftest import KeyClient
from tests.exports.conftest import contacts, downloaded, queued, storage  # noqa: F401  (fixtures)
from tests.factories import OrganizationFactory, SubscriptionFactory
from tests.webhooks.conftest import DATA, SECRET, Publish
from tests.webhooks.receiver import Receiver
from webhooks import outbox, payloads, queueing
from webhooks import runner as sender
from webhooks.events import EventType
from webhooks.models import Delivery, Event, Subscription

pytestmark = pytest.mark.django_db(transaction=True)


def told(organization: Organization, resource: str = "", export_type: str = "") -> set[int]:
    """The subscriptions that are told of a new event."""
    event = outbox.publish(organization.pk, EventType.EXPORT_CREATED, DATA, resource, export_type)
    return set(event.deliveries.values_list("subscription", flat=True))


def test_an_event_is_written_with_the_change_or_not_at_all(
    subscription: Subscription, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(queueing, "wake", woken.append)
    with transaction.atomic():
        publish()
        transaction.set_rollback(True)
    assert (Event.objects.count(), Delivery.objects.count(), woken) == (0, 0, [])
    with transaction.atomic():
        publish()
        assert woken == []
    assert (Event.objects.count(), Delivery.objects.count()) == (1, 1)
    assert woken == [subscription.pk]


def test_those_are_told_who_want_it(acme: Organization, globex: Organization) -> None:
    def make(**values: object) -> int:
        return SubscriptionFactory.create(**{"organization": acme} | values).pk

    wanted = {
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
    assert told(acme, "contact", "customer_list") == wanted
    assert told(OrganizationFactory.create()) == set()
    assert len(wanted | others) == Subscription.objects.count()


def test_telling_many_takes_as_many_statements_as_telling_one(
    acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (1, 49):
        SubscriptionFactory.create_batch(number, organization=acme)
        # The fourth is that of `told`.
        with transaction.atomic(), django_assert_num_queries(4):
            told(acme)
    assert Delivery.objects.count() == 51


def test_of_many_events_one_message_waits_at_a_time(
    subscription: Subscription, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr("celery.current_app.send_task", lambda *args, **_: sent.append(args))
    queueing.taken(subscription.pk)
    publish(5)
    assert len(sent) == 1
    queueing.taken(subscription.pk)
    publish()
    assert sent == [(queueing.SEND, [subscription.pk])] * 2


def test_the_life_of_an_export_is_told(queued: Export) -> None:  # noqa: F811
    def types() -> list[str]:
        return list(Event.objects.order_by("pk").values_list("type", flat=True))

    runner.run(queued.pk)
    assert types() == ["export.started", "export.created"]
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    queued.refresh_from_db()
    actions.retry(queued)
    assert types()[2:] == ["export.expired", "export.queued"]
    actions.cancel(queued)
    queued.refresh_from_db()
    actions.retry(queued)
    for code in (ErrorCode.INTERNAL_ERROR, ErrorCode.TIMEOUT):
        export = export_lifecycle.claim(queued.pk)
        assert export is not None
        if code is ErrorCode.TIMEOUT:
            export_lifecycle.time_out(export, 1)
        else:
            export_lifecycle.fail(export, code, "no")
        queued.refresh_from_db()
        actions.retry(queued)
    failed = ["export.started", "export.failed", "export.queued"]
    assert types()[4:] == ["export.canceled", "export.queued", *failed, *failed]
    errors = Event.objects.filter(type="export.failed").order_by("pk")
    assert [event.data["error"]["error"] for event in errors] == ["internal_error", "timeout"]


def test_a_new_export_is_told_of(
    alice: KeyClient,
    contacts: object,  # noqa: F811
    subscription: Subscription,
) -> None:
    made = alice.post("/v1/exports", {"resource": "contact"}).json()
    event = Event.objects.get()
    assert (event.type, event.resource, event.export_type) == ("export.queued", "contact", "")

    assert event.data["id"] == made["id"]
    assert event.deliveries.get().subscription == subscription


def test_an_export_of_a_named_type_is_told_of_as_such(alice: KeyClient) -> None:
    assert alice.post("/v1/exports", {"type": "order_list"}).status_code == 201
    event = Event.objects.get(type=EventType.EXPORT_QUEUED)
    assert (event.resource, event.export_type) == ("order", "order_list")
    assert event.data["type"] == "order_list"


def test_the_message_holds_the_export_without_its_request_and_a_link_that_works(
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


def test_the_link_is_new_at_each_attempt_and_none_once_the_file_is_gone(
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


def test_the_links_of_many_are_made_by_one_query(
    queued: Export,  # noqa: F811
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    runner.run(queued.pk)
    events = list(Event.objects.filter(type="export.created")) * 5
    with django_assert_num_queries(1):
        found = payloads.complete(events)
    assert len(found) == 5
    assert all(data["download_url"] for data in found)


def test_a_withdrawal_waits_for_a_purge_of_the_same_events(
    acme: Organization, subscription: Subscription, publish: Publish
) -> None:
    event = publish()

    def withdraw() -> None:
        try:
            with transaction.atomic():
                outbox.withdraw(acme.pk, event.subject)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        # As `batches.delete` does it: events are locked, then their deliveries are deleted.
        Event.objects.select_for_update().get(pk=event.pk)
        withdrawal = pool.submit(withdraw)
        wait_until_blocked()
        Delivery.objects.filter(event=event).delete()
        Event.objects.filter(pk=event.pk).delete()
    withdrawal.result(timeout=10)
    assert Event.objects.count() == 0


def wait_until_blocked() -> None:
    """Wait until another connection waits for a lock."""
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < deadline
            time.sleep(0.01)
