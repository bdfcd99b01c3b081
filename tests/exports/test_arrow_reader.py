"""Parquet from Arrow batches: the same files as from COPY's text, complete, and cancelable."""

import io
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pyarrow
import pytest
from adbc_driver_manager import AdbcStatement
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import sql
from pyarrow import parquet
from pytest_django import Settings

from exports.formats import formats
from exports.formats.base import Block, FileColumn, FormatLimit
from exports.reading import arrow_reader
from exports.reading.arrow_reader import ArrowConnection, arrow_blocks, connection_string
from exports.reading.copy_reader import IncompleteExport
from exports.reading.snapshot import Snapshot
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.resources.columns import ColumnType
from tests.exports.conftest import wait_for
from tests.exports.samples import COLUMNS, NASTY, exact, exported, rows, stored
from tests.exports.test_parallel import other_sessions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("sample", "large")]


@pytest.fixture
def large(settings: Settings) -> None:
    """Read every export by several connections."""
    settings.EXPORT_PARALLEL_ROWS = 0
    settings.EXPORT_CONNECTIONS = 2


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[Block]:
    """Record the blocks that are read as Arrow."""
    found: list[Block] = []

    def record(reader: ArrowConnection, query: sql.Composable) -> Iterator[Block]:
        for block in arrow_blocks(reader, query):
            found.append(block)
            yield block

    monkeypatch.setattr(arrow_reader, "arrow_blocks", record)
    return found


def read(content: bytes) -> pyarrow.Table:
    return parquet.read_table(io.BytesIO(content))


def set_all(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        update = sql.SQL("UPDATE tests_sample SET {} = {}")
        cursor.execute(update.format(sql.Identifier(name), sql.Literal(value)).as_string(None))


def never_canceled() -> None:
    """Do nothing: nobody cancels the query of the test."""


@contextmanager
def opened() -> Iterator[ArrowConnection]:
    snapshot = Snapshot()
    with snapshot.reader() as leader:
        reader = ArrowConnection(connection_string(leader), snapshot.share(leader), never_canceled)
        try:
            yield reader
        finally:
            reader.close()


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(rows, min_size=1, max_size=6), st.sampled_from(["UTC", "America/New_York"]))
def test_any_values_equal_those_of_copied_text(
    settings: Settings, batches: list[Block], records: list[dict[str, Any]], timezone: str
) -> None:
    organization = stored(*records)
    batches.clear()
    settings.EXPORT_PARALLEL_ROWS = 0
    table = read(exported(organization, "parquet", timezone=timezone))
    assert batches
    settings.EXPORT_PARALLEL_ROWS = 1 << 40
    count = len(batches)
    copied = read(exported(organization, "parquet", timezone=timezone))
    assert len(batches) == count
    assert table.schema == copied.schema
    for row, expected, record in zip(table.to_pylist(), copied.to_pylist(), records, strict=True):
        document = row.pop("json")
        assert document == expected.pop("json")
        assert document is None or exact(document) == exact(json.dumps(record["json"]))
        assert row == {name: record[name] for name in COLUMNS if name != "json"}


def test_any_members_of_a_list_are_read_back(batches: list[Block]) -> None:
    lists = [[*NASTY], [], [None], [""], [None, "", None], None, *([text] for text in NASTY)]
    organization = stored(*({"list": members} for members in lists))
    content = exported(organization, "parquet", columns=["list"])
    assert read(content)["list"].to_pylist() == lists
    assert batches


