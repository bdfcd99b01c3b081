"""POST /v1/exports/preview: the first rows of the file, and the number of its rows."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from django.db import connection
from psycopg import sql
from pyarrow import parquet
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from exports import preview
from exports.lifecycle import creation
from exports.models import Export
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from exports.sql.compiler import compile_count, compile_key_partition, compile_records
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Shipment
from tests.conftest import KeyClient
from tests.factories import (
    ContactFactory,
    GroupFactory,
    LocationFactory,
    ShipmentFactory,
)

# Files, which previews are compared with, are read on another connection.
pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2024, 7, 1, 12, tzinfo=UTC)
COLUMNS = ["id", "status", "amount", "paid", "created_at", "tags", "metadata", "location", "notes"]


@pytest.fixture
def shipments(acme: Organization, globex: Organization) -> list[Shipment]:
    """Create 30 shipments of acme, oldest first, and one of globex."""
    dock = LocationFactory.create(organization=acme, name='Dock, "B"')
    ShipmentFactory.create(organization=globex, notes="SECRET")
    return [
        ShipmentFactory.create(
            organization=acme,
            created_at=START + timedelta(hours=hour, microseconds=hour),
            amount=hour * 100 if hour % 3 else None,
            paid=hour % 2,
            location=dock if hour % 2 else None,
            tags=["cold", "=1+1"][: hour % 3],
            metadata={"a": {"b": hour}} if hour % 4 else {},
            notes=["", None, "-cmd", "line\nbreak; 山田"][hour % 4],
        )
        for hour in range(30)
    ]


def body(**changes: Any) -> dict[str, Any]:
    """Return a request for shipments, newest first."""
    options = {"order_by": "created_at", "direction": "desc"} | changes.pop("options", {})
    output = {"columns": COLUMNS, "timezone": "Europe/Paris"} | changes.pop("output", {})
    return {"resource": "shipment", "options": options, "csv_field_options": output, **changes}


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


def test_a_slow_count_is_replaced_by_the_planner_s_estimate(
    alice: KeyClient, shipments: list[Shipment], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow_count(*args: Any) -> sql.Composable:
        return sql.SQL("SELECT *, pg_sleep(2) FROM ({}) AS slow").format(compile_count(*args))

    monkeypatch.setattr(creation, "compile_count", slow_count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE longshore_logistics_shipment")
    result = alice.post("/v1/exports/preview", body()).json()
    assert result["records_count_is_estimate"] is True
    assert 20 <= result["records_count"] <= 31


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_rows_that_take_too_long_fail_with_timeout(
    alice: KeyClient,
    shipments: list[Shipment],
    monkeypatch: pytest.MonkeyPatch,
    file_format: str,
) -> None:
    def slow(*args: Any) -> sql.Composable:
        return sql.SQL("{} AND pg_sleep(1) IS NOT NULL").format(compile_key_partition(*args))

    monkeypatch.setattr(preview, "compile_key_partition", slow)
    monkeypatch.setattr(preview, "ROWS_MILLISECONDS", 100)
    response = alice.post("/v1/exports/preview", body(format=file_format))
    assert (response.status_code, response.json()["error"]) == (504, "timeout")


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "parquet", "xlsx"])
def test_rows_that_are_not_found_in_time_are_reported_as_missing(
    alice: KeyClient,
    shipments: list[Shipment],
    monkeypatch: pytest.MonkeyPatch,
    file_format: str,
) -> None:
    def slow(*args: Any, **kwargs: Any) -> sql.Composable:
        query = compile_records(*args, **kwargs)
        return sql.SQL("SELECT *, pg_sleep(2) FROM ({}) AS slow").format(query)

    monkeypatch.setattr(preview, "compile_records", slow)
    result = alice.post("/v1/exports/preview", body(format=file_format)).json()
    assert (result["rows"], result["rows_are_missing"]) == ([], True)
    assert (result["header"], result["header_is_partial"]) == (COLUMNS, False)
    assert (result["records_count"], result["estimated_bytes"]) == (30, None)


@pytest.mark.parametrize("order", [{}, {"order_by": "amount"}, {"order_by": "status,created_at"}])
def test_gathering_records_first_finds_the_same_records(
    acme: Organization, shipments: list[Shipment], order: dict[str, str]
) -> None:
    request = {"resource": "shipment", "options": {"paid": "true", "limit": 7, **order}}
    spec = parse_export(request)
    keys = []
    for gathered in (False, True):
        with connection.cursor() as cursor:
            cursor.execute(compile_records(spec, acme.pk, gathered=gathered).as_string(None))
            keys.append(cursor.fetchall())
    assert len(keys[0]) == 7
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("limit", "is_gathered"), [(None, True), (31, True), (30, False), (7, False), ("all", True)]
)
def test_records_are_gathered_first_if_they_are_few(
    alice: KeyClient,
    shipments: list[Shipment],
    monkeypatch: pytest.MonkeyPatch,
    limit: int | str | None,
    is_gathered: bool,
) -> None:
    gathered: list[bool] = []

    def recorded(*args: Any, **kwargs: Any) -> sql.Composable:
        gathered.append(kwargs["gathered"])
        return compile_records(*args, **kwargs)

    monkeypatch.setattr(preview, "compile_records", recorded)
    options = {} if limit is None else {"limit": limit}
    alice.post("/v1/exports/preview", body(options=options))
    assert gathered == [is_gathered]
    monkeypatch.setattr(preview, "MAX_GATHERED_RECORDS", 29)
    alice.post("/v1/exports/preview", body(options=options))
    assert gathered == [is_gathered, False]


def test_too_many_columns_fail_with_format_limit(alice: KeyClient, acme: Organization) -> None:
    ShipmentFactory.create(organization=acme, metadata={str(key): key for key in range(2000)})
    request = body(output={"columns": ["id", "metadata"], "properties": "flatten"})
    response = alice.post("/v1/exports/preview", request)
    assert (response.status_code, response.json()["error"]) == (422, "format_limit")
    assert "metadata" in response.json()["message"]
