"""The creation of an export waits for its files: `?wait=` and `Prefer: wait=`."""

import csv
import io
import time

import pytest

from exports.execution import runner, waiting
from exports.lifecycle import creation
from exports.models import Export, Status
from longshore.domains.logistics.models import Contact
from tests.conftest import KeyClient
from tests.exports.conftest import downloaded

pytestmark = pytest.mark.django_db(transaction=True)

CONTACTS = {"resource": "contact", "csv_field_options": {"columns": ["id", "name"]}}


@pytest.mark.parametrize(
    ("query", "headers", "applied"),
    [
        ("?wait=10", {}, None),
        ("", {"Prefer": "wait=5"}, "wait=5"),
        ("/?other=1", {"Prefer": "respond-async, Wait=99; x=y"}, "wait=10"),
    ],
)
def test_the_response_shows_the_files(
    alice: KeyClient,
    contacts: list[Contact],
    query: str,
    headers: dict[str, str],
    applied: str | None,
) -> None:
    response = alice.post(f"/v1/exports{query}", CONTACTS, headers=headers)
    export = response.json()
    assert (response.status_code, export["status"], export["records_count"]) == (
        201,
        "completed",
        5,
    )
    assert response.headers.get("Preference-Applied") == applied
    rows = csv.DictReader(io.StringIO(downloaded(export["download_url"]).decode()))
    assert sorted(row["id"] for row in rows) == sorted(contact.pk for contact in contacts)
    events = alice.get(f"{export['url']}/events").json()["results"]
    assert [each["status"] for each in events] == ["queued", "processing", "completed"]


@pytest.mark.parametrize(
    ("query", "headers"),
    [("", {}), ("?wait=0", {}), ("", {"Prefer": "respond-async"}), ("", {"Prefer": "wait=soon"})],
)
def test_without_a_wait_the_export_is_queued(
    alice: KeyClient, contacts: list[Contact], query: str, headers: dict[str, str]
) -> None:
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


def test_a_worker_writes_an_export_that_takes_longer(
    alice: KeyClient, contacts: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as slowed:
        slowed.setattr(runner, "write_files", lambda *arguments: time.sleep(3))
        created = alice.post("/v1/exports?wait=1", CONTACTS).json()
    assert created["status"] == "queued"
    events = alice.get(f"{created['url']}/events").json()["results"]
    assert events[2]["reason"] == (
        "The export takes longer than the 1 s that the request waits. A worker writes it."
    )
    runner.run(Export.objects.get().number)
    assert alice.get(created["url"]).json()["status"] == "completed"


def test_a_large_export_is_queued_at_once(
    alice: KeyClient, contacts: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creation, "DEFAULT_ROWS_PER_SECOND", 0.5)
    assert alice.post("/v1/exports?wait=10", CONTACTS).json()["status"] == "queued"


def test_a_busy_process_leaves_the_export_to_a_worker(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    with waiting.thread() as first, waiting.thread() as second:
        assert (first, second) == (True, True)
        assert alice.post("/v1/exports?wait=10", CONTACTS).json()["status"] == "queued"
    assert alice.post("/v1/exports?wait=10", CONTACTS).json()["status"] == "completed"


def test_a_repeated_request_gets_the_same_export_as_it_is_now(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    key = {"Idempotency-Key": "once"}
    first, second = (alice.post("/v1/exports?wait=10", CONTACTS, headers=key) for _ in range(2))
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert first.json()["id"] == second.json()["id"]
    assert (first.json()["status"], second.json()["status"]) == ("completed", "completed")
    assert Export.objects.count() == 1
    assert Export.objects.get().status == Status.COMPLETED


def test_an_unfinished_export_is_returned_at_once(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    queued = alice.post("/v1/exports", CONTACTS).json()
    response = alice.post("/v1/exports?wait=10", CONTACTS | {"dedupe": True})
    assert (response.status_code, response.json()["id"]) == (200, queued["id"])
    assert response.json()["status"] == "queued"


def test_packagex_does_not_wait(alice: KeyClient, contacts: list[Contact]) -> None:
    response = alice.post("/packagex/v1/exports?wait=10", CONTACTS)
    assert response.json()["data"]["status"] == "queued"
