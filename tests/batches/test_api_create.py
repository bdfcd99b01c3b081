"""POST /v1/batches: records in the request, files, modes, idempotency, refused requests."""

import json
from typing import Any, cast

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from batches.execution.attempt import Attempt
from batches.lifecycle import limits
from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch, BatchLimits
from batches.spec import MAX_SYNC_RECORDS
from longshore.accounts.models import Organization
from longshore.api.announcements import ACCEPTED, ANNOUNCED
from longshore.api.multipart import file_name
from longshore.domains.logistics.models import Contact
from longshore.files.storage import file_storage
from longshore.jobs import actions
from tests.batches.running import CONTACTS, CSV, CSV_WITH_ERROR, created, post_file, run
from tests.claims import claim
from tests.conftest import KeyClient
from tests.exports.conftest import storage, stored_files

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


def post(client: KeyClient, **request: Any) -> Any:
    return client.post("/v1/batches", {"resource": "contact", "data": CONTACTS, **request})


def test_records_in_the_request_become_the_input_of_a_queued_batch(alice: KeyClient) -> None:
    response = post(alice, mode="async", metadata={"ticket": "A-17"})
    shown = response.json()
    assert response.status_code == 201
    assert response["Location"] == shown["url"]
    assert (shown["status"], shown["via"], shown["mode"]) == ("queued", "api", "async")
    assert shown["metadata"] == {"ticket": "A-17"}
    assert shown["request"] == {
        "resource": "contact",
        "mode": "async",
        "metadata": {"ticket": "A-17"},
    }
    batch = created(response)
    assert batch.input_key is not None
    assert json.loads(file_storage.open(batch.input_key).read()) == CONTACTS
    assert (batch.input_bytes, batch.stored_bytes) == (shown["input"]["bytes"],) * 2


def test_a_sync_batch_has_ended_when_the_response_is_sent(
    alice: KeyClient, acme: Organization
) -> None:
    shown = post(alice, mode="sync").json()
    assert (shown["status"], shown["progress"], shown["error"]) == ("completed", 100, None)
    assert shown["reason"] == "2 rows: 2 created."
    assert shown["stats"]["created"] == 2
    assert set(Contact.objects.values_list("name", "organization")) == {
        ("Zoë Ünal", acme.pk),
        ("Łukasz Żak", acme.pk),
    }
    assert [phase["name"] for phase in shown["phases"]] == ["parsing", "validation", "processing"]
    assert all(phase["total"] == phase["processed"] == 2 for phase in shown["phases"])


def test_a_sync_batch_of_too_many_rows_fails(alice: KeyClient) -> None:
    rows = "name\n" + "Zoë\n" * (MAX_SYNC_RECORDS + 1)
    shown = post_file(alice, rows, mode="sync").json()
    assert (shown["status"], shown["error"]["error"]) == ("failed", "too_many_records")
    assert not Contact.objects.exists()


