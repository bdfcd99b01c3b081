"""Previews: limits of time and columns, and how the first records are found."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from exports.execution import preview
from exports.lifecycle import creation
from exports.request.parser import parse_export
from exports.sql.compiler import compile_count, compile_key_partition, compile_records
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Shipment
from tests.conftest import KeyClient
from tests.exports.previews import COLUMNS, body, create_shipments
from tests.factories import ShipmentFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shipments(acme: Organization, globex: Organization) -> list[Shipment]:
    return create_shipments(acme, globex)


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
def test_selecting_before_the_limit_finds_the_same_records(
    acme: Organization, shipments: list[Shipment], order: dict[str, str]
) -> None:
    request = {"resource": "shipment", "options": {"paid": "true", "limit": 7, **order}}
    spec = parse_export(request)
    keys = []
    for select_before_limit in (False, True):
        with connection.cursor() as cursor:
            query = compile_records(spec, acme.pk, select_before_limit=select_before_limit)
            cursor.execute(query.as_string(None))
            keys.append(cursor.fetchall())
    assert len(keys[0]) == 7
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("limit", "expected"), [(None, True), (31, True), (30, False), (7, False), ("all", True)]
)
def test_few_records_are_selected_before_the_limit_applies(
    alice: KeyClient,
    shipments: list[Shipment],
    monkeypatch: pytest.MonkeyPatch,
    limit: int | str | None,
    expected: bool,
) -> None:
    def selects_before_limit() -> bool:
        options = {} if limit is None else {"limit": limit}
        with CaptureQueriesContext(connection) as queries:
            assert alice.post("/v1/exports/preview", body(options=options)).status_code == 200
        [query] = [each["sql"] for each in queries if '"id"::text FROM' in each["sql"]]
        return "OFFSET '0'" in query

    assert selects_before_limit() is expected
    monkeypatch.setattr(preview, "MAX_SELECTED_BEFORE_LIMIT", 29)
    assert not selects_before_limit()


def test_too_many_columns_fail_with_format_limit(alice: KeyClient, acme: Organization) -> None:
    ShipmentFactory.create(organization=acme, metadata={str(key): key for key in range(2000)})
    request = body(output={"columns": ["id", "metadata"], "properties": "flatten"})
    response = alice.post("/v1/exports/preview", request)
    assert (response.status_code, response.json()["error"]) == (422, "format_limit")
    assert "metadata" in response.json()["message"]
