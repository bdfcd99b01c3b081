"""Reading batches: lists, errors, files, links, cancellation, deletion, other organizations."""

import csv
import io
import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from batches.models import Batch, BatchError
from longshore.domains.logistics.models import Contact
from tests.batches.running import (
    CONTACTS,
    CSV,
    CSV_WITH_ERROR,
    created,
    downloaded,
    files_of,
    post_file,
    run,
)
from tests.conftest import KeyClient
from tests.exports.conftest import storage, stored_files

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


@pytest.fixture
def batch(alice: KeyClient, storage: None) -> Batch:
    """A completed batch with one error."""
    return run(created(post_file(alice, CSV_WITH_ERROR, mode="async")))


def test_the_list_has_filters(alice: KeyClient, batch: Batch) -> None:
    body = {"resource": "contact", "data": CONTACTS, "mode": "sync"}
    other = alice.post("/v1/batches", body).json()["id"]

    def listed(query: str) -> list[str]:
        return [each["id"] for each in alice.get(f"/v1/batches?{query}").json()["results"]]

    assert listed("") == [other, batch.public_id]
    assert listed("via=file") == [batch.public_id]
    assert listed("mode=sync,mixed") == [other]
    assert listed("status=completed&resource=contact") == [other, batch.public_id]
    assert listed("status=failed") == []
    assert listed("created_at=gt:2020-01-01") == [other, batch.public_id]
    refused = alice.get("/v1/batches?mode=later")
    assert (refused.status_code, refused.json()["details"]["mode"]) == (400, "later")


def test_errors_are_pages_in_the_order_of_rows(alice: KeyClient, batch: Batch) -> None:
    BatchError.objects.bulk_create(
        BatchError(batch=batch, row=row, column="name", code="too_long", message=f"{row}")
        for row in (9, None, 5, None, 7, 3)
    )
    url = f"/v1/batches/{batch.public_id}/errors?limit=2"
    rows = []
    while url:
        page = alice.get(url).json()
        rows += [each["row"] for each in page["results"]]
        url = page["next"]
    # Errors of records that no row names come last.
    assert rows == [2, 3, 5, 7, 9, None, None]


def test_the_files_show_what_became_of_each_row(alice: KeyClient, batch: Batch) -> None:
    files = files_of(alice, batch)
    assert set(files) == {
        "upload.csv",
        "failed.csv",
        "errors.csv",
        "errors.jsonl",
        "result.jsonl",
    }
    assert files["upload.csv"] == CSV_WITH_ERROR
    [error] = [json.loads(line) for line in files["errors.jsonl"].splitlines()]
    assert (error["row"], error["column"], error["value"]) == (2, "is_primary", "perhaps")
    [row] = csv.DictReader(io.StringIO(files["errors.csv"]))
    assert row["message"] == error["message"]
    [failed] = csv.DictReader(io.StringIO(files["failed.csv"]), delimiter=";")
    assert failed == {"name": "Łukasz Żak", "is_primary": "perhaps", "_errors": error["message"]}
    contact = Contact.objects.get()
    assert [json.loads(line) for line in files["result.jsonl"].splitlines()] == [
        {"row": 1, "id": contact.pk, "outcome": "created"},
        {"row": 2, "id": None, "outcome": "failed"},
    ]
    assert batch.stored_bytes == sum(path.stat().st_size for path in stored_files())


def test_the_file_of_failed_rows_is_mended_and_sent_again(alice: KeyClient, batch: Batch) -> None:
    failed = files_of(alice, batch)["failed.csv"].replace("perhaps", "false")
    again = run(created(post_file(alice, failed, mode="async")))
    assert (again.status, again.created_count, again.failed_count) == ("completed", 1, 0)
    assert Contact.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("name;is_primary;notes\nŁ;perhaps;n\n", "failed.csv"),
        ('{"name": "Ł", "is_primary": "perhaps", "notes": 1.50}\n', "failed.jsonl"),
        ('[{"is_primary": "perhaps"}]', "failed.json"),
    ],
)
def test_the_file_of_failed_rows_is_sent_again_until_it_has_no_errors(
    alice: KeyClient, content: str, name: str
) -> None:
    sent: list[str] = []
    for _ in range(3):
        batch = run(created(post_file(alice, content, name, mode="async")))
        assert (batch.status, batch.failed_count) == ("completed", 1), batch.error
        content = files_of(alice, batch)[name]
        sent.append(content)
    assert sent[1] == sent[2]
    assert content.count("_errors") == 1
    assert ("notes" in sent[0]) == ("1.50" in content or ";n;" in content)


