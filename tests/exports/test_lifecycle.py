"""Files of exports through their lifecycle: completion, recovery, expiry, retry."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import IntegrityError
from django.utils import timezone

from exports.execution import runner
from exports.lifecycle.storage import EXPORT_STORAGE
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportFile, Status
from longshore.api.errors import ErrorCode
from longshore.cache import cache
from longshore.database import chunks
from longshore.files.storage import file_storage
from longshore.jobs import heartbeats, maintenance
from longshore.jobs.leases import lease
from longshore.jobs.lifecycle import Superseded
from tests.claims import claim
from tests.exports.conftest import stored_files

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_messages() -> None:
    """Remove messages of other tests: recovery counts the messages of a queue."""
    cache.clear()
    current_app.control.purge()


def claimed(export: Export) -> Export:
    taken = claim(export_lifecycle, export)
    assert taken is not None
    return taken


def silence(export: Export) -> None:
    """Make the last heartbeat of the worker too old."""
    long_ago = timezone.now() - maintenance.MAX_SILENCE - timedelta(seconds=1)
    Export.objects.filter(pk=export.pk).update(heartbeat_at=long_ago)


def skip_delay(export: Export) -> None:
    """End the delay before the next attempt."""
    Export.objects.filter(pk=export.pk).update(not_before=None)


def stored_file(export: Export) -> ExportFile:
    key = EXPORT_STORAGE.file_key(export, 1)
    file_storage.save(key, ContentFile(b"id\n"))
    return ExportFile(
        export=export, name="x.csv", storage_key=key, content_type="text/csv",
        rows=0, bytes=3, sha256="0" * 64,
    )  # fmt: skip


def test_a_superseded_worker_can_neither_report_nor_end_the_export(queued: Export) -> None:
    first = claimed(queued)
    export_lifecycle.retry_later(first, "The test ended the attempt.")
    skip_delay(queued)
    second = claimed(queued)
    steps: tuple[Callable[[], None], ...] = (
        lambda: export_lifecycle.report(first, 1),
        lambda: export_lifecycle.complete_with_files(first, [stored_file(first)]),
        lambda: export_lifecycle.fail(first, ErrorCode.INTERNAL_ERROR, "no"),
        lambda: export_lifecycle.time_out(first, 1),
        lambda: export_lifecycle.retry_later(first, "The test ended the attempt."),
    )
    for step in steps:
        with pytest.raises(Superseded):
            step()
    assert not ExportFile.objects.exists()
    export_lifecycle.complete_with_files(second, [stored_file(second)])
    queued.refresh_from_db()
    assert (queued.status, queued.files.count()) == (Status.COMPLETED, 1)


def test_recovery_requeues_the_export_of_a_silent_worker(
    queued: Export,
) -> None:
    export = claimed(queued)
    file = stored_file(export)
    silence(export)
    maintenance.recover(export_lifecycle)
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED
    assert not file_storage.exists(file.storage_key)


def test_files_are_deleted_when_their_retention_is_over(queued: Export) -> None:
    runner.run(queued.pk)
    assert len(stored_files()) == 2  # The file and its manifest.
    maintenance.expire(export_lifecycle)
    assert len(stored_files()) == 2
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    maintenance.expire(export_lifecycle)
    queued.refresh_from_db()
    assert queued.status == Status.EXPIRED
    assert stored_files() == []
    assert queued.files.get().rows == 5


def test_retention_begins_at_completion(queued: Export) -> None:
    Export.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.completed_at is not None
    assert queued.expires_at - queued.completed_at == timedelta(hours=24)


def test_files_that_cannot_be_deleted_are_deleted_by_the_next_run(
    queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(storage: FileSystemStorage, name: str) -> None:
        raise PermissionError(name)

    runner.run(queued.pk)
    Export.objects.update(expires_at=timezone.now())
    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStorage, "delete", stuck)
        maintenance.expire(export_lifecycle)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    maintenance.expire(export_lifecycle)
    queued.refresh_from_db()
    assert queued.status == Status.EXPIRED
    assert stored_files() == []


def test_files_of_a_failed_export_are_deleted(queued: Export) -> None:
    export = claimed(queued)
    stored_file(export)
    export_lifecycle.fail(export, ErrorCode.INTERNAL_ERROR, "no")
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    queued.refresh_from_db()
    assert (queued.status, queued.claims) == (Status.FAILED, [])
    assert stored_files() == []


def test_a_late_expiry_keeps_the_files_of_a_retried_export(queued: Export) -> None:
    runner.run(queued.pk)
    queued.refresh_from_db()
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    assert export_lifecycle.restart(queued)
    runner.run(queued.pk)
    # `queued` was read before the retry.
    assert maintenance.expire_one(export_lifecycle, queued)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    assert len(stored_files()) == 2


def test_a_run_ends_after_many_failures_in_a_row(
    queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def stuck(storage: FileSystemStorage, path: str) -> tuple[list[str], list[str]]:
        asked.append(path)
        raise TimeoutError

    for _ in range(maintenance.MAX_FAILURES + 2):
        failed(queued)
    monkeypatch.setattr(FileSystemStorage, "listdir", stuck)
    maintenance.expire(export_lifecycle)
    assert len(asked) == maintenance.MAX_FAILURES


def test_files_that_cannot_be_deleted_do_not_delay_later_exports(
    queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    listdir = FileSystemStorage.listdir
    first, second = failed(queued), failed(queued)

    def refuse(storage: FileSystemStorage, path: str) -> tuple[list[str], list[str]]:
        if first.public_id in path:
            raise PermissionError(path)
        return listdir(storage, path)

    monkeypatch.setattr(FileSystemStorage, "listdir", refuse)
    maintenance.expire(export_lifecycle)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.claims, second.claims) == (["claim_x"], [])


def test_many_files_that_cannot_be_deleted_do_not_delay_later_exports(
    queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    listdir = FileSystemStorage.listdir
    bad = {failed(queued).public_id for _ in range(maintenance.MAX_FAILURES + 1)}
    last = failed(queued)

    def refuse(storage: FileSystemStorage, path: str) -> tuple[list[str], list[str]]:
        if any(each in path for each in bad):
            raise PermissionError(path)
        return listdir(storage, path)

    monkeypatch.setattr(FileSystemStorage, "listdir", refuse)
    maintenance.expire(export_lifecycle)
    maintenance.expire(export_lifecycle)
    last.refresh_from_db()
    assert last.claims == []


def test_a_run_without_time_does_not_lose_the_position_of_an_earlier_run(
    queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    listdir = FileSystemStorage.listdir
    bad = {failed(queued).public_id for _ in range(maintenance.MAX_FAILURES)}
    last = failed(queued)

    def refuse(storage: FileSystemStorage, path: str) -> tuple[list[str], list[str]]:
        if any(each in path for each in bad):
            raise PermissionError(path)
        return listdir(storage, path)

    monkeypatch.setattr(FileSystemStorage, "listdir", refuse)
    maintenance.expire(export_lifecycle)
    with monkeypatch.context() as patch:
        patch.setattr(chunks, "SECONDS", -1.0)
        maintenance.expire(export_lifecycle)
    assert Export.objects.get(pk=last.pk).claims != []
    maintenance.expire(export_lifecycle)
    assert Export.objects.get(pk=last.pk).claims == []


def test_failures_with_successes_between_them_do_not_end_a_run(
    queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    listdir = FileSystemStorage.listdir
    exports = [failed(queued) for _ in range(2 * maintenance.MAX_FAILURES + 2)]
    bad = {export.public_id for export in exports[::2]}

    def refuse(storage: FileSystemStorage, path: str) -> tuple[list[str], list[str]]:
        if any(each in path for each in bad):
            raise PermissionError(path)
        return listdir(storage, path)

    monkeypatch.setattr(FileSystemStorage, "listdir", refuse)
    maintenance.expire(export_lifecycle)
    left = Export.objects.exclude(claims=[]).values_list("public_id", flat=True)
    assert set(left) == bad


def test_one_run_at_a_time_deletes_files(queued: Export) -> None:
    failed(queued)
    with lease(maintenance.files_lease(export_lifecycle), 60) as is_held:
        assert is_held
        maintenance.expire(export_lifecycle)
        assert Export.objects.exclude(claims=[]).exists()
    maintenance.expire(export_lifecycle)
    assert not Export.objects.exclude(claims=[]).exists()


def test_a_run_that_is_out_of_time_leaves_the_rest_to_the_next(
    queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        failed(queued)
    with monkeypatch.context() as patch:
        patch.setattr(chunks, "SECONDS", -1.0)
        maintenance.expire(export_lifecycle)
    assert Export.objects.exclude(claims=[]).count() == 3
    maintenance.expire(export_lifecycle)
    assert not Export.objects.exclude(claims=[]).exists()


def test_the_database_refuses_a_status_that_exports_do_not_have(queued: Export) -> None:
    with pytest.raises(IntegrityError, match="export_status_is_known"):
        Export.objects.update(status=Status.REQUESTED)


def failed(like: Export) -> Export:
    """Return a failed export whose retention is over and which may have files."""
    return Export.objects.create(
        organization=like.organization, resource="contact", format="csv", compression="none",
        request={}, spec=like.spec, status=Status.FAILED, claims=["claim_x"],
        has_files=True, expires_at=timezone.now(),
    )  # fmt: skip


def test_an_export_that_cannot_be_requeued_does_not_delay_others(queued: Export) -> None:
    broken, other = failed(queued), failed(queued)
    Export.objects.filter(pk__in=[broken.pk, other.pk]).update(status=Status.PROCESSING)
    # The webhook event cannot be built from a request that is a list.
    Export.objects.filter(pk=broken.pk).update(request=[])
    silence(broken)
    silence(other)
    maintenance.recover(export_lifecycle)
    other.refresh_from_db()
    assert other.status == Status.QUEUED
    assert heartbeats.is_fresh(heartbeats.recovery_of("export"))


def test_a_recovery_contacts_a_dead_broker_once(
    queued: Export, no_broker: None, caplog: pytest.LogCaptureFixture
) -> None:
    another = failed(queued)
    Export.objects.filter(pk__in=[queued.pk, another.pk]).update(
        status=Status.QUEUED, created_at=timezone.now() - timedelta(minutes=1)
    )
    maintenance.recover(export_lifecycle)
    assert caplog.text.count("Could not send a message for the export") == 1
