"""POST /v1/exports/preview: the first rows of the file, and the number of its rows."""

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pytest
from django.db import connection
from pyarrow import parquet
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from exports.models import Export
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Shipment
from tests.conftest import KeyClient
from tests.exports.previews import COLUMNS, body, create_shipments
from tests.factories import (
    ContactFactory,
    GroupFactory,
)

# Files, which previews are compared with, are read on another connection.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shipments(acme: Organization, globex: Organization) -> list[Shipment]:
    return create_shipments(acme, globex)


def file_of(request: dict[str, Any], organization: Organization) -> bytes:
    return b"".join(ExportStream(parse_export(request), organization.pk))


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_preview_has_the_first_rows_and_the_count_of_all(
    alice: KeyClient, shipments: list[Shipment], slash: str
) -> None:
    request = body(output={"columns": ["id", "amount", "location.name"]})
    response = alice.post(f"/v1/exports/preview{slash}", request)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    result = response.json()
    assert result["header"] == ["id", "amount", "location.name"]
    assert result["header_is_partial"] is False
    assert result["rows"][:3] == [
        [shipments[29].pk, "2900", 'Dock, "B"'],
        [shipments[28].pk, "2800", ""],
        [shipments[27].pk, "", 'Dock, "B"'],
    ]
    assert len(result["rows"]) == 20
    assert (result["records_count"], result["records_count_is_estimate"]) == (30, False)
    size = len(file_of(request, shipments[0].organization))
    assert abs(result["estimated_bytes"] - size) < 0.05 * size
    assert 1 <= result["estimated_seconds"] < 2
    assert not Export.objects.exists()


def test_a_preview_applies_options_and_filters(
    alice: KeyClient, charlie: KeyClient, shipments: list[Shipment]
) -> None:
    filters = {"location_name_start": "dock", "notes_or_id_cont": "ship", "tags_blank": 0}
    request = body(options={"amount": "gte:500"}, filters=filters)
    result = alice.post("/v1/exports/preview", request).json()
    expected = [n for n in reversed(range(5, 30)) if n % 2 and n % 3]
    assert [row[0] for row in result["rows"]] == [shipments[n].pk for n in expected]
    assert result["records_count"] == len(expected)
    assert charlie.post("/v1/exports/preview", request).json()["rows"] == []


CSV = [
    {},
    {"delimiter": ";", "quoting": "all", "bom": True, "line_end": "\r\n"},
    {"include_header": False},
    {"escape_formulas": False, "datetime_format": "dd.MM.yyyy HH:mm:ss.SSS xxx"},
    {"columns": {"notes": "=header"}},
    {"columns": ["notes"], "include_header": False},
]


@pytest.mark.parametrize("output", CSV, ids=str)
@pytest.mark.parametrize("properties", ["merge", "repeat"])
def test_csv_rows_equal_the_rows_of_the_file(
    alice: KeyClient, shipments: list[Shipment], output: dict[str, Any], properties: str
) -> None:
    request = body(output={**output, "properties": properties})
    result = alice.post("/v1/exports/preview", request).json()
    text = file_of(request, shipments[0].organization).decode("utf-8-sig")
    delimiter = output.get("delimiter", ",")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if output.get("include_header", True):
        assert result["header"] == rows.pop(0)
    assert result["rows"] == rows[:20]


@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_json_objects_equal_the_objects_of_the_file(
    alice: KeyClient, shipments: list[Shipment], name: str
) -> None:
    request = body(format=name)
    response = alice.post("/v1/exports/preview", request)
    content = file_of(request, shipments[0].organization).decode()
    expected = json.loads(content) if name == "json" else map(json.loads, content.splitlines())
    assert response.json()["rows"] == list(expected)[:20]
    assert response.json()["header"] == COLUMNS


def test_parquet_values_equal_the_values_of_the_file(
    alice: KeyClient, shipments: list[Shipment]
) -> None:
    request = body(format="parquet")
    result = alice.post("/v1/exports/preview", request).json()
    table = parquet.read_table(io.BytesIO(file_of(request, shipments[0].organization)))
    assert result["header"] == table.column_names
    rows = [list(row.values()) for row in table.to_pylist()]
    index = COLUMNS.index("created_at")
    for row, cells in zip(rows, result["rows"], strict=False):
        cells[index] = datetime.fromisoformat(cells[index])
        assert cells == row


