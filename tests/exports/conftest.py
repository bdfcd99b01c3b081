"""Fixtures of the tests of exports: records, a real worker on the real broker, and polling."""

from __future__ import annotations

import faulthandler
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import kombu.pools
import pytest
from celery import current_app
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.db import connections
from django.http import StreamingHttpResponse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from exports.models import Export, Status
from exports.request.parser import parse_export
from exports_project import embedded
from exports_project.object_storage import s3
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, Group
from longshore.resources.registry import Registry
from tests.files.buckets import BUCKET, s3_server
from tests.samples import SAMPLE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Path) -> None:
    """Use an empty folder as the storage of each test."""
    options = settings.STORAGES["longshore"]["OPTIONS"] | {"location": str(tmp_path)}
    default = settings.STORAGES["longshore"] | {"OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"longshore": default}


@pytest.fixture
def bucket(settings: Settings) -> Iterator[S3Client]:
    """An empty bucket as the storage of the test."""
    with s3_server() as (client, endpoint):
        settings.STORAGES = settings.STORAGES | {"longshore": s3(BUCKET, endpoint, "us-east-1")}
        yield client


@contextmanager
def working(queues: str) -> Iterator[None]:
    """Run a Celery worker that consumes these queues in Valkey until the end of the block."""
    current_app.control.purge()
    with start_worker(
        current_app, perform_ping_check=False, pool="solo", loglevel="WARNING", queues=queues
    ):
        yield
    connections.close_all()
    # A worker selects its queues in the application, and this process goes on without the worker.
    current_app.amqp.queues = current_app.conf.task_queues  # type: ignore[misc]


@pytest.fixture
def worker(transactional_db: None) -> Iterator[None]:
    """Run a Celery worker of all queues until the end of the test."""
    with working("large,quick,maintenance,webhooks"):
        yield


@pytest.fixture
def no_broker() -> Iterator[None]:
    """Make the broker unreachable: rename its socket until the end of the test."""
    socket = embedded.valkey_socket(settings.LOCAL_DIR)
    hidden = socket.rename(socket.with_name("hidden.sock"))
    reset_connections()
    yield
    hidden.rename(socket)
    reset_connections()


def reset_connections() -> None:
    """Close Celery's connections, so that it connects again, as in a new process."""
    kombu.pools.reset()
    current_app._after_fork()  # type: ignore[attr-defined]


@pytest.fixture
def contacts(acme: Organization, globex: Organization) -> list[Contact]:
    """Five contacts of acme, some in groups, and one of globex."""
    crew = Group.objects.create(organization=acme, name="Crew", resource="contact")
    dock = Group.objects.create(organization=acme, name='Dock, "B"', resource="contact")
    rows = [
        Contact.objects.create(organization=acme, name=name, email=email, notes=notes)
        for name, email, notes in [
            ("Zoë Ünal", "zoe@example.org", "first line\nsecond, line"),
            ("Łukasz Żak", None, ""),
            ("山田 太郎", "taro@example.org", 'says "hi" 👋'),
            ("Ελένη", "", "\r\n"),
            ("Пётр", "petr@example.org", "a\tb\\c"),
        ]
    ]
    rows[0].groups.add(crew, dock)
    rows[1].groups.add(crew)
    Contact.objects.create(organization=globex, name="Charlie's secret")
    return rows


def export_of(organization: Organization, body: dict[str, Any], **values: Any) -> Export:
    """Create a queued export without a message or webhook events."""
    spec = parse_export(body)
    values = {"expires_at": timezone.now() + timedelta(hours=24)} | values
    return Export.objects.create(
        organization=organization,
        resource=spec.resource,
        format=spec.format,
        compression=spec.compression,
        request=body,
        spec=spec.to_json(),
        **values,
    )


@pytest.fixture
def queued(acme: Organization, contacts: list[Contact], transactional_db: None) -> Export:
    """Create a queued export of acme's contacts, without a message."""
    body = {"resource": "contact", "csv_field_options": {"columns": ["id", "name"]}}
    return export_of(acme, body, records_count=len(contacts))


@pytest.fixture
def sample(transactional_db: None, own_registry: Registry, samples: None) -> None:
    """Register the resource `sample`, with an empty table."""
    own_registry.register(SAMPLE)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Poll until the condition is true. On a timeout print all threads and fail the test.

    seconds: the timeout, by default long enough for a machine with a busy disk.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            faulthandler.dump_traceback(all_threads=True)
            pytest.fail(f"the condition was still false after {seconds} s")
        time.sleep(0.05)


def finished(export: Export) -> bool:
    export.refresh_from_db()
    return export.status not in (Status.QUEUED, Status.PROCESSING)


def key_of(shown: dict[str, Any]) -> int:
    """Return the primary key of an export object of the API."""
    return Export.objects.values_list("pk", flat=True).get(public_id=shown["id"])


def stored_files() -> list[Path]:
    """Return every file in the storage of exports."""
    root = Path(settings.STORAGES["longshore"]["OPTIONS"]["location"])
    return [path for path in root.rglob("*") if path.is_file()]


def downloaded(url: str) -> bytes:
    """Return the content behind a signed link, requested without an API key."""
    response = APIClient().get(url)
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(cast("Iterator[bytes]", response.streaming_content))
