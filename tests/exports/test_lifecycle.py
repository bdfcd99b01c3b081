"""Every status change happens once, whoever tries it, and nothing is lost on the way."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from celery import current_app
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils import timezone

from exports.execution import runner
from exports.execution.storage import folder
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportFile, Status
from longshore.api.errors import ErrorCode
from longshore.database import chunks
from longshore.jobs import heartbeats, maintenance
from longshore.jobs.leases import lease
from longshore.jobs.lifecycle import RETRY_DELAYS, Superseded
from tests.exports.conftest import stored_files

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_messages() -> None:
    """As long as messages wait, of whatever test, no export is sent another."""
    cache.clear()
    current_app.control.purge()


def claimed(export: Export) -> Export:
    taken = export_lifecycle.claim(export.pk)
    assert taken is not None
    return taken


def silent(export: Export) -> None:
    """As if the worker had died a while ago."""
    long_ago = timezone.now() - maintenance.MAX_SILENCE - timedelta(seconds=1)
    Export.objects.filter(pk=export.pk).update(heartbeat_at=long_ago)


def at_once(export: Export) -> None:
    """As if the wait before the next attempt were over."""
    Export.objects.filter(pk=export.pk).update(not_before=None)


def a_file(export: Export) -> ExportFile:
    key = f"{folder(export, export.claims[-1])}/000001"
    default_storage.save(key, ContentFile(b"id\n"))
    return ExportFile(
        export=export, name="x.csv", storage_key=key, content_type="text/csv",
        rows=0, bytes=3, sha256="0" * 64,
    )  # fmt: skip


def test_only_one_worker_claims_an_export(queued: Export) -> None:
    assert claimed(queued).status == Status.PROCESSING
    assert export_lifecycle.claim(queued.pk) is None


def test_a_report_estimates_the_end_from_the_speed_so_far(queued: Export) -> None:
    export = claimed(queued)
    export.records_count = 400
    export.started_at = timezone.now() - timedelta(seconds=10)
    export_lifecycle.report(export, 100)
    queued.refresh_from_db()
    assert queued.processed_count == 100
    assert queued.estimated_completion is not None
    remaining = queued.estimated_completion - timezone.now()
    assert timedelta(seconds=28) < remaining < timedelta(seconds=31)


def test_a_superseded_worker_can_neither_report_nor_end_anything(queued: Export) -> None:
    first = claimed(queued)
    export_lifecycle.retry_later(first, "a test")
    at_once(queued)
    second = claimed(queued)
    steps: tuple[Callable[[], None], ...] = (
        lambda: export_lifecycle.report(first, 1),
        lambda: export_lifecycle.complete_with(first, [a_file(first)]),
        lambda: export_lifecycle.fail(first, ErrorCode.INTERNAL_ERROR, "no"),
        lambda: export_lifecycle.time_out(first, 1),
        lambda: export_lifecycle.retry_later(first, "a test"),
    )
    for step in steps:
        with pytest.raises(Superseded):
            step()
    assert not ExportFile.objects.exists()
    export_lifecycle.complete_with(second, [a_file(second)])
    queued.refresh_from_db()
    assert (queued.status, queued.files.count()) == (Status.COMPLETED, 1)


def test_the_export_of_a_silent_worker_goes_back_to_the_queue(queued: Export) -> None:
    export = claimed(queued)
    file = a_file(export)
    silent(export)
    maintenance.recover(export_lifecycle)
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED
    assert not default_storage.exists(file.storage_key)


def test_an_export_that_kills_every_worker_fails_in_the_end(queued: Export) -> None:
    for _ in range(len(RETRY_DELAYS) + 1):
        at_once(queued)
        silent(claimed(queued))
        maintenance.recover(export_lifecycle)
    queued.refresh_from_db()
    assert queued.status == Status.FAILED
    assert queued.error == {
        "error": "internal_error",
        "message": "The export failed after 3 attempts. "
        "The last attempt ended with the loss of its worker.",
    }
    assert queued.completed_at is not None


def test_a_worker_that_reports_is_left_alone(queued: Export) -> None:
    claimed(queued)
    maintenance.recover(export_lifecycle)
    queued.refresh_from_db()
    assert queued.status == Status.PROCESSING


def test_files_are_deleted_when_their_time_is_over(queued: Export) -> None:
    runner.run(queued.pk)
    assert len(stored_files()) == 2  # The manifest lies beside it.
    maintenance.expire(export_lifecycle)
    assert len(stored_files()) == 2
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    maintenance.expire(export_lifecycle)
    queued.refresh_from_db()
    assert queued.status == Status.EXPIRED
    assert stored_files() == []
    assert queued.files.get().rows == 5


def test_the_day_of_retention_begins_when_the_file_is_ready(queued: Export) -> None:
    Export.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.completed_at is not None
    assert queued.expires_at - queued.completed_at == timedelta(hours=24)


def test_files_that_cannot_be_deleted_are_tried_again_later(
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


def test_what_a_failed_export_left_is_deleted_too(queued: Export) -> None:
    export = claimed(queued)
    a_file(export)
    export_lifecycle.fail(export, ErrorCode.INTERNAL_ERROR, "no")
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    queued.refresh_from_db()
    assert (queued.status, queued.claims) == (Status.FAILED, [])
    assert stored_files() == []


def test_a_failed_attempt_is_followed_by_another_only_after_a_while(queued: Export) -> None:
    Export.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    export_lifecycle.retry_later(claimed(queued), "a test")
    maintenance.recover(export_lifecycle)
    queued.refresh_from_db()
    assert queued.enqueued_at is None
    assert export_lifecycle.claim(queued.pk) is None
    Export.objects.update(not_before=timezone.now())
    maintenance.recover(export_lifecycle)
    queued.refresh_from_db()
    assert queued.enqueued_at is not None
    assert export_lifecycle.claim(queued.pk) is not None


def test_a_sweep_that_comes_late_leaves_what_was_written_again(queued: Export) -> None:
    runner.run(queued.pk)
    queued.refresh_from_db()
    Export.objects.update(expires_at=timezone.now())
    maintenance.expire(export_lifecycle)
    assert export_lifecycle.restart(queued)
    runner.run(queued.pk)
    # It still knows what was there before.
    assert maintenance.expire_one(export_lifecycle, queued)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    assert len(stored_files()) == 2


def test_a_storage_that_refuses_again_and_again_is_left_alone_for_now(
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


def test_files_that_cannot_be_deleted_do_not_keep_those_of_later_exports(
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


def test_many_files_that_cannot_be_deleted_do_not_keep_those_of_later_exports(
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


def test_a_run_without_time_leaves_the_rest_to_the_next_one(
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


def failed(like: Export) -> Export:
    """An export whose time is over, and of which files may be left."""
    return Export.objects.create(
        organization=like.organization, resource="contact", format="csv", compression="none",
        request={}, spec=like.spec, status=Status.FAILED, claims=["claim_x"],
        expires_at=timezone.now(),
    )  # fmt: skip


def test_an_export_that_cannot_be_taken_back_does_not_keep_the_others(queued: Export) -> None:
    broken, other = failed(queued), failed(queued)
    Export.objects.filter(pk__in=[broken.pk, other.pk]).update(status=Status.PROCESSING)
    # A list, which no request is: the event that tells of the export cannot be made.
    Export.objects.filter(pk=broken.pk).update(request=[])
    silent(broken)
    silent(other)
    maintenance.recover(export_lifecycle)
    other.refresh_from_db()
    assert other.status == Status.QUEUED
    assert heartbeats.is_fresh(heartbeats.recovery_of("export"))


def test_a_dead_broker_is_asked_once_by_a_recovery(
    queued: Export, no_broker: None, caplog: pytest.LogCaptureFixture
) -> None:
    another = failed(queued)
    Export.objects.filter(pk__in=[queued.pk, another.pk]).update(
        status=Status.QUEUED, created_at=timezone.now() - timedelta(minutes=1)
    )
    maintenance.recover(export_lifecycle)
    assert caplog.text.count("waits for the broker") == 1
