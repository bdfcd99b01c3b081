"""The clients for Python and TypeScript against the programs of `make run`.

Both clients execute the same calls (driver.py, driver.ts), mostly through a proxy with faults.
"""

import base64
import csv
import hashlib
import os
import re
import time
import zipfile
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from tests.clients.proxy import Proxy, cut, delay, lose_response, refuse
from tests.clients.stack import (
    CALL_SECONDS,
    CONTACTS,
    LINK_SECONDS,
    ROOT,
    ClientUnderTest,
    Stack,
    run,
    sha256,
)
from tests.webhooks.receiver import Receiver, receiving

pytestmark = pytest.mark.stack
FILES = "/v1/exports/files/.*"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as each:
        yield each


def test_an_export_is_previewed_and_downloaded(
    client: ClientUnderTest, proxy: Proxy, tmp_path: Path
) -> None:
    found = client("export", request=CONTACTS, target=str(tmp_path / "out.csv"))
    [file] = found["data"]["files"]
    assert found["path"] == str(tmp_path / "out.csv")
    assert sha256(tmp_path / "out.csv") == file["sha256"]
    with (tmp_path / "out.csv").open(newline="") as lines:
        header, *rows = csv.reader(lines)
    assert len(rows) == found["data"]["records_count"] == file["rows"] > 1000
    for preview in found["previews"]:
        assert preview["header"] == header
        assert preview["rows"][0] == rows[0]
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert [each["sha256"] for each in found["manifest"]["files"]] == [file["sha256"]]
    assert found["manifest"]["snapshot_at"] > found["data"]["created_at"]
    # A link may lead to another host.
    assert ["authorization" in each.headers for each in proxy.sent("GET", FILES)] == [False]


def test_several_files_become_a_folder_or_an_archive(
    client: ClientUnderTest, proxy: Proxy, tmp_path: Path
) -> None:
    request = CONTACTS | {"max_rows_per_file": 1000, "format": "jsonl"}
    found = client("export", request=request, target=str(tmp_path / "new" / "contacts"))
    sums = {file["name"]: file["sha256"] for file in found["data"]["files"]}
    folder = tmp_path / "new" / "contacts"
    assert len(sums) > 1
    assert {path.name: sha256(path) for path in folder.iterdir()} == sums

    # Complete files are not downloaded again.
    next(folder.iterdir()).write_text("damaged")
    proxy.clear()
    client("download", id=found["data"]["id"], target=str(folder))
    assert {path.name: sha256(path) for path in folder.iterdir()} == sums
    assert len(proxy.sent("GET", FILES)) == 1

    target = tmp_path / "contacts.zip"
    proxy.inject("GET", "/v1/exports/zips/.*", cut(100_000))
    assert client("download", id=found["data"]["id"], target=str(target))["path"] == str(target)
    with zipfile.ZipFile(target) as archive:
        read = {name: archive.read(name) for name in archive.namelist()}
    assert {name: hashlib.sha256(text).hexdigest() for name, text in read.items()} == sums


