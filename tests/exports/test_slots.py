"""No organization claims the last slot, and idle workers of `large` help `quick`."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from celery import current_app
from django.db import connection
from pytest_django import Settings

from exports.lifecycle.transitions import EXPORTS, export_lifecycle
from exports.models import Export, Lane, Status
from exports_project.embedded import child_processes
from exports_project.processes import worker
from longshore.accounts.models import Organization
from longshore.cache import cache
from longshore.domains.logistics.models import Contact
from longshore.jobs import actions, heartbeats, queues
from longshore.jobs.fairness import waiting_of
from longshore.jobs.statuses import UNFINISHED
from tests.conftest import KeyClient
from tests.exports.conftest import export_of, wait_for
from tests.programs import command_of

pytestmark = pytest.mark.django_db(transaction=True)

CONTACTS = {"resource": "contact"}
StartWorker = Callable[..., None]


@pytest.fixture
def start_worker() -> Iterator[StartWorker]:
    """Return a function that starts a worker, which runs until the end of the test."""
    current_app.control.purge()
    cache.clear()
    children = []
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE": connection.settings_dict["NAME"],
    }

    def start(name: str, queues: str, concurrency: int) -> None:
        command = command_of(worker(name, *queues.split(","), concurrency=concurrency))
        child = child_processes.spawn(
            command, output=None, death_signal=signal.SIGKILL, env=environment
        )
        children.append(child)

    yield start
    for child in children:
        child.kill()
        child.wait()


def waiting(organization: Organization, lane: Lane, count: int = 1) -> list[Export]:
    return [export_of(organization, CONTACTS, lane=lane) for _ in range(count)]


def test_the_last_slot_is_reserved_for_another_organization(
    acme: Organization, globex: Organization, contacts: list[Contact]
) -> None:
    first, second, third = waiting(acme, Lane.LARGE, 3)
    [foreign] = waiting(globex, Lane.LARGE)

    def claim() -> Export | None:
        return export_lifecycle.claim(second.pk, Lane.LARGE, 3)

    assert [claim(), claim(), claim(), claim()] == [first, foreign, second, None]
    export_lifecycle.cancel(first)
    assert waiting_of(EXPORTS, acme.pk, Lane.LARGE) == third
    assert claim() == third


@pytest.mark.parametrize("slots", [0, 1])
def test_a_lane_with_one_slot_reserves_none(
    acme: Organization, contacts: list[Contact], slots: int
) -> None:
    first, second = waiting(acme, Lane.LARGE, 2)
    assert export_lifecycle.claim(first.pk, Lane.LARGE, slots) == first
    assert export_lifecycle.claim(first.pk, Lane.LARGE, slots) == second


def test_small_exports_on_large_workers_occupy_large_slots(
    acme: Organization, globex: Organization, contacts: list[Contact]
) -> None:
    small, other = waiting(acme, Lane.QUICK, 2)
    [large] = waiting(acme, Lane.LARGE)
    assert export_lifecycle.claim(small.pk, Lane.LARGE, 2) == large
    assert export_lifecycle.claim(small.pk, Lane.LARGE, 2) is None
    # A worker of `quick` claims them.
    assert export_lifecycle.claim(small.pk, Lane.QUICK, 1) == small
    assert export_lifecycle.claim(small.pk, Lane.QUICK, 1) == other
    assert export_lifecycle.claim(small.pk, Lane.QUICK, 1) is None


def test_a_worker_of_large_prefers_a_large_export(
    acme: Organization, contacts: list[Contact]
) -> None:
    [small], [large] = waiting(acme, Lane.QUICK), waiting(acme, Lane.LARGE)
    assert export_lifecycle.claim(small.pk, Lane.LARGE, slots=0) == large
    assert export_lifecycle.claim(large.pk, Lane.LARGE, slots=0) == small
    small.refresh_from_db()
    assert (small.lane, small.slot) == (Lane.QUICK, Lane.LARGE)
    assert export_lifecycle.claim(large.pk, Lane.QUICK, slots=0) is None


def test_slow_exports_of_one_organization_delay_no_other(
    alice: KeyClient,
    charlie: KeyClient,
    acme: Organization,
    start_worker: StartWorker,
) -> None:
    """Two slots; each export of acme waits for a locked table."""
    for client in (alice, alice):
        assert client.post("/v1/exports", {"resource": "location"}).status_code == 201
    Export.objects.update(lane=Lane.LARGE)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE longshore_logistics_location IN ACCESS EXCLUSIVE MODE")
        start_worker("large", "large", 2)
        wait_for(lambda: "processing" in _statuses(acme))
        # Until the worker reports its slots, it gets no message of small exports.
        wait_for(lambda: heartbeats.slots(EXPORTS, Lane.LARGE) == 2)
        for lane in (Lane.LARGE, Lane.QUICK):
            body = CONTACTS | {"csv_field_options": {"columns": ["id", "name"]}}
            made = charlie.post("/v1/exports", body).json()["id"]
            foreign = Export.objects.filter(public_id=made)
            foreign.filter(status=Status.QUEUED).update(lane=lane)
            wait_for(foreign.filter(status=Status.COMPLETED).exists)
        assert sorted(_statuses(acme)) == ["processing", "queued"]
    finally:
        other.close()
    # The second begins when the first has ended: nothing else sends a message.
    wait_for(lambda: _statuses(acme) == ["completed", "completed"], seconds=20)


def _statuses(organization: Organization) -> list[str]:
    exports = Export.objects.filter(organization=organization)
    return list(exports.values_list("status", flat=True))


def test_idle_workers_of_large_write_small_exports(
    alice: KeyClient, contacts: list[Contact], start_worker: StartWorker
) -> None:
    for _ in range(4):
        assert alice.post("/v1/exports", CONTACTS).status_code == 201
    assert set(Export.objects.values_list("lane", flat=True)) == {Lane.QUICK}
    start_worker("large", "large", 2)
    wait_for(lambda: Export.objects.filter(status=Status.COMPLETED).count() == 4)
    assert set(Export.objects.values_list("slot", flat=True)) == {Lane.LARGE}


def test_optional_messages_are_bounded_while_workers_are_down(
    alice: KeyClient, contacts: list[Contact], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    current_app.control.purge()
    monkeypatch.setattr(queues, "MAX_OPTIONAL_MESSAGES", 3)
    settings.EXPORT_MAX_UNFINISHED = 100
    for _ in range(5):
        assert alice.post("/v1/exports", CONTACTS).status_code == 201
    assert (queues.count_messages("quick"), queues.count_messages("large")) == (5, 3)
    for export in Export.objects.all():
        actions.delete(export_lifecycle, export)
    assert queues.count_messages("maintenance") == 3


def test_many_small_exports_complete_although_large_workers_refuse_most(
    alice: KeyClient, contacts: list[Contact], start_worker: StartWorker
) -> None:
    """One of the two slots of `large` is reserved, and no message is lost."""
    start_worker("large", "large", 2)
    start_worker("quick", "quick", 1)
    wait_for(
        lambda: (
            heartbeats.slots(EXPORTS, Lane.LARGE) == 2
            and heartbeats.slots(EXPORTS, Lane.QUICK) == 1
        )
    )
    waiting = Export.objects.filter(status__in=UNFINISHED)
    slots: set[str] = set()
    rounds = 0
    # On a busy machine, one of the workers may do all the work of a round.
    while rounds < 3 or (slots != {Lane.LARGE, Lane.QUICK} and rounds < 20):
        for _ in range(10):
            assert alice.post("/v1/exports", CONTACTS).status_code == 201
        # Without recovery, which would send lost messages again.
        wait_for(lambda: not waiting.exists(), seconds=25)
        slots = set(Export.objects.values_list("slot", flat=True))
        rounds += 1
    assert slots == {Lane.LARGE, Lane.QUICK}


def test_a_worker_of_quick_never_writes_a_large_export(
    alice: KeyClient, acme: Organization, contacts: list[Contact], start_worker: StartWorker
) -> None:
    [large] = waiting(acme, Lane.LARGE)
    assert alice.post("/v1/exports", CONTACTS).status_code == 201
    start_worker("quick", "quick", 1)
    wait_for(lambda: Export.objects.filter(status=Status.COMPLETED).count() == 1)
    current_app.send_task("exports.run", [large.pk], queue="quick")
    assert alice.post("/v1/exports", CONTACTS).status_code == 201
    wait_for(lambda: Export.objects.filter(status=Status.COMPLETED).count() == 2)
    large.refresh_from_db()
    assert large.status == Status.QUEUED
