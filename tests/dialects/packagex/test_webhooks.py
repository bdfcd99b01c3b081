"""The webhooks of PackageX: subscriptions, and messages about jobs of any API."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from batches.models import Batch
from exports.execution import runner
from exports.models import Export
from longshore.accounts.models import Organization
from tests.batches.running import run
from tests.conftest import KeyClient
from tests.dialects.packagex.conformance import WEBHOOKS, rows
from tests.exports.conftest import downloaded, storage
from tests.webhooks.conftest import receiver
from tests.webhooks.receiver import Receiver
from webhooks.models import Subscription
from webhooks.runner import run as send

__all__ = ["receiver", "storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]
PATH = "/packagex/v1/webhooks"


def subscribed(client: KeyClient, target: str, **values: Any) -> dict[str, Any]:
    response = client.post(PATH, {"target": target, "events": "*", **values})
    assert response.status_code == 201, response.content
    shown: dict[str, Any] = response.json()["data"]
    assert response["Location"] == shown["url"]
    return shown


@rows.same(WEBHOOKS, "events named `topic.action`", "a header with a key and a value of your own")
@rows.differs(
    WEBHOOKS,
    "bodies of messages",
    "PackageX documents none. They have `id`, `object`, `event`, `organization_id`, "
    "`created_at` and, in `data`, the export or batch as the API shows it. They also have the "
    "signature of [Standard Webhooks](webhooks.md).",
)
def test_messages_about_a_job_of_any_api_are_in_the_words_of_packagex(
    alice: KeyClient, acme: Organization, receiver: Receiver
) -> None:
    created = subscribed(alice, receiver.url(), headers={"X-Token": "letmein"})
    export_id = alice.post("/v1/exports", {"resource": "contact"}).json()["id"]
    runner.run(Export.objects.get().pk)
    body = {"resource": "contact", "data": [{"name": "Jamie Jones"}], "mode": "async"}
    batch_id = alice.post("/packagex/v1/batches", body).json()["id"]
    run(Batch.objects.get())
    send(Subscription.objects.get().pk)

    messages = [json.loads(message.body) for message in receiver.messages]
    assert [message["event"] for message in messages] == [
        "export.queued",
        "export.started",
        "export.created",
        "batch.queued",
        "batch.started",
        "batch.completed",
    ]
    assert {message["organization_id"] for message in messages} == {acme.pk}
    ready, done = messages[2]["data"], messages[5]["data"]
    shown = alice.get(f"/packagex/v1/exports/{export_id}").json()["data"]
    assert downloaded(ready["download_url"]) == downloaded(shown["download_url"])
    links = {"download_url": ""}
    assert ready | links == shown | links
    shown = alice.get(f"/packagex/v1/batches/{batch_id}").json()["data"]
    # Messages have no request, which has the handling of duplicates.
    assert done | {"duplicate_handling": "ignore_all"} == shown
    for message in receiver.messages:
        assert message.headers["x-token"] == "letmein"
        message.verified(created["secret"])


def test_a_subscription_works_with_a_receiver_that_knows_no_challenges(
    alice: KeyClient, receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_CHALLENGE = True
    created = subscribed(alice, receiver.url(), events=["export.failed", "webhook.test"])
    assert created["verification"] == "not_required"
    tested = alice.post(f"/v1/webhooks/{created['id']}/test")
    assert tested.status_code == 201
    send(Subscription.objects.get().pk)
    [message] = receiver.messages
    assert json.loads(message.body)["event"] == "webhook.test"


@rows.differs(
    WEBHOOKS,
    "subscriptions on the dashboard",
    "`/webhooks` creates, lists, changes and deletes them, with the fields of `/v1/webhooks`.",
)
def test_subscriptions_are_listed_changed_and_deleted(
    alice: KeyClient, charlie: KeyClient, receiver: Receiver
) -> None:
    first = subscribed(alice, receiver.url("/1"))
    second = subscribed(alice, receiver.url("/2"))
    alice.post("/v1/webhooks", {"target": receiver.url("/3"), "events": "*"})
    shown = alice.get(PATH).json()
    assert [each["id"] for each in shown["data"]] == [first["id"], second["id"]]
    assert shown["pagination"] == {"limit": 25, "page": 1, "has_more": False, "total_count": 2}
    assert "secret" not in shown["data"][0]

    path = f"{PATH}/{first['id']}"
    changed = alice.post(path, {"active": False})
    assert (changed.status_code, changed.json()["data"]["active"]) == (200, False)
    assert charlie.get(path).status_code == charlie.delete(path).status_code == 404
    assert charlie.post(path, {"active": True}).status_code == 404
    assert charlie.get(PATH).json()["data"] == []
    assert alice.delete(path).json()["data"] == {"id": first["id"]}
    assert alice.get(path).status_code == 404


@rows.differs(
    WEBHOOKS,
    "events of records, such as `shipment.delivered`",
    "Longshore has events of exports, batches and webhooks only.",
)
def test_an_event_that_does_not_exist_is_refused(alice: KeyClient, receiver: Receiver) -> None:
    body = {"target": receiver.url(), "events": ["shipment.delivered"]}
    shown = alice.post(PATH, body).json()
    assert (shown["status"], shown["code"]) == (400, "invalid_event")
