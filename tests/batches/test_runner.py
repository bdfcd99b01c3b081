"""Attempts: dry runs, errors, limits, deaths and retries, cancellation, undo."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from batches import tasks
from batches.execution import results, runner, undoing
from batches.execution.attempt import Attempt
from batches.lifecycle import journal as journals
from batches.lifecycle import staging_tables
from batches.lifecycle.transitions import batch_lifecycle
from batches.merging import chunks, journal, refusals, writing
from batches.merging import undo as merging_undo
from batches.models import Batch, BatchEvent, BatchLimits, JournalEntry
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.jobs import maintenance
from longshore.jobs.statuses import Status
from tests.batches.running import (
    CSV,
    CSV_WITH_ERROR,
    code_of,
    created,
    files_of,
    post_file,
    run,
)
from tests.conftest import KeyClient
from tests.exports.conftest import storage, stored_files, wait_for
from webhooks.models import Event

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


def queued(client: KeyClient, content: str = CSV, **request: Any) -> Batch:
    return created(post_file(client, content, mode="async", **request))


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE starts_with(relname, 'longshore_batch_')"
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.parametrize(
    ("values", "progress"),
    [
        ({"action": "merge"}, 66),
        ({"action": "overwrite"}, 50),
        ({"action": "merge", "dry_run": True}, 99),
        ({"action": "overwrite", "dry_run": True}, 99),
    ],
)
def test_the_progress_depends_on_the_number_of_phases(values: Any, progress: int) -> None:
    done = {"total": 2, "processed": 2}
    batch = Batch(status=Status.PROCESSING, phases=[done, done], **values)
    assert batch.progress == progress


def test_a_dry_run_writes_nothing(alice: KeyClient) -> None:
    batch = run(queued(alice, dry_run=True))
    assert (batch.status, batch.created_count) == ("completed", 2)
    assert batch.reason == "Dry run, nothing was written. 2 rows: 2 created."
    assert not Contact.objects.exists()
    assert not JournalEntry.objects.exists()
    assert '"outcome":"created"' in files_of(alice, batch)["result.jsonl"]
    refused = alice.post(f"/v1/batches/{batch.public_id}/undo")
    assert (refused.status_code, refused.json()["error"]) == (409, "invalid_status")


@pytest.mark.parametrize("on_error", ["abort", {"max_errors": 0}])
def test_a_batch_with_too_many_errors_writes_nothing(alice: KeyClient, on_error: Any) -> None:
    batch = run(queued(alice, CSV_WITH_ERROR, on_error=on_error))
    assert (batch.status, code_of(batch)) == ("failed", "too_many_errors")
    assert (batch.failed_count, batch.records_count) == (1, 2)
    assert not Contact.objects.exists()
    files = files_of(alice, batch)
    assert files["unprocessed.csv"] == "name;is_primary\nZoë Ünal;true\n"
    assert "perhaps" in files["failed.csv"]
    assert "result.jsonl" not in files
    assert batch.phases[1]["error"] == 1


def test_max_errors_allows_as_many(alice: KeyClient) -> None:
    batch = run(queued(alice, CSV_WITH_ERROR, on_error={"max_errors": 1}))
    assert (batch.status, batch.created_count) == ("completed", 1)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("nmae\nZoë\n", "unknown_column"),
        ("name\n", "empty_input"),
        ("", "empty_input"),
        ('name\n"Zoë\n', "invalid_input_file"),
    ],
)
def test_an_input_that_cannot_be_used_fails_the_batch(
    alice: KeyClient, content: str, code: str
) -> None:
    batch = run(queued(alice, content))
    assert (batch.status, code_of(batch)) == ("failed", code)
    assert len(batch.claims) == 1
    assert tables() == []


def test_a_failed_batch_shows_how_its_input_was_read(alice: KeyClient) -> None:
    content = "name;shoe_size;hat_size\nZoë Ünal;38;57\n"
    for batch in (
        run(queued(alice, content)),
        created(post_file(alice, content, mode="mixed")),
    ):
        assert (batch.status, code_of(batch)) == ("failed", "unknown_column")
        assert batch.detected["delimiter"] == ";"
        assert [phase["name"] for phase in batch.phases] == ["parsing"]
        assert batch.error is not None
        assert "shoe_size" in batch.error["message"]
        assert any("hat_size" in warning for warning in batch.warnings)
        assert batch.files.get().format == "csv"


def test_a_canceled_undo_stops_before_it_reverses(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = run(queued(alice))
    undo = undone(alice, batch)
    undo.claims = ["claim_1undo"]
    attempt = Attempt(undo, "claim_1undo")
    reversals: list[object] = []

    def cancel(*_: object) -> set[int]:
        attempt.cancel()
        return set()

    monkeypatch.setattr(merging_undo.Undo, "count_done", cancel)
    monkeypatch.setattr(merging_undo.Undo, "reverse", lambda _, each: reversals.append(each))
    with pytest.raises(chunks.Canceled):
        undoing.undo(attempt)
    assert reversals == []


def test_too_many_records_fail_the_batch(alice: KeyClient, acme: Organization) -> None:
    BatchLimits.objects.create(organization=acme, records=1)
    batch = run(queued(alice))
    assert (batch.status, code_of(batch)) == ("failed", "too_many_records")


def test_files_that_exceed_the_quota_do_not_fail_a_written_batch(
    alice: KeyClient, acme: Organization
) -> None:
    batch = queued(alice)
    BatchLimits.objects.create(organization=acme, stored_bytes=batch.stored_bytes + 1)
    batch = run(batch)
    assert (batch.status, batch.created_count) == ("completed", 2)
    refused = post_file(alice, CSV, mode="async")
    assert refused.json()["error"] == "storage_quota_exceeded"


def test_each_status_sends_its_webhook(alice: KeyClient) -> None:
    batch = run(queued(alice))
    types = list(Event.objects.order_by("pk").values_list("type", flat=True))
    assert types == ["batch.queued", "batch.started", "batch.completed"]
    data = Event.objects.order_by("pk").last().data  # type: ignore[union-attr]
    assert (data["object"], data["id"], data["stats"]["created"]) == ("batch", batch.public_id, 2)
    assert "request" not in data
    alice.delete(f"/v1/batches/{batch.public_id}")
    event = Event.objects.get()
    assert (event.type, event.data["files"], event.data["input"]) == ("batch.deleted", [], None)


class Death(BaseException):
    """Ends an attempt as if its process had been killed: nothing is cleaned up."""


def die(batch: Batch, chunk: int = 2) -> None:
    """Let an attempt of a queued batch die in a chunk of two rows, counted from 1."""
    calls = []

    def dying(held: Batch) -> None:
        # At the end of the transaction of a chunk, which is rolled back.
        calls.append(1)
        if len(calls) == chunk:
            raise Death
        journal.hold(held)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHUNK_ROWS", 2)
        patch.setattr(chunks, "WRITERS", 1)
        patch.setattr(refusals, "hold", dying)
        patch.setattr(batch_lifecycle, "delete_attempts", lambda *_: True)
        with pytest.raises(Death):
            runner.run(batch.pk)


FIVE = "".join(f"Contact {number}\n" for number in range(5))


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_a_retry_continues_without_doubling_a_row(alice: KeyClient, chunk: int) -> None:
    batch = queued(alice, f"name\n{FIVE}")
    die(batch, chunk)
    assert Contact.objects.count() == 2 * (chunk - 1)
    Batch.objects.update(heartbeat_at=timezone.now() - maintenance.MAX_SILENCE * 2)
    maintenance.recover(batch_lifecycle)
    batch = run(batch)
    assert (batch.status, batch.created_count) == ("completed", 5)
    assert sorted(Contact.objects.values_list("name", flat=True)) == FIVE.splitlines()
    assert len(files_of(alice, batch)["result.jsonl"].splitlines()) == 5
    assert tables() == []


@pytest.mark.parametrize("status", ["canceled", "timed_out", "failed"])
def test_a_stopped_batch_counts_what_it_wrote_after_its_last_report(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    batch = queued(alice, f"name\n{FIVE}")
    die(batch)
    batch.refresh_from_db()
    assert batch.created_count == 0
    match status:
        case "canceled":
            alice.post(f"/v1/batches/{batch.public_id}/cancel")
        case "timed_out":
            batch_lifecycle.time_out(batch, 5)
        case "failed":
            monkeypatch.setattr(batch_lifecycle, "count_failures", lambda _: 3)
            batch_lifecycle.retry_later(batch, "The worker stopped responding.")
    batch.refresh_from_db()
    assert (batch.status, batch.created_count) == (status, 2)
    if event := Event.objects.filter(type=f"batch.{status}").first():
        assert event.data["stats"]["created"] == 2
    before = batch.stored_bytes
    tasks.write_files(batch.pk)
    tasks.write_files(batch.pk)
    # As the interrupted worker does, if it still lives.
    batch_lifecycle.delete_attempts(batch, batch.claims)
    batch.refresh_from_db()
    assert (len(batch.claims), tables()) == (2, [])
    written = batch.files.exclude(kind="upload")
    assert batch.stored_bytes == before + sum(file.bytes for file in written)
    files = files_of(alice, batch)
    assert {*files} == {"upload.", "result.jsonl", "unprocessed.csv"}
    assert files["unprocessed.csv"] == "name\nContact 2\nContact 3\nContact 4\n"
    lines = [json.loads(line) for line in files["result.jsonl"].splitlines()]
    assert [(line["row"], line["outcome"]) for line in lines] == [(1, "created"), (2, "created")]
    alice.post(f"/v1/batches/{batch.public_id}/retry")
    batch = run(batch)
    assert (batch.status, batch.created_count) == ("completed", 5)
    assert len(files_of(alice, batch)["result.jsonl"].splitlines()) == 5


def test_the_files_of_an_interrupted_batch_are_not_stored_after_a_retry(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = queued(alice, f"name\n{FIVE}")
    die(batch)
    alice.post(f"/v1/batches/{batch.public_id}/cancel")
    original = results.Results.write_interrupted

    def retried(self: results.Results, *, has_input: bool) -> Any:
        files = original(self, has_input=has_input)
        alice.post(f"/v1/batches/{batch.public_id}/retry")
        return files

    monkeypatch.setattr(results.Results, "write_interrupted", retried)
    tasks.write_files(batch.pk)
    batch.refresh_from_db()
    assert (batch.status, batch.claims) == ("queued", [])
    assert [file.kind for file in batch.files.all()] == ["upload"]
    assert len(stored_files()) == 1
    assert tables() == []


def test_a_canceled_undo_has_files(alice: KeyClient, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = queued(alice, f"name\n{FIVE}")
    with monkeypatch.context() as patch:
        patch.setattr(chunks, "CHUNK_ROWS", 2)
        run(batch)
    Contact.objects.filter(name="Contact 4").update(notes="changed since")
    undo = undone(alice, batch)
    reversed_ = []

    def dying(held: Batch) -> None:
        journal.hold(held)
        reversed_.append(1)
        if len(reversed_) == 3:
            raise Death

    with monkeypatch.context() as patch:
        patch.setattr(merging_undo, "hold", dying)
        patch.setattr(batch_lifecycle, "delete_attempts", lambda *_: True)
        with pytest.raises(Death):
            runner.run(undo.pk)
    alice.post(f"/v1/batches/{undo.public_id}/cancel")
    tasks.write_files(undo.pk)
    files = files_of(alice, undo)
    assert {*files} == {"errors.csv", "errors.jsonl", "result.jsonl"}
    assert len(files["result.jsonl"].splitlines()) == 2


def test_a_batch_with_too_many_errors_says_what_earlier_attempts_wrote(
    alice: KeyClient, acme: Organization
) -> None:
    old = [Contact.objects.create(organization=acme, name=f"Old {number}") for number in range(4)]
    rows = "".join(f"{contact.pk},New\n" for contact in old)
    batch = queued(alice, f"id,name\n{rows}", on_error={"max_errors": 0})
    die(batch)
    Contact.objects.filter(name__startswith="Old")[0].delete()
    Batch.objects.update(heartbeat_at=timezone.now() - maintenance.MAX_SILENCE * 2)
    maintenance.recover(batch_lifecycle)
    batch = run(batch)
    assert (batch.status, code_of(batch), batch.updated_count) == ("failed", "too_many_errors", 2)
    result = files_of(alice, batch)["result.jsonl"]
    assert [json.loads(line)["outcome"] for line in result.splitlines()] == ["updated"] * 2
    assert batch.reason == (
        "1 row has errors, more than max_errors (0)."
        " Earlier attempts wrote 2 records, this one wrote nothing."
    )


def test_a_running_batch_is_canceled_and_continued(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = queued(alice)
    original = writing.Merge.write
    has_begun = threading.Event()

    def slow(self: Any) -> Any:
        has_begun.set()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
        return original(self)

    monkeypatch.setattr(writing.Merge, "write", slow)
    working = threading.Thread(target=in_thread, args=[batch.pk])
    working.start()
    assert has_begun.wait(30)
    began = time.monotonic()
    assert alice.post(f"/v1/batches/{batch.public_id}/cancel").json()["status"] == "canceled"
    working.join(30)
    assert time.monotonic() - began < 10
    wait_for(lambda: tables() == [])
    assert not Contact.objects.exists()
    monkeypatch.undo()
    alice.post(f"/v1/batches/{batch.public_id}/retry")
    assert run(batch).created_count == 2


def test_all_connections_of_a_batch_are_canceled(
    alice: KeyClient, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    contacts = [Contact.objects.create(organization=acme, name="Old") for _ in range(4)]
    batch = queued(alice, "id,name\n" + "".join(f"{each.pk},New\n" for each in contacts))
    working = threading.Thread(target=in_thread, args=[batch.pk])
    with transaction.atomic():
        list(Contact.objects.select_for_update())
        working.start()
        wait_for(lambda: waiting() == 2)
        canceling = threading.Thread(target=cancel, args=[alice, batch])
        canceling.start()
        canceling.join(30)
        wait_for(lambda: waiting() == 0)
    working.join(30)
    wait_for(lambda: tables() == [])
    assert not Contact.objects.filter(name="New").exists()


def waiting() -> int:
    """Return the number of connections that wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        ((count,),) = cursor.fetchall()
    return int(count)


