"""Bad input is refused with its field, its value and the accepted values."""

from typing import Any

import pytest

from tests.conftest import KeyClient
from tests.factories import DeliveryFactory, SubscriptionFactory
from webhooks import signing_secrets
from webhooks.models import Subscription
from webhooks.signing_secrets import PREFIX

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {"target": "https://receiver.example.com/", "events": "*"}
SHORT = PREFIX + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"[:28]

BAD = [
    ({"target": None}, "invalid_target", "target"),
    ({"target": 7}, "invalid_target", "target"),
    ({"target": ""}, "invalid_target", "target"),
    ({"target": "receiver.example.com"}, "invalid_target", "target"),
    ({"target": "ftp://receiver.example.com"}, "invalid_target", "target"),
    ({"target": "https://user:word@receiver.example.com"}, "invalid_target", "target"),
    ({"target": "https://receiver.example.com/\r\nX: 1"}, "invalid_target", "target"),
    ({"target": "https://10.0.0.1/"}, "invalid_target", "target"),
    ({"target": "https://169.254.169.254/latest"}, "invalid_target", "target"),
    ({"target": "https://[::ffff:10.0.0.1]/"}, "invalid_target", "target"),
    ({"target": "https://receiver.example.com/" + "a" * 2048}, "invalid_target", "target"),
    ({"events": []}, "invalid_event", "events"),
    ({"events": None}, "invalid_event", "events"),
    ({"events": "export.created"}, "invalid_event", "events"),
    ({"events": {"export.created": True}}, "invalid_event", "events"),
    ({"events": ["export.created", "export.finished"]}, "invalid_event", "events.1"),
    ({"events": [["export.created"]]}, "invalid_event", "events.0"),
    ({"events": [{}]}, "invalid_event", "events.0"),
    ({"events": ["*", "export.created"]}, "invalid_event", "events"),
    ({"resources": "contact"}, "invalid_resource", "resources"),
    ({"resources": ["contact", "ship"]}, "invalid_resource", "resources.1"),
    ({"resources": [None]}, "invalid_resource", "resources.0"),
    ({"types": "order_list"}, "invalid_type", "types"),
    ({"types": ["order_list", "orders"]}, "invalid_type", "types.1"),
    ({"name": 7}, "invalid_request", "name"),
    ({"name": "n" * 201}, "invalid_request", "name"),
    ({"active": "yes"}, "invalid_request", "active"),
    ({"active": None}, "invalid_request", "active"),
    ({"secret": "hush"}, "invalid_secret", "secret"),
    ({"secret": None}, "invalid_secret", "secret"),
    ({"secret": SHORT}, "invalid_secret", "secret"),
    ({"secret": PREFIX + "A" * 92}, "invalid_secret", "secret"),
    ({"secret": signing_secrets.generate() + "\n"}, "invalid_secret", "secret"),
    ({"headers": None}, "invalid_header", "headers"),
    ({"headers": [["X", "1"]]}, "invalid_header", "headers"),
    ({"headers": {f"X-{n}": "1" for n in range(11)}}, "invalid_header", "headers"),
    ({"headers": {"X-A": "1", "x-a": "2"}}, "invalid_header", "headers"),
    ({"headers": {"": "1"}}, "invalid_header", "headers."),
    ({"headers": {"X A": "1"}}, "invalid_header", "headers.X A"),
    ({"headers": {"X:": "1"}}, "invalid_header", "headers.X:"),
    ({"headers": {"X\r\nY": "1"}}, "invalid_header", "headers.X\r\nY"),
    ({"headers": {"X-A\n": "1"}}, "invalid_header", "headers.X-A\n"),
    ({"headers": {"Ä": "1"}}, "invalid_header", "headers.Ä"),
    ({"headers": {"X" * 101: "1"}}, "invalid_header", "headers." + "X" * 100),
    ({"headers": {"X-A": 1}}, "invalid_header", "headers.X-A"),
    ({"headers": {"X-A": ""}}, "invalid_header", "headers.X-A"),
    ({"headers": {"X-A": " 1"}}, "invalid_header", "headers.X-A"),
    ({"headers": {"X-A": "1 "}}, "invalid_header", "headers.X-A"),
    ({"headers": {"X-A": "hush\r\nX-B: 2"}}, "invalid_header", "headers.X-A"),
    ({"headers": {"X-A": "hush\n"}}, "invalid_header", "headers.X-A"),
    ({"headers": {"X-A": "hush\t1"}}, "invalid_header", "headers.X-A"),
    ({"headers": {"X-A": "hüsh"}}, "invalid_header", "headers.X-A"),
    ({"headers": {"X-A": "h" * 1025}}, "invalid_header", "headers.X-A"),
    *(
        ({"headers": {name: "1"}}, "invalid_header", f"headers.{name}")
        for name in (
            "Host",
            "Connection",
            "Content-Length",
            "content-type",
            "Transfer-Encoding",
            "TE",
            "Upgrade",
            "Proxy-Authorization",
            "Expect",
            "webhook-id",
            "Webhook-Signature",
            "webhook-anything",
        )
    ),
    ({"color": "red"}, "invalid_request", "color"),
]


