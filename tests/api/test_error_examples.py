"""The documented error examples of all operations equal the responses of the API."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from longshore.accounts.models import Organization, Scope
from tests.api.examples import examples
from tests.conftest import KeyClient

pytestmark = pytest.mark.django_db


def test_example_of_a_missing_key_equals_the_response(acme: Organization) -> None:
    assert APIClient().get("/v1/exports").json() in examples("list_exports", 401)


def test_example_of_a_missing_scope_equals_the_response(acme: Organization) -> None:
    client = KeyClient(acme, "write only", Scope.WRITE)
    assert client.get("/v1/exports").json() in examples("list_exports", 403)


def test_example_of_an_unacceptable_media_type_equals_the_response(alice: KeyClient) -> None:
    response = alice.get("/v1/exports", headers={"Accept": "text/html"})
    assert response.json() in examples("list_exports", 406)


def test_example_of_the_rate_limit_equals_the_response(
    alice: KeyClient, settings: Settings
) -> None:
    settings.API_RATE_LIMIT = "1/day"
    for _ in range(2):
        response = alice.get("/v1/exports")
    error = response.json()
    seconds = error["details"]["retry_after"]
    [example] = [each for each in examples("list_exports", 429) if each["error"] == "rate_limited"]
    assert error["message"].replace(str(seconds), "12") == example["message"]
    assert set(error["details"]) == set(example["details"])


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ('{"resource": }', "application/json", 400),
        ("[" + " " * (1 << 20), "application/json", 413),
        ("a,b", "text/csv", 415),
    ],
)
def test_example_of_an_unreadable_body_equals_the_response(
    alice: KeyClient, body: str, content_type: str, status: int
) -> None:
    response = alice.post("/v1/exports", body, content_type=content_type)
    assert response.status_code == status
    assert response.json() in examples("create_export", status)


def test_examples_of_invalid_idempotency_keys_equal_the_responses(alice: KeyClient) -> None:
    [reused] = [
        each
        for each in examples("create_webhook", 409)
        if each["error"] == "idempotency_key_reused"
    ]
    key = reused["details"]["Idempotency-Key"]
    body: dict[str, Any] = {"target": "https://receiver.example.com/", "events": "*"}
    responses = [
        alice.post("/v1/webhooks", body | {"name": name}, headers={"Idempotency-Key": key})
        for name in ("One", "Another")
    ]
    assert responses[1].json() == reused
    response = alice.post("/v1/webhooks", body, headers={"Idempotency-Key": "naïve"})
    assert response.json() in examples("create_webhook", 400)


def test_examples_of_invalid_list_parameters_equal_the_responses(alice: KeyClient) -> None:
    for query in ("limit=0", "cursor=nonsense"):
        for address, operation in (("exports", "list_exports"), ("contacts", "list_contacts")):
            response = alice.get(f"/v1/{address}?{query}")
            assert response.json() in examples(operation, 400), (address, query)


@pytest.mark.parametrize(
    ("address", "operation"),
    [
        ("contacts?created_at=yesterday", "list_contacts"),
        ("contacts?fields=color", "list_contacts"),
        ("contacts?direction=up", "list_contacts"),
        ("contacts?timezone=Mars/Olympus", "list_contacts"),
        ("contacts?id=1&id=2", "list_contacts"),
        ("contacts/1?color=red", "get_contact"),
        ("contacts/1?fields=color", "get_contact"),
        ("contacts/1?timezone=Mars/Olympus", "get_contact"),
    ],
)
def test_examples_of_invalid_record_parameters_equal_the_responses(
    alice: KeyClient, address: str, operation: str
) -> None:
    assert alice.get(f"/v1/{address}").json() in examples(operation, 400)


def test_examples_of_unknown_records_and_resources_equal_the_responses(alice: KeyClient) -> None:
    assert alice.get("/v1/contacts/1").json() in examples("get_contact", 404)
    assert alice.get("/v1/resources/nope").json() in examples("get_resource", 404)
