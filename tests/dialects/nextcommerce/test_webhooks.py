"""Webhooks in the API of 29next: the documented requests and messages."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from longshore.domains.commerce.models import Order
from tests.conftest import KeyClient
from tests.dialects.nextcommerce.conformance import (
    MESSAGES,
    OPERATIONS,
    WEBHOOK,
    rows,
)
from tests.dialects.nextcommerce.conformance import WEBHOOKS as WEBHOOK_LIST
from tests.dialects.nextcommerce.conftest import ShopClient
from tests.dialects.nextcommerce.test_exports import EXPORTS, created
from tests.exports.conftest import wait_for
from tests.webhooks.conftest import receiver
from tests.webhooks.receiver import Message, Receiver, in_turn, respond
from webhooks import network, runner
from webhooks.lifecycle import results
from webhooks.models import Delivery, DeliveryStatus, Subscription

__all__ = ["receiver"]

pytestmark = pytest.mark.django_db

WEBHOOKS = "/api/admin/webhooks/"
SECRET = "naïve secret of my own"  # noqa: S105


def subscribed(shop: ShopClient, target: str, **fields: Any) -> dict[str, Any]:
    body = {"target": target, "events": ["export.created"], "secret_key": SECRET} | fields
    response = shop.post(WEBHOOKS, body)
    assert response.status_code == 201, response.content
    shown: dict[str, Any] = response.json()
    return shown


def is_valid_by_the_documented_check(message: Message, secret: str) -> bool:
    """Check a signature as the vendor documents it: over the parsed body, serialized again."""
    serialized = json.dumps(json.loads(message.body))
    expected = hmac.new(secret.encode(), serialized.encode(), hashlib.sha256).hexdigest()
    return message.headers["x-29next-signature"] == expected


def is_valid_over_the_bytes(message: Message, secret: str) -> bool:
    expected = hmac.new(secret.encode(), message.body, hashlib.sha256).hexdigest()
    return message.headers["x-29next-signature"] == expected


@rows.same(
    MESSAGES,
    "`api_version`, `object`, `event_type`, `event_id`",
    "`data`: the object of the export",
    "`webhook`: `id`, `store`, `events`, `target`",
    "`X-29Next-Signature`, over the bytes and over the body serialized again",
    "`export.created` when the file is available",
)
def test_a_finished_export_is_announced_in_the_documented_message(
    shop: ShopClient, orders: list[Order], worker: None, receiver: Receiver
) -> None:
    webhook = subscribed(shop, receiver.url("/grüße"))
    export = created(shop)
    wait_for(lambda: bool(receiver.messages))
    [message] = receiver.messages
    assert is_valid_by_the_documented_check(message, SECRET)
    assert is_valid_over_the_bytes(message, SECRET)
    assert message.headers["content-type"] == "application/json"
    sent = json.loads(message.body)
    UUID(sent.pop("event_id"))
    shown = export | {"status": "available"}
    data = sent.pop("data")
    # Messages have the public address of Longshore, not the host of a request.
    assert data.pop("url").endswith(f"{EXPORTS}{export['id']}/")
    assert data == {name: value for name, value in shown.items() if name != "url"}
    assert sent == {
        "api_version": "2024-04-01",
        "object": "export",
        "event_type": "export.created",
        "webhook": {
            "id": webhook["id"],
            "store": "acme",
            "events": ["export.created"],
            "target": receiver.url("/grüße"),
        },
    }


def test_an_export_of_the_native_api_is_announced_in_the_same_form(
    shop: ShopClient, alice: KeyClient, orders: list[Order], worker: None, receiver: Receiver
) -> None:
    subscribed(shop, receiver.url())
    number = alice.post("/v1/exports", {"resource": "order"}).json()["number"]
    wait_for(lambda: bool(receiver.messages))
    data = json.loads(receiver.messages[0].body)["data"]
    assert (data["id"], data["type"], data["status"]) == (number, "order", "available")
    assert is_valid_by_the_documented_check(receiver.messages[0], SECRET)


@rows.same(
    MESSAGES,
    "`event_id` is the same in every attempt",
)
@rows.differs(
    MESSAGES,
    "`export.failed`, `export.canceled`, `export.expired`",
    "29next has `export.created` only. They announce the further statuses.",
)
@pytest.mark.django_db(transaction=True)
def test_an_event_keeps_its_id_when_it_is_sent_again(shop: ShopClient, receiver: Receiver) -> None:
    subscribed(shop, receiver.url(), events=["export.canceled"])
    receiver.behaviors["/"] = in_turn(respond(500), respond(200))
    created(shop)
    export_lifecycle.cancel(Export.objects.get())
    runner.run(Subscription.objects.get().pk)
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    runner.run(Subscription.objects.get().pk)
    first, second = (json.loads(message.body) for message in receiver.messages)
    assert first == second
    assert first["event_type"] == "export.canceled"
    assert first["data"]["status"] == "canceled"


@rows.differs(
    MESSAGES,
    "test messages",
    "Requested in the native API or the admin. The event is `webhook.test`.",
)
@pytest.mark.django_db(transaction=True)
def test_a_test_of_the_native_api_is_sent_in_the_same_form(
    shop: ShopClient, alice: KeyClient, receiver: Receiver
) -> None:
    subscribed(shop, receiver.url())
    [native] = alice.get("/v1/webhooks").json()["results"]
    assert native["dialect"] == "nextcommerce"
    assert alice.post(f"{native['url']}/test").status_code == 201
    runner.run(Subscription.objects.get().pk)
    [message] = receiver.messages
    assert is_valid_by_the_documented_check(message, SECRET)
    sent = json.loads(message.body)
    assert (sent["object"], sent["event_type"]) == ("webhook", "webhook.test")


@rows.same(
    MESSAGES,
    "410 disables the webhook",
)
@rows.same(
    WEBHOOK,
    "`warning_count`, `next_check_date`",
)
@pytest.mark.django_db(transaction=True)
def test_410_disables_the_webhook_and_other_failures_are_counted(
    shop: ShopClient, receiver: Receiver
) -> None:
    webhook = subscribed(shop, receiver.url(), events=["export.canceled"])
    address = f"{WEBHOOKS}{webhook['id']}/"
    receiver.behaviors["/"] = in_turn(respond(503), respond(410))
    created(shop)
    export_lifecycle.cancel(Export.objects.get())
    runner.run(Subscription.objects.get().pk)
    warned = shop.get(address).json()
    assert (warned["active"], warned["warning_count"]) == (True, 1)
    assert warned["next_check_date"] is not None

    Subscription.objects.update(paused_until=None)
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    runner.run(Subscription.objects.get().pk)
    gone = shop.get(address).json()
    assert (gone["active"], gone["warning_count"]) == (False, 2)


def test_receivers_of_29next_are_not_challenged(shop: ShopClient, settings: Settings) -> None:
    settings.WEBHOOK_CHALLENGE = True
    subscribed(shop, "https://receiver.example.com/", events=["export.canceled"])
    created(shop)
    export_lifecycle.cancel(Export.objects.get())
    assert Delivery.objects.get().event.type == "export.canceled"


@rows.same(
    OPERATIONS,
    "`POST /webhooks/`",
    "`GET /webhooks/`",
    "`GET /webhooks/{id}/`",
)
@rows.same(
    WEBHOOK,
    "`id`, `created_at`, `updated_at`",
)
@rows.differs(
    WEBHOOK,
    "`secret_key`",
    "The response to the request that sets it shows it. Later it is null, because Longshore shows "
    "a secret once.",
)
def test_a_webhook_is_created_with_defaults(shop: ShopClient) -> None:
    body = {"target": "https://receiver.example.com/", "events": ["export.created"]}
    response = shop.post(WEBHOOKS, body)
    assert response.status_code == 201
    shown = response.json()
    secret = shown["secret_key"]
    assert len(secret) > 30
    assert shown == body | {
        "id": 1,
        "name": None,
        "active": True,
        "secret_key": secret,
        "api_version": "2024-04-01",
        "created_at": shown["created_at"],
        "updated_at": shown["updated_at"],
        "warning_count": 0,
        "next_check_date": None,
    }
    # The secret is shown once.
    assert shop.get(f"{WEBHOOKS}1/").json() == shown | {"secret_key": None}
    listed = {"next": None, "previous": None, "results": [shown | {"secret_key": None}]}
    assert shop.get(WEBHOOKS).json() == listed


@rows.same(
    OPERATIONS,
    "`PUT /webhooks/{id}/`",
    "`PATCH /webhooks/{id}/`",
    "`DELETE /webhooks/{id}/`",
)
@rows.same(
    WEBHOOK,
    "`name`",
    "`active`",
    "`api_version`",
)
def test_put_and_patch_change_a_webhook_and_delete_ends_it(shop: ShopClient) -> None:
    webhook = subscribed(shop, "https://receiver.example.com/", name="Warehouse")
    address = f"{WEBHOOKS}{webhook['id']}/"
    # A client may send back the whole object, its read-only fields too.
    changed = webhook | {"name": None, "active": False, "api_version": "unstable", "id": 7}
    put = shop.put(address, changed | {"secret_key": None})
    assert put.status_code == 200
    expected = changed | {"id": webhook["id"], "updated_at": put.json()["updated_at"]}
    assert put.json() == expected | {"secret_key": None}

    assert shop.put(address, {"name": "x"}).json() == {
        "target": ["This field is required."],
        "events": ["This field is required."],
    }
    patched = shop.patch(address, {"name": "Shop", "secret_key": "another"}).json()
    assert (patched["name"], patched["secret_key"]) == ("Shop", "another")
    assert patched["active"] is False
    assert shop.get(address).json()["secret_key"] is None

    deleted = shop.delete(address)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert shop.get(address).status_code == 404
    assert shop.get(WEBHOOKS).json()["results"] == []


@rows.differs(
    MESSAGES,
    "200 is success",
    "Any 2xx is. A receiver that answers 204 would otherwise be disabled.",
)
@pytest.mark.django_db(transaction=True)
def test_any_2xx_is_success(shop: ShopClient, receiver: Receiver) -> None:
    subscribed(shop, receiver.url(), events=["export.canceled"])
    receiver.behaviors["/"] = respond(204)
    created(shop)
    export_lifecycle.cancel(Export.objects.get())
    runner.run(Subscription.objects.get().pk)
    assert Delivery.objects.get().status == DeliveryStatus.DELIVERED


@rows.differs(
    MESSAGES,
    "about 20 seconds to answer, and 10 retries",
    "15 seconds, and 10 attempts in about three days.",
)
def test_a_receiver_has_15_seconds_and_10_attempts() -> None:
    assert network.TIMEOUT_SECONDS == 15
    assert len(results.DELAYS) + 1 == 10
    days = sum(results.DELAYS, timedelta()) / timedelta(days=1)
    assert 2.5 < days < 3.5


@pytest.mark.django_db(transaction=True)
def test_a_new_secret_signs_at_once(shop: ShopClient, receiver: Receiver) -> None:
    webhook = subscribed(shop, receiver.url(), events=["export.canceled"])
    shop.patch(f"{WEBHOOKS}{webhook['id']}/", {"secret_key": "another"})
    created(shop)
    export_lifecycle.cancel(Export.objects.get())
    runner.run(Subscription.objects.get().pk)
    assert is_valid_by_the_documented_check(receiver.messages[0], "another")


@rows.same(
    WEBHOOK,
    "JSON, form-urlencoded or multipart",
)
def test_a_form_is_accepted_as_json_is(shop: ShopClient) -> None:
    fields = {"target": "https://receiver.example.com/", "name": "Form"}
    events = ["export.failed", "export.created"]
    several = urlencode(fields | {"events": events, "active": "false"}, doseq=True)
    one = urlencode(fields | {"events": "export.created"})
    media_type = "application/x-www-form-urlencoded"
    first, second = (
        shop.generic("POST", WEBHOOKS, body, content_type=media_type) for body in (several, one)
    )
    assert first.status_code == second.status_code == 201
    assert first.json()["events"] == ["export.created", "export.failed"]
    assert (first.json()["active"], second.json()["active"]) == (False, True)


@rows.same(
    WEBHOOK,
    "`target`: a URL of at most 255 characters",
)
@rows.differs(
    WEBHOOK,
    "`events`",
    "Events of exports only, at least one. Others are refused, because they would never be sent.",
)
@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"target": "ftp://example.com"}, {"target": ["The target must begin with https://"]}),
        ({"target": "https://example.com/" + "x" * 255}, {"target": ["Ensure this field has no"]}),
        ({"events": []}, {"events": ["Ensure this field has at least 1 elements."]}),
        ({"events": ["order.created"]}, {"events": ['"order.created" is not a valid choice.']}),
        ({"events": "*"}, {"events": ['"*" is not a valid choice.']}),
        ({"api_version": "1"}, {"api_version": ['"1" is not a valid choice.']}),
        ({"active": "perhaps"}, {"active": ["Must be a valid boolean."]}),
        ({"secret_key": ""}, {"secret_key": ["This field may not be blank."]}),
        ({"name": "x" * 201}, {"name": ["Ensure this field has no more than 200"]}),
    ],
)
def test_bad_input_is_reported_by_field(
    shop: ShopClient, changes: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    body = {"target": "https://receiver.example.com/", "events": ["export.created"]} | changes
    response = shop.post(WEBHOOKS, body)
    assert response.status_code == 400
    [(field, [text])] = errors.items()
    [(found, [message])] = response.json().items()
    assert found == field
    assert message.startswith(text)


@rows.differs(
    WEBHOOK, "equal webhooks", "A second webhook with the same target and events is a 409."
)
def test_an_equal_webhook_is_refused(shop: ShopClient) -> None:
    subscribed(shop, "https://receiver.example.com/")
    body = {"target": "https://receiver.example.com/", "events": ["export.created"]}
    response = shop.post(WEBHOOKS, body)
    assert response.status_code == 409
    assert list(response.json()) == ["detail"]


@rows.same(
    WEBHOOK_LIST,
    "`name`",
    "`active`",
)
@rows.differs(
    WEBHOOK_LIST,
    "`events`",
    "The names of events. 29next documents internal numbers here.",
)
def test_the_list_is_filtered_by_name_events_and_active(shop: ShopClient) -> None:
    for name, events in (("A", ["export.created"]), ("B", ["export.created", "export.failed"])):
        subscribed(shop, f"https://{name}.example.com/", name=name, events=events)
    shop.patch(f"{WEBHOOKS}1/", {"active": False})

    def names(query: str) -> list[str]:
        return [each["name"] for each in shop.get(f"{WEBHOOKS}?{query}").json()["results"]]

    assert names("") == ["B", "A"]
    assert names("name=A") == ["A"]
    assert names("events=export.failed") == ["B"]
    assert names("events=export.failed&events=export.created") == ["B", "A"]
    assert names("active=false") == ["A"]
    assert names("active=True&name=") == ["B"]


@rows.differs(
    WEBHOOK_LIST,
    "webhooks of other APIs",
    "Not listed: their messages have another form.",
)
def test_webhooks_of_other_apis_and_organizations_are_not_shown(
    shop: ShopClient, other_shop: ShopClient, alice: KeyClient
) -> None:
    target = "https://receiver.example.com/"
    body = {"target": target, "events": ["export.created"]}
    assert alice.post("/v1/webhooks", body).status_code == 201
    own = subscribed(shop, target)["id"]
    assert [each["id"] for each in shop.get(WEBHOOKS).json()["results"]] == [own]
    assert other_shop.get(WEBHOOKS).json()["results"] == []
    for method in ("get", "put", "patch", "delete"):
        for number in (own, own - 1):
            client = other_shop if number == own else shop
            response = getattr(client, method)(f"{WEBHOOKS}{number}/", body)
            assert (response.status_code, response.json()) == (404, {"detail": "Not found."})
    assert len(alice.get("/v1/webhooks").json()["results"]) == 2


def test_an_idempotency_key_creates_one_webhook(shop: ShopClient) -> None:
    body = {"target": "https://receiver.example.com/", "events": ["export.created"]}
    first, second = (shop.post(WEBHOOKS, body, headers={"Idempotency-Key": "a"}) for _ in range(2))
    assert second.json() == first.json()
    shop.delete(f"{WEBHOOKS}{first.json()['id']}/")
    replayed = shop.post(WEBHOOKS, body, headers={"Idempotency-Key": "a"})
    assert replayed.status_code == 409
    assert first.json()["secret_key"] not in replayed.content.decode()
