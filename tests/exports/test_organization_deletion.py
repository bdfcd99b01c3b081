"""Deleting an organization stops its workers and deletes its files."""

from threading import Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportLimits, Status
from longshore.accounts.models import Organization
from longshore.files.storage import file_storage
from longshore.jobs import maintenance
from longshore.jobs.admission import admit_stored_bytes
from longshore.jobs.models import DiscardedFolder
from tests.exports.conftest import export_of, stored_files, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_files_of_a_deleted_organization_are_deleted_at_once(
    queued: Export, acme: Organization, globex: Organization, worker: None
) -> None:
    runner.run(queued.pk)
    foreign = export_of(globex, {"resource": "contact"})
    runner.run(foreign.pk)
    assert len({path.parts[-4] for path in stored_files()}) == 2
    acme.delete()
    wait_for(lambda: len({path.parts[-4] for path in stored_files()}) == 1)
    foreign.refresh_from_db()
    assert foreign.status == Status.COMPLETED
    assert file_storage.exists(foreign.files.get().storage_key)


def test_files_of_a_deleted_organization_are_deleted_without_a_broker(
    queued: Export,
    acme: Organization,
    no_broker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runner.run(queued.pk)
    Organization.objects.filter(pk=acme.pk).delete()
    assert stored_files()
    with monkeypatch.context() as patch:
        patch.setattr(file_storage, "delete", _fail)
        maintenance.expire(export_lifecycle)
    assert stored_files()
    maintenance.expire(export_lifecycle)
    assert stored_files() == []
    assert DiscardedFolder.objects.exists()
    DiscardedFolder.objects.update(created_at=timezone.now() - maintenance.MAX_LATE_WRITE_AGE)
    maintenance.expire(export_lifecycle)
    assert not DiscardedFolder.objects.filter(kind="export").exists()


def _fail(*args: object) -> None:
    raise OSError("The storage does not respond.")


def test_a_worker_stops_when_the_organization_is_deleted(
    queued: Export, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = export_lifecycle.complete_with_files

    def too_late(*args: object) -> None:
        Organization.objects.filter(pk=acme.pk).delete()
        complete(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(export_lifecycle, "complete_with_files", too_late)
    runner.run(queued.pk)
    assert not Export.objects.exists()
    assert stored_files() == []


def test_completion_and_deletion_of_the_organization_do_not_deadlock(
    queued: Export, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    ExportLimits.objects.create(organization=acme, stored_bytes=1_000_000)
    errors: list[Exception] = []
    threads = []

    def delete() -> None:
        try:
            Organization.objects.get(pk=acme.pk).delete()
        except Exception as error:
            errors.append(error)
        connection.close()

    def deleted_meanwhile(*args: Any) -> None:
        admit_stored_bytes(*args)
        threads.append(Thread(target=delete))
        threads[0].start()
        threads[0].join(1)

    monkeypatch.setattr("exports.lifecycle.transitions.admit_stored_bytes", deleted_meanwhile)
    runner.run(queued.pk)
    threads[0].join()
    assert not any(isinstance(error, OperationalError) for error in errors)
    assert len(threads) == 1


def test_an_organization_whose_deletion_is_rolled_back_keeps_its_files(
    queued: Export, acme: Organization
) -> None:
    runner.run(queued.pk)
    with transaction.atomic():
        acme.delete()
        transaction.set_rollback(True)
    maintenance.expire(export_lifecycle)
    assert stored_files()
