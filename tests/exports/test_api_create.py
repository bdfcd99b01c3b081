"""POST /v1/exports: creation of exports, and rejected requests."""

import csv
import io
import json
import os
import signal
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from exports.models import Export
from longshore.domains.logistics.models import Contact
from longshore.jobs import maintenance
from longshore.resources.folding import SortKey
from tests.conftest import KeyClient
from tests.exports.conftest import (
    downloaded,
    finished,
    reset_connections,
    wait_for,
)
from tests.exports.spreadsheets import escaped

CONTACTS = {
    "resource": "contact",
    "options": {"order_by": "name", "direction": "desc"},
    "csv_field_options": {"columns": {"id": True, "name": True, "notes": True, "groups": True}},
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("dedupe", "statements"), [(False, 11), (True, 13)])
def test_creation_takes_a_constant_number_of_statements(
    alice: KeyClient,
    contacts: list[Contact],
    dedupe: bool,
    statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    alice.get("/v1/exports")
    # Two transactions: one counts the rows, the other stores the export and its event.
    with django_assert_num_queries(statements + 4):
        alice.post("/v1/exports", {"resource": "contact", "dedupe": dedupe})
    assert Export.objects.count() == 1


@pytest.mark.django_db
def test_creation_returns_the_queued_export(alice: KeyClient, contacts: list[Contact]) -> None:
    response = alice.post("/v1/exports", CONTACTS)
    assert response.status_code == 201
    body = response.json()
    export = Export.objects.get()
    assert body["id"] == export.public_id
    assert body["id"].startswith("exp_")
    assert response["Location"] == body["url"] == f"http://testserver/v1/exports/{body['id']}"
    expected: dict[str, object] = {
        "object": "export",
        "number": export.organization_number,
        "resource": "contact",
        "format": "csv",
        "compression": "none",
        "status": "queued",
        "started_at": None,
        "completed_at": None,
        "records_count": 5,
        "processed_count": 0,
        "progress": 0,
        "download_url": None,
        "files": [],
        "error": None,
        "metadata": {},
        "request": CONTACTS,
    }
    assert expected.items() <= body.items()
    created, estimated, expires = (
        datetime.fromisoformat(body[name])
        for name in ("created_at", "estimated_completion", "expires_at")
    )
    assert created < estimated < created + timedelta(seconds=5)
    assert abs(expires - created - timedelta(hours=24)) < timedelta(seconds=1)


@pytest.mark.django_db
def test_metadata_is_stored_and_returned(alice: KeyClient) -> None:
    metadata = {"ticket": "A-17", "for": {"name": "Zoë", "copies": [1, None]}}
    created = alice.post("/v1/exports", CONTACTS | {"metadata": metadata}).json()
    assert created["metadata"] == metadata
    assert alice.get(f"/v1/exports/{created['id']}").json()["metadata"] == metadata
    plain = alice.post("/v1/exports", CONTACTS | {"metadata": None}).json()
    assert plain["metadata"] == {}


def test_the_download_link_serves_the_file_that_a_worker_wrote(
    alice: KeyClient, contacts: list[Contact], worker: None
) -> None:
    created = alice.post("/v1/exports/", CONTACTS).json()
    wait_for(lambda: finished(Export.objects.get()))
    body = alice.get(created["url"]).json()
    assert (body["status"], body["progress"], body["processed_count"]) == ("completed", 100, 5)
    assert body["estimated_completion"] is None

    link = alice.get(f"{created['url']}/download").json()
    content = downloaded(link["url"])
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    by_name = Contact.objects.filter(organization=contacts[0].organization).order_by(
        SortKey("name").desc()
    )
    assert [(row["id"], row["name"], row["notes"]) for row in rows] == [
        (contact.pk, contact.name, escaped(contact.notes or "")) for contact in by_name
    ]
    assert {row["id"]: row["groups"] for row in rows}[contacts[0].pk] == 'Crew, "Dock, ""B"""'
    [file] = body["files"]
    assert (file["rows"], file["bytes"]) == (5, len(content))


def test_an_export_is_created_while_the_broker_is_down(
    alice: KeyClient, contacts: list[Contact], no_broker: None, transactional_db: None
) -> None:
    response = alice.post("/v1/exports", CONTACTS)
    assert response.status_code == 201
    export = Export.objects.get()
    assert (export.status, export.enqueued_at) == ("queued", None)


def test_an_export_is_created_while_the_broker_hangs(
    alice: KeyClient, contacts: list[Contact], transactional_db: None
) -> None:
    pid = int(redis.Redis.from_url(settings.CACHE_URL).info()["process_id"])
    reset_connections()
    os.kill(pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert alice.post("/v1/exports", CONTACTS).status_code == 201
        assert time.monotonic() - started < 10
    finally:
        os.kill(pid, signal.SIGCONT)
    assert Export.objects.get().enqueued_at is None


def test_an_export_that_the_broker_missed_runs_after_its_recovery(
    alice: KeyClient,
    contacts: list[Contact],
    queued: Export,
    worker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maintenance, "MIN_AGE", timedelta(0))
    current_app.send_task("exports.recover")
    wait_for(lambda: finished(queued))
    assert queued.status == "completed"


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({}, "invalid_request", "resource"),
    ({"resource": "invalid_resource"}, "invalid_resource", "resource"),
    ({"resource": 7}, "invalid_resource", "resource"),
    ({"resource": "contact", "color": 1}, "invalid_request", "color"),
    ({"resource": "contact", "format": "pdf"}, "invalid_format", "format"),
    ({"resource": "contact", "compression": "rar"}, "invalid_compression", "compression"),
    ({"resource": "contact", "options": []}, "invalid_request", "options"),
    ({"resource": "contact", "options": {"limit": 0}}, "invalid_limit", "options.limit"),
    ({"resource": "contact", "options": {"limit": -5}}, "invalid_limit", "options.limit"),
    ({"resource": "contact", "options": {"nmae": "x"}}, "invalid_filter", "options.nmae"),
    (
        {"resource": "contact", "options": {"created_at": "since:2024-01-01"}},
        "invalid_filter",
        "options.created_at",
    ),
    ({"resource": "contact", "options": {"order_by": "x"}}, "invalid_ordering", "options.order_by"),
    (
        {"resource": "contact", "csv_field_options": {"timezone": "Mars/Olympus"}},
        "invalid_timezone",
        "csv_field_options.timezone",
    ),
    (
        {"resource": "contact", "csv_field_options": {"datetime_format": "yyyy-bb"}},
        "invalid_datetime_format",
        "csv_field_options.datetime_format",
    ),
    (
        {"resource": "contact", "csv_field_options": {"columns": {"nope": True}}},
        "invalid_column",
        "csv_field_options.columns.nope",
    ),
    (
        {
            "resource": "contact",
            "csv_field_options": {"columns": {"id": True}, "column_order": ["id", "name"]},
        },
        "invalid_column",
        "csv_field_options.column_order.1",
    ),
]


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(("body", "code", "field"), BAD)
def test_invalid_input_is_reported_and_nothing_is_queued(
    alice: KeyClient, body: dict[str, Any], code: str, field: str
) -> None:
    response = alice.post("/v1/exports", body)
    assert response.status_code == 400
    error = response.json()
    assert error["error"] == code
    [problem] = error["details"]["problems"]
    assert (problem["error"], problem["field"]) == (code, field)
    assert problem["message"] == error["message"]
    assert problem["accepted"]
    assert field in error["details"]
    assert not Export.objects.exists()


@pytest.mark.django_db
def test_the_request_keeps_the_order_of_its_members(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    url = alice.post("/v1/exports", CONTACTS).json()["url"]
    assert json.dumps(alice.get(url).json()["request"]) == json.dumps(CONTACTS)


@pytest.mark.django_db
def test_the_documented_error_of_an_unknown_resource(alice: KeyClient) -> None:
    error = alice.post("/v1/exports", {"resource": "invalid_resource"}).json()
    assert error["message"] == "Unsupported resource type: invalid_resource"
    assert error["details"]["resource"] == "invalid_resource"


@pytest.mark.django_db
def test_a_body_that_is_not_json_is_rejected(alice: KeyClient) -> None:
    response = alice.post("/v1/exports", "{oops", content_type="application/json")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.django_db
def test_a_body_over_the_limit_is_rejected(alice: KeyClient) -> None:
    response = alice.post("/v1/exports", {"resource": "x" * 5_000_000})
    assert (response.status_code, response.json()["error"]) == (413, "request_too_large")
    assert not Export.objects.exists()


@pytest.mark.django_db
def test_creation_requires_the_scope_write(read_only: KeyClient) -> None:
    response = read_only.post("/v1/exports", CONTACTS)
    assert (response.status_code, response.json()["error"]) == (403, "forbidden")
    assert not Export.objects.exists()


@pytest.mark.django_db
def test_an_export_contains_no_records_of_another_organization(
    charlie: KeyClient, contacts: list[Contact]
) -> None:
    assert charlie.post("/v1/exports", CONTACTS).json()["records_count"] == 1
    body = CONTACTS | {"options": {"id": contacts[0].pk}}
    assert charlie.post("/v1/exports", body).json()["records_count"] == 0
