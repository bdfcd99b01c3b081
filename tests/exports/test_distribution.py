"""Workers elsewhere read parts of an export, and whatever becomes of them, the file is whole."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import current_app
from django.core.cache import cache
from django.db.models.functions import Now
from pytest_django import Settings

from accounts.models import Organization
from exports import distribution, heartbeats, lifecycle, runner
from exports.copying import IncompleteExport
from exports.distribution import Distribution
from exports.models import Export, ExportPart, Status
from exports.stream import ExportStream
from tests.exports.conftest import export_of, stored_files, wait_for, working
from tests.exports.test_parallel import REQUESTS, large

__all__ = ["large"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def elsewhere(transactional_db: None) -> Iterator[None]:
    """A worker of parts, on the real broker."""
    with working("parts"):
        wait_for(lambda: heartbeats.fresh("parts"))
        yield
    cache.delete("heartbeat:parts")


@pytest.fixture
def promised() -> Iterator[None]:
    """A worker of parts has given a sign of life, but there is none."""
    current_app.control.purge()
    cache.set("heartbeat:parts", 1, timeout=60)
    yield
    cache.delete("heartbeat:parts")


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[ExportPart]:
    """The parts that were read elsewhere, as they are taken over."""
    found: list[ExportPart] = []
    stored = distribution._stored

    def noted(part: ExportPart) -> Any:
        found.append(part)
        return stored(part)

    monkeypatch.setattr(distribution, "_stored", noted)
    return found


def stream_of(export: Export, elsewhere: Distribution | None) -> ExportStream:
    return ExportStream(export.parsed_spec(), export.organization_id, 0, elsewhere)


def claimed(organization: Organization, request: dict[str, Any]) -> Export:
    export = lifecycle.claim(export_of(organization, {"resource": "contact"} | request).pk)
    assert export is not None
    return export


@pytest.mark.parametrize("name", ["table order", "ordered and limited", "line ends", "flattened"])
def test_the_file_is_the_one_that_is_written_without_them(
    large: Organization, elsewhere: None, read: list[ExportPart], name: str, settings: Settings
) -> None:
    export = claimed(large, REQUESTS[name])
    settings.EXPORT_CONNECTIONS = 1
    alone = b"".join(stream_of(export, None))
    shared = stream_of(export, Distribution(export))
    assert b"".join(shared) == alone
    assert shared.rows == {"ordered and limited": 777}.get(name, 3000)
    assert len(read) > 1
    assert stored_files() == []
    assert not ExportPart.objects.exists()


def test_a_whole_export_is_verified_and_completed(
    large: Organization, elsewhere: None, read: list[ExportPart]
) -> None:
    export = export_of(large, {"resource": "contact", "format": "parquet"})
    runner.run(export.pk)
    export.refresh_from_db()
    assert (export.status, export.records_count) == (Status.COMPLETED, 3000)
    assert read
    assert {path.name for path in stored_files()} == {"000001", "manifest.json"}


def test_parts_that_nobody_takes_are_read_here(
    large: Organization, promised: None, read: list[ExportPart], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distribution, "_OFFER_SECONDS", 0.05)
    export = claimed(large, {})
    stream = stream_of(export, Distribution(export))
    assert b"".join(stream) == b"".join(stream_of(export, None))
    assert (stream.rows, read) == (3000, [])
    assert not ExportPart.objects.exists()


def test_without_workers_of_parts_none_is_offered(large: Organization) -> None:
    cache.delete("heartbeat:parts")
    assert Distribution(claimed(large, {})).readers == 0


def test_the_part_of_a_reader_that_died_is_read_here(
    large: Organization, promised: None, read: list[ExportPart], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(name: str, arguments: list[int], **options: Any) -> None:
        taken = ExportPart.objects.filter(pk=arguments[0])
        taken.update(taken_by="reader", heartbeat_at=Now() - timedelta(seconds=6))

    monkeypatch.setattr(current_app, "send_task", die)
    export = claimed(large, {})
    stream = stream_of(export, Distribution(export))
    assert b"".join(stream) == b"".join(stream_of(export, None))
    assert (stream.rows, read) == (3000, [])


def test_what_changed_in_the_storage_ends_the_attempt(
    large: Organization, elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    discarded = distribution._stored

    def harmed(part: ExportPart) -> Any:
        [path] = [path for path in stored_files() if str(path).endswith(part.key)]
        content = bytearray(path.read_bytes())
        content[0] ^= 1  # A row more or less.
        path.write_bytes(content)
        return discarded(part)

    monkeypatch.setattr(distribution, "_stored", harmed)
    export = claimed(large, {})
    with pytest.raises(IncompleteExport, match="a part in storage"):
        b"".join(stream_of(export, Distribution(export)))


@contextmanager
def slowly(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Whoever stores a part waits until it is told to stop; the keys of what was begun."""
    begun: list[str] = []

    def wait(part: ExportPart, snapshot: Any) -> None:
        begun.append(part.key)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            snapshot.check()
            time.sleep(0.02)

    with monkeypatch.context() as patch:
        patch.setattr(distribution, "_store", wait)
        yield begun


def test_a_reader_ends_when_nobody_waits_any_more(
    large: Organization,
    elsewhere: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    export = claimed(large, {})
    stream = stream_of(export, Distribution(export))

    with slowly(monkeypatch) as begun, ThreadPoolExecutor(1) as pool:
        content = pool.submit(b"".join, stream)
        wait_for(lambda: bool(begun))
        started = time.monotonic()
        stream.cancel()
        with pytest.raises(psycopg.errors.QueryCanceled):
            content.result()
        assert time.monotonic() - started < 2
        wait_for(lambda: "could not be read here" in caplog.text)
    assert not ExportPart.objects.exists()


def test_a_part_is_taken_up_once(large: Organization, tmp_path: Path) -> None:
    export = claimed(large, {})
    part = ExportPart.objects.create(export=export, key="part", reading={}, taken_by="reader")
    distribution.read_part(part.pk)
    part.refresh_from_db()
    assert (part.taken_by, part.sha256) == ("reader", "")
    assert stored_files() == []
