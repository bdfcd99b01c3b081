"""A deletion deletes all data of an export or an organization, except one event."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from exports.execution import runner
from exports.lifecycle.transitions import EXPORTS, export_lifecycle
from exports.models import Export, Lane, Status
from longshore.accounts.models import Organization
from longshore.api.errors import ApiError
from longshore.api.models import IdempotencyKey
from longshore.domains.logistics.models import Contact
from longshore.jobs import actions, maintenance
from longshore.jobs.fairness import waiting_of
from longshore.jobs.lifecycle import Superseded
from tests.claims import claim
from tests.conftest import KeyClient
from tests.exports.conftest import export_of
from tests.factories import SubscriptionFactory
from tests.webhooks.receiver import Receiver, receiving
from webhooks import job_events
from webhooks import runner as sender
from webhooks.models import Attempt, Delivery, Event, Subscription

pytestmark = pytest.mark.django_db(transaction=True)

# Occurs in the filter, the metadata and the responses of a request, and nowhere else.
NEEDLE = "Mata Hari"
DAYS = {"date_from": "2001-02-03", "date_to": "2031-04-05"}
BODY = {
    "resource": "contact",
    **DAYS,
    "options": {"name": f"not_equals:{NEEDLE}"},
    "metadata": {"note": NEEDLE},
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as each:
        yield each


@pytest.fixture
def subscription(acme: Organization, receiver: Receiver) -> Subscription:
    return SubscriptionFactory.create(organization=acme, target=receiver.url())


def stored_texts() -> str:
    """Return all rows of exports, events, deliveries and idempotency keys as text."""
    texts = []
    with connection.cursor() as cursor:
        for table in (
            *("exports_export", "exports_exportevent", "webhooks_event", "webhooks_attempt"),
            *("webhooks_delivery", "longshore_api_idempotencykey"),
        ):
            query = sql.SQL("SELECT row_to_json(each)::text FROM {} AS each")
            cursor.execute(query.format(sql.Identifier(table)))
            texts += [text for (text,) in cursor.fetchall()]
    return "\n".join(texts)


def test_events_do_not_contain_the_request(alice: KeyClient, contacts: list[Contact]) -> None:
    made = alice.post("/v1/exports", BODY | {"options": {"name": [NEEDLE] * 1000}}).json()
    assert made["request"]["options"]
    runner.run(Export.objects.get().pk)
    events = alice.get("/v1/events").json()["results"]
    assert [event["type"] for event in events] == [
        *("export.created", "export.started", "export.queued"),
    ]
    for event in events:
        assert "request" not in event["data"]
        assert len(json.dumps(event)) < 3_000
    created = events[0]["data"]
    assert created["metadata"] == {"note": NEEDLE}
    assert created["files"]
    assert created["download_url"]


def test_an_event_lists_only_the_first_files(
    alice: KeyClient, contacts: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_events, "MAX_EVENT_FILES", 2)
    made = alice.post("/v1/exports", {"resource": "contact", "max_rows_per_file": 1}).json()
    runner.run(Export.objects.get().pk)
    files = alice.get(made["url"]).json()["files"]
    assert len(files) == 5
    assert alice.get("/v1/events").json()["results"][0]["data"]["files"] == files[:2]


@pytest.mark.parametrize("status", ["queued", "completed"])
def test_deleting_an_export_deletes_its_data_from_every_table(
    alice: KeyClient,
    contacts: list[Contact],
    subscription: Subscription,
    receiver: Receiver,
    status: str,
) -> None:
    headers = {"Idempotency-Key": "once"}
    made = alice.post("/v1/exports", BODY, headers=headers).json()
    other = alice.post("/v1/exports", {"resource": "contact"}).json()
    export = Export.objects.get(public_id=made["id"])
    if status == "completed":
        runner.run(export.pk)
        sender.run(subscription.pk)
        assert Attempt.objects.exists()
    Export.objects.filter(pk=export.pk).update(spec=export.spec | {"warnings": [NEEDLE]})
    texts = (NEEDLE, *DAYS.values())
    assert all(text in stored_texts() for text in texts)
    assert alice.delete(made["url"]).status_code == 204

    assert not any(text in stored_texts() for text in texts)
    about = Event.objects.filter(subject=made["id"])
    [event] = about
    assert event.type == "export.deleted"
    shown = event.data
    assert (shown["id"], shown["number"], shown["resource"]) == (made["id"], 1, "contact")
    assert (shown["files"], shown["metadata"], shown["download_url"]) == ([], {}, None)
    assert (shown["date_from"], shown["date_to"], shown["warnings"]) == (None, None, [])
    assert shown["status"] == ("canceled" if status == "queued" else "completed")
    assert Event.objects.filter(subject=other["id"]).exists()

    receiver.messages.clear()
    sender.run(subscription.pk)
    messages = [json.loads(message.body) for message in receiver.messages]
    assert [each["type"] for each in messages if each["data"]["id"] == made["id"]] == [
        "export.deleted"
    ]
    again = alice.post("/v1/exports", BODY, headers=headers)
    assert (again.status_code, again.json()["error"]) == (409, "idempotency_key_reused")
    assert "deleted" in again.json()["message"]


def test_a_deletion_publishes_one_event_and_deletes_the_others(
    queued: Export, subscription: Subscription
) -> None:
    runner.run(queued.pk)
    export_lifecycle.delete(queued)
    export_lifecycle.delete(queued)
    Export.objects.update(expires_at=timezone.now())
    queued.refresh_from_db()
    export_lifecycle.expire(queued)
    assert list(Event.objects.values_list("type", flat=True)) == ["export.deleted"]
    assert Delivery.objects.count() == 1
    assert (queued.request, queued.spec) == ({}, {})


def test_a_concurrent_deletion_and_retry_leave_nothing_queued(
    queued: Export, acme: Organization, globex: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    Export.objects.filter(pk=queued.pk).update(status=Status.FAILED)
    foreign = export_of(globex, {"resource": "contact"})
    cancel = export_lifecycle.cancel
    threads = []

    def retry() -> None:
        with suppress(ApiError, Export.DoesNotExist):
            actions.retry(export_lifecycle, Export.objects.get(pk=queued.pk))
        connection.close()

    def retried_meanwhile(export: Export) -> bool:
        canceled = cancel(export)
        threads.append(Thread(target=retry))
        threads[0].start()
        threads[0].join(1)
        return canceled

    monkeypatch.setattr(export_lifecycle, "cancel", retried_meanwhile)
    export_lifecycle.delete(queued)
    threads[0].join()
    queued.refresh_from_db()
    assert queued.deleted_at is not None
    assert queued.status == Status.FAILED
    assert claim(export_lifecycle, foreign) == foreign


@pytest.mark.parametrize("status", [Status.QUEUED, Status.PROCESSING])
def test_a_deleted_export_is_not_claimed_and_its_worker_stops(
    queued: Export, globex: Organization, status: Status, caplog: pytest.LogCaptureFixture
) -> None:
    taken = claim(export_lifecycle, queued)
    assert taken is not None
    long_ago = timezone.now() - timedelta(minutes=1)
    Export.objects.update(status=status, deleted_at=long_ago, heartbeat_at=long_ago)
    with pytest.raises(Superseded):
        export_lifecycle.report(taken, 1)
    foreign = export_of(globex, {"resource": "contact"})
    assert waiting_of(EXPORTS, queued.organization_id, Lane.LARGE) is None
    assert claim(export_lifecycle, foreign) == foreign
    maintenance.recover(export_lifecycle)
    assert "silent" not in caplog.text
    assert "failed" not in caplog.text


def test_a_stored_response_does_not_outlive_the_deletion_of_its_export(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    """The deletion begins just before the response with the export is stored."""
    body = BODY | {"dedupe": True}
    made = alice.post("/v1/exports", body).json()
    threads: list[Thread] = []

    def delete() -> None:
        export_lifecycle.delete(Export.objects.get())
        connection.close()

    def delete_before_the_response_is_stored(execute: Any, query: str, *args: Any) -> Any:
        if query.startswith('UPDATE "longshore_api_idempotencykey"') and not threads:
            threads.append(Thread(target=delete))
            threads[0].start()
            threads[0].join(1)
        return execute(query, *args)

    with connection.execute_wrapper(delete_before_the_response_is_stored):
        response = alice.post("/v1/exports", body, headers={"Idempotency-Key": "k"})
    assert (response.status_code, response.json()["id"]) == (200, made["id"])
    threads[0].join()
    assert IdempotencyKey.objects.get().body == ""


def test_a_delivery_may_be_deleted_while_it_is_sent(
    queued: Export, subscription: Subscription, receiver: Receiver
) -> None:
    def delete(handler: object) -> None:
        export_lifecycle.delete(queued)
        handler.send_response(204)  # type: ignore[attr-defined]
        handler.end_headers()  # type: ignore[attr-defined]
        connection.close()

    claim(export_lifecycle, queued)
    receiver.behaviors["/"] = delete
    sender.run(subscription.pk)
    receiver.behaviors.clear()
    sender.run(subscription.pk)
    [delivery] = Delivery.objects.all()
    assert (delivery.event.type, delivery.status) == ("export.deleted", "delivered")


def test_a_deletion_that_is_rolled_back_deletes_nothing(
    queued: Export, subscription: Subscription
) -> None:
    claim(export_lifecycle, queued)
    with transaction.atomic():
        export_lifecycle.delete(queued)
        transaction.set_rollback(True)
    assert list(Event.objects.values_list("type", flat=True)) == ["export.started"]
    assert Export.objects.visible().get().request
