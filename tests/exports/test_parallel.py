"""Parallel reading: file order, one snapshot, complete rows, bounded read-ahead, cancellation."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from exports.formats.base import Block
from exports.reading import copy_reader, partitioning, stream
from exports.reading.copy_reader import copy_blocks
from exports.reading.parallel import MAX_BYTES_AHEAD, read_in_order
from exports.reading.snapshot import Snapshot
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from exports.sql import discovery
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, ContactGroup, Group
from tests.exports.conftest import wait_for
from tests.records import copies

ROWS = 3000
REQUESTS: dict[str, dict[str, Any]] = {
    "table order": {},
    "ordered": {"options": {"order_by": "email", "direction": "desc"}},
    "limited": {"options": {"limit": 1234}},
    "ordered and limited": {"options": {"order_by": "name,email", "limit": 777}},
    "filtered": {"options": {"email": "4@example.com,5@example.com"}},
    "nothing": {"options": {"email": "nobody@example.com"}},
    "flattened": {"csv_field_options": {"properties": "flatten", "columns": ["id", "metadata"]}},
    "repeated": {
        "options": {"order_by": "id"},
        "csv_field_options": {"properties": "repeat", "columns": ["id", "groups"]},
    },
    "json": {"format": "json", "options": {"order_by": "id"}},
    "line ends": {"csv_field_options": {"line_end": "\r\n"}},
}


@pytest.fixture
def large(
    acme: Organization, globex: Organization, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Organization:
    """Create an organization whose contacts are many small partitions. Some rows have moved."""
    monkeypatch.setattr(partitioning, "PAGES_PER_SLICE", 10)
    monkeypatch.setattr(copy_reader, "BLOCK_BYTES", 2000)
    settings.EXPORT_PARALLEL_ROWS = 0
    for organization in (acme, globex):
        copies(
            Contact.objects.create(organization=organization),
            ROWS - 1,
            name="'Contact ' || n % 7",
            email="n || '@example.com'",
            notes="repeat('x', n % 500)",
            metadata="jsonb_build_object('key' || n % 3, n)",
        )
    Contact.objects.filter(email__endswith="7@example.com").update(notes="moved")
    group = Group.objects.create(organization=acme, name="All")
    other = Group.objects.create(organization=acme, name="Other")
    ContactGroup.objects.bulk_create(
        ContactGroup(contact=contact, group=each)
        for contact in Contact.objects.filter(organization=acme)[:100]
        for each in (group, other)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE longshore_logistics_contact")
    return acme


def content_of(organization: Organization, request: dict[str, Any]) -> bytes:
    spec = parse_export({"resource": "contact"} | request)
    return b"".join(ExportStream(spec, organization.pk))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("connections", [2, 5])
@pytest.mark.parametrize("name", REQUESTS)
def test_the_file_equals_the_file_read_by_one_connection(
    large: Organization,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    connections: int,
) -> None:
    settings.EXPORT_CONNECTIONS = 1
    expected = content_of(large, REQUESTS[name])
    settings.EXPORT_CONNECTIONS = connections
    content = content_of(large, REQUESTS[name])
    assert content == expected
    if name == "table order":
        assert len(content.splitlines()) == ROWS + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["table order", "ordered"])
def test_all_connections_read_the_same_snapshot(
    large: Organization, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = content_of(large, REQUESTS[name])
    changed = threading.Event()

    def copy_after_changes(*args: Any) -> Iterator[Block]:
        if not changed.is_set():
            changed.set()
            Contact.objects.filter(email__contains="3").delete()
            Contact.objects.update(notes="y" * 100)
            Contact.objects.create(organization=large, name="late", email="late@example.com")
            with connection.cursor() as cursor:
                cursor.execute("VACUUM longshore_logistics_contact")
            connection.close()
        yield from copy_blocks(*args)

    monkeypatch.setattr(stream, "copy_blocks", copy_after_changes)
    assert content_of(large, REQUESTS[name]) == before
    assert content_of(large, REQUESTS[name]) != before


@pytest.mark.django_db(transaction=True)
def test_only_an_export_of_many_rows_is_read_by_several_connections(
    large: Organization, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    backends: set[int] = set()

    def copy_and_record(reader: psycopg.Connection, *args: Any) -> Iterator[Block]:
        backends.add(reader.info.backend_pid)
        yield from copy_blocks(reader, *args)

    monkeypatch.setattr(stream, "copy_blocks", copy_and_record)
    settings.EXPORT_CONNECTIONS = 2
    settings.EXPORT_PARALLEL_ROWS = ROWS * 2
    content_of(large, {})
    assert len(backends) == 1
    backends.clear()
    settings.EXPORT_PARALLEL_ROWS = ROWS // 2
    content_of(large, {})
    assert len(backends) == 2


@pytest.mark.django_db(transaction=True)
def test_cancel_stops_every_connection(
    large: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = ExportStream(parse_export({"resource": "contact"}), large.pk)
    reading = threading.Semaphore(0)

    def copy_slowly(reader: psycopg.Connection, *args: Any) -> Iterator[Block]:
        reading.release()
        reader.execute("SELECT pg_sleep(300)")
        yield from copy_blocks(reader, *args)

    monkeypatch.setattr(stream, "copy_blocks", copy_slowly)

    def cancel() -> None:
        assert all(reading.acquire(timeout=60) for _ in range(2))
        time.sleep(0.2)
        export.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    started = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        list(export)
    assert time.monotonic() - started < 100
    thread.join()
    # The server ends the sessions some time after their connections.
    wait_for(lambda: other_sessions() == (0,))


def test_a_canceled_snapshot_opens_no_connection() -> None:
    snapshot = Snapshot()
    snapshot.cancel()
    with pytest.raises(psycopg.errors.QueryCanceled), snapshot.reader():
        pytest.fail("A connection was opened after the cancellation.")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("connections", [1, 2])
def test_a_cancel_before_a_statement_starts_ends_the_export(
    large: Organization, settings: Settings, monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    settings.EXPORT_CONNECTIONS = connections
    export = ExportStream(parse_export({"resource": "contact"}), large.pk)

    def copy_after_cancel(*args: Any) -> Iterator[Block]:
        # No statement is running, so the cancellation stops none.
        export.cancel()
        yield from copy_blocks(*args)

    monkeypatch.setattr(stream, "copy_blocks", copy_after_cancel)
    with pytest.raises(psycopg.errors.QueryCanceled):
        list(export)
    assert export.rows == 0


@pytest.mark.django_db(transaction=True)
def test_a_check_ends_discovery_between_its_queries(
    large: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "FIRST_LIMIT", 1)
    monkeypatch.setattr(discovery, "GROWTH", 1)
    checks: list[None] = []

    def check() -> None:
        checks.append(None)
        if len(checks) == 2:
            raise psycopg.errors.QueryCanceled

    spec = parse_export({"resource": "contact"} | REQUESTS["flattened"])
    with Snapshot().reader() as reader, pytest.raises(psycopg.errors.QueryCanceled):
        discovery.discover(reader, spec, large.pk, check=check)
    assert len(checks) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["table order", "ordered"])
def test_the_error_that_ended_the_leader_is_raised(
    large: Organization, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The other connections cannot adopt the snapshot of a transaction that has ended."""
    leaders: list[int] = []

    class LosingSnapshot(Snapshot):
        def share(self, leader: psycopg.Connection) -> str:
            leaders.append(leader.info.backend_pid)
            return super().share(leader)

        @contextmanager
        def reader(self, shared: str | None = None) -> Iterator[psycopg.Connection]:
            if shared is not None:
                parameters = connection.get_connection_params()
                with connection.get_new_connection(parameters) as other:
                    other.execute("SELECT pg_terminate_backend(%s, 60000)", leaders)
            with super().reader(shared) as reader:
                yield reader

    monkeypatch.setattr(stream, "Snapshot", LosingSnapshot)
    lost = "terminating connection|server closed the connection"
    with pytest.raises(psycopg.OperationalError, match=lost):
        content_of(large, REQUESTS[name])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["table order", "ordered"])
