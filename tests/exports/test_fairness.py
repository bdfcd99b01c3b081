"""The backlog of one organization does not delay exports of another."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from celery import current_app
from django.db import connection
from pytest_django import Settings

from exports.models import Export, Lane, Status
from exports_project.embedded import child_processes
from exports_project.processes import worker
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from tests.conftest import KeyClient
from tests.exports.conftest import wait_for
from tests.programs import command_of
from tests.records import copies

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 10_000


@pytest.fixture
def start_workers() -> Iterator[Callable[[], None]]:
    """Return a function that starts a worker for each lane, with one slot."""
    current_app.control.purge()
    children = []
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE": connection.settings_dict["NAME"],
    }

    def start() -> None:
        for lane in Lane.values:
            command = command_of(worker(lane, lane, concurrency=1))
            child = child_processes.spawn(
                command, output=None, death_signal=signal.SIGKILL, env=environment
            )
            children.append(child)

    yield start
    for child in children:
        child.kill()
        child.wait()


def test_ten_exports_of_one_organization_delay_no_export_of_another(
    alice: KeyClient,
    charlie: KeyClient,
    acme: Organization,
    globex: Organization,
    settings: Settings,
    start_workers: Callable[[], None],
) -> None:
    settings.EXPORT_PARALLEL_ROWS = ROWS
    for organization in (acme, globex):
        copies(Contact.objects.create(organization=organization), ROWS - 1)
    body = {"resource": "contact"}
    for _ in range(10):
        assert alice.post("/v1/exports", body).status_code == 201
    small = charlie.post("/v1/exports", body | {"options": {"limit": 1}}).json()["id"]
    large = charlie.post("/v1/exports", body).json()["id"]
    start_workers()
    wait_for(lambda: Export.objects.filter(status=Status.COMPLETED).count() == 12)
    begun = Export.objects.filter(lane=Lane.LARGE).order_by("started_at")
    order = list(begun.values_list("public_id", flat=True))
    assert len(order) == 11
    assert order.index(large) <= 1
    last = Export.objects.get(public_id=order[-1])
    finished = Export.objects.get(public_id=small).completed_at
    assert finished
    assert last.started_at
    assert finished < last.started_at