def test_decimals_of_38_digits_and_uuids_are_exact(batches: list[Block]) -> None:
    digits = Decimal("12345678901234567890.0123456789")
    identifier = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    organization = stored({"decimal": digits, "uuid": identifier}, {"decimal": -digits})
    table = read(exported(organization, "parquet", columns=["decimal", "uuid"]))
    assert table["decimal"].to_pylist() == [digits, -digits]
    assert table["uuid"].to_pylist() == [identifier, None]
    assert batches


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnType.FLOAT, "1.1::real"),
        (ColumnType.FLOAT, "1::int8"),
        (ColumnType.INTEGER, "1::numeric"),
        (ColumnType.DATETIME, "now()::timestamp"),
        (ColumnType.DATE, "now()"),
        (ColumnType.DECIMAL, "1::float8"),
        (ColumnType.TEXT, "'a '::char(3)"),
        (ColumnType.TEXT, "'10.0.0.1'::inet"),
        (ColumnType.TEXT, "'1 day'::interval"),
        (ColumnType.TEXT, "'12:00'::time"),
        (ColumnType.TEXT, "'a'::bytea"),
        (ColumnType.TEXT, "'{}'::jsonb"),
        (ColumnType.TEXT, "1.5::money"),
    ],
)
def test_a_column_of_another_type_needs_text(kind: ColumnType, value: str) -> None:
    query = sql.SQL("SELECT {} AS column").format(sql.SQL(value))
    with Snapshot().reader() as reader:
        description = reader.execute(query.as_bytes(None)).description or ()
    columns = [FileColumn("column", kind, (10, 2) if kind is ColumnType.DECIMAL else None)]
    types = [column.type_code for column in description]
    assert formats["parquet"].arrow_query(query, columns, types) is None


def test_an_export_with_a_column_of_another_type_is_read_as_text(batches: list[Block]) -> None:
    organization = stored({"text": "a", "float": 0.1})
    alter = "ALTER TABLE tests_sample ALTER COLUMN float TYPE {}"
    with connection.cursor() as cursor:
        cursor.execute(alter.format("real"))
        try:
            table = read(exported(organization, "parquet", columns=["text", "float"]))
        finally:
            cursor.execute(alter.format("double precision"))
    assert table.to_pylist() == [{"text": "a", "float": 0.1}]
    assert not batches


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("datetime", "infinity"),
        ("datetime", "-infinity"),
        ("datetime", "0044-03-15 00:00:00 BC"),
        ("datetime", "10000-01-01"),
        ("date", "infinity"),
        ("date", "-infinity"),
        ("date", "10000-01-01"),
        ("decimal", "NaN"),
    ],
)
def test_a_value_outside_the_type_raises_an_error_that_names_the_column(
    batches: list[Block], name: str, text: str
) -> None:
    organization = stored({"text": "x"})
    set_all(name, text)
    with pytest.raises(FormatLimit, match="column 'The header' does not fit into Parquet"):
        exported(organization, "parquet", columns={"text": True, name: "The header"})
    assert batches


def test_the_first_and_last_years_are_read_back() -> None:
    moments = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)]
    organization = stored(*({"datetime": each, "date": each.date()} for each in moments))
    table = read(exported(organization, "parquet", columns=["datetime", "date"]))
    assert table["datetime"].to_pylist() == moments
    assert table["date"].to_pylist() == [each.date() for each in moments]