@pytest.mark.parametrize(("body", "code", "field"), BAD)
@pytest.mark.slow
def test_bad_input_is_refused(
    alice: KeyClient, body: dict[str, Any], code: str, field: str
) -> None:
    existing = SubscriptionFactory.create(organization=alice.api_key.organization)
    responses = [alice.post("/v1/webhooks", BODY | body)]
    if "secret" not in body:
        responses.append(alice.patch(f"/v1/webhooks/{existing.public_id}", body))
    for response in responses:
        assert response.status_code == 400
        [problem] = response.json()["details"]["problems"]
        assert (problem["error"], problem["field"]) == (code, field)
        assert problem["accepted"]
        assert problem["message"]
        # Values that may be secret are not repeated.
        if field.startswith(("headers.", "secret")):
            assert problem["value"] is None
            assert "hush" not in response.content.decode()
    assert Subscription.objects.count() == 1


def test_all_problems_are_reported_at_once(alice: KeyClient) -> None:
    body = {"events": ["nope"], "headers": {"Host": "x"}, "active": 1, "color": "red"}
    problems = alice.post("/v1/webhooks", body).json()["details"]["problems"]
    fields = {problem["field"] for problem in problems}
    assert fields == {"target", "events.0", "headers.Host", "active", "color"}


def test_a_change_to_too_many_headers_is_refused(alice: KeyClient) -> None:
    made = alice.post("/v1/webhooks", BODY | {"headers": {f"A-{n}": "1" for n in range(9)}})
    address = f"/v1/webhooks/{made.json()['id']}"
    response = alice.patch(address, {"headers": {"B-1": "1", "B-2": "1"}})
    assert (response.status_code, response.json()["error"]) == (400, "invalid_header")
    response = alice.patch(address, {"headers": {"B-1": "1", "B-2": "1", "A-1": None}})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "since",
    [
        *(None, 7, "", "yesterday", "2024-12-25", "2024-12-25T14:30:00", "2024-13-40T00:00:00Z"),
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
    ],
)
def test_an_invalid_since_of_a_recovery_is_refused(alice: KeyClient, since: Any) -> None:
    subscription = SubscriptionFactory.create(organization=alice.api_key.organization)
    address = f"/v1/webhooks/{subscription.public_id}/recover"
    response = alice.post(address, {"since": since})
    assert response.status_code == 400
    [problem] = response.json()["details"]["problems"]
    assert (problem["field"], problem["value"]) == ("since", since)
    assert "2024-12-25T14:30:00Z" in problem["accepted"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/webhooks?color=red", "color"),
        ("/v1/events?type=export", "type"),
        ("/v1/events?status=failed", "status"),
        ("/v1/events?limit=0", "limit"),
        ("/v1/webhooks/{id}/deliveries?status=done", "status"),
        ("/v1/webhooks/{id}/deliveries?type=x&status=failed", "type"),
    ],
)
def test_a_bad_query_parameter_is_refused(alice: KeyClient, path: str, field: str) -> None:
    subscription = SubscriptionFactory.create(organization=alice.api_key.organization)
    response = alice.get(path.format(id=subscription.public_id))
    assert response.status_code == 400
    [problem] = response.json()["details"]["problems"]
    assert problem["field"] == field
    assert problem["accepted"]


def test_a_cursor_of_another_list_is_refused(alice: KeyClient) -> None:
    organization = alice.api_key.organization
    subscription, _ = SubscriptionFactory.create_batch(2, organization=organization)
    DeliveryFactory.create_batch(2, subscription=subscription)
    deliveries = f"/v1/webhooks/{subscription.public_id}/deliveries"
    for one, other in (
        (deliveries, "/v1/webhooks"),
        ("/v1/webhooks", deliveries),
        (deliveries, "/v1/events"),
        (deliveries, "/v1/exports"),
    ):
        cursor = alice.get(f"{one}?limit=1").json()["next"].rpartition("?")[2]
        assert alice.get(f"{one}?{cursor}").status_code == 200
        response = alice.get(f"{other}?{cursor}")
        assert (response.status_code, response.json()["error"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"target": "x"}, ["events", "target"]),
        ({"target": BODY["target"], "evnts": "*"}, ["events", "evnts"]),
    ],
)
def test_missing_fields_come_first(
    alice: KeyClient, body: dict[str, Any], fields: list[str]
) -> None:
    response = alice.post("/v1/webhooks", body).json()
    assert response["message"] == "events is required."
    assert [problem["field"] for problem in response["details"]["problems"]] == fields


@pytest.mark.parametrize(
    "body",
    [
        {"resources": [0] * 30_000},
        {"types": ["x" * 30] * 20_000},
        {"events": [["x"] * 10] * 3_000},
        {"events": ["x" * 900_000]},
        {"name": "x" * 900_000},
        {"target": "https://" + "x" * 900_000},
        {"headers": {f"header {n}": "é" for n in range(20_000)}},
        {f"field {n}": 1 for n in range(20_000)},
        {"x" * 900_000: 1},
    ],
)
@pytest.mark.slow
def test_many_mistakes_have_a_short_response(alice: KeyClient, body: dict[str, Any]) -> None:
    response = alice.post("/v1/webhooks", BODY | body)
    assert response.status_code == 400
    assert len(response.json()["details"]["problems"]) <= 100
    assert len(response.content) < 64_000
