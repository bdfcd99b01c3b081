"""Several worker processes write one file. Workers die or stall, and exports are canceled."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from subprocess import Popen
from typing import TYPE_CHECKING, TypeAlias

import pytest
from celery import current_app
from django.db import connection, connections
from pytest_django import Settings

from exports.execution import runner
from exports.lifecycle.transitions import EXPORTS, export_lifecycle
from exports.models import Export, ExportPartition, Lane, PartitionStatus, Status
from exports.reading.stream import ExportStream
from exports_project.embedded import child_processes
from exports_project.processes import worker
from longshore.accounts.models import Organization
from longshore.cache import cache
from longshore.domains.logistics.models import Contact
from longshore.files.storage import file_storage
from longshore.jobs import heartbeats, maintenance, queues
from tests.exports.conftest import export_of, finished, wait_for
from tests.files.buckets import BUCKET
from tests.programs import command_of
from tests.records import copies

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.django_db(transaction=True)

# 100 MB: about eight parts of the size that real installations use.
ROWS = 8_000
BODY = {"resource": "contact", "csv_field_options": {"columns": ["id", "notes"]}}
Worker: TypeAlias = "Popen[bytes]"
Start = Callable[[str], Worker]


@pytest.fixture
def start(bucket: S3Client, settings: Settings) -> Iterator[Start]:
    """Return a function that starts a worker of the queue `large`, with one slot."""
    current_app.control.purge()
    # The heartbeats of workers that an earlier test killed.
    cache.clear()
    settings.EXPORT_PARALLEL_ROWS = 1000
    children: list[Worker] = []
    options = settings.STORAGES["longshore"]["OPTIONS"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE": connection.settings_dict["NAME"],
        "AWS_STORAGE_BUCKET_NAME": BUCKET,
        "AWS_S3_ENDPOINT_URL": options["endpoint_url"],
        "AWS_S3_REGION_NAME": options["region_name"],
        "EXPORT_PARALLEL_ROWS": "1000",
    }

    def spawn(name: str) -> Worker:
        command = command_of(worker(name, "large", concurrency=1))
        children.append(
            child_processes.spawn(
                command, output=None, death_signal=signal.SIGKILL, env=environment
            )
        )
        return children[-1]

    yield spawn
    for child in children:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@pytest.fixture
def workers(start: Start, acme: Organization) -> list[Worker]:
    """Two workers with one slot each, ready, and an organization with many contacts."""
    started = [start("one"), start("two")]
    copies(Contact.objects.create(organization=acme), ROWS - 1, notes="repeat(md5(n::text), 400)")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE longshore_logistics_contact")
    wait_for(lambda: heartbeats.slots(EXPORTS, Lane.LARGE) == 2)
    return started


@contextmanager
def coordinated(organization: Organization) -> Iterator[Export]:
    """Run an export in a thread of this process; wait for its end and check its file.

    The block begins when a worker process reads one of its partitions.
    """
    export = export_of(organization, BODY, lane=Lane.LARGE)

    def run() -> None:
        try:
            runner.run(export.pk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        wait_for(is_helped)
        yield export
        running.result()


def is_helped() -> bool:
    """Return whether another worker than the coordinator reads a partition."""
    running = ExportPartition.objects.filter(status=PartitionStatus.RUNNING)
    return running.filter(is_remote=True).exists()


def assert_complete(export: Export, attempts: int = 1) -> None:
    export.refresh_from_db()
    assert export.status == Status.COMPLETED, export.error
    assert len(export.claims) == attempts
    with file_storage.open(export.files.get().storage_key) as file:
        content = file.read()
    assert content == b"".join(ExportStream(export.parsed_spec(), export.organization_id))
    assert export.records_count == ROWS
    assert not ExportPartition.objects.exists()


def test_several_workers_write_one_file(
    acme: Organization, workers: list[Worker], bucket: S3Client
) -> None:
    export = export_of(acme, BODY, lane=Lane.LARGE)
    queues.enqueue(EXPORTS, export)
    wait_for(is_helped)
    wait_for(lambda: finished(export))
    assert_complete(export)
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)


def test_killed_workers_cost_their_partitions_only(
    acme: Organization, workers: list[Worker]
) -> None:
    with coordinated(acme) as export:
        for each in workers:
            os.killpg(each.pid, signal.SIGKILL)
    assert_complete(export)


def test_a_stalled_worker_cannot_replace_the_part_of_its_successor(
    acme: Organization, workers: list[Worker], bucket: S3Client, settings: Settings
) -> None:
    with coordinated(acme) as export:
        for each in workers:
            os.killpg(each.pid, signal.SIGSTOP)
        partitions = ExportPartition.objects.filter(is_remote=True, status=PartitionStatus.RUNNING)
        tokens = list(partitions.values_list("token", flat=True))
        assert tokens
        # Until the coordinator gives their partitions to another worker.
        wait_for(lambda: not ExportPartition.objects.filter(token__in=tokens).exists())
        for each in workers:
            os.killpg(each.pid, signal.SIGCONT)
    assert_complete(export)


def test_the_death_of_the_coordinator_costs_the_attempt(
    acme: Organization,
    start: Start,
    workers: list[Worker],
    bucket: S3Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maintenance, "MAX_SILENCE", timedelta(seconds=3))
    export = export_of(acme, BODY, lane=Lane.LARGE)
    queues.enqueue(EXPORTS, export)
    wait_for(is_helped)
    for each in workers:
        os.killpg(each.pid, signal.SIGKILL)
    assert "Uploads" in bucket.list_multipart_uploads(Bucket=BUCKET)

    def is_requeued() -> bool:
        maintenance.recover(export_lifecycle)
        return Export.objects.get().status == Status.QUEUED

    wait_for(is_requeued)
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)
    Export.objects.update(not_before=None)
    current_app.control.purge()
    start("three")
    queues.enqueue(EXPORTS, export)
    wait_for(lambda: finished(export))
    assert_complete(export, attempts=2)


def test_a_cancellation_stops_all_workers_and_aborts_the_upload(
    acme: Organization, workers: list[Worker], bucket: S3Client
) -> None:
    with coordinated(acme) as export:
        export_lifecycle.cancel(export)
        # The workers report every second, and then stop their statements.
        wait_for(lambda: not reads())
    assert Export.objects.get().status == Status.CANCELED
    assert not ExportPartition.objects.exists()
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)
    assert "Contents" not in bucket.list_objects_v2(Bucket=BUCKET)


def reads() -> bool:
    """Return whether a connection has a transaction with a snapshot that others share or adopt."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND query LIKE 'COPY%%' AND state = 'active'"
        )
        return bool(cursor.rowcount)