def test_another_run_continues_an_interrupted_download(
    client: ClientUnderTest, proxy: Proxy, contacts: dict[str, Any], tmp_path: Path
) -> None:
    target, part = tmp_path / "out.csv", tmp_path / "out.csv.part"
    proxy.inject("GET", FILES, cut(500_000))
    answer = client.answer("download", id=contacts["id"], target=str(target), max_retries=0)
    assert answer["error"]["code"] == "connection_error"
    size = part.stat().st_size
    assert 0 < size <= 500_000
    assert not target.exists()

    client("download", id=contacts["id"], target=str(target))
    headers = proxy.sent("GET", FILES)[-1].headers
    assert headers["range"] == f"bytes={size}-"
    assert headers["if-range"].startswith('"')
    assert [each.status for each in proxy.sent("GET", FILES)] == [200, 206]
    assert sha256(target) == contacts["files"][0]["sha256"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_the_same_run_continues_after_lost_connections(
    client: ClientUnderTest, proxy: Proxy, contacts: dict[str, Any], tmp_path: Path
) -> None:
    for _ in range(3):
        proxy.inject("GET", FILES, cut(500_000))
    client("download", id=contacts["id"], target=str(tmp_path / "out.csv"), max_retries=1)
    assert [each.status for each in proxy.sent("GET", FILES)] == [200, 206, 206, 206]
    assert sha256(tmp_path / "out.csv") == contacts["files"][0]["sha256"]


def test_a_partial_file_of_other_content_is_replaced(
    client: ClientUnderTest, proxy: Proxy, contacts: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "out.csv.part").write_text("another file")
    (tmp_path / "out.csv.part.etag").write_text('"another"')
    client("download", id=contacts["id"], target=str(tmp_path / "out.csv"))
    assert [each.status for each in proxy.sent("GET", FILES)] == [200]
    assert sha256(tmp_path / "out.csv") == contacts["files"][0]["sha256"]


@pytest.mark.parametrize("size", [1000, None])
def test_a_damaged_file_is_an_error_and_is_deleted(
    client: ClientUnderTest, contacts: dict[str, Any], tmp_path: Path, size: int | None
) -> None:
    expected = contacts["files"][0]
    (tmp_path / "out.csv.part").write_bytes(b"x" * (size or expected["bytes"]))
    (tmp_path / "out.csv.part.etag").write_text(f'"{expected["sha256"]}"')
    arguments = {"id": contacts["id"], "target": str(tmp_path / "out.csv")}
    assert client.answer("download", **arguments)["error"]["code"] == "checksum_mismatch"
    assert [path.name for path in tmp_path.iterdir()] == []


def test_an_expired_link_is_renewed(
    client: ClientUnderTest, proxy: Proxy, contacts: dict[str, Any], tmp_path: Path
) -> None:
    proxy.inject("GET", FILES, delay(LINK_SECONDS + 1.5))
    client("download", id=contacts["id"], target=str(tmp_path / "out.csv"), max_retries=0)
    assert [each.status for each in proxy.sent("GET", FILES)] == [410, 200]
    assert len(proxy.sent("GET", f"/v1/exports/{contacts['id']}/download")) == 2
    assert sha256(tmp_path / "out.csv") == contacts["files"][0]["sha256"]


def test_lost_responses_and_busy_servers_create_one_object(
    client: ClientUnderTest, proxy: Proxy, stack: Stack, tmp_path: Path
) -> None:
    proxy.inject("POST", "/v1/exports", refuse(503, formatdate(time.time() + 1, usegmt=True)))
    proxy.inject("POST", "/v1/exports", lose_response)
    proxy.inject("GET", "/v1/exports/exp_[^/]*", refuse(429, "1"))
    mark = {"mark": str(tmp_path)}
    request = {"resource": "group", "metadata": mark}
    found = client("export", request=request, target=str(tmp_path / "out.csv"))
    creations = proxy.sent("POST", "/v1/exports")
    assert [each.status for each in creations] == [0, 201, 201]
    assert len({each.headers["idempotency-key"] for each in creations}) == 1
    exports = stack.get("/v1/exports", resource="group", limit="100")["results"]
    assert [each["id"] for each in exports if each["metadata"] == mark] == [found["data"]["id"]]


def test_a_key_of_the_caller_creates_each_object_once(
    client: ClientUnderTest, proxy: Proxy, receiver: Receiver
) -> None:
    key = f"run-{os.urandom(8).hex()}"
    pairs = client("repeat", target=receiver.url(), key=key)
    assert [len({*pair}) for pair in pairs] == [1, 1, 1, 1]
    sent = [each for each in proxy.requests if each.method == "POST"]
    assert len(sent) == 8
    assert {each.headers["idempotency-key"] for each in sent} == {key}


def test_a_long_retry_after_is_an_error_at_once(client: ClientUnderTest, proxy: Proxy) -> None:
    proxy.inject("GET", "/v1/exports/exp_1", refuse(429, "3600"))
    error = client.answer("download", id="exp_1", target="unused")["error"]
    assert (error["code"], error["message"], error["status"]) == ("http_429", "busy", 429)
    assert len(proxy.requests) == 1


def test_a_canceled_export_is_an_error(client: ClientUnderTest, proxy: Proxy) -> None:
    # The second attempt finds nothing, because the first one deleted the export.
    proxy.inject("DELETE", "/v1/exports/.*", lose_response)
    request = {"resource": "shipment", "format": "xlsx"}
    error = client.answer("cancel", request=request)["error"]
    assert (error["name"], error["code"]) == ("JobFailed", "canceled")
    assert error["details"]["status"] == "canceled"
    assert error["message"] == f"{error['details']['id']} is canceled, not completed."
    assert [each.status for each in proxy.sent("DELETE", "/v1/exports/.*")] == [204, 404]


def test_an_error_has_code_message_details_and_request_id(client: ClientUnderTest) -> None:
    error = client.answer("export", request={"resource": "shipmnt"}, target="unused")["error"]
    assert (error["name"], error["code"], error["status"]) == (
        *("LongshoreError", "invalid_resource"),
        400,
    )
    assert "Did you mean 'shipment'?" in error["message"]
    assert error["details"]["problems"][0]["field"] == "resource"
    assert re.fullmatch(r"[0-9a-f]{32}", error["request_id"])


def test_a_batch_reports_errors_and_is_undone(
    client: ClientUnderTest, proxy: Proxy, stack: Stack
) -> None:
    name = f"{client.command[0]}@example.org".replace("/", "")
    data = [{"email": name, "status": "prospect"}, {"email": "b@example.org", "status": "asleep"}]
    proxy.inject("POST", "/v1/batches", lose_response)
    found = client("batch", resource="customer", mode="sync", data=data)
    assert found["data"]["stats"] | {"created": 1, "failed": 1} == found["data"]["stats"]
    [error] = found["errors"]
    assert (error["row"], error["column"], error["code"]) == (2, "status", "invalid_choice")
    assert len(stack.get("/v1/customers", email=name)["results"]) == 1

    proxy.inject("POST", "/v1/batches/.*/undo", lose_response)
    undone = client("undo", id=found["data"]["id"])
    assert undone["data"]["undo"] == {"reversed": 1, "kept": 0, "failed": 0}
    assert stack.get("/v1/customers", email=name)["results"] == []


@pytest.mark.parametrize("upload", [False, True])
def test_a_file_is_sent_with_the_request_or_to_a_link(
    client: ClientUnderTest, proxy: Proxy, tmp_path: Path, upload: bool
) -> None:
    file = tmp_path / "people.csv"
    lines = ["E-mail,status", *(f"c{number}@example.org,asleep" for number in range(250))]
    file.write_text("\n".join([*lines, f"{tmp_path.name}@example.org,prospect"]))
    proxy.inject("PUT" if upload else "POST", "/v1/batches.*", lose_response)
    fields = {"file": str(file), "upload": upload, "mapping": {"E-mail": "email"}}
    found = client("batch", resource="customer", **fields)
    assert found["data"]["input"]["bytes"] == file.stat().st_size
    assert found["data"]["stats"]["created"] == 1
    # Three pages.
    assert [error["row"] for error in found["errors"]] == [*range(1, 251)]
    assert len(proxy.sent("PUT", "/v1/batches/uploads/.*")) == upload
    client("undo", id=found["data"]["id"])


def test_many_records_are_sent_as_a_file(client: ClientUnderTest) -> None:
    data = [{"email": f"ü{number}@example.org", "status": "asleep"} for number in range(501)]
    found = client("batch", resource="customer", data=data, dry_run=True)
    assert found["data"]["input"]["name"] == "data.jsonl"
    assert [error["row"] for error in found["errors"]] == [*range(1, 502)]


def test_lists_have_the_entries_of_all_pages(
    client: ClientUnderTest, stack: Stack, proxy: Proxy
) -> None:
    expected = {
        name: [each["id"] for each in stack.get(f"/v1/{name}", limit="100", **filters)["results"]]
        for name, filters in (("exports", {"resource": "group"}), ("batches", {}), ("groups", {}))
    }
    found = client("lists")
    assert found["exports"] == expected["exports"]
    assert found["batches"] == expected["batches"]
    assert [each["id"] for each in found["groups"]] == expected["groups"]
    assert len(expected["groups"]) > 4


def test_a_webhook_is_verified(
    client: ClientUnderTest, stack: Stack, receiver: Receiver, tmp_path: Path
) -> None:
    found = client("subscribe", target=receiver.url())
    webhook, secret = found["created"]["id"], found["created"]["secret"]
    assert webhook in found["listed"]
    request = {"resource": "group"}
    export = client("export", request=request, target=str(tmp_path / "out.csv"))
    deadline = time.monotonic() + CALL_SECONDS
    while not receiver.messages:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert webhook not in client("unsubscribe", id=webhook)

    message = receiver.messages[0]
    other = f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
    headers = {name.title(): value for name, value in message.headers.items()}
    good = {
        "body": base64.b64encode(message.body).decode(),
        "headers": headers,
        "secrets": [other, secret],
        "tolerance": 3600,
    }
    assert client("verify", **good)["data"]["id"] == export["data"]["id"]
    assert client("verify", **good | {"secrets": secret})["type"] == "export.created"
    old = str(int(message.headers["webhook-timestamp"]) - 7200)
    changes: list[dict[str, Any]] = [
        {"body": base64.b64encode(message.body + b" ").decode()},
        {"secrets": other},
        {"secrets": []},
        {"headers": headers | {"Webhook-Id": "evt_other"}},
        {"headers": headers | {"Webhook-Signature": "v1, v2,x"}},
        {"headers": headers | {"Webhook-Timestamp": old}},
        {"headers": {}},
    ]
    for change in changes:
        answer = client.answer("verify", **good | change)
        assert answer["error"]["name"] == "WebhookVerificationError", change


def test_the_code_of_the_readme_runs(client: ClientUnderTest, stack: Stack, tmp_path: Path) -> None:
    environment = os.environ | {
        "LONGSHORE_URL": stack.url,
        "LONGSHORE_API_KEY": stack.api_key,
        "PYTHONPATH": str(ROOT / "clients" / "python"),
    }
    output = run(client.readme, cwd=tmp_path, env=environment)
    assert "1 created" in output
    assert "2 status 'asleep' is not a value of status." in output
    assert "invalid_resource" in output
    with (tmp_path / "shipments.csv").open(newline="") as lines:
        assert len(list(csv.DictReader(lines))) > 100
    with zipfile.ZipFile(tmp_path / "contacts.zip") as archive:
        assert {path.name for path in (tmp_path / "contacts").iterdir()} == {*archive.namelist()}
