"""Large values: clear errors before they fill the memory, and bounded memory for large rows."""

import ctypes
import gc
from typing import Any

import pytest
from pytest_django import Settings

from exports.execution import runner
from exports.execution.preview import MAX_FLATTENED_BYTES
from exports.formats.base import FormatLimit
from exports.models import Export, Status
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.resources.reading import MAX_RESPONSE_BYTES
from tests.conftest import KeyClient
from tests.exports.conftest import export_of
from tests.factories import ContactFactory

pytestmark = pytest.mark.django_db(transaction=True)
FORMATS = ("csv", "json", "jsonl", "parquet")


def peak_growth(action: Any) -> int:
    """Return the bytes by which the peak memory of the process grows during an action."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = _status("VmRSS")
    action()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    with open("/proc/self/status") as file:
        [line] = (line for line in file if line.startswith(f"{name}:"))
    return int(line.split()[1]) << 10


@pytest.mark.parametrize("file_format", [*FORMATS, "xlsx"])
def test_a_preview_of_a_large_value_fails_with_its_column(
    file_format: str, alice: KeyClient, acme: Organization
) -> None:
    ContactFactory(organization=acme, notes="x" * (MAX_RESPONSE_BYTES + 1))
    body = {"resource": "contact", "format": file_format}

    def send_request() -> None:
        response = alice.post("/v1/exports/preview", body)
        assert response.status_code == 422
        error = response.json()
        assert error["error"] == "answer_too_large"
        assert error["details"]["column"] == "notes"
        assert "Leave out notes, or create an export" in error["message"]

    assert peak_growth(send_request) < MAX_RESPONSE_BYTES
    output = {"columns": ["id", "name"]}
    assert (
        alice.post("/v1/exports/preview", body | {"csv_field_options": output}).status_code == 200
    )


def test_a_list_of_a_large_value_fails_with_its_record_and_column(
    alice: KeyClient, acme: Organization
) -> None:
    ContactFactory(organization=acme, notes="y")
    large = ContactFactory.create(organization=acme, notes="x" * (MAX_RESPONSE_BYTES + 1))

    def send_request() -> None:
        response = alice.get("/v1/contacts")
        assert response.status_code == 422
        details = response.json()["details"]
        assert (details["record"], details["column"]) == (large.pk, "notes")

    assert peak_growth(send_request) < MAX_RESPONSE_BYTES
    assert len(alice.get("/v1/contacts?fields=id,name").json()["results"]) == 2


def test_a_page_is_measured_by_its_own_records(alice: KeyClient, acme: Organization) -> None:
    texts = ["x" * MAX_RESPONSE_BYTES, "z" * (MAX_RESPONSE_BYTES * 5 // 8)]
    keys = [ContactFactory.create(organization=acme, notes=text).pk for text in texts]
    url: str | None = "/v1/contacts?fields=id,notes&order_by=-created_at&limit=1"
    first = alice.get(str(url)).json()
    assert [record["id"] for record in first["results"]] == keys[1:]
    second = alice.get(first["next"])
    assert second.json()["details"]["record"] == keys[0]


@pytest.mark.parametrize("text_format", ["csv", "xlsx"])
def test_a_preview_of_a_value_too_large_to_flatten_fails_with_its_column(
    text_format: str, alice: KeyClient, acme: Organization
) -> None:
    ContactFactory(organization=acme, metadata={"a": [{"b": n % 10} for n in range(500_000)]})
    output = {"columns": ["id", "metadata"], "properties": "flatten"}
    body = {"resource": "contact", "format": text_format, "csv_field_options": output}

    def send_request() -> None:
        response = alice.post("/v1/exports/preview", body)
        assert (response.status_code, response.json()["error"]) == (422, "answer_too_large")
        assert response.json()["details"]["column"] == "metadata"

    assert peak_growth(send_request) < 4 * MAX_FLATTENED_BYTES


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_export_of_a_row_above_the_maximum_fails(
    file_format: str, settings: Settings, acme: Organization, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EXPORT_MAX_ROW_BYTES = 1 << 20
    contact = ContactFactory.create(organization=acme, notes="x" * (1 << 20))
    export = export_of(acme, {"resource": "contact", "format": file_format})
    runner.run(export.pk)
    export.refresh_from_db()
    assert export.status == Status.FAILED
    assert export.error is not None
    assert export.error["error"] == "format_limit"
    assert "bytes; the maximum is 1,048,576" in export.error["message"]
    assert contact.pk not in export.error["message"]
    assert contact.pk in caplog.text
    assert Export.objects.count() == 1


@pytest.mark.parametrize("file_format", FORMATS)
def test_memory_does_not_grow_with_the_number_of_large_rows(
    file_format: str, acme: Organization
) -> None:
    fields = {"columns": ["id", "notes"]}
    body = {"resource": "contact", "format": file_format, "csv_field_options": fields}

    def write() -> None:
        assert sum(map(len, ExportStream(parse_export(body), acme.pk))) > 0

    peaks = []
    for rows in (2, 4):
        for _ in range(rows):
            ContactFactory(organization=acme, notes="x" * (30 << 20))
        peaks.append(peak_growth(write))
    few, many = peaks
    print(f"{file_format}: {few >> 20} and {many >> 20} MiB")
    assert few < 600 << 20
    # The second export reads 120 MiB more.
    assert many < few + (90 << 20)


def test_a_value_too_large_to_flatten_raises_an_error_that_names_the_column(
    acme: Organization,
) -> None:
    ContactFactory(organization=acme, metadata={"a": "x" * (8 << 20)})
    output = {"columns": ["metadata"], "properties": "flatten"}
    spec = parse_export({"resource": "contact", "csv_field_options": output})
    with pytest.raises(FormatLimit, match="A value of metadata has more than 8,388,608"):
        list(ExportStream(spec, acme.pk))