def test_a_sync_batch_of_too_many_bytes_is_refused(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_SYNC_BYTES", 20)
    refused = post_file(alice, CSV, mode="sync")
    assert (refused.status_code, refused.json()["error"]) == (422, "file_too_large")
    assert refused.json()["message"] == (
        "The input has more than 20 bytes, the limit of the mode sync. Set mode to mixed or async."
    )
    assert stored_files() == []
    assert post_file(alice, CSV, mode="mixed").status_code == 201


def test_a_large_file_needs_an_upload_link(alice: KeyClient, settings: Settings) -> None:
    settings.BATCH_MAX_MULTIPART_BYTES = 20
    refused = post_file(alice, CSV)
    assert (refused.status_code, refused.json()["error"]) == (422, "file_too_large")
    assert "Set upload to true instead" in refused.json()["message"]
    assert stored_files() == []


def test_a_small_mixed_batch_shows_its_errors_before_it_is_written(alice: KeyClient) -> None:
    response = post_file(alice, CSV_WITH_ERROR)
    shown = response.json()
    assert (shown["status"], shown["stats"]["failed"]) == ("queued", 1)
    assert shown["input"]["delimiter"] == ";"
    assert shown["input"]["mapping"] == {"name": "name", "is_primary": "is_primary"}
    [error] = alice.get(f"{shown['url']}/errors").json()["results"]
    assert (error["row"], error["column"], error["value"]) == (2, "is_primary", "perhaps")
    assert not Contact.objects.exists()
    batch = run(created(response))
    assert (batch.status, batch.created_count, batch.failed_count) == ("completed", 1, 1)
    assert len(alice.get(f"{shown['url']}/errors").json()["results"]) == 1


def test_an_unexpected_error_of_the_validation_leaves_the_batch_to_the_worker(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(attempt: Attempt) -> None:
        raise psycopg.errors.DiskFull

    monkeypatch.setattr(Attempt, "validate", fail)
    response = post_file(alice, CSV)
    assert (response.status_code, response.json()["status"]) == (201, "queued")


def test_an_input_that_cannot_be_used_fails_a_mixed_batch_at_once(alice: KeyClient) -> None:
    shown = post_file(alice, "nmae\nZoë\n").json()
    assert (shown["status"], shown["error"]["error"]) == ("failed", "unknown_column")
    assert "Did you mean 'name'?" in shown["error"]["message"]
    assert shown["reason"] == shown["error"]["message"]


@pytest.mark.parametrize("mode", ["sync", "mixed"])
def test_no_staging_tables_are_left(alice: KeyClient, mode: str) -> None:
    run(created(post_file(alice, CSV_WITH_ERROR, mode=mode)))
    assert staging_tables() == []


def staging_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE starts_with(relname, 'longshore_batch_')"
        )
        return [name for (name,) in cursor.fetchall()]


def test_a_file_is_stored_as_it_is(alice: KeyClient) -> None:
    response = post_file(alice, CSV, "C:\\data\\people.csv", mode="async")
    shown = response.json()
    assert (shown["via"], shown["input"]["name"]) == ("file", "people.csv")
    batch = created(response)
    assert batch.input_key is not None
    assert file_storage.open(batch.input_key).read() == CSV.encode()


@pytest.mark.parametrize("mode", ["sync", "mixed", "async"])
def test_an_idempotency_key_creates_one_batch(alice: KeyClient, mode: str) -> None:
    headers = {"Idempotency-Key": "k1"}
    body = {"resource": "contact", "data": CONTACTS, "mode": mode}
    first = alice.post("/v1/batches", body, headers=headers)
    second = alice.post("/v1/batches", body, headers=headers)
    assert first.json()["id"] == second.json()["id"]
    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert second["Location"] == first["Location"]
    # The input of the second request is deleted.
    assert len([path for path in stored_files() if path.name == "data"]) == 1
    # A replay shows the batch as it is now.
    run(Batch.objects.get())
    third = alice.post("/v1/batches", body, headers=headers)
    assert (third.json()["status"], third.json()["stats"]["created"]) == ("completed", 2)


def test_an_idempotency_key_identifies_the_content_of_a_file(alice: KeyClient) -> None:
    headers = {"PX-API-KEY": alice.key, "Idempotency-Key": "k1"}
    alice.credentials()
    parts = {"request": '{"resource": "contact"}'}

    def send(content: str) -> Any:
        from django.core.files.uploadedfile import SimpleUploadedFile

        file = SimpleUploadedFile("people.csv", content.encode())
        return alice.post(
            "/v1/batches", parts | {"file": file}, format="multipart", headers=headers
        )

    assert send(CSV).status_code == 201
    assert send(CSV)["Idempotent-Replayed"] == "true"
    assert send(CSV_WITH_ERROR).json()["error"] == "idempotency_key_reused"
    assert len(stored_files()) == 1


def test_dedupe_returns_the_batch_with_the_same_file_and_request(alice: KeyClient) -> None:
    first = post_file(alice, CSV, mode="async", dedupe=True)
    second = post_file(alice, CSV, mode="async", dedupe=True)
    other = post_file(alice, CSV, mode="async", dedupe=True, dry_run=True)
    assert (first.status_code, second.status_code, other.status_code) == (201, 200, 201)
    assert first.json()["id"] == second.json()["id"] != other.json()["id"]
    assert len(stored_files()) == 2
    alice.post(f"{first.json()['url']}/cancel")
    assert post_file(alice, CSV, mode="async", dedupe=True).status_code == 201


def test_dedupe_does_not_return_a_batch_that_was_undone(alice: KeyClient) -> None:
    first = run(created(post_file(alice, CSV, mode="async", dedupe=True)))
    alice.post(f"/v1/batches/{first.public_id}/undo")
    assert created(post_file(alice, CSV, mode="async", dedupe=True)) != first


@pytest.mark.parametrize("key", [{"headers": {"Idempotency-Key": "k-1"}}, {"dedupe": True}])
def test_quotas_do_not_refuse_a_request_that_was_processed(
    alice: KeyClient, acme: Organization, key: dict[str, Any]
) -> None:
    BatchLimits.objects.create(organization=acme, unfinished=1)
    headers = key.get("headers", {})
    request = {"resource": "contact", "data": CONTACTS, "mode": "async"}
    request |= {name: value for name, value in key.items() if name == "dedupe"}
    first = created(alice.post("/v1/batches", request, headers=headers))
    assert created(alice.post("/v1/batches", request, headers=headers)) == first
    assert len(stored_files()) == 1


def test_a_batch_that_a_worker_claims_at_once_is_not_run_twice(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim_at_once(kind: object, job: Batch, **options: object) -> bool:
        return claim(batch_lifecycle, job) is not None

    monkeypatch.setattr(actions, "enqueue", claim_at_once)
    shown = post(alice, mode="async").json()
    assert shown["status"] == "processing"
    assert not Contact.objects.exists()


def test_a_number_that_would_lose_digits_is_refused(alice: KeyClient) -> None:
    for number in ("12345678901234567.89", "1e-99999999999999999999"):
        body = f'{{"resource": "contact", "data": [{{"name": "Zoë", "notes": {number}}}]}}'
        refused = alice.post("/v1/batches", data=body, content_type="application/json")
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
        assert "Send it as a string" in refused.json()["message"]
    assert stored_files() == []


@pytest.mark.parametrize("name", ["..", "/", "\u200b"])
def test_a_file_without_a_usable_name_is_called_upload(name: str) -> None:
    assert file_name(name) == "upload"


def test_a_refused_request_stores_nothing(alice: KeyClient) -> None:
    refused = post_file(alice, CSV, action="upsert")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_action")
    refused = alice.post("/v1/batches", {"resource": "contact"})
    assert refused.status_code == 400
    assert not Batch.objects.exists()
    assert stored_files() == []


def test_a_file_larger_than_the_limit_is_refused(alice: KeyClient, acme: Organization) -> None:
    BatchLimits.objects.create(organization=acme, bytes=20)
    refused = post_file(alice, CSV)
    assert (refused.status_code, refused.json()["error"]) == (422, "file_too_large")
    assert stored_files() == []


def test_inputs_count_for_the_storage_quota(alice: KeyClient, acme: Organization) -> None:
    BatchLimits.objects.create(organization=acme, stored_bytes=len(CSV.encode()) + 5)
    assert post_file(alice, CSV, mode="async").status_code == 201
    refused = post_file(alice, CSV, mode="async")
    assert refused.json()["error"] == "storage_quota_exceeded"
    assert len(stored_files()) == 1


def test_a_key_that_only_reads_creates_no_batch(read_only: KeyClient) -> None:
    assert post(read_only).status_code == 403


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"request": "{}"}, "The body has no part file."),
        ({"other": "1"}, "The body must have the parts request"),
        ({"request": "{", "file": "x"}, "The body is not valid JSON"),
    ],
)
def test_incomplete_multipart_bodies_are_refused(
    alice: KeyClient, parts: dict[str, str], message: str
) -> None:
    refused = alice.post("/v1/batches", parts, format="multipart")
    assert refused.status_code == 400
    assert refused.json()["message"].startswith(message)