def test_a_batch_includes_links_on_request(alice: KeyClient, batch: Batch) -> None:
    url = f"/v1/batches/{batch.public_id}"
    assert "errors_csv" not in alice.get(url).json()
    names = ("upload_csv", "upload_json", "errors_csv", "errors_json", "result_json")
    query = "&".join(f"include_{name}=true" for name in names)
    shown = alice.get(f"{url}?{query}").json()
    assert shown["upload_json"] is None
    assert downloaded(shown["upload_csv"]).decode() == CSV_WITH_ERROR
    assert downloaded(shown["errors_csv"]).startswith(b"row,column,code,value,message\n2,")
    assert json.loads(downloaded(shown["errors_json"]))["row"] == 2
    assert len(downloaded(shown["result_json"]).splitlines()) == 2
    assert alice.get(f"{url}?include_errors_csv=yes").status_code == 400


def test_json_keeps_its_shape_in_the_file_of_failed_rows(alice: KeyClient) -> None:
    rows: list[dict[str, Any]] = [
        {"name": "Zoë", "is_primary": True},
        {"name": 'Ł "Ł"', "is_primary": "x", "notes": None},
    ]
    batch = run(created(post_file(alice, json.dumps(rows), "people.json", mode="async")))
    files = files_of(alice, batch)
    [failed] = json.loads(files["failed.json"])
    assert {name: failed[name] for name in rows[1]} == rows[1]
    assert failed["_errors"]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    batch = run(created(post_file(alice, lines, "people.jsonl", mode="async")))
    assert json.loads(files_of(alice, batch)["failed.jsonl"])["name"] == 'Ł "Ł"'


def test_other_organizations_do_not_find_a_batch(charlie: KeyClient, batch: Batch) -> None:
    url = f"/v1/batches/{batch.public_id}"
    for path in ("", "/errors", "/files", "/events"):
        assert charlie.get(f"{url}{path}").status_code == 404
    for path in ("/cancel", "/retry", "/undo"):
        assert charlie.post(f"{url}{path}").status_code == 404
    assert charlie.delete(url).status_code == 404
    assert charlie.get("/v1/batches").json()["results"] == []


def test_deleting_a_batch_ends_its_links(alice: KeyClient, batch: Batch) -> None:
    link = alice.get(f"/v1/batches/{batch.public_id}/files").json()["results"][0]["url"]
    assert alice.delete(f"/v1/batches/{batch.public_id}").status_code == 204
    assert APIClient().get(link).status_code == 404
    assert alice.get(f"/v1/batches/{batch.public_id}").status_code == 404
    batch.refresh_from_db()
    assert (batch.request, batch.spec, batch.input_name, batch.detected) == ({}, {}, "", {})
    assert Contact.objects.count() == 1


def test_a_queued_batch_is_canceled(alice: KeyClient) -> None:
    batch = created(post_file(alice, CSV, mode="async"))
    url = f"/v1/batches/{batch.public_id}"
    shown = alice.post(f"{url}/cancel").json()
    assert (shown["status"], shown["reason"]) == ("canceled", "The batch was canceled on request.")
    assert alice.post(f"{url}/cancel").status_code == 200
    assert run(batch).status == "canceled"
    assert alice.post(f"{url}/retry").json()["status"] == "queued"
    assert run(batch).status == "completed"
    assert alice.post(f"{url}/cancel").json()["error"] == "invalid_status"


def test_a_preview_stores_nothing(alice: KeyClient, read_only: KeyClient) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    parts = {
        "request": '{"resource": "contact"}',
        "file": SimpleUploadedFile("people.csv", CSV.encode()),
    }
    response = read_only.post("/v1/batches/preview", parts, format="multipart")
    assert response.status_code == 200, response.content
    assert response.json()["mapping"] == {"name": "name", "email": "email"}
    assert not Batch.objects.exists()
    refused = alice.post("/v1/batches/preview", {"resource": "contact"})
    assert (refused.status_code, refused.json()["details"]["problems"][0]["field"]) == (400, "file")
