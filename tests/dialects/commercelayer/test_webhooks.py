"""Webhooks: topics, circuit, callbacks, and signed deliveries in the vendor's form."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from dialects.commercelayer.webhooks.requests import read_change
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from longshore.accounts.models import ApiKey, Scope
from longshore.jobs import actions
from tests.conftest import KeyClient
from tests.dialects.commercelayer.conformance import WEBHOOKS, rows
from tests.dialects.commercelayer.conftest import (
    VendorClient,
    attributes,
    error,
    id_of,
    run_export,
    unzipped,
)
from tests.webhooks.receiver import Message, Receiver, receiving, respond
from webhooks import network, runner, subscriptions
from webhooks.lifecycle.results import DELAYS
from webhooks.models import Delivery, Subscription

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("skus")]

_URL = "https://receiver.example.com/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as each:
        yield each


def create(vendor: VendorClient, topic: str = "exports.complete", **given: Any) -> Any:
    return vendor.create("webhooks", {"topic": topic, "callback_url": _URL, **given})


def new_export(vendor: VendorClient, **given: Any) -> str:
    return id_of(vendor.create("exports", {"resource_type": "skus", **given}))


def deliver(webhook: str) -> None:
    """Send the due deliveries of a webhook in this process."""
    runner.run(Subscription.objects.get(public_id=webhook).pk)


@rows.same(WEBHOOKS, "`name`, `topic`, `callback_url`, `shared_secret`")
def test_a_new_webhook_is_a_document_with_everything_that_clients_read(
    vendor: VendorClient,
) -> None:
    response = create(vendor, name="mine")
    body = response.json()["data"]
    assert (response.status_code, body["type"]) == (201, "webhooks")
    assert set(body["relationships"]) == {"last_event_callbacks"}
    shown = body["attributes"]
    assert len(shown.pop("shared_secret")) > 32
    del shown["created_at"], shown["updated_at"]
    assert shown == {
        "name": "mine",
        "topic": "exports.complete",
        "callback_url": _URL,
        "include_resources": [],
        "disabled_at": None,
        "circuit_state": "closed",
        "circuit_failure_count": 0,
        "reference": None,
        "reference_origin": None,
        "metadata": {},
    }


@rows.same(WEBHOOKS, "`_enable`, `_disable`, `disabled_at`")
def test_a_webhook_is_changed_switched_and_deleted(vendor: VendorClient) -> None:
    id = id_of(create(vendor, reference="r-1", metadata={"a": 1}))
    given = {"name": "other", "topic": "imports.complete", "metadata": {"b": 2}}
    changed = attributes(vendor.change("webhooks", id, given))
    assert {name: changed[name] for name in given} == given
    assert changed["reference"] == "r-1"
    disabled = attributes(vendor.change("webhooks", id, {"_disable": True}))
    assert disabled["disabled_at"]
    assert disabled["circuit_state"] == "closed"
    renamed = attributes(vendor.change("webhooks", id, {"name": "x", "_disable": True}))
    assert renamed["disabled_at"] == disabled["disabled_at"] < renamed["updated_at"]
    at = {"filter[q][disabled_at_lteq]": disabled["updated_at"]}
    assert [each["id"] for each in vendor.read("/api/webhooks", **at)["data"]] == [id]
    assert attributes(vendor.change("webhooks", id, {"_enable": True}))["disabled_at"] is None
    assert vendor.delete(f"/api/webhooks/{id}").status_code == 204
    error(vendor.get(f"/api/webhooks/{id}"), 404)


@rows.same(
    WEBHOOKS,
    "30 consecutive failures open the circuit: `circuit_state`, `circuit_failure_count`, "
    "`_reset_circuit`",
)
def test_too_many_failures_open_the_circuit_until_it_is_reset(
    vendor: VendorClient, receiver: Receiver
) -> None:
    receiver.behaviors["/"] = respond(500)
    id = id_of(create(vendor, callback_url=receiver.url()))
    run_export(new_export(vendor))
    Subscription.objects.filter(public_id=id).update(consecutive_failures=28)
    deliver(id)
    failing = vendor.read(f"/api/webhooks/{id}")["data"]["attributes"]
    assert (failing["circuit_state"], failing["circuit_failure_count"]) == ("closed", 29)
    reset = attributes(vendor.change("webhooks", id, {"_reset_circuit": True}))
    assert reset["circuit_failure_count"] == 0
    Subscription.objects.filter(public_id=id).update(consecutive_failures=29)
    Delivery.objects.update(next_attempt_at="2024-01-01T00:00Z")
    deliver(id)
    broken = vendor.read(f"/api/webhooks/{id}")["data"]["attributes"]
    assert (broken["circuit_state"], broken["disabled_at"]) == ("open", None)
    [found] = vendor.read("/api/webhooks", **{"filter[q][circuit_state_eq]": "open"})["data"]
    assert found["id"] == id
    reset = attributes(vendor.change("webhooks", id, {"_reset_circuit": True}))
    assert (reset["circuit_state"], reset["circuit_failure_count"]) == ("closed", 0)


@rows.differs(
    WEBHOOKS,
    "topics of other resources",
    "Refused with the list of topics: Longshore has those of exports and imports.",
)
@rows.differs(
    WEBHOOKS, "`include_resources`", "Refused: exports and imports have no related resources."
)
@pytest.mark.parametrize(
    ("given", "field", "test"),
    [
        ({"topic": None}, "topic", "blank"),
        ({"topic": ["exports.create"]}, "topic", "inclusion"),
        ({"topic": "orders.place"}, "topic", "inclusion"),
        ({"callback_url": None}, "callback_url", "blank"),
        ({"callback_url": "http://10.0.0.1/"}, "callback_url", "invalid"),
        ({"name": 5}, "name", "invalid"),
        ({"include_resources": ["customer"]}, "include_resources", "invalid"),
        ({"_disable": "yes"}, "_disable", "inclusion"),
        ({"_enable": True, "_disable": True}, "_disable", "invalid"),
        ({"shared_secret": "mine"}, "shared_secret", "inclusion"),
    ],
)
def test_a_wrong_attribute_is_named(
    vendor: VendorClient, given: dict[str, Any], field: str, test: str
) -> None:
    refused = error(create(vendor, **{"topic": "exports.complete", **given}), 422)
    assert refused["source"] == {"pointer": f"/data/attributes/{field}"}
    assert refused["meta"]["error"] == test
    assert not Subscription.objects.exists()


@rows.differs(WEBHOOKS, "equal webhooks", "A second webhook with the same topic and URL is a 409.")
def test_an_equal_webhook_is_refused(vendor: VendorClient) -> None:
    create(vendor)
    assert error(create(vendor), 409)["code"] == "RECORD_NOT_UNIQUE"
    assert create(vendor, "exports.interrupt").status_code == 201


@rows.differs(
    WEBHOOKS, "who sees `shared_secret`", "Keys with the scope `write`; for others it is null."
)
def test_the_secret_is_shown_to_keys_that_may_write(vendor: VendorClient) -> None:
    id = id_of(create(vendor))
    assert vendor.read(f"/api/webhooks/{id}")["data"]["attributes"]["shared_secret"]
    ApiKey.objects.filter(pk=vendor.api_key.pk).update(scopes=[Scope.READ])
    [shown] = vendor.read("/api/webhooks")["data"]
    assert shown["attributes"]["shared_secret"] is None


def signature_of(message: Message, secret: str) -> str:
    digest = hmac.new(secret.encode(), message.body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@rows.same(WEBHOOKS, "the document of the object as payload", "`X-CommerceLayer-Signature`")
def test_a_delivery_is_the_signed_document_of_the_export(
    vendor: VendorClient, receiver: Receiver
) -> None:
    webhook = create(vendor, callback_url=receiver.url()).json()["data"]
    id = new_export(vendor, filters={"code_start": "A"}, reference="r-1", metadata={"a": 1})
    run_export(id)
    deliver(webhook["id"])
    [message] = receiver.messages
    assert message.headers["content-type"] == "application/vnd.api+json"
    signature = signature_of(message, webhook["attributes"]["shared_secret"])
    assert message.headers["x-commercelayer-signature"] == signature
    sent = json.loads(message.body)["data"]
    read = vendor.read(f"/api/exports/{id}")["data"]
    url = sent["attributes"].pop("attachment_url")
    del read["attributes"]["attachment_url"]
    assert sent["attributes"] == read["attributes"]
    assert (sent["type"], sent["id"]) == ("exports", id)
    assert unzipped(url)


def test_a_webhook_reports_exports_of_every_api_in_its_form(
    vendor: VendorClient, alice: KeyClient, receiver: Receiver
) -> None:
    webhook = id_of(create(vendor, callback_url=receiver.url()))
    native = alice.post("/v1/exports", {"resource": "sku"}).json()["id"]
    run_export(native)
    deliver(webhook)
    [message] = receiver.messages
    sent = json.loads(message.body)["data"]
    assert (sent["type"], sent["id"], sent["attributes"]["format"]) == ("exports", native, "csv")


@rows.same(WEBHOOKS, "`exports.create`, `.start`, `.complete`, `.interrupt`, `.destroy`")
@pytest.mark.parametrize("topic", ["create", "start", "complete", "interrupt", "destroy"])
def test_each_topic_reports_its_own_events(
    vendor: VendorClient, receiver: Receiver, topic: str
) -> None:
    webhook = id_of(create(vendor, f"exports.{topic}", callback_url=receiver.url()))
    run_export(new_export(vendor))
    canceled = Export.objects.get(public_id=new_export(vendor))
    actions.cancel(export_lifecycle, canceled)
    actions.delete(export_lifecycle, canceled)
    deliver(webhook)
    # The events of a deleted export are deleted, except for its deletion.
    statuses = [json.loads(each.body)["data"]["attributes"]["status"] for each in receiver.messages]
    assert (
        statuses
        == {
            "create": ["pending"],
            "start": ["in_progress"],
            "complete": ["completed"],
            "interrupt": [],
            "destroy": ["interrupted"],
        }[topic]
    )


@rows.same(WEBHOOKS, "the same topics of imports")
@rows.differs(
    WEBHOOKS,
    "links in payloads of imports",
    "`attachment_url` is null: read the import for a link.",
)
def test_an_import_is_reported_as_a_document(vendor: VendorClient, receiver: Receiver) -> None:
    webhook = id_of(create(vendor, "imports.create", callback_url=receiver.url()))
    inputs = [{"code": "X-1", "name": "Mug"}]
    id = id_of(vendor.create("imports", {"resource_type": "skus", "inputs": inputs}))
    deliver(webhook)
    [message] = receiver.messages
    sent = json.loads(message.body)["data"]
    assert (sent["type"], sent["id"]) == ("imports", id)
    assert (sent["attributes"]["inputs_size"], sent["attributes"]["format"]) == (1, "json")


@rows.same(
    WEBHOOKS,
    "`last_event_callbacks`, `event_callbacks`: `payload`, `response_code`, `response_message`",
)
def test_the_callbacks_of_a_webhook_show_what_was_sent_and_answered(
    vendor: VendorClient, receiver: Receiver, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    receiver.behaviors["/"] = respond(503, b"busy")
    webhook = id_of(create(vendor, callback_url=receiver.url()))
    export = new_export(vendor)
    run_export(export)
    deliver(webhook)
    path = f"/api/webhooks/{webhook}/last_event_callbacks"
    [callback] = vendor.read(path)["data"]
    shown = callback["attributes"]
    assert (shown["response_code"], shown["callback_url"]) == ("503", receiver.url())
    assert "503" in shown["response_message"]
    assert shown["payload"]["data"]["id"] == export
    assert vendor.read("/api/event_callbacks", **{"filter[q][webhook_id_eq]": webhook})["data"]
    assert vendor.read("/api/event_callbacks", **{"filter[q][id_eq]": callback["id"]})["data"]
    assert vendor.read(f"/api/event_callbacks/{callback['id']}")["data"]["id"] == callback["id"]
    included = vendor.read("/api/webhooks", include="last_event_callbacks")["included"]
    assert [each["id"] for each in included] == [callback["id"]]
    complete = vendor.read("/api/events", **{"filter[q][name_eq]": "exports.complete"})["data"]
    below = f"/api/events/{complete[0]['id']}/last_event_callbacks"
    assert vendor.read(below)["data"][0]["id"] == callback["id"]
    # The key, the webhook, the number of callbacks, the page, its attempts, links and requests.
    with django_assert_num_queries(7):
        vendor.get(path)
    for _ in range(3):
        run_export(new_export(vendor))
    with django_assert_num_queries(7):
        vendor.get(path)


@rows.differs(
    WEBHOOKS,
    "10 retries, 5 s for a response",
    "Longshore makes 10 attempts within about three days, and waits 15 s for each response.",
)
def test_deliveries_are_retried_as_those_of_other_apis() -> None:
    assert (len(DELAYS) + 1, network.TIMEOUT_SECONDS) == (10, 15)
    assert timedelta(days=2) < sum(DELAYS, timedelta()) < timedelta(days=4)


def test_only_subscriptions_of_this_dialect_are_webhooks(
    vendor: VendorClient, alice: KeyClient
) -> None:
    alice.post("/v1/webhooks", {"target": _URL, "events": "*"})
    assert vendor.read("/api/webhooks")["data"] == []
    create(vendor)
    shown = alice.get("/v1/webhooks").json()["results"]
    assert sorted(each["dialect"] for each in shown) == ["", "commercelayer"]


def test_a_test_message_is_signed_as_well(
    vendor: VendorClient, alice: KeyClient, receiver: Receiver
) -> None:
    webhook = create(vendor, callback_url=receiver.url()).json()["data"]
    alice.post(f"/v1/webhooks/{webhook['id']}/test", {})
    deliver(webhook["id"])
    [message] = receiver.messages
    signature = signature_of(message, webhook["attributes"]["shared_secret"])
    assert message.headers["x-commercelayer-signature"] == signature
    assert json.loads(message.body)["data"]["type"] == "webhook"


def test_other_organizations_see_nothing(
    vendor: VendorClient, outsider: VendorClient, receiver: Receiver
) -> None:
    webhook = id_of(create(vendor, callback_url=receiver.url()))
    run_export(new_export(vendor))
    deliver(webhook)
    [callback] = vendor.read("/api/event_callbacks")["data"]
    [event, *_] = vendor.read("/api/events")["data"]
    assert outsider.read("/api/webhooks")["data"] == []
    assert outsider.read("/api/event_callbacks")["data"] == []
    for path in (
        f"/api/webhooks/{webhook}",
        f"/api/webhooks/{webhook}/last_event_callbacks",
        f"/api/event_callbacks/{callback['id']}",
        f"/api/events/{event['id']}",
        f"/api/events/{event['id']}/last_event_callbacks",
    ):
        error(outsider.get(path), 404)
    error(outsider.change("webhooks", webhook, {"name": "x"}), 404)
    error(outsider.delete(f"/api/webhooks/{webhook}"), 404)


def test_a_change_is_computed_from_the_locked_row(vendor: VendorClient) -> None:
    id = id_of(create(vendor))
    stale = Subscription.objects.get(public_id=id)
    moved = f"{_URL}/moved"
    attributes(vendor.change("webhooks", id, {"reference": "r-1", "callback_url": moved}))
    given = {"reference_origin": "erp", "_reset_circuit": True}
    subscriptions.change(stale, read_change(given), resets_failures=True)
    shown = vendor.read(f"/api/webhooks/{id}")["data"]["attributes"]
    assert (shown["reference"], shown["reference_origin"]) == ("r-1", "erp")
    assert shown["callback_url"] == moved


def test_callbacks_are_sorted_by_their_creation(vendor: VendorClient) -> None:
    id = id_of(create(vendor, topic="exports.create"))
    for _ in range(3):
        new_export(vendor)
    [oldest, middle, newest] = Delivery.objects.order_by("number")
    Delivery.objects.filter(pk=oldest.pk).update(created_at=newest.created_at + timedelta(days=1))
    expected = [oldest.public_id, newest.public_id, middle.public_id]
    for query in ({}, {"filter[q][webhook_id_eq]": id}, {"filter[q][webhook_id_in]": f"{id},x"}):
        shown = vendor.read("/api/event_callbacks", **query)["data"]
        assert [each["id"] for each in shown] == expected
    assert not vendor.read("/api/event_callbacks", **{"filter[q][webhook_id_eq]": "x"})["data"]
