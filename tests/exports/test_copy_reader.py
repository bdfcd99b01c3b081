"""The COPY reader: whole rows, their count, errors, cancellation."""

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import orjson
import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from exports.formats import formats
from exports.formats.base import FileColumn, FormatLimit
from exports.reading import copy_reader
from exports.reading.copy_reader import IncompleteExport, copy_blocks
from exports.reading.snapshot import Snapshot
from exports.request.parser import parse_export
from longshore.database.copying import BLOCK_BYTES
from longshore.resources.columns import ColumnType

pytestmark = pytest.mark.django_db

OBJECTS = """COPY (SELECT row_to_json(object) FROM
 (SELECT number - 1 AS n, repeat('x', size) AS x
 FROM unnest('{{{}}}'::int[]) WITH ORDINALITY AS sizes (size, number)) AS object) TO STDOUT"""
EMPTY = len(orjson.dumps({"n": 0, "x": ""}))


@pytest.fixture
def reader() -> Iterator[psycopg.Connection]:
    with Snapshot().reader() as reader:
        yield reader


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [0],
        [BLOCK_BYTES],
        # The first object ends one byte before the end of a block, at its end, and one byte after.
        *([BLOCK_BYTES - EMPTY - 1 + more, 0, 0] for more in (-1, 0, 1)),
        [BLOCK_BYTES, BLOCK_BYTES, 0],
        [1000] * 3000,
    ],
    ids=["none", "one", "large", "before", "exact", "after", "two large", "many"],
)
@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_objects_stay_whole_at_the_end_of_a_block(
    reader: psycopg.Connection, name: str, sizes: list[int]
) -> None:
    spec = parse_export({"resource": "contact", "format": name})
    columns = [FileColumn("n", ColumnType.INTEGER), FileColumn("x", ColumnType.TEXT)]
    statement = OBJECTS.format(",".join(map(str, sizes))).encode()
    blocks = list(copy_blocks(reader, statement))
    content = b"".join(formats[name].write(columns, blocks, spec))
    lines = content.splitlines() if name == "jsonl" else None
    records = orjson.loads(content) if lines is None else [orjson.loads(line) for line in lines]
    assert [(record["n"], len(record["x"])) for record in records] == list(enumerate(sizes))
    assert sum(block.rows for block in blocks) == len(sizes)
    assert all(len(block.data) >= BLOCK_BYTES for block in blocks[:-1])


def test_a_line_end_replaces_the_end_of_rows_and_not_line_feeds_in_cells(
    reader: psycopg.Connection,
) -> None:
    statement = b"COPY (VALUES (E'a\\nb', 1), ('', 2)) TO STDOUT (FORMAT csv)"
    [block] = copy_blocks(reader, statement, b"\r\n")
    assert block.data == b'"a\nb",1\r\n"",2\r\n'


@pytest.mark.slow
def test_slow_rows_are_yielded_before_the_block_is_full(
    reader: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_reader, "SLOW_MILLISECONDS", 100)
    # The server buffers 8 KiB before it sends: the second row fills the rest of that buffer.
    slow = b"COPY (SELECT pg_sleep(0.4), repeat('x', 9000) FROM generate_series(1, 3)) TO STDOUT"
    assert [block.rows for block in copy_blocks(reader, slow)] == [1, 2]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (b"COPY (SELECT 1 / 0) TO STDOUT", psycopg.errors.DivisionByZero),
        (b"COPY (SELECT 1 / (5000 - n) FROM generate_series(1, 9000) AS g (n)) TO STDOUT", None),
        (b"COPY nothing_such TO STDOUT", psycopg.errors.UndefinedTable),
        (b"nonsense", psycopg.errors.SyntaxError),
        (b"SELECT 1", psycopg.Error),
    ],
)
def test_errors_of_the_server_are_raised_as_psycopg_errors(
    reader: psycopg.Connection, statement: bytes, error: type[Exception] | None
) -> None:
    with pytest.raises(error or psycopg.errors.DivisionByZero):
        list(copy_blocks(reader, statement))
    assert reader.pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE


@pytest.mark.parametrize(
    "statement",
    [
        b"COPY (SELECT pg_sleep(300)) TO STDOUT",
        b"COPY (SELECT repeat('x', 9000), pg_sleep(300 * n) FROM generate_series(0, 2) AS g (n))"
        b" TO STDOUT",
    ],
    ids=["before the first row", "after a row"],
)
def test_a_check_ends_a_statement_that_sends_no_rows(
    reader: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, statement: bytes
) -> None:
    monkeypatch.setattr(copy_reader, "SLOW_MILLISECONDS", 50)

    def check() -> None:
        raise psycopg.errors.QueryCanceled

    with pytest.raises(psycopg.errors.QueryCanceled):
        list(copy_blocks(reader, statement, check=check))
    assert reader.closed


def test_a_row_that_is_too_large_is_quoted_in_the_log_only(
    reader: psycopg.Connection, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EXPORT_MAX_ROW_BYTES = 1000
    with pytest.raises(FormatLimit) as limit:
        list(copy_blocks(reader, b"COPY (SELECT repeat('secret ', 1000)) TO STDOUT"))
    text = "A row has 7,001 bytes; the maximum is 1,000. Leave out its large columns."
    assert str(limit.value) == text
    assert "secret secret" in caplog.text


def test_a_connection_runs_several_copies(reader: psycopg.Connection) -> None:
    for number in range(3):
        statement = f"COPY (SELECT generate_series(1, {number})) TO STDOUT".encode()
        assert sum(block.rows for block in copy_blocks(reader, statement)) == number
        assert reader.execute("SELECT 1").fetchone() == (1,)


class LossyServer:
    """A libpq connection that loses the first row of a COPY."""

    def __init__(self, server: psycopg.pq.abc.PGconn) -> None:
        self.server = server
        self.lost = False

    def get_copy_data(self, async_: int) -> tuple[int, memoryview]:
        size, row = self.server.get_copy_data(async_)
        if size > 0 and not self.lost:
            self.lost = True
            return self.server.get_copy_data(async_)
        return size, row

    def __getattr__(self, name: str) -> Any:
        return getattr(self.server, name)


def test_a_lost_row_raises_incomplete_export(reader: psycopg.Connection) -> None:
    lossy: Any = SimpleNamespace(pgconn=LossyServer(reader.pgconn))
    with pytest.raises(IncompleteExport, match="Received 4 of 5 rows"):
        list(copy_blocks(lossy, b"COPY (SELECT generate_series(1, 5)) TO STDOUT"))


def test_closing_the_reader_early_cancels_the_statement(reader: psycopg.Connection) -> None:
    endless = b"COPY (SELECT generate_series(1, 1000000000000)) TO STDOUT"
    blocks = copy_blocks(reader, endless)
    next(blocks)
    pid = reader.info.backend_pid
    blocks.close()  # type: ignore[attr-defined]  # a generator
    assert reader.closed
    deadline = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            # A transaction keeps the statistics that it read first.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [pid])
            if not cursor.fetchall():
                return
            time.sleep(0.05)
    pytest.fail("The server still runs the statement.")


def test_a_statement_larger_than_the_socket_buffer_is_sent_completely(
    reader: psycopg.Connection,
) -> None:
    text = "x" * 4_000_000
    [block] = copy_blocks(reader, f"COPY (SELECT length('{text}')) TO STDOUT".encode())
    assert block.data == b"4000000\n"
