"""Batches at the same time as each other and as other writers, and racing creations."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from pytest_django import Settings

from batches.execution import runner
from batches.merging import chunks
from batches.models import Batch, BatchError, BatchLimits, JournalEntry
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Sku
from longshore.domains.logistics.models import Contact, Level
from tests.batches.running import created, files_of, run
from tests.conftest import KeyClient
from tests.exports.conftest import storage, stored_files, wait_for
from tests.factories import ItemFactory, LocationFactory
from tests.records import a_record

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

LIMIT = 10
REQUESTS = 200
CLIENTS = 20
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def queued(client: KeyClient, resource: str, rows: Sequence[Any], **request: Any) -> Batch:
    body = {"resource": resource, "data": rows, "mode": "async", **request}
    return created(client.post("/v1/batches", body))


def at_once(*works: Callable[[], Any]) -> None:
    """Run functions in threads that start at the same time. Raises the first error."""
    barrier = threading.Barrier(len(works))

    def start(work: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(start, work) for work in works]:
            done.result()


def run_at_once(*batches: Batch) -> None:
    """Run queued batches as several workers do, and assert that all are completed."""
    at_once(*(lambda number=batch.pk: runner.run(number) for batch in batches))
    for batch in batches:
        batch.refresh_from_db()
        assert batch.status == "completed", batch.error


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 17)


@pytest.mark.parametrize("existing", [0, 50])
def test_two_batches_with_the_same_keys(
    alice: KeyClient, bob: KeyClient, acme: Organization, existing: int
) -> None:
    codes = [f"{number:03}" for number in range(100)]
    for code in codes[:existing]:
        a_record(Sku, acme, code=code, name="Old")
    first = queued(alice, "sku", [{"code": code, "name": "First"} for code in codes])
    second = queued(bob, "sku", [{"code": code, "name": "Second"} for code in codes[::-1]])
    run_at_once(first, second)
    found = dict(Sku.objects.values_list("code", "name"))
    assert sorted(found) == codes
    assert set(found.values()) <= {"First", "Second"}
    assert Sku.objects.count() == 100
    assert first.created_count + second.created_count == 100 - existing
    for batch in (first, second):
        assert batch.created_count + batch.updated_count == 100
        assert batch.failed_count == 0
        rows = [row for entry in JournalEntry.objects.filter(batch=batch) for row in entry.rows]
        assert sorted(rows) == list(range(1, 101))
        assert len(files_of(alice, batch)["result.jsonl"].splitlines()) == 100


def test_a_deletion_and_a_merge_of_the_same_records(
    alice: KeyClient, bob: KeyClient, acme: Organization
) -> None:
    codes = [f"{number:03}" for number in range(100)]
    for code in codes:
        a_record(Sku, acme, code=code, name="Old")
    rows = [{"code": code} for code in codes[::-1]]
    merge = queued(alice, "sku", [{"code": code, "name": "New"} for code in codes])
    deletion = queued(bob, "sku", rows, action="delete")
    run_at_once(merge, deletion)
    # A record was updated before it was deleted, or not found any more; or created again.
    assert deletion.deleted_count + deletion.failed_count == 100
    assert merge.created_count + merge.updated_count + merge.failed_count == 100
    assert set(merge.row_errors.values_list("code", flat=True)) <= {"not_found"}
    left = 100 + merge.created_count - deletion.deleted_count
    assert Sku.objects.filter(name="New").count() == Sku.objects.count() == left


def test_two_overwrites_at_once(alice: KeyClient, bob: KeyClient, acme: Organization) -> None:
    for number in range(100):
        a_record(Sku, acme, code=f"{number:03}", name="Old")
    halves = [[f"{number:03}" for number in part] for part in (range(60), range(40, 100))]
    first, second = (
        queued(client, "sku", [{"code": code, "name": "New"} for code in half], action="overwrite")
        for client, half in zip((alice, bob), halves, strict=True)
    )
    run_at_once(first, second)
    # Both keep what both name, and delete only what existed when they planned.
    assert set(halves[0]) & set(halves[1]) <= set(Sku.objects.values_list("code", flat=True))
    codes = Sku.objects.values_list("code", flat=True)
    assert len(codes) == len(set(codes))
    for batch in (first, second):
        assert batch.deleted_count <= 40


@pytest.mark.parametrize("is_reversed", [False, True])
def test_two_batches_with_parts_of_the_same_records(
    alice: KeyClient, bob: KeyClient, acme: Organization, is_reversed: bool
) -> None:
    items = [ItemFactory.create(organization=acme) for _ in range(40)]
    places = [LocationFactory.create(organization=acme) for _ in range(3)]
    batches = []
    for client, quantity in ((alice, 1), (bob, 2)):
        rows = [
            {
                "id": item.pk,
                "levels": [
                    {"location_id": each.pk, "layout_id": "a", "verified_qty": quantity}
                    for each in places
                ],
            }
            for item in items
        ]
        if is_reversed and client is bob:
            rows = [{**row, "levels": row["levels"][::-1]} for row in rows[::-1]]
        batches.append(queued(client, "item", rows))
    run_at_once(*batches)
    errors = BatchError.objects.values_list("row", "column", "message")
    assert [each.failed_count for each in batches] == [0, 0], list(errors[:5])
    # The batch that came second has updated the levels that the first one has created.
    found = Counter(Level.objects.values_list("item_id", "location_id"))
    assert found == Counter((item.pk, each.pk) for item in items for each in places)
    assert set(Level.objects.values_list("verified_qty", flat=True)) <= {1, 2}
    for item in items:
        assert len({level.verified_qty for level in item.levels.all()}) == 1


def test_an_update_of_other_columns_is_not_lost(alice: KeyClient, acme: Organization) -> None:
    contact = Contact.objects.create(organization=acme, name="Old", notes="Old")
    batch = queued(alice, "contact", [{"id": contact.pk, "name": "Batch"}])
    working = threading.Thread(target=_run_in_thread, args=[batch.pk])
    with transaction.atomic():
        Contact.objects.filter(pk=contact.pk).update(notes="Web", nickname="Web")
        working.start()
        wait_for(_waits)
    working.join()
    batch.refresh_from_db()
    contact.refresh_from_db()
    assert (batch.status, batch.updated_count) == ("completed", 1)
    assert (contact.name, contact.notes, contact.nickname) == ("Batch", "Web", "Web")
    # The image before the change has what the other writer has written.
    undo = created(alice.post(f"/v1/batches/{batch.public_id}/undo"))
    assert run(undo).failed_count == 0
    contact.refresh_from_db()
    assert (contact.name, contact.notes, contact.nickname) == ("Old", "Web", "Web")


def test_a_record_that_is_deleted_meanwhile_is_not_found(
    alice: KeyClient, acme: Organization
) -> None:
    contacts = [Contact.objects.create(organization=acme, name=f"Old {n}") for n in range(3)]
    batch = queued(alice, "contact", [{"id": each.pk, "name": "Batch"} for each in contacts])
    working = threading.Thread(target=_run_in_thread, args=[batch.pk])
    with transaction.atomic():
        contacts[1].delete()
        working.start()
        wait_for(_waits)
    working.join()
    batch.refresh_from_db()
    assert (batch.status, batch.updated_count, batch.failed_count) == ("completed", 2, 1)
    assert list(batch.row_errors.values_list("row", "code")) == [(2, "not_found")]
    assert set(Contact.objects.values_list("name", flat=True)) == {"Batch"}


def _run_in_thread(number: int) -> None:
    try:
        runner.run(number)
    finally:
        connections.close_all()


def _waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        ((waiting,),) = cursor.fetchall()
    return bool(waiting)


def test_many_single_updates_during_a_batch(alice: KeyClient, acme: Organization) -> None:
    contacts = [Contact.objects.create(organization=acme, name=f"Old {n}") for n in range(100)]
    batch = queued(alice, "contact", [{"id": each.pk, "name": "Batch"} for each in contacts])

    def edit() -> None:
        for contact in contacts[::-1]:
            Contact.objects.filter(pk=contact.pk).update(notes="Web")

    at_once(lambda: runner.run(batch.pk), edit)
    batch.refresh_from_db()
    assert (batch.status, batch.updated_count) == ("completed", 100)
    assert set(Contact.objects.values_list("name", "notes")) == {("Batch", "Web")}


def test_racing_creations_do_not_exceed_the_limit(
    alice: KeyClient, acme: Organization, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.API_MAX_EXPENSIVE_REQUESTS = 0
    settings.API_RATE_LIMIT = ""
    monkeypatch.setattr(
        "longshore.jobs.queues.current_app.send_task", lambda *args, **options: None
    )
    BatchLimits.objects.create(organization=acme, unfinished=LIMIT)
    data = {"resource": "contact", "data": [{"name": "A"}]}
    bodies = [{**data, "mode": "async"}, {**data}, {"resource": "contact", "upload": True}]
    answers: list[tuple[int, str | None]] = []

    def send(client: int) -> None:
        for number in range(client, REQUESTS, CLIENTS):
            response = alice.post("/v1/batches", bodies[number % len(bodies)])
            answers.append((response.status_code, response.json()["error"]))

    at_once(*(lambda client=client: send(client) for client in range(CLIENTS)))
    assert Counter(answers) == {
        (201, None): LIMIT,
        (429, "too_many_batches"): REQUESTS - LIMIT,
    }
    assert Batch.objects.count() == LIMIT
    # No input of a refused request is left.
    assert len(stored_files()) == Batch.objects.exclude(input_bytes=None).count()
