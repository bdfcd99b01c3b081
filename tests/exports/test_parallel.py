"""Several connections read one file: in order, of one moment, whole, and stopped together."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from pytest_django import Settings

from exports.formats.base import Block
from exports.reading import copy_reader, partitioning
from exports.reading.parallel import in_order
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
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
    """An organization of many small parts, some rows not where they were written first."""
    monkeypatch.setattr(partitioning, "_PAGES", 10)
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
def test_the_file_is_the_one_that_a_single_connection_writes(
    large: Organization,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    connections: int,
) -> None:
    settings.EXPORT_CONNECTIONS = 1
    alone = content_of(large, REQUESTS[name])
    settings.EXPORT_CONNECTIONS = connections
    together = content_of(large, REQUESTS[name])
    assert together == alone
    if name == "table order":
        assert len(together.splitlines()) == ROWS + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["table order", "ordered"])
def test_all_see_the_moment_at_which_the_first_began(
    large: Organization, settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = content_of(large, REQUESTS[name])
    read = ExportStream._read
    changed = threading.Event()

    def changing(*args: Any) -> Iterator[Block]:
        if not changed.is_set():
            changed.set()
            Contact.objects.filter(email__contains="3").delete()
            Contact.objects.update(notes="y" * 100)
            Contact.objects.create(organization=large, name="late", email="late@example.com")
            with connection.cursor() as cursor:
                cursor.execute("VACUUM longshore_logistics_contact")
            connection.close()
        yield from read(*args)

    monkeypatch.setattr(ExportStream, "_read", changing)
    assert content_of(large, REQUESTS[name]) == before
    assert content_of(large, REQUESTS[name]) != before


@pytest.mark.django_db(transaction=True)
def test_few_rows_are_read_by_one_connection(
    large: Organization, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EXPORT_PARALLEL_ROWS = ROWS * 2
    monkeypatch.setattr("exports.reading.stream.in_order", None)
    content_of(large, {})
    settings.EXPORT_PARALLEL_ROWS = ROWS // 2
    with pytest.raises(TypeError):
        content_of(large, {})


@pytest.mark.django_db(transaction=True)
def test_a_canceled_export_frees_every_connection(
    large: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = ExportStream(parse_export({"resource": "contact"}), large.pk)
    read = ExportStream._read
    reading = threading.Semaphore(0)

    def slow(self: ExportStream, reader: psycopg.Connection, statement: Any) -> Iterator[Block]:
        reading.release()
        reader.execute("SELECT pg_sleep(60)")
        yield from read(self, reader, statement)

    monkeypatch.setattr(ExportStream, "_read", slow)

    def cancel() -> None:
        assert all(reading.acquire(timeout=10) for _ in range(2))
        time.sleep(0.2)
        stream.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    started = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        list(stream)
    assert time.monotonic() - started < 5
    thread.join()
    # The server ends them as soon as it notices.
    wait_for(lambda: others() == (0,))


def others() -> Any:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return cursor.fetchone()


def blocks(task: int, number: int = 3) -> Iterator[Block]:
    for index in range(number):
        yield Block(1, f"{task}.{index}".encode())


def nothing() -> None:
    """No reader needs to be ended."""


def test_tasks_come_out_in_order_whichever_is_read_first() -> None:
    started: list[int] = []

    def read(task: int) -> Iterator[Block]:
        started.append(task)
        # The earlier ones take longer.
        time.sleep(0.01 * (5 - task % 5))
        yield from blocks(task)

    found = [block.data.decode() for block in in_order(iter(range(20)), read, 4, nothing)]
    assert found == [f"{task}.{index}" for task in range(20) for index in range(3)]
    assert sorted(started) == list(range(20))


def test_what_is_read_ahead_is_bounded() -> None:
    counts = dict.fromkeys(range(10), 0)

    def read(task: int) -> Iterator[Block]:
        for block in blocks(task, 1000):
            counts[task] += 1
            yield block

    found = in_order(iter(range(10)), read, 3, nothing)
    next(found)
    time.sleep(0.3)
    assert sum(counts.values()) < 400
    assert len(list(found)) == 10 * 1000 - 1


def test_an_error_of_one_ends_all_and_is_raised_in_its_turn() -> None:
    canceled = threading.Event()

    def read(task: int) -> Iterator[Block]:
        if task == 1:
            raise ValueError("broken")
        for block in blocks(task):
            canceled.wait(0.1)
            yield block
        if task > 1:
            assert canceled.wait(10)

    found = in_order(iter(range(100)), read, 2, canceled.set)
    assert [next(found).data for _ in range(3)] == [b"0.0", b"0.1", b"0.2"]
    with pytest.raises(ValueError, match="broken"):
        next(found)
    assert canceled.is_set()


def test_nobody_is_left_reading_when_the_rest_is_not_wanted() -> None:
    canceled = threading.Event()
    before = threading.active_count()

    def read(task: int) -> Iterator[Block]:
        yield from blocks(task)
        assert canceled.wait(10)

    found = in_order(iter(range(5)), read, 2, canceled.set)
    next(found)
    found.close()  # type: ignore[attr-defined]  # a generator
    assert canceled.is_set()
    assert threading.active_count() == before


@pytest.mark.django_db(transaction=True)
def test_a_storage_that_fails_leaves_no_reader_behind(large: Organization) -> None:
    before = threading.active_count()
    stream = ExportStream(parse_export({"resource": "contact"}), large.pk)
    files = stream.files()
    content = iter(next(files))
    next(content)
    next(content)
    assert threading.active_count() > before
    # The file is still held, as a traceback would hold it.
    files.close()
    assert threading.active_count() == before
    assert content