def test_missing_rows_raise_incomplete_export(monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_a_row(reader: ArrowConnection, query: sql.Composable) -> Iterator[Block]:
        for block in arrow_blocks(reader, query):
            yield Block(block.rows - 1, b"", block.batch.slice(1))

    organization = stored({"text": "a"}, {"text": "b"})
    monkeypatch.setattr(arrow_reader, "arrow_blocks", lose_a_row)
    with pytest.raises(IncompleteExport, match="Received 1 of 2 rows"):
        exported(organization, "parquet")


def test_all_connections_read_the_snapshot_of_the_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = threading.Event()

    def read_after_changes(reader: ArrowConnection, query: sql.Composable) -> Iterator[Block]:
        if not changed.is_set():
            changed.set()
            set_all("text", "changed")
            connection.close()
        yield from arrow_blocks(reader, query)

    organization = stored({"text": "a"}, {"text": "b"})
    monkeypatch.setattr(arrow_reader, "arrow_blocks", read_after_changes)
    assert read(exported(organization, "parquet"))["text"].to_pylist() == ["a", "b"]
    assert changed.is_set()


@pytest.mark.parametrize("is_late", [True, False])
def test_cancel_ends_a_slow_query(monkeypatch: pytest.MonkeyPatch, is_late: bool) -> None:
    """Also if the server receives the cancellation before the query, and ignores it."""
    organization = stored({"text": "a"})
    spec = parse_export({"resource": "sample", "format": "parquet"})
    export = ExportStream(spec, organization.pk)
    begins = threading.Event()

    def slow_query(*args: Any) -> sql.Composable:
        return sql.SQL("SELECT 1 FROM pg_sleep(300)")

    class LateStatement(AdbcStatement):
        def execute_query(self, *args: Any, **options: Any) -> Any:
            if begins.is_set():
                time.sleep(0.5)
            return super().execute_query(*args, **options)

    def read_slowly(reader: ArrowConnection, query: sql.Composable) -> Iterator[Block]:
        begins.set()
        yield from arrow_blocks(reader, slow_query())

    monkeypatch.setattr(arrow_reader, "arrow_blocks", read_slowly)
    if is_late:
        monkeypatch.setattr(arrow_reader, "AdbcStatement", LateStatement)

    def cancel() -> None:
        assert begins.wait(60)
        time.sleep(0.1 if is_late else 0.5)
        export.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    started = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        list(export)
    # Far less than the query; the duration depends on the machine.
    assert time.monotonic() - started < 100
    thread.join()
    wait_for(lambda: other_sessions() == (0,))


def test_errors_are_those_of_psycopg() -> None:
    with opened() as reader:
        reader.configure({"statement_timeout": "100ms"})
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            list(reader.batches(sql.SQL("SELECT 1 FROM pg_sleep(300)")))
        assert reader.closed
    with opened() as reader, pytest.raises(psycopg.errors.DivisionByZero):
        list(reader.batches(sql.SQL("SELECT 1 / (n - 90000) FROM generate_series(1, 100000) n")))
    with opened() as reader, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        reader.execute(sql.SQL("CREATE TABLE new_table ()"))
    with opened() as reader, pytest.raises(psycopg.errors.AdminShutdown):
        reader.execute(sql.SQL("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(300)"))
    with pytest.raises(psycopg.OperationalError):
        ArrowConnection("host=/nowhere", "1", never_canceled)
    with Snapshot().reader() as leader, pytest.raises(psycopg.Error, match="snapshot"):
        ArrowConnection(connection_string(leader), "00000000-00000000-1", never_canceled)


def test_ending_early_ends_the_query_and_its_session() -> None:
    with opened() as reader:
        query = sql.SQL("SELECT repeat('x', 1000) FROM generate_series(1, 10000000)")
        batches = reader.batches(query)
        first = next(batches)
        assert 0 < first.nbytes <= arrow_reader.BATCH_BYTES * 1.1
        batches.close()  # type: ignore[attr-defined]  # a generator
        assert reader.closed
    wait_for(lambda: other_sessions() == (0,))


def test_a_row_above_the_maximum_raises_format_limit(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EXPORT_MAX_ROW_BYTES = 1 << 20
    organization = stored({"text": "small"}, {"text": "x" * (1 << 20)}, {"text": "small"})
    with pytest.raises(FormatLimit, match="bytes; the maximum is 1,048,576"):
        exported(organization, "parquet", columns=["text"])
    assert "It begins with 'xxx" in caplog.text


def test_a_connection_string_has_the_password() -> None:
    password = "a 'b' \\c"  # noqa: S105  # of no server
    parameters = connection.get_connection_params() | {"password": password}
    with connection.get_new_connection(parameters) as other:
        text = connection_string(other)
    assert psycopg.conninfo.conninfo_to_dict(text)["password"] == password
