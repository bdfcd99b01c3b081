"""The batches of PackageX: documented requests, phases, links, list and filters."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, Shipment
from longshore.jobs import actions
from longshore.jobs.statuses import Status
from tests.batches.running import run
from tests.conftest import KeyClient
from tests.dialects.packagex.conformance import (
    BATCH,
    BATCH_CREATE,
    BATCH_FILES,
    BATCH_LIST,
    CONVENTIONS,
    rows,
)
from tests.exports.conftest import downloaded, storage
from tests.factories import ContactFactory

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

BATCHES = "/packagex/v1/batches"
# The documented requests that create a contact and a shipment.
CONTACT = {
    "mode": "mixed",
    "action": "merge",
    "resource": "contact",
    "data": [{"name": "Jamie Jones", "email": "jamie@packagex.xyz", "phone": "+11234567890"}],
}
SHIPMENT = {
    "mode": "mixed",
    "action": "merge",
    "resource": "shipment",
    "data": [{"tracking_number": "1Z999AA10123456784"}],
}
CSV = "name,email\nJamie Jones,jamie@packagex.xyz\n"


def post(client: KeyClient, body: dict[str, Any], **changes: Any) -> dict[str, Any]:
    response = client.post(BATCHES, body | changes)
    assert response.status_code == 201, response.content
    shown: dict[str, Any] = response.json()
    return shown


def data_url(text: str) -> str:
    return f"data:text/csv;base64,{base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize("body", [CONTACT, SHIPMENT])
@rows.same(
    BATCH_CREATE,
    "the documented bodies of a contact and a shipment",
    "`resource`, `data`",
    "`action`: `merge`",
    "`mode`: `mixed`, the default",
)
@rows.same(BATCH, "`stats`: `created`, `updated`, `deleted`")
@rows.differs(BATCH, "`stats`: `events`", "Always 0: there are no events of single records.")
def test_a_documented_request_writes_its_records(alice: KeyClient, body: dict[str, Any]) -> None:
    shown = post(alice, body)
    assert shown["id"] == shown["data"]["id"]
    assert (shown["status"], shown["mode"], shown["via"]) == ("queued", "mixed", "api")
    run(Batch.objects.get())
    shown = alice.get(f"{BATCHES}/{shown['id']}").json()
    assert shown["status"] == "completed"
    assert shown["stats"] == {
        "created": 1,
        "updated": 0,
        "deleted": 0,
        "overwritten": 0,
        "events": 0,
    }
    assert [(each["name"], each["mode"]) for each in shown["phases"]] == [
        ("parsing", "sync"),
        ("validation", "sync"),
        ("processing", "async"),
    ]
    assert shown["phases"][2].items() >= {"total": 1, "processed": 1, "success": 1}.items()
    model = Contact if body is CONTACT else Shipment
    assert model.objects.count() == 1


@rows.same(BATCH_CREATE, "`mode`: `sync`", "`duplicate_handling`: `ignore_all`, `use_first`")
@rows.same(
    BATCH,
    "`object`, `id`, `organization_id`, `resource`, `mode`, `via`, `action`, `reason`, `checksum`",
    "`created_at`, `updated_at` in seconds",
    "`phases`: `name`, `mode`, `total`, `processed`, `success`, `error`",
)
@rows.differs(BATCH, "`updated_by`", "Always null: a request has an API key, and no user.")
def test_a_batch_has_the_documented_fields(alice: KeyClient, acme: Organization) -> None:
    shown = post(alice, CONTACT, mode="sync", duplicate_handling="use_first")["data"]
    batch = Batch.objects.get()
    assert shown | {"phases": [], "stats": {}, "reason": ""} == {
        "id": batch.public_id,
        "object": "batch",
        "organization_id": acme.pk,
        "resource": "contact",
        "mode": "sync",
        "via": "api",
        "action": "merge",
        "status": "completed",
        "duplicate_handling": "use_first",
        "reason": "",
        "phases": [],
        "stats": {},
        "created_at": int(batch.created_at.timestamp()),
        "updated_at": int((batch.completed_at or batch.created_at).timestamp()),
        "updated_by": None,
        "checksum": batch.input_sha256,
        "_upload_url": None,
    }
    assert shown["reason"] == "1 row: 1 created."
    assert {phase["mode"] for phase in shown["phases"]} == {"sync"}


@rows.differs(
    BATCH_CREATE,
    "`action`: `overwrite`",
    "A batch that would delete more than half of the records needs `confirm_deletes` with "
    "their number.",
)
@rows.same(BATCH, "`stats`: `overwritten`")
def test_an_overwrite_counts_the_deleted_records_as_overwritten(
    alice: KeyClient, acme: Organization
) -> None:
    ContactFactory.create(organization=acme)
    changes = {"mode": "sync", "action": "overwrite", "confirm_deletes": 1}
    shown = post(alice, CONTACT, **changes)
    assert (shown["stats"]["overwritten"], shown["stats"]["deleted"]) == (1, 0)
    assert Contact.objects.get().name == "Jamie Jones"


@rows.same(BATCH_CREATE, "`action`: `delete` by ids")
def test_a_deletion_needs_ids(alice: KeyClient, acme: Organization) -> None:
    contact = ContactFactory.create(organization=acme)
    body = {"resource": "contact", "action": "delete", "mode": "sync", "data": [{"id": contact.pk}]}
    assert post(alice, body)["stats"]["deleted"] == 1
    assert not Contact.objects.exists()


@rows.same(BATCH_CREATE, "`properties`")
def test_properties_are_defaults_of_records(alice: KeyClient) -> None:
    post(alice, CONTACT, mode="sync", properties={"notes": "From PackageX"})
    assert Contact.objects.get().notes == "From PackageX"


@pytest.mark.parametrize("name", ["file", "data"])
@rows.same(BATCH_CREATE, "a CSV or Excel file as base64 data URL, in `file` or `data`")
@rows.differs(
    BATCH_CREATE,
    "`save_upload`, `save_result`",
    "Accepted. Both files are always kept, for `BATCH_RETENTION_HOURS`.",
)
@rows.same(
    BATCH_FILES,
    "`include_upload_csv` and `_upload_csv_url`",
    "`include_upload_json` and `_upload_json_url`",
)
@rows.differs(
    BATCH_FILES,
    "`include_result_json` and `_result_json_url`",
    "The file has one JSON object a line: it may have millions of rows.",
)
def test_a_data_url_is_a_file(alice: KeyClient, name: str) -> None:
    body = {"resource": "contact", "mode": "sync", name: data_url(CSV)}
    shown = post(alice, body, save_upload=True, save_result=True)
    assert (shown["status"], shown["via"]) == ("completed", "file")
    assert Contact.objects.get().email == "jamie@packagex.xyz"
    names = ("upload_csv", "upload_json", "errors_csv", "errors_json", "result_json")
    query = {f"include_{each}": "true" for each in names}
    shown = alice.get(f"{BATCHES}/{shown['id']}", query).json()
    assert downloaded(shown["_upload_csv_url"]).decode() == CSV
    lines = downloaded(shown["_result_json_url"]).decode().splitlines()
    assert [json.loads(line)["row"] for line in lines] == [1]
    assert shown["_upload_json_url"] is None
    plain = alice.get(f"{BATCHES}/{shown['id']}").json()
    assert [name for name in plain if name.startswith("_")] == ["_upload_url"]


@pytest.mark.parametrize(
    "text", ["data:text/csv,name", "data:text/csv;base64,!!!", "ftp://example.com/a.csv", "name"]
)
def test_a_file_that_cannot_be_read_is_refused(alice: KeyClient, text: str) -> None:
    response = alice.post(BATCHES, {"resource": "contact", "file": text})
    shown = response.json()
    assert (response.status_code, shown["errors"]) == (400, ["file"]), shown
    assert not Batch.objects.exists()


@pytest.fixture
def file_server(settings: Settings) -> Iterator[str]:
    """The URL of a server of CSV, which answers other paths with 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/contacts.csv" else 404)
            self.end_headers()
            self.wfile.write(CSV.encode())

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@rows.same(BATCH_CREATE, "a public URL of a file, in `file` or `data`")
def test_a_public_url_is_a_file(alice: KeyClient, file_server: str) -> None:
    body = {"resource": "contact", "mode": "sync", "file": f"{file_server}/contacts.csv"}
    shown = post(alice, body)
    assert (shown["status"], shown["via"]) == ("completed", "file")
    assert Contact.objects.count() == 1
    assert Batch.objects.get().input_name == "contacts.csv"
    refused = alice.post(BATCHES, body | {"file": f"{file_server}/missing.csv"})
    assert refused.status_code == 400
    assert "404" in refused.json()["message"]


