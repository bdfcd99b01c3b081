"""A new text format is one module: requests, files, previews and descriptions take it from there.

The format is `tests.exports.tsv_format.Tsv`.
"""

import json
import subprocess
import sys
from typing import Any

import pytest
import yaml
from django.conf import settings

from exports.execution import runner
from exports.formats import formats
from exports.formats.base import register
from exports.models import Export
from longshore.domains.logistics.models import Contact
from tests.conftest import KeyClient
from tests.exports.conftest import downloaded, key_of
from tests.exports.tsv_format import Tsv

pytestmark = pytest.mark.django_db(transaction=True)

BODY: dict[str, Any] = {
    "resource": "contact",
    "format": "tsv",
    "options": {"order_by": "name"},
    "csv_field_options": {"columns": {"name": "Name", "email": True}},
}
SCHEMA_WITH_TSV = """
import django
django.setup()
from exports.formats.base import register
from tests.exports.tsv_format import Tsv
register(Tsv())
from django.core.management import call_command
call_command("spectacular", validate=True, fail_on_warn=True)
"""


@pytest.fixture
def tsv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(formats, Tsv.name, Tsv())


@pytest.fixture
def ordered(contacts: list[Contact]) -> list[Contact]:
    return list(Contact.objects.filter(organization__slug="acme").order_by("name"))


@pytest.mark.usefixtures("tsv", "ordered")
def test_a_new_format_is_exported(alice: KeyClient) -> None:
    created = alice.post("/v1/exports", BODY)
    assert created.status_code == 201, created.content
    runner.run(key_of(created.json()))
    export = alice.get(created.json()["url"]).json()
    assert (export["status"], export["records_count"]) == ("completed", 5)
    assert export["files"][0]["name"].endswith(".tsv")
    assert Export.objects.get().files.get().content_type == "text/tab-separated-values"
    header, *rows = downloaded(export["download_url"]).decode().splitlines()
    assert header == "Name\temail"
    assert len(rows) == 5
    assert "Zoë Ünal\tzoe@example.org" in rows


@pytest.mark.usefixtures("tsv", "ordered")
def test_a_new_format_is_previewed(alice: KeyClient) -> None:
    preview = alice.post("/v1/exports/preview", BODY).json()
    created = alice.post("/v1/exports", BODY).json()
    runner.run(key_of(created))
    content = downloaded(alice.get(created["url"]).json()["download_url"])
    header, *rows = (line.split("\t") for line in content.decode().splitlines())
    assert (preview["header"], preview["rows"]) == (header, rows)
    assert preview["estimated_bytes"] == len(content)


@pytest.mark.usefixtures("tsv")
def test_a_new_format_has_only_its_own_options(alice: KeyClient) -> None:
    accepted = BODY | {"csv_field_options": {"include_header": False}}
    assert alice.post("/v1/exports/preview", accepted).status_code == 200
    rejected = alice.post("/v1/exports/preview", BODY | {"csv_field_options": {"bom": True}})
    assert (rejected.status_code, rejected.json()["error"]) == (400, "invalid_request")


@pytest.mark.usefixtures("tsv")
def test_a_new_format_is_described_by_resources_and_errors(alice: KeyClient) -> None:
    resource = alice.get("/v1/resources/contact").json()
    assert resource["formats"] == [*formats]
    assert "tsv" in resource["formats"]
    rejected = alice.post("/v1/exports", BODY | {"format": "pdf"}).json()
    assert "tsv" in json.dumps(rejected["details"])


def test_a_format_is_registered_once() -> None:
    with pytest.raises(ValueError, match="The format 'csv' is registered twice"):
        register(formats["csv"])


def test_a_new_format_is_in_the_api_description() -> None:
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCHEMA_WITH_TSV],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    schema = yaml.load(process.stdout, yaml.CSafeLoader)
    schemas = schema["components"]["schemas"]
    operation = schema["paths"]["/v1/exports"]["post"]
    body = resolved(operation["requestBody"]["content"]["application/json"]["schema"], schemas)
    [alternative] = body["properties"]["format"].get("allOf", [body["properties"]["format"]])
    accepted = resolved(alternative, schemas)["enum"]
    assert accepted == [*formats, "tsv"]


def resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """Follow the reference of a schema to one of the components, if it has one."""
    target: dict[str, Any] = (
        schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    )
    return target