def test_xlsx_values_equal_the_values_of_the_file(
    alice: KeyClient, shipments: list[Shipment]
) -> None:
    request = body(format="xlsx")
    result = alice.post("/v1/exports/preview", request).json()
    content = file_of(request, shipments[0].organization)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    header, *rows = map(list, sheet.iter_rows(values_only=True))
    assert result["header"] == header
    index = COLUMNS.index("created_at")
    for row, cells in zip(rows, result["rows"], strict=False):
        moment = datetime.fromisoformat(cells.pop(index)).replace(tzinfo=None)
        assert abs(moment - row.pop(index)) < timedelta(milliseconds=1)
        assert [cell or None for cell in cells] == [cell or None for cell in row]


@pytest.mark.parametrize("pattern", ["hh:mm:ss", "dd.MM.yyyy 'at' HH:mm"])
def test_xlsx_datetimes_have_the_requested_pattern(
    alice: KeyClient, shipments: list[Shipment], pattern: str
) -> None:
    output = {"columns": ["created_at"], "datetime_format": pattern, "timezone": "Asia/Tokyo"}
    request = body(format="xlsx", csv_field_options=output)
    result = alice.post("/v1/exports/preview", request).json()["rows"]
    as_csv = alice.post("/v1/exports/preview", request | {"format": "csv"}).json()["rows"]
    assert result == as_csv != []


def test_a_flattened_header_has_the_paths_of_the_previewed_rows(
    alice: KeyClient, shipments: list[Shipment]
) -> None:
    Shipment.objects.filter(pk=shipments[0].pk).update(metadata={"rare": 1})
    request = body(output={"columns": ["id", "metadata"], "properties": "flatten"})
    result = alice.post("/v1/exports/preview", request).json()
    assert (result["header"], result["header_is_partial"]) == (["id", "metadata.a.b"], True)
    assert result["rows"][0] == [shipments[29].pk, "29"]
    request["options"]["limit"] = 5
    whole = alice.post("/v1/exports/preview", request).json()
    assert (whole["header"], whole["header_is_partial"]) == (["id", "metadata.a.b"], False)
    assert (len(whole["rows"]), whole["records_count"]) == (5, 5)


def test_the_count_includes_repeated_rows(alice: KeyClient, acme: Organization) -> None:
    groups = GroupFactory.create_batch(3, organization=acme)
    ContactFactory.create_batch(10, organization=acme, groups=groups)
    request = {
        "resource": "contact",
        "csv_field_options": {"columns": ["id", "groups.name"], "properties": "repeat"},
    }
    result = alice.post("/v1/exports/preview", request).json()
    assert (len(result["rows"]), result["records_count"]) == (20, 30)


def test_a_preview_of_an_empty_export_has_its_header(alice: KeyClient) -> None:
    for name in ("csv", "json", "jsonl", "parquet", "xlsx"):
        result = alice.post("/v1/exports/preview", body(format=name)).json()
        assert (result["rows"], result["records_count"]) == ([], 0)
        assert result["header"] == COLUMNS


def test_without_an_order_a_preview_has_the_newest_records(
    alice: KeyClient, shipments: list[Shipment]
) -> None:
    request = {"resource": "shipment", "csv_field_options": {"columns": ["id"]}}
    result = alice.post("/v1/exports/preview", request).json()
    assert result["rows"] == [[shipment.pk] for shipment in shipments[:9:-1]]


def test_a_preview_has_no_records_of_another_organization(
    charlie: KeyClient, shipments: list[Shipment]
) -> None:
    request = body(options={"id": [shipment.pk for shipment in shipments]})
    result = charlie.post("/v1/exports/preview", request).json()
    assert (result["rows"], result["records_count"]) == ([], 0)


def test_a_preview_requires_a_key_with_the_scope_read(
    read_only: KeyClient, shipments: list[Shipment]
) -> None:
    assert read_only.post("/v1/exports/preview", body()).status_code == 200
    assert APIClient().post("/v1/exports/preview", body(), format="json").status_code == 401


def test_an_invalid_request_fails_like_the_creation_of_an_export(alice: KeyClient) -> None:
    request = body(format="pdf", options={"stauts": "x"}, output={"timezone": "Mars"})
    previewed = alice.post("/v1/exports/preview", request)
    created = alice.post("/v1/exports", request)
    assert previewed.status_code == 400
    assert previewed.json() == created.json()


def test_a_preview_runs_a_constant_number_of_queries_and_no_writes(
    alice: KeyClient, shipments: list[Shipment], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    alice.post("/v1/exports/preview", body())  # Stores the time of the key's use.
    for limit in (1, 15, "all"):
        with connection.execute_wrapper(_no_writes), django_assert_num_queries(14):
            alice.post("/v1/exports/preview", body(options={"limit": limit}))


def _no_writes(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
    assert not statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
    return execute(statement, params, many, context)