def test_an_error_of_a_reader_is_raised_while_the_leader_sends_locations(
    large: Organization, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    class UnknownSnapshot(Snapshot):
        def share(self, leader: psycopg.Connection) -> str:
            super().share(leader)
            return "00000000-00000000-1"

    monkeypatch.setattr(stream, "Snapshot", UnknownSnapshot)
    with pytest.raises(psycopg.Error, match="snapshot"):
        content_of(large, REQUESTS[name])


def other_sessions() -> Any:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return cursor.fetchone()


def blocks(task: int, number: int = 3) -> Iterator[Block]:
    for index in range(number):
        yield Block(1, f"{task}.{index}".encode())


def no_cancel() -> None:
    """Do nothing: the reads of the test end by themselves."""


def test_blocks_are_yielded_in_the_order_of_their_tasks() -> None:
    started: list[int] = []

    def read(task: int) -> Iterator[Block]:
        started.append(task)
        # Earlier tasks take longer.
        time.sleep(0.01 * (5 - task % 5))
        yield from blocks(task)

    contents = [block.data.decode() for block in read_in_order(iter(range(20)), read, 4, no_cancel)]
    assert contents == [f"{task}.{index}" for task in range(20) for index in range(3)]
    assert sorted(started) == list(range(20))


@pytest.mark.slow
@pytest.mark.parametrize("block_bytes", [1 << 17, 1 << 20, 5 << 20])
def test_read_ahead_is_bounded_in_bytes(block_bytes: int) -> None:
    readers, tasks, blocks_per_task = 3, 8, 60
    data = bytes(block_bytes)
    counts = dict.fromkeys(range(tasks), 0)

    def read(task: int) -> Iterator[Block]:
        for _ in range(blocks_per_task):
            counts[task] += 1
            yield Block(1, data)

    read_blocks = read_in_order(iter(range(tasks)), read, readers, no_cancel)
    next(read_blocks)
    wait_for(lambda: sum(counts.values()) >= readers * min(MAX_BYTES_AHEAD // block_bytes, 2))
    time.sleep(0.3)
    # A queue exceeds the bound by less than one block, and each reader holds one more block.
    assert all(count * block_bytes < MAX_BYTES_AHEAD + 3 * block_bytes for count in counts.values())
    assert len(list(read_blocks)) == tasks * blocks_per_task - 1


def test_an_error_cancels_all_reads_and_is_raised_after_earlier_tasks() -> None:
    canceled = threading.Event()

    def read(task: int) -> Iterator[Block]:
        if task == 1:
            raise ValueError("read failed")
        for block in blocks(task):
            canceled.wait(0.1)
            yield block
        if task > 1:
            assert canceled.wait(60)

    read_blocks = read_in_order(iter(range(100)), read, 2, canceled.set)
    assert [next(read_blocks).data for _ in range(3)] == [b"0.0", b"0.1", b"0.2"]
    with pytest.raises(ValueError, match="read failed"):
        next(read_blocks)
    assert canceled.is_set()


def test_closing_the_generator_ends_all_reads() -> None:
    canceled = threading.Event()
    before = threading.active_count()

    def read(task: int) -> Iterator[Block]:
        yield from blocks(task)
        assert canceled.wait(60)

    read_blocks = read_in_order(iter(range(5)), read, 2, canceled.set)
    next(read_blocks)
    read_blocks.close()  # type: ignore[attr-defined]  # a generator
    assert canceled.is_set()
    assert threading.active_count() == before


@pytest.mark.django_db(transaction=True)
def test_closing_the_files_early_ends_all_threads(large: Organization) -> None:
    before = threading.active_count()
    files = ExportStream(parse_export({"resource": "contact"}), large.pk).files()
    content = iter(next(files))
    next(content)
    next(content)
    assert threading.active_count() > before
    # `content` still refers to the file, as a traceback would.
    files.close()
    assert threading.active_count() == before
    assert content