def test_the_parts_may_come_in_any_order(alice: KeyClient) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\n\r\n'
        b"name\nZo\r\n"
        b'--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n'
        b'{"resource": "contact", "mode": "sync"}\r\n--b--\r\n'
    )
    assert send_multipart(alice, body).status_code == 201
    assert Contact.objects.get().name == "Zo"
    refused = send_multipart(alice, body[:-9])
    assert refused.status_code == 400
    assert "closing boundary" in refused.json()["message"]


def test_a_request_may_begin_in_another_block_than_its_file(alice: KeyClient) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\n\r\n'
    end = b"\r\n--b"
    content = b"name\n" + b"A" * ((1 << 18) - len(head) - len(end) - 5)
    request = (
        b'\r\nContent-Disposition: form-data; name="request"\r\n\r\n'
        b'{"resource": "contact", "mode": "async"}\r\n--b--\r\n'
    )
    response = send_multipart(alice, head + content + end + request)
    assert response.status_code == 201, response.content
    assert response.json()["input"]["bytes"] == len(content)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_second_file_is_refused_wherever_it_is(alice: KeyClient, position: int) -> None:
    file = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\n\r\nname\nZo\r\n'
    )
    parts = [file, file]
    parts.insert(
        position,
        b'--b\r\nContent-Disposition: form-data; name="request"\r\n\r\n{"resource": "contact"}\r\n',
    )
    refused = send_multipart(alice, b"".join(parts) + b"--b--\r\n")
    assert refused.status_code == 400
    assert "once each" in refused.json()["message"]
    assert stored_files() == []


def test_unnamed_parts_are_refused(alice: KeyClient) -> None:
    refused = send_multipart(alice, b"--b\r\n\r\n\r\n" * 5 + b"--b--\r\n")
    assert refused.json()["message"] == "A part of the body has no Content-Disposition."


def send_multipart(client: KeyClient, body: bytes) -> Any:
    kind = "multipart/form-data; boundary=b"
    return client.generic("POST", "/v1/batches", cast("str", body), content_type=kind)


def test_an_announced_request_counts_when_it_is_announced(
    alice: KeyClient, settings: Settings
) -> None:
    settings.API_RATE_LIMIT = "2/min"

    def status(mark: str) -> int:
        body = {"resource": "contact", "mode": "async", "data": CONTACTS}
        environment: dict[str, Any] = {mark: True}
        return int(alice.post("/v1/batches", body, **environment).status_code)

    assert [status(ANNOUNCED), status(ACCEPTED), status(ACCEPTED)] == [204, 201, 201]
    assert [status(ANNOUNCED), status(ANNOUNCED)] == [204, 429]
