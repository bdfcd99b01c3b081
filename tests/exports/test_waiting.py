"""The creation of an export waits until it has ended: `?wait=` and `Prefer: wait=`."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import Any

import pytest
from django.db import connection, connections
from pytest_django import Settings

from exports.api import waiting
from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.jobs import actions
from tests.conftest import KeyClient
from tests.exports.conftest import downloaded

pytestmark = pytest.mark.django_db(transaction=True)

CONTACTS = {"resource": "contact", "csv_field_options": {"columns": ["id", "name"]}}
KEY = {"Idempotency-Key": "once"}


@contextmanager
def meanwhile(action: Callable[[], Any]) -> Iterator[None]:
    """Run an action in another thread, half a second after the beginning of the block."""

    def act() -> None:
        try:
            action()
        finally:
            connections.close_all()

    timer = Timer(0.5, act)
    timer.start()
    try:
        yield
    finally:
        timer.join()


@contextmanager
def lasting(least: float, most: float) -> Iterator[None]:
    """Assert how many seconds the block takes."""
    start = time.monotonic()
    yield
    assert least <= time.monotonic() - start < most


def write_the_export() -> None:
    runner.run(Export.objects.get().number)


def delete_the_export() -> None:
    actions.delete(export_lifecycle, Export.objects.get())


@pytest.mark.parametrize(
    ("query", "headers", "applied"),
    [
        ("?wait=10", {"Prefer": "wait=5"}, None),
        ("", {"Prefer": "wait=5"}, "wait=5"),
        ("/?other=1", {"Prefer": "respond-async, Wait=99; x=y"}, "wait=10"),
    ],
)
def test_the_response_shows_the_files(
    worker: None,
    alice: KeyClient,
    contacts: list[Contact],
    query: str,
    headers: dict[str, str],
    applied: str | None,
) -> None:
    response = alice.post(f"/v1/exports{query}", CONTACTS, headers=headers)
    export = response.json()
    shown = (response.status_code, export["status"], export["records_count"])
    assert shown == (201, "completed", 5)
    assert response.headers.get("Preference-Applied") == applied
    rows = csv.DictReader(io.StringIO(downloaded(export["download_url"]).decode()))
    assert sorted(row["id"] for row in rows) == sorted(contact.pk for contact in contacts)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {}),
        ("?wait=0", {}),
        ("?wait=0", {"Prefer": "wait=5"}),
        ("", {"Prefer": "respond-async"}),
        ("", {"Prefer": "wait=soon"}),
        ("", {"Prefer": "wait=0"}),
    ],
)
def test_without_a_wait_the_response_shows_a_queued_export(
    alice: KeyClient, contacts: list[Contact], query: str, headers: dict[str, str]
) -> None:
    with lasting(0, 3):
        response = alice.post(f"/v1/exports{query}", CONTACTS, headers=headers)
    assert (response.status_code, response.json()["status"]) == (201, "queued")
    assert "Preference-Applied" not in response


@pytest.mark.parametrize("wait", ["11", "-1", "1.5", "soon", ""])
def test_an_invalid_wait_creates_nothing(alice: KeyClient, wait: str) -> None:
    response = alice.post(f"/v1/exports?wait={wait}", CONTACTS)
    assert response.status_code == 400
    [problem] = response.json()["details"]["problems"]
    assert (problem["field"], problem["value"]) == ("wait", wait)
    assert not Export.objects.exists()


def test_a_wait_ends_after_its_seconds_and_costs_no_attempt(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    with lasting(1, 4):
        response = alice.post("/v1/exports", CONTACTS, headers={"Prefer": "wait=1"})
    assert (response.status_code, response.json()["status"]) == (201, "queued")
    assert response["Preference-Applied"] == "wait=1"
    assert Export.objects.get().claims == []
    write_the_export()
    assert alice.get(response.json()["url"]).json()["status"] == "completed"


def test_a_waiting_request_leaves_the_slots_of_its_organization_to_others(
    alice: KeyClient, contacts: list[Contact], settings: Settings
) -> None:
    settings.API_MAX_EXPENSIVE_REQUESTS = 1
    codes: list[int] = []

    def create() -> None:
        codes.append(alice.post("/v1/exports", CONTACTS).status_code)

    with meanwhile(create):
        assert alice.post("/v1/exports?wait=4", CONTACTS).status_code == 201
    assert codes == [201]


def test_a_busy_process_answers_at_once(
    alice: KeyClient, acme: Organization, contacts: list[Contact]
) -> None:
    preference = {"Prefer": "wait=10"}
    with waiting.hold_place(acme.pk) as has_place, lasting(0, 5):
        assert has_place
        response = alice.post("/v1/exports", CONTACTS, headers=preference)
    assert (response.status_code, response.json()["status"]) == (201, "queued")
    assert "Preference-Applied" not in response


def test_an_organization_has_one_place_and_a_process_four(
    acme: Organization, globex: Organization
) -> None:
    with waiting.hold_place(acme.pk) as first, waiting.hold_place(acme.pk) as second:
        assert (first, second) == (True, False)
        others = [waiting.hold_place(f"org_{number}") for number in range(waiting.MAX_PLACES)]
        assert [other.__enter__() for other in others] == [True] * 3 + [False]
        for other in others:
            other.__exit__(None, None, None)
        with waiting.hold_place(globex.pk) as free:
            assert free
    with waiting.hold_place(acme.pk) as free:
        assert free


def test_a_lost_connection_during_the_wait_does_not_fail_the_creation(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()

    def cut() -> None:
        # The wait begins when the export exists.
        while not Export.objects.exists():
            time.sleep(0.05)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    with meanwhile(cut), lasting(0, 9):
        response = alice.post("/v1/exports?wait=10", CONTACTS)
    connection.close()
    assert (response.status_code, response.json()["status"]) == (201, "queued")
    assert response.json()["id"] == Export.objects.get().public_id


def test_a_repeated_request_waits_too(alice: KeyClient, contacts: list[Contact]) -> None:
    first = alice.post("/v1/exports", CONTACTS, headers=KEY)
    with lasting(1, 4):
        unfinished = alice.post("/v1/exports?wait=1", CONTACTS, headers=KEY)
    with meanwhile(write_the_export), lasting(0, 9):
        second = alice.post("/v1/exports?wait=10", CONTACTS, headers=KEY)
    assert "Idempotent-Replayed" not in first
    assert unfinished["Idempotent-Replayed"] == second["Idempotent-Replayed"] == "true"
    assert (first.status_code, second.status_code) == (201, 201)
    assert first["Location"] == second["Location"]
    assert (unfinished.json()["status"], second.json()["status"]) == ("queued", "completed")
    assert Export.objects.count() == 1


def test_a_deletion_during_the_wait_leaves_the_first_response(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    first = alice.post("/v1/exports", CONTACTS, headers=KEY)
    with meanwhile(delete_the_export), lasting(0, 9):
        second = alice.post("/v1/exports?wait=10", CONTACTS, headers=KEY)
    assert (second.status_code, second.content) == (201, first.content)
    assert alice.post("/v1/exports?wait=1", CONTACTS, headers=KEY).status_code == 409


def test_an_unfinished_export_is_waited_for(alice: KeyClient, contacts: list[Contact]) -> None:
    queued = alice.post("/v1/exports", CONTACTS).json()
    with meanwhile(write_the_export):
        response = alice.post("/v1/exports?wait=10", CONTACTS | {"dedupe": True})
    assert (response.status_code, response.json()["id"]) == (200, queued["id"])
    assert response.json()["status"] == "completed"


def test_packagex_does_not_wait(alice: KeyClient, contacts: list[Contact]) -> None:
    with lasting(0, 5):
        response = alice.post("/packagex/v1/exports?wait=10", CONTACTS)
    assert response.json()["data"]["status"] == "queued"