@rows.differs(
    BATCH_CREATE,
    "any URL",
    "The host must be public or in `WEBHOOK_ALLOWED_NETWORKS`, and redirects are not followed.",
)
def test_a_url_of_a_private_network_is_not_requested(
    alice: KeyClient, file_server: str, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    body = {"resource": "contact", "file": f"{file_server}/contacts.csv"}
    response = alice.post(BATCHES, body)
    assert response.status_code == 400
    assert "not public" in response.json()["message"]


@rows.differs(
    BATCH_CREATE,
    "the size of `data` and of a data URL",
    "A body has at most `API_MAX_BODY_BYTES` (1 MiB). Larger files need a URL or an upload.",
)
def test_a_body_above_the_limit_is_refused(alice: KeyClient, settings: Settings) -> None:
    content = base64.b64encode(b"x" * settings.API_MAX_BODY_BYTES).decode()
    body = {"resource": "contact", "file": f"data:text/csv;base64,{content}"}
    assert alice.post(BATCHES, body).status_code == 413
    assert not Batch.objects.exists()


@rows.same(BATCH, "`status`: `requested`", "`_upload_url`")
def test_an_upload_is_requested(alice: KeyClient) -> None:
    shown = post(alice, {"resource": "contact", "upload": True})
    assert shown["status"] == "requested"
    assert "/v1/batches/uploads/" in shown["_upload_url"]


@rows.same(
    BATCH_CREATE, "shipments and trackers: `merge` only", "shipments need a `tracking_number`"
)
def test_errors_come_in_the_envelope(alice: KeyClient) -> None:
    shown = alice.post(BATCHES, CONTACT | {"action": "replace"}).json()
    assert (shown["status"], shown["code"], shown["errors"]) == (400, "invalid_action", ["action"])
    shown = alice.post(BATCHES, SHIPMENT | {"action": "overwrite"}).json()
    assert shown["code"] == "invalid_action"
    shown = alice.post(BATCHES, {"resource": "shipment", "mode": "sync", "data": [{"notes": "x"}]})
    assert shown.json()["data"]["status"] == "failed"


@rows.differs(
    BATCH_CREATE,
    "the documented body of a group with `group_contacts`",
    "The batch fails and says that a group has no such column. Members are written with "
    "contacts: `groups`.",
)
def test_members_of_a_group_are_not_written_with_it(alice: KeyClient) -> None:
    members = {"children": ["contact_123", "contact_456"], "primary": ["contact_456"]}
    group = {"name": "Finance Department", "resource": "contact", "group_contacts": members}
    shown = post(alice, {"mode": "sync", "action": "merge", "resource": "group", "data": [group]})
    assert shown["status"] == "failed"
    assert "group has no column 'group_contacts'" in shown["reason"]


@rows.differs(
    BATCH_CREATE,
    "contact, group, shipment, tracker, asset",
    "Batches write the other resources, too, and assets with all actions.",
)
def test_other_resources_can_be_written_too(alice: KeyClient) -> None:
    for resource in ("item", "asset"):
        body = {"resource": resource, "mode": "sync", "data": [{"name": "Pallet"}]}
        created = post(alice, body)
        assert (created["status"], created["stats"]["created"]) == ("completed", 1)
    shown = post(alice, body, action="overwrite", confirm_deletes=1)
    assert shown["stats"]["overwritten"] == 1


@rows.same(BATCH_FILES, "`include_errors_csv` and `_errors_csv_url`")
@rows.differs(
    BATCH_FILES,
    "`include_errors_json` and `_errors_json_url`",
    "The file has one JSON object a line, as that of the results.",
)
def test_rows_with_errors_have_files(alice: KeyClient) -> None:
    text = "name,is_primary\nZoë,true\nŁukasz,perhaps\n"
    shown = post(alice, {"resource": "contact", "mode": "sync", "file": data_url(text)})
    query = {"include_errors_csv": "true", "include_errors_json": "true"}
    shown = alice.get(f"{BATCHES}/{shown['id']}", query).json()
    assert "perhaps" in downloaded(shown["_errors_csv_url"]).decode()
    lines = downloaded(shown["_errors_json_url"]).decode().splitlines()
    assert [json.loads(line)["value"] for line in lines] == ["perhaps"]


@pytest.mark.parametrize(
    "status", ["queued", "processing", "completed", "failed", "timed_out", "expired"]
)
@rows.same(BATCH, "`status`: `queued`, `processing`, `completed`, `failed`, `timed_out`, `expired`")
def test_a_batch_has_the_documented_status(alice: KeyClient, status: str) -> None:
    shown = post(alice, CONTACT, mode="async")
    now = timezone.now()
    Batch.objects.update(
        status=status,
        started_at=None if status == "expired" else now,
        completed_at=now,
        records_count=1,
        expires_at=now + timedelta(hours=1),
    )
    assert alice.get(f"{BATCHES}/{shown['id']}").json()["status"] == status
    listed = alice.get(BATCHES, {"status": status}).json()["data"]
    assert [each["id"] for each in listed] == [shown["id"]]


@rows.differs(
    CONVENTIONS,
    "metadata: at most 25 pairs, keys up to 100 characters, values up to 500",
    "Not limited: records may have been written by other APIs.",
)
def test_metadata_is_not_limited_to_25_pairs(alice: KeyClient) -> None:
    metadata = {f"key {number}": "x" * 600 for number in range(30)}
    post(alice, CONTACT, mode="sync", data=[{"name": "Zoë", "metadata": metadata}])
    assert Contact.objects.get().metadata == metadata


@rows.differs(
    BATCH,
    "canceled batches",
    "PackageX cancels no batches. They are shown as `failed`, and `reason` says why.",
)
@rows.same(
    BATCH_LIST,
    "order by creation",
    "`page` (1), `limit` (25)",
    "`resource`, `mode`, `via`, `status`",
)
def test_the_list_is_chronological_and_filtered(alice: KeyClient, charlie: KeyClient) -> None:
    first = post(alice, CONTACT, mode="sync")["id"]
    second = post(alice, SHIPMENT, mode="async")["id"]
    third = post(alice, {"resource": "contact", "file": data_url(CSV)})["id"]
    actions.cancel(batch_lifecycle, Batch.objects.get(public_id=second))
    shown = alice.get(BATCHES).json()
    assert [each["id"] for each in shown["data"]] == [first, second, third]
    assert shown["pagination"] == {"limit": 25, "page": 1, "has_more": False, "total_count": 3}
    page = alice.get(f"{BATCHES}?page=2&limit=2").json()
    assert [each["id"] for each in page["data"]] == [third]

    def listed(**query: str) -> list[str]:
        return [each["id"] for each in alice.get(BATCHES, query).json()["data"]]

    assert listed(resource="contact", mode="mixed") == [third]
    assert listed(via="file") == [third]
    assert listed(mode="async") == listed(status="failed") == [second]
    assert listed(status="completed") == [first]
    assert alice.get(BATCHES, {"via": "mail"}).json()["errors"] == ["via"]
    assert charlie.get(BATCHES).json()["data"] == []
    assert charlie.get(f"{BATCHES}/{first}").status_code == 404


@rows.differs(
    BATCH,
    "completed batches whose files were deleted",
    "They stay `completed`. `expired` means that no file was uploaded in time.",
)
def test_files_that_expire_leave_a_completed_batch_completed(alice: KeyClient) -> None:
    done = post(alice, CONTACT, mode="sync")["id"]
    unused = post(alice, {"resource": "contact", "upload": True})["id"]
    Batch.objects.update(status=Status.EXPIRED)
    shown = {each["id"]: each["status"] for each in alice.get(BATCHES).json()["data"]}
    assert shown == {done: "completed", unused: "expired"}
    for status, expected in (("completed", done), ("expired", unused)):
        listed = alice.get(BATCHES, {"status": status}).json()["data"]
        assert [each["id"] for each in listed] == [expected]


def test_the_list_takes_a_constant_number_of_queries(
    alice: KeyClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for count in (1, 4):
        for _ in range(count):
            post(alice, CONTACT, mode="sync")
        with django_assert_num_queries(4):
            alice.get(BATCHES)


def test_an_idempotency_key_creates_one_batch(alice: KeyClient) -> None:
    body = {"resource": "contact", "mode": "sync", "file": data_url(CSV)}
    first = alice.post(BATCHES, body, headers={"Idempotency-Key": "once"})
    again = alice.post(BATCHES, body, headers={"Idempotency-Key": "once"})
    assert first.json()["id"] == again.json()["id"]
    assert again["Idempotent-Replayed"] == "true"
    assert Batch.objects.count() == 1
    other = body | {"file": data_url(CSV + "Zoë,\n")}
    refused = alice.post(BATCHES, other, headers={"Idempotency-Key": "once"})
    assert refused.status_code == 409


def test_a_data_url_with_other_letters_than_base64_is_refused(alice: KeyClient) -> None:
    body = {"resource": "contact", "file": "data:text/csv;base64,é"}
    refused = alice.post(BATCHES, body)
    assert (refused.status_code, refused.json()["errors"]) == (400, ["file"])


def test_a_parameter_is_refused_before_the_batch_is_stored(alice: KeyClient) -> None:
    assert alice.post(f"{BATCHES}?include_upload_csv=maybe", CONTACT).status_code == 400
    assert not Batch.objects.exists()
