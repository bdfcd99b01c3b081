"""The manifest and the download list the files of an export."""

import json

import pytest
from django.utils import timezone

from exports.execution import runner
from exports.lifecycle.storage import MANIFEST
from exports.models import Export
from longshore.domains.logistics.models import Contact
from tests.conftest import KeyClient
from tests.exports.conftest import downloaded, stored_files

pytestmark = pytest.mark.django_db(transaction=True)


def url_of(export: Export, *path: str) -> str:
    return "/".join(["/v1/exports", export.public_id, *path])


def test_the_manifest_lists_includes(alice: KeyClient, contacts: list[Contact]) -> None:
    fields = ["name", "groups.name", "groups.location.code"]
    alice.post("/v1/exports", {"resource": "contact", "format": "json", "fields": fields})
    export = Export.objects.get()
    runner.run(export.pk)
    manifest = alice.get(url_of(export, "manifest")).json()
    assert [column["path"] for column in manifest["columns"]] == ["name", "groups"]
    location = {"relation": "location", "columns": ["code"], "includes": []}
    groups = {"relation": "groups", "columns": ["name"], "includes": [location]}
    assert manifest["includes"] == [groups]


def test_the_manifest_describes_the_files(alice: KeyClient, contacts: list[Contact]) -> None:
    before = timezone.now()
    body = {
        "resource": "contact",
        "compression": "gzip",
        "max_rows_per_file": 2,
        "options": {"order_by": "created_at", "direction": "desc", "limit": 5},
        "filters": {"name_or_email_cont": "", "id_not_eq": "x"},
        "csv_field_options": {"columns": {"id": "Contact", "name": True}},
    }
    alice.post("/v1/exports", body)
    export = Export.objects.get()
    runner.run(export.pk)
    manifest = alice.get(url_of(export, "manifest")).json()
    assert manifest["columns"] == [
        {"path": "id", "header": "Contact"},
        {"path": "name", "header": "name"},
    ]
    assert manifest["filters"] == [
        {
            "any_of": [
                {"path": "name", "operator": "like_any", "values": ["%%"]},
                {"path": "email", "operator": "like_any", "values": ["%%"]},
            ]
        },
        {"path": "id", "operator": "differs", "values": ["x"]},
    ]
    assert manifest["order_by"] == [{"column": "created_at", "direction": "desc"}]
    assert (manifest["rows"], manifest["limit"]) == (5, 5)
    assert [file["rows"] for file in manifest["files"]] == [2, 2, 1]
    assert manifest["bytes"] == sum(file.bytes for file in export.files.all())
    shown = alice.get(url_of(export)).json()
    assert [file["sha256"] for file in shown["files"]] == [
        file["sha256"] for file in manifest["files"]
    ]
    assert manifest["snapshot_at"] >= before.isoformat()[:19]
    [path] = [path for path in stored_files() if path.name == MANIFEST]
    assert json.loads(path.read_bytes()) == manifest


def test_a_download_has_a_link_to_each_file(alice: KeyClient, contacts: list[Contact]) -> None:
    alice.post("/v1/exports", {"resource": "contact", "max_rows_per_file": 2})
    export = Export.objects.get()
    runner.run(export.pk)
    response = alice.get(url_of(export, "download")).json()
    assert response["url"] == response["files"][0]["url"]
    contents = [downloaded(file["url"]).decode() for file in response["files"]]
    headers = {content.splitlines()[0] for content in contents}
    assert (len(contents), len(headers)) == (3, 1)
    assert [file["name"][-8:] for file in response["files"]] == ["-001.csv", "-002.csv", "-003.csv"]
