"""POST /v1/exports with an Idempotency-Key: one export, queued once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.http import HttpResponse
from django.utils.dateparse import parse_datetime
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from exports.models import Export
from longshore.accounts.models import Organization, Scope
from longshore.domains.logistics.models import Contact
from tests.conftest import KeyClient

BODY: dict[str, Any] = {"resource": "contact"}


def ask(client: KeyClient, body: dict[str, Any] = BODY, address: str = "/v1/exports") -> Any:
    return client.post(address, body, headers={"Idempotency-Key": "k"})


def replayed(response: HttpResponse) -> bool:
    return response.get("Idempotent-Replayed") == "true"


@pytest.mark.django_db
def test_a_repeated_request_gets_the_first_response(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    first = ask(alice)
    export = Export.objects.get()
    assert first.json()["id"] == export.public_id
    contacts[0].delete()
    for address in ("/v1/exports", "/v1/exports/"):
        again = ask(alice, address=address)
        assert (again.status_code, again.content) == (201, first.content)
        assert again["Location"] == first["Location"] == first.json()["url"]
        assert replayed(again)
    assert Export.objects.count() == 1


@pytest.mark.django_db
def test_a_response_with_a_key_equals_one_without(alice: KeyClient) -> None:
    with_key, without = ask(alice), alice.post("/v1/exports", BODY)
    assert with_key.headers.keys() == without.headers.keys()
    assert with_key["Content-Type"] == without["Content-Type"]
    assert list(with_key.json()) == list(without.json())


@pytest.mark.django_db
def test_another_order_of_columns_is_another_request(alice: KeyClient) -> None:
    columns = {"id": True, "name": True}
    assert ask(alice, BODY | {"csv_field_options": {"columns": columns}}).status_code == 201
    turned = {"columns": dict(reversed(columns.items()))}
    response = ask(alice, BODY | {"csv_field_options": turned})
    assert (response.status_code, response.json()["error"]) == (409, "idempotency_key_reused")


@pytest.mark.django_db
def test_another_organization_with_the_same_key_gets_its_own_response(
    alice: KeyClient, charlie: KeyClient, contacts: list[Contact]
) -> None:
    hers, his = ask(alice).json(), ask(charlie).json()
    assert (hers["records_count"], his["records_count"]) == (5, 1)
    assert hers["id"] != his["id"]
    assert ask(charlie).json() == his


@pytest.mark.django_db
def test_a_rejected_request_can_be_corrected_with_the_same_key(alice: KeyClient) -> None:
    assert ask(alice, BODY | {"format": "pdf"}).status_code == 400
    assert ask(alice, BODY | {"empty": "error"}).status_code == 422
    response = ask(alice)
    assert (response.status_code, replayed(response)) == (201, False)


@pytest.mark.django_db
def test_a_request_over_a_limit_can_be_repeated_with_the_same_key(
    alice: KeyClient, settings: Settings
) -> None:
    settings.EXPORT_MAX_UNFINISHED = 1
    alice.post("/v1/exports", BODY)
    assert ask(alice).status_code == 429
    Export.objects.update(status="canceled")
    assert ask(alice).status_code == 201
    # A replayed response is not a new export.
    assert ask(alice).status_code == 201


@pytest.mark.django_db
def test_one_message_is_sent_after_the_commit(
    alice: KeyClient, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        ask(alice)
        ask(alice)
    assert len(callbacks) == 1
    assert Export.objects.get().enqueued_at is not None


def test_a_repeated_request_gets_the_first_response_while_the_broker_is_down(
    alice: KeyClient, no_broker: None, transactional_db: None
) -> None:
    first, again = ask(alice), ask(alice)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert Export.objects.get().enqueued_at is None


def test_a_deduplicated_export_is_returned_with_its_own_times(
    alice: KeyClient, transactional_db: None
) -> None:
    zone = {"csv_field_options": {"timezone": "Asia/Tokyo"}}
    body = BODY | {"dedupe": True} | zone
    existing = alice.post("/v1/exports", body).json()
    first, again = ask(alice, body), ask(alice, body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    for name in ("created_at", "estimated_completion", "expires_at"):
        shown, meant = parse_datetime(first.json()[name]), parse_datetime(existing[name])
        assert shown is not None
        assert meant is not None
        assert abs(shown - meant) < timedelta(seconds=1), name


def test_concurrent_requests_with_one_key_create_one_export(
    acme: Organization, transactional_db: None, settings: Settings
) -> None:
    settings.API_MAX_EXPENSIVE_REQUESTS = 0
    clients = [KeyClient(acme, str(number), Scope.WRITE) for number in range(6)]
    start = Barrier(len(clients))

    def race(client: KeyClient) -> Any:
        start.wait()
        try:
            return ask(client)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(clients)) as pool:
        responses = list(pool.map(race, clients))
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert sum(map(replayed, responses)) == len(clients) - 1
    assert Export.objects.count() == 1
