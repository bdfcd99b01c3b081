"""Options of file formats: each format accepts its own options and refuses the others."""

from typing import Any

import pytest

from exports.execution import runner
from exports.models import Export, Status
from exports.request.parser import parse_export
from exports.spec import ExportSpec
from longshore.api.errors import InvalidInput
from longshore.domains.logistics.models import Contact
from longshore.files.compression import Compression
from longshore.files.csv_dialect import CsvDialect, Quoting
from tests.conftest import KeyClient
from tests.exports.conftest import downloaded, key_of, stored_files

OPTIONS = {
    "include_header": False,
    "escape_formulas": False,
    "delimiter": ";",
    "quoting": "all",
    "bom": True,
    "line_end": "\r\n",
}
ACCEPTED = {"csv": set(OPTIONS), "xlsx": {"include_header", "escape_formulas"}}
# Options that every format accepts, even without effect.
COMMON = {
    "timezone": "Asia/Tokyo",
    "datetime_format": "yyyy",
    "columns": ["id"],
    "column_order": ["id"],
    "properties": "merge",
}


def spec_of(**body: Any) -> ExportSpec:
    return parse_export({"resource": "contact"} | body)


def problems_of(**body: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as raised:
        spec_of(**body)
    return [(problem.code, problem.field) for problem in raised.value.problems]


def test_a_spec_contains_the_requested_options() -> None:
    spec = spec_of(csv_field_options=OPTIONS, compression="zstd")
    assert spec.dialect == CsvDialect(";", Quoting.ALL, bom=True, line_end="\r\n")
    assert (spec.include_header, spec.escape_formulas) == (False, False)
    assert spec.compression is Compression.ZSTD
    assert ExportSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("file_format", ["csv", "json", "jsonl", "parquet", "xlsx"])
def test_an_option_of_another_format_is_refused(file_format: str) -> None:
    spec_of(format=file_format, csv_field_options=COMMON)
    for name, value in OPTIONS.items():
        body = {"format": file_format, "csv_field_options": {name: value}}
        if name in ACCEPTED.get(file_format, set()):
            spec_of(**body)
        else:
            assert problems_of(**body) == [("invalid_request", f"csv_field_options.{name}")]


def test_all_invalid_values_are_reported_at_once() -> None:
    wrong = {
        "include_header": "no",
        "escape_formulas": 1,
        "delimiter": ":",
        "quoting": "none",
        "bom": 1,
        "line_end": "\r",
    }
    assert problems_of(compression="xz", csv_field_options=wrong) == [
        ("invalid_compression", "compression"),
        *(("invalid_request", f"csv_field_options.{name}") for name in wrong),
    ]


@pytest.mark.parametrize(("file_format", "inside"), [("parquet", "zstd"), ("xlsx", "zip")])
def test_a_compression_of_a_compressed_format_is_refused(file_format: str, inside: str) -> None:
    for compression in ("gzip", "zstd"):
        body = {"format": file_format, "compression": compression}
        assert problems_of(**body) == [("invalid_compression", "compression")]
        with pytest.raises(InvalidInput, match=f"{file_format}.*{inside}"):
            spec_of(**body)
    assert spec_of(format=file_format, compression="none").compression is Compression.NONE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("file_format", "compression", "name", "content_type", "begins"),
    [
        ("csv", "zstd", ".csv.zst", "application/zstd", b"\x28\xb5\x2f\xfd"),
        ("jsonl", "zstd", ".jsonl.zst", "application/zstd", b"\x28\xb5\x2f\xfd"),
        ("parquet", "none", ".parquet", "application/vnd.apache.parquet", b"PAR1"),
        (
            "xlsx",
            "none",
            ".xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            b"PK\x03\x04",
        ),
    ],
)
def test_a_file_has_the_name_and_content_type_of_its_format(
    alice: KeyClient,
    contacts: list[Contact],
    file_format: str,
    compression: str,
    name: str,
    content_type: str,
    begins: bytes,
) -> None:
    body = {"resource": "contact", "format": file_format, "compression": compression}
    created = alice.post("/v1/exports", body)
    assert created.status_code == 201, created.content
    runner.run(key_of(created.json()))
    shown = alice.get(created.json()["url"]).json()
    assert (shown["status"], shown["records_count"]) == ("completed", 5)
    assert shown["files"][0]["name"].endswith(name)
    assert Export.objects.get().files.get().content_type == content_type
    content = downloaded(shown["download_url"])
    assert content.startswith(begins)
    assert len(content) == shown["files"][0]["bytes"]


@pytest.mark.django_db(transaction=True)
def test_an_export_beyond_a_format_limit_fails_and_leaves_no_files(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    Contact.objects.filter(pk=contacts[3].pk).update(notes="x" * 32_768)
    options = {"columns": {"id": True, "notes": "Remarks"}}
    body = {"resource": "contact", "format": "xlsx", "csv_field_options": options}
    created = alice.post("/v1/exports", body).json()
    runner.run(key_of(created))
    shown = alice.get(created["url"]).json()
    assert shown["status"] == Status.FAILED
    assert shown["error"]["error"] == "format_limit"
    assert "'Remarks' holds a text of more than 32,767 characters" in shown["error"]["message"]
    assert stored_files() == []
