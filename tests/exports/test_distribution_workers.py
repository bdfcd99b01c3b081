"""One file written by several worker processes, some of which die, stall or are canceled."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from celery import current_app
from django.db import connection
from pytest_django import Settings

from exports.lifecycle.transitions import EXPORTS
from exports.models import Export, ExportPartition, Lane, PartitionStatus, Status
from exports.reading.stream import ExportStream
from exports_project.embedded import child_processes
from exports_project.embedded.child_processes import Child
from exports_project.processes import worker
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.files.storage import file_storage
from longshore.jobs import heartbeats, queues
from tests.conftest import KeyClient
from tests.exports.conftest import wait_for
from tests.files.buckets import BUCKET
from tests.records import copies

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.django_db(transaction=True)

# 100 MB: about eight parts of the size that real installations use.
ROWS = 8_000
BODY = {"resource": "contact", "csv_field_options": {"columns": ["id", "notes"]}}
Start = Callable[[str], Child]


@pytest.fixture
def start(bucket: S3Client, settings: Settings) -> Iterator[Start]:
    """Return a function that starts a worker of the queue `large`, with one slot."""
    current_app.control.purge()
    children: list[Child] = []
    options = settings.STORAGES["longshore"]["OPTIONS"]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE": connection.settings_dict["NAME"],
        "AWS_STORAGE_BUCKET_NAME": BUCKET,
        "AWS_S3_ENDPOINT_URL": options["endpoint_url"],
        "AWS_S3_REGION_NAME": options["region_name"],
        "EXPORT_PARALLEL_ROWS": "1000",
    }

    def spawn(name: str) -> Child:
        command = worker(name, "large", concurrency=1).command()
        children.append(
            child_processes.spawn(
                command, output=None, death_signal=signal.SIGKILL, env=environment
            )
        )
        return children[-1]

    yield spawn
    for child in children:
        child.kill()
        child.wait()


@pytest.fixture
def workers(start: Start, acme: Organization) -> dict[str, Child]:
    """Three workers with one slot each, ready, and an organization with many contacts."""
    started = {name: start(name) for name in ("one", "two", "three")}
    copies(
        Contact.objects.create(organization=acme),
        ROWS - 1,
        notes="repeat(md5(n::text), 400)",
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE longshore_logistics_contact")
    wait_for(lambda: heartbeats.slots(EXPORTS, Lane.LARGE) == 3)
    return started


def requested(client: KeyClient) -> Export:
    response = client.post("/v1/exports", BODY)
    assert response.status_code == 201, response.content
    export = Export.objects.get(public_id=response.json()["id"])
    Export.objects.filter(pk=export.pk).update(lane=Lane.LARGE)
    queues.enqueue(EXPORTS, Export.objects.get(pk=export.pk))
    return export


def remote() -> bool:
    """Return whether another worker than the coordinator reads a partition."""
    return ExportPartition.objects.filter(
        is_remote=True, status=PartitionStatus.RUNNING, rows__gte=0
    ).exists()


def assert_complete(export: Export) -> None:
    export.refresh_from_db()
    assert export.status == Status.COMPLETED, export.error
    with file_storage.open(export.files.get().storage_key) as file:
        content = file.read()
    assert content == b"".join(ExportStream(export.parsed_spec(), export.organization_id))
    assert export.records_count == ROWS
    assert not ExportPartition.objects.exists()


def ended(export: Export) -> bool:
    export.refresh_from_db()
    return export.status not in (Status.QUEUED, Status.PROCESSING)


def test_several_workers_write_one_file(alice: KeyClient, workers: dict[str, Child]) -> None:
    export = requested(alice)
    wait_for(remote)
    wait_for(lambda: ended(export))
    assert_complete(export)