def cancel(client: KeyClient, batch: Batch) -> None:
    try:
        client.post(f"/v1/batches/{batch.public_id}/cancel")
    finally:
        connection.close()


def in_thread(number: int) -> None:
    try:
        runner.run(number)
    finally:
        connection.close()


def test_a_batch_that_takes_too_long_times_out(
    alice: KeyClient, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(self: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")

    monkeypatch.setattr(writing.Merge, "write", slow)
    BatchLimits.objects.create(organization=acme, seconds=1)
    batch = run(queued(alice))
    assert (batch.status, code_of(batch)) == ("timed_out", "timeout")
    wait_for(lambda: tables() == [])


def test_a_worker_goes_on_with_a_sync_batch_that_takes_too_long(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner._SyncRunner, "max_seconds", 1)
    with monkeypatch.context() as slowed:
        slowed.setattr(writing.Merge, "write", lambda merge: time.sleep(3))
        batch = created(post_file(alice, CSV, mode="sync"))
    assert (batch.status, len(batch.claims)) == ("queued", 1)
    batch = run(batch)
    assert (batch.status, batch.created_count) == ("completed", 2)


def test_a_worker_goes_on_with_a_sync_batch_that_waits_for_a_lock(
    alice: KeyClient, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner._SyncRunner, "max_lock_seconds", 1)
    contact = Contact.objects.create(organization=acme, name="Old")
    body = {"resource": "contact", "mode": "sync", "data": [{"id": contact.pk, "name": "New"}]}
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Contact.objects.filter(pk=contact.pk).update(notes="locked")
        response = pool.submit(with_connection, lambda: alice.post("/v1/batches", body)).result(10)
    batch = created(response)
    assert response.json()["status"] == "queued"
    event = BatchEvent.objects.filter(batch=batch).latest("pk")
    assert event.reason.startswith("Another transaction, perhaps of another batch, had locked")
    batch = run(batch)
    assert (batch.status, batch.updated_count) == ("completed", 1)


def with_connection(work: Callable[[], Any]) -> Any:
    """Return the result of a function that uses a connection of this thread."""
    try:
        return work()
    finally:
        connections.close_all()


def test_a_mixed_batch_does_not_wait_for_a_lock(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(1) as pool, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE longshore_logistics_contact IN ACCESS EXCLUSIVE MODE")
        body = {"resource": "contact", "data": [{"name": "New"}]}
        response = pool.submit(with_connection, lambda: alice.post("/v1/batches", body)).result(10)
        assert response.json()["status"] == "queued"
    assert run(created(response)).status == "completed"


@pytest.mark.parametrize(("before", "after"), [("4MB", "32MB"), ("1GB", "1GB")])
def test_the_memory_of_statements_is_raised_only(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    found: list[tuple[str, float]] = []

    def write(merge: writing.Merge) -> None:
        def look() -> None:
            query = "SELECT current_setting('work_mem'), current_setting('random_page_cost')"
            found.extend((memory, float(cost)) for memory, cost in fetched(query))

        look()
        with transaction.atomic():
            journal.execute(chunks._SETTINGS)
            look()

    monkeypatch.setattr(writing.Merge, "write", write)
    with connection.cursor() as cursor:
        name = connection.settings_dict["NAME"]
        cursor.execute(f"ALTER DATABASE {name} SET work_mem = '{before}'")
        cursor.execute(f"ALTER DATABASE {name} SET random_page_cost = 1")
    try:
        run(queued(alice))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} RESET ALL")
    assert found == [(after, 1), (after, 1)]


def fetched(query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [*cursor.fetchall()]


def test_an_expired_batch_loses_its_files_and_cannot_run_again(alice: KeyClient) -> None:
    batch = run(queued(alice, CSV_WITH_ERROR, on_error="abort"))
    Batch.objects.update(expires_at=timezone.now())
    maintenance.expire(batch_lifecycle)
    batch.refresh_from_db()
    assert (batch.has_files, batch.stored_bytes, batch.claims) == (False, 0, [])
    assert stored_files() == []
    refused = alice.post(f"/v1/batches/{batch.public_id}/retry")
    assert (refused.status_code, refused.json()["error"]) == (410, "batch_expired")
    assert alice.get(f"/v1/batches/{batch.public_id}/files").json()["error"] == "batch_expired"


def test_the_tables_of_lost_attempts_are_dropped(alice: KeyClient) -> None:
    batch = queued(alice)
    Batch.objects.update(claims=["claim_1known"])
    with connection.cursor() as cursor:
        for claim in ("claim_1known", "claim_2lost", "preview_3lost"):
            cursor.execute(f"CREATE UNLOGGED TABLE longshore_batch_{claim}_input ()")
        # Not one of a batch.
        cursor.execute("CREATE UNLOGGED TABLE longshore_batch_notes ()")
    tasks.purge_tables()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE longshore_batch_notes")
    assert tables() == ["longshore_batch_claim_1known_input"]
    assert staging_tables.drop(["claim_1known"])
    assert tables() == []
    assert batch.status == Status.QUEUED


def test_a_batch_is_undone(alice: KeyClient) -> None:
    kept, changed = "Zoë Ünal", "Łukasz Żak"
    batch = run(queued(alice))
    url = f"/v1/batches/{batch.public_id}"
    Contact.objects.filter(name=changed).update(notes="changed since")
    response = alice.post(f"{url}/undo")
    assert response.status_code == 201, response.content
    assert response.json()["reverses"] == batch.public_id
    again = alice.post(f"{url}/undo")
    assert (again.status_code, again.json()["id"]) == (200, response.json()["id"])
    assert again["Location"] == response["Location"]
    undo = run(Batch.objects.get(public_id=response.json()["id"]))
    assert (undo.status, undo.deleted_count, undo.failed_count) == ("completed", 1, 1)
    assert undo.reason.startswith("Reversed 1 of 2 records; kept 1")
    shown = [alice.get(f"/v1/batches/{each.public_id}").json()["undo"] for each in (batch, undo)]
    assert shown == [None, {"reversed": 1, "kept": 1, "failed": 0}]
    assert not Contact.objects.filter(name=kept).exists()
    [error] = alice.get(f"/v1/batches/{undo.public_id}/errors").json()["results"]
    assert (error["row"], error["code"]) == (2, "changed_since")
    assert '"outcome":"deleted"' in files_of(alice, undo)["result.jsonl"]
    refused = alice.post(f"/v1/batches/{undo.public_id}/undo")
    assert (refused.status_code, refused.json()["error"]) == (409, "invalid_status")


def undone(client: KeyClient, batch: Batch) -> Batch:
    return created(client.post(f"/v1/batches/{batch.public_id}/undo"))


def test_an_undone_batch_cannot_be_retried_after_its_undo_is_deleted(alice: KeyClient) -> None:
    batch = run(queued(alice))
    undo = run(undone(alice, batch))
    alice.delete(f"/v1/batches/{undo.public_id}")
    maintenance.discard(batch_lifecycle)
    assert not Batch.objects.filter(pk=undo.pk).exists()
    Batch.objects.update(status="canceled")
    refused = alice.post(f"/v1/batches/{batch.public_id}/retry")
    assert (refused.status_code, refused.json()["error"]) == (409, "invalid_status")
    assert not Contact.objects.exists()


def test_an_undo_that_failed_is_retried(alice: KeyClient) -> None:
    batch = run(queued(alice))
    undo = run(undone(alice, batch))
    Batch.objects.filter(pk=undo.pk).update(status="canceled", has_files=False)
    assert undone(alice, batch) == undo
    undo = run(undo)
    assert (undo.status, undo.deleted_count, undo.failed_count) == ("completed", 2, 0)


def test_the_journal_is_kept_while_an_undo_is_queued(alice: KeyClient) -> None:
    batch = run(queued(alice))
    undo = undone(alice, batch)
    Batch.objects.filter(pk=batch.pk).update(completed_at="2024-01-01T00:00:00Z")
    journals.purge()
    assert run(undo).deleted_count == 2
    journals.purge()
    assert not JournalEntry.objects.filter(batch=batch).exists()


def test_old_batches_are_purged_with_their_undo(alice: KeyClient) -> None:
    batch = run(queued(alice))
    undo = run(undone(alice, batch))
    old = {"status": "expired", "has_files": False, "completed_at": "2024-01-01T00:00:00Z"}
    Batch.objects.filter(pk=batch.pk).update(**old)
    maintenance.purge(batch_lifecycle)
    undo.refresh_from_db()
    assert undo.reverses is None
    assert list(Batch.objects.all()) == [undo]


@pytest.mark.parametrize("status", ["canceled", "expired"])
def test_a_batch_without_an_input_is_not_retried(alice: KeyClient, status: str) -> None:
    response = alice.post("/v1/batches", {"resource": "contact", "upload": True})
    batch = created(response)
    Batch.objects.update(status=status)
    refused = alice.post(f"/v1/batches/{batch.public_id}/retry")
    assert (refused.status_code, refused.json()["error"]) == (409, "invalid_status")


def test_the_time_of_an_undo_ends(alice: KeyClient) -> None:
    batch = queued(alice)
    url = f"/v1/batches/{batch.public_id}"
    assert alice.post(f"{url}/undo").json()["error"] == "batch_not_ready"
    run(batch)
    Batch.objects.update(completed_at="2024-01-01T00:00:00Z")
    refused = alice.post(f"{url}/undo")
    assert (refused.status_code, refused.json()["error"]) == (410, "undo_expired")
    assert BatchEvent.objects.filter(batch=batch).count() == 3


def test_an_overwrite_deletes_what_it_does_not_name(alice: KeyClient, acme: Organization) -> None:
    old = [Contact.objects.create(organization=acme, name=f"Old {number}") for number in range(4)]
    rows = "".join(f"{contact.pk},New\n" for contact in old[:2])
    content = f"id,name\n{rows}"
    dry = run(queued(alice, content, action="overwrite", dry_run=True))
    assert (dry.status, dry.updated_count, dry.deleted_count) == ("completed", 2, 2)
    batch = run(queued(alice, content, action="overwrite"))
    assert (batch.status, batch.updated_count, batch.deleted_count) == ("completed", 2, 2)
    assert batch.phases[3] == {
        "name": "cleanup",
        "total": 2,
        "processed": 2,
        "success": 2,
        "error": 0,
    }
    assert set(Contact.objects.values_list("name", flat=True)) == {"New"}


def test_an_overwrite_of_more_than_half_must_be_confirmed(
    alice: KeyClient, acme: Organization
) -> None:
    for number in range(4):
        Contact.objects.create(organization=acme, name=f"Old {number}")
    dry = run(queued(alice, "name\nNew\n", action="overwrite", dry_run=True))
    assert (dry.status, dry.created_count, dry.deleted_count) == ("completed", 1, 4)
    assert [each for each in dry.warnings if "set confirm_deletes to 4" in each]
    refused = run(queued(alice, "name\nNew\n", action="overwrite"))
    assert (refused.status, code_of(refused)) == ("failed", "deletion_not_confirmed")
    assert "confirm_deletes to 4" in refused.reason
    assert Contact.objects.count() == 4
    batch = run(queued(alice, "name\nNew\n", action="overwrite", confirm_deletes=4))
    assert (batch.status, batch.created_count, batch.deleted_count) == ("completed", 1, 4)


def test_an_overwrite_says_that_it_deletes_nothing_because_of_an_error(
    alice: KeyClient, acme: Organization
) -> None:
    old = [Contact.objects.create(organization=acme, name=f"Old {number}") for number in range(3)]
    content = f"id,name\n{old[0].pk},New\n{old[1].pk},New,too many\n"
    batch = run(queued(alice, content, action="overwrite"))
    assert (batch.status, batch.updated_count, batch.deleted_count) == ("completed", 1, 0)
    assert batch.warnings[-1] == (
        "No record is deleted: 1 row has errors, and it is not known which record it names."
    )
    assert Contact.objects.count() == 3


def test_records_that_an_overwrite_cannot_delete_are_counted(
    alice: KeyClient, acme: Organization
) -> None:
    old = [Contact.objects.create(organization=acme, name=f"Old {number}") for number in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER keep BEFORE DELETE ON longshore_logistics_contact
              FOR EACH ROW EXECUTE FUNCTION keep()""")
    content = "".join(f"{contact.pk},New\n" for contact in old[:2])
    try:
        batch = run(queued(alice, f"id,name\n{content}", action="overwrite"))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION keep CASCADE")
    assert (batch.status, batch.deleted_count, batch.failed_count) == ("completed", 0, 1)


def test_a_row_with_an_error_keeps_its_record_from_an_overwrite(
    alice: KeyClient, acme: Organization
) -> None:
    old = [Contact.objects.create(organization=acme, name=f"Old {number}") for number in range(3)]
    rows = f"{old[0].pk},New,true\n{old[1].pk},New,perhaps\n,Other,perhaps\n"
    batch = run(queued(alice, f"id,name,is_primary\n{rows}", action="overwrite"))
    assert (batch.status, batch.updated_count, batch.deleted_count) == ("completed", 1, 1)
    assert set(Contact.objects.values_list("name", flat=True)) == {"New", "Old 1"}


def test_the_journal_is_kept_until_a_batch_can_neither_be_undone_nor_retried(
    alice: KeyClient,
) -> None:
    run(queued(alice))
    journals.purge()
    assert JournalEntry.objects.exists()
    Batch.objects.update(completed_at="2024-01-01T00:00:00Z", status="canceled")
    journals.purge()
    assert JournalEntry.objects.exists()
    Batch.objects.update(status="completed")
    journals.purge()
    assert not JournalEntry.objects.exists()
