"""Maintenance and actions: recovery, expiry, purge, retry and deletion."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from math import inf
from typing import Any

import pytest
from celery import current_app
from django.core.files.base import ContentFile
from django.utils import timezone

from exports.lifecycle.transitions import EXPORTS
from longshore.accounts.models import Organization
from longshore.api.errors import ApiError
from longshore.database import chunks
from longshore.files.storage import file_storage
from longshore.jobs import actions, heartbeats, maintenance, queues
from longshore.jobs.errors import JobErrorCode
from longshore.jobs.leases import lease
from longshore.jobs.lifecycle import RETRY_DELAYS
from longshore.jobs.models import DiscardedFolder
from longshore.jobs.statuses import RETRYABLE, Lane, Status
from tests.claims import claim
from tests.exports.conftest import stored_files
from tests.jobs.conftest import PERIODIC, claimed, current, purge_queues, silence, skip_delay
from tests.jobs.reports import (
    LIMITS,
    REPORTS,
    Report,
    ReportLifecycle,
    create,
    key_of,
    report_lifecycle,
    request,
    run,
    upload,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_beat_schedules_the_periodic_tasks_of_a_kind() -> None:
    tasks = [current_app.conf.beat_schedule[name]["task"] for name in PERIODIC]
    assert tasks == ["reports.recover", "reports.expire", "reports.purge"]


def test_a_job_of_a_dead_worker_is_recovered(acme: Organization) -> None:
    report = create(acme)
    lost = claimed(report)
    key = key_of(report, lost.claims[0])
    file_storage.save(key, ContentFile(b"half"))
    silence(report)
    maintenance.recover(report_lifecycle)
    assert current(report).status == Status.QUEUED
    assert not file_storage.exists(key)
    assert heartbeats.is_fresh(heartbeats.recovery_of("report"))
    assert not heartbeats.is_fresh(heartbeats.recovery_of("export"))
    skip_delay(report)
    run(report.pk)
    assert current(report).status == Status.COMPLETED


def test_a_job_whose_message_was_lost_is_enqueued_again(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = create(acme, Lane.LARGE)
    purge_queues()
    monkeypatch.setattr(maintenance, "MIN_AGE", timedelta(0))
    maintenance.recover(report_lifecycle)
    assert queues.count_messages("reports_large") == 0
    monkeypatch.setattr(maintenance, "MAX_MESSAGE_AGE", timedelta(0))
    maintenance.recover(report_lifecycle)
    assert queues.count_messages("reports_large") == 1
    assert current(report).status == Status.QUEUED


def test_a_job_without_a_message_gets_one_although_its_queue_has_others(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "MIN_AGE", timedelta(0))
    monkeypatch.setattr(maintenance, "MAX_MESSAGE_AGE", timedelta(0))
    unsent, _ = create(acme, Lane.LARGE), create(acme, Lane.LARGE)
    Report.objects.filter(pk=unsent.pk).update(enqueued_at=None)
    maintenance.recover(report_lifecycle)
    assert queues.count_messages("reports_large") == 3
    maintenance.recover(report_lifecycle)
    assert queues.count_messages("reports_large") == 3


def test_lost_messages_are_replaced_in_a_queue_that_has_those_of_another_kind(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "MIN_AGE", timedelta(0))
    shared = ReportLifecycle(replace(REPORTS, queues=EXPORTS.queues))
    for _ in range(3):
        create(acme, Lane.LARGE)
    current_app.send_task("exports.run", [0], queue="large")
    maintenance.recover(shared)
    assert queues.count_messages("large") == 1
    monkeypatch.setattr(maintenance, "MAX_MESSAGE_AGE", timedelta(0))
    # The second run finds as many messages as jobs.
    for _ in range(2):
        maintenance.recover(shared)
        assert queues.count_messages("large") == 4
    current_app.control.purge()


def test_an_expired_job_loses_its_files_and_later_its_row(acme: Organization) -> None:
    report = create(acme)
    run(report.pk)
    maintenance.expire(report_lifecycle)
    assert len(stored_files()) == 1
    Report.objects.update(expires_at=timezone.now())
    assert current(report).shown_status == Status.EXPIRED
    assert list(Report.objects.ready()) == []
    assert list(Report.objects.shown_as([Status.EXPIRED])) == [report]
    maintenance.expire(report_lifecycle)
    assert current(report).status == Status.EXPIRED
    assert (report.claims, report.stored_bytes, stored_files()) == ([], 0, [])
    maintenance.purge(report_lifecycle)
    assert current(report)
    Report.objects.update(completed_at=timezone.now() - timedelta(days=1, minutes=1))
    maintenance.purge(report_lifecycle)
    assert not Report.objects.exists()


def test_a_purge_deletes_old_files_that_belong_to_no_job(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = create(acme)
    maintenance.purge(report_lifecycle)
    run(report.pk)
    file_storage.save(f"reports/{acme.pk}/rep_gone/claim_gone/lines", ContentFile(b"x"))
    maintenance.purge(report_lifecycle)
    assert len(stored_files()) == 2
    monkeypatch.setattr(maintenance, "MIN_ORPHAN_AGE", timedelta(0))
    with lease(maintenance.files_lease(report_lifecycle), 60):
        # One run at a time deletes files.
        maintenance.purge(report_lifecycle)
    assert len(stored_files()) == 2
    maintenance.purge(report_lifecycle)
    [path] = stored_files()
    assert report.public_id in path.parts


@pytest.mark.parametrize("status", RETRYABLE)
def test_an_ended_job_is_retried(acme: Organization, status: Status) -> None:
    report = create(acme)
    Report.objects.update(status=status, completed_at=timezone.now(), error={"error": "x"})
    actions.retry(report_lifecycle, current(report))
    assert (current(report).status, report.error) == (Status.QUEUED, None)
    run(report.pk)
    assert current(report).status == Status.COMPLETED


def test_a_job_that_has_not_ended_cannot_be_retried(acme: Organization) -> None:
    report = create(acme)
    with pytest.raises(ApiError) as refused:
        actions.retry(report_lifecycle, report)
    assert refused.value.message == (
        "The report is queued; "
        "it can be retried only if it is failed or timed_out or canceled or expired."
    )


def test_a_deleted_job_is_hidden_at_once_and_discarded_with_its_files(acme: Organization) -> None:
    report = create(acme)
    run(report.pk)
    actions.delete(report_lifecycle, report)
    assert not Report.objects.visible().exists()
    assert (current(report).request, report.spec) == ({}, {})
    maintenance.discard(report_lifecycle)
    assert not Report.objects.exists()
    assert stored_files() == []


def test_a_large_backlog_recovers_within_a_run(acme: Organization) -> None:
    """The number of jobs that one run enqueues is bounded."""
    Report.objects.bulk_create(
        Report(
            organization=acme, resource="report", request={}, spec={}, lane=Lane.LARGE,
            expires_at=timezone.now(), created_at=timezone.now() - timedelta(minutes=1),
        )
        for _ in range(maintenance.MAX_ENQUEUED + 1)
    )  # fmt: skip
    maintenance.recover(report_lifecycle)
    assert queues.count_messages("reports_large") == maintenance.MAX_ENQUEUED


def test_a_job_that_kills_every_worker_fails(acme: Organization) -> None:
    report = create(acme)
    for _ in range(len(RETRY_DELAYS) + 1):
        skip_delay(report)
        claimed(report)
        silence(report)
        maintenance.recover(report_lifecycle)
    assert current(report).status == Status.FAILED
    assert report.error == {
        "error": "internal_error",
        "message": "The report failed after 3 attempts. The worker stopped responding.",
    }
    assert report.completed_at is not None


def test_recovery_leaves_a_job_whose_worker_reports(acme: Organization) -> None:
    report = create(acme)
    claimed(report)
    maintenance.recover(report_lifecycle)
    assert current(report).status == Status.PROCESSING


def test_recovery_leaves_a_job_whose_worker_reports_meanwhile(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = create(acme)
    running = claimed(report)
    silence(report)
    read = chunks.read

    def read_before_a_report(*args: Any) -> Iterator[Any]:
        for row in read(*args):
            report_lifecycle.report(running, 1)
            yield row

    monkeypatch.setattr(chunks, "read", read_before_a_report)
    maintenance.recover(report_lifecycle)
    assert current(report).status == Status.PROCESSING


def test_recovery_enqueues_a_retried_job_only_after_its_delay(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "MIN_AGE", timedelta(0))
    report = create(acme, Lane.LARGE)
    report_lifecycle.retry_later(claimed(report), "The test ended the attempt.")
    purge_queues()
    maintenance.recover(report_lifecycle)
    assert current(report).enqueued_at is None
    assert claim(report_lifecycle, report) is None
    Report.objects.update(not_before=timezone.now())
    maintenance.recover(report_lifecycle)
    assert current(report).enqueued_at is not None
    assert claimed(report) == report


def test_recovery_and_retry_keep_the_input_of_a_job(acme: Organization) -> None:
    report = create(acme)
    key = upload(report)
    lost = claimed(report)
    file_storage.save(key_of(report, lost.claims[0]), ContentFile(b"half"))
    silence(report)
    maintenance.recover(report_lifecycle)
    assert file_storage.exists(key)
    assert len(stored_files()) == 1
    actions.cancel(report_lifecycle, report)
    actions.retry(report_lifecycle, current(report))
    assert file_storage.exists(key)


def test_the_input_of_a_job_that_was_canceled_before_its_first_attempt_expires(
    acme: Organization,
) -> None:
    report = create(acme)
    upload(report)
    actions.cancel(report_lifecycle, report)
    Report.objects.update(completed_at=timezone.now() - timedelta(days=1, minutes=1))
    maintenance.purge(report_lifecycle)
    assert current(report).status == Status.CANCELED
    Report.objects.update(expires_at=timezone.now())
    maintenance.expire(report_lifecycle)
    assert stored_files() == []
    maintenance.purge(report_lifecycle)
    assert not Report.objects.exists()


def test_a_retry_while_the_storage_fails_is_refused(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = create(acme)
    run(report.pk)
    Report.objects.update(expires_at=timezone.now())

    def refuse(*args: object) -> bool:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(report_lifecycle, "delete_files", refuse)
        with pytest.raises(ApiError) as refused:
            actions.retry(report_lifecycle, current(report))
    assert refused.value.code == JobErrorCode.STORAGE_UNAVAILABLE
    Report.objects.update(status=Status.FAILED)
    monkeypatch.setattr(report_lifecycle, "delete_attempts", refuse)
    with pytest.raises(ApiError) as refused:
        actions.retry(report_lifecycle, current(report))
    assert refused.value.code == JobErrorCode.STORAGE_UNAVAILABLE


def test_a_retry_waits_for_the_storage_only_briefly(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = create(acme)
    run(report.pk)
    Report.objects.update(expires_at=timezone.now())
    deadlines: list[float] = []

    def recorded(job: Report, claims: object = (), deadline: float = inf) -> bool:
        deadlines.append(deadline - time.monotonic())
        return True

    monkeypatch.setattr(report_lifecycle, "delete_files", lambda job, end: recorded(job, (), end))
    monkeypatch.setattr(report_lifecycle, "delete_attempts", recorded)
    actions.retry(report_lifecycle, current(report))
    assert len(deadlines) == 2
    assert max(deadlines) < 60


def test_requested_jobs_leave_time_for_the_files_of_expired_jobs(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = create(acme)
    run(ended.pk)
    for _ in range(LIMITS.unfinished):
        request(acme)
    Report.objects.update(expires_at=timezone.now())
    expire_requested = report_lifecycle.expire_requested

    def slow(job: Report) -> None:
        time.sleep(1.1)
        expire_requested(job)

    monkeypatch.setattr(report_lifecycle, "expire_requested", slow)
    monkeypatch.setattr(chunks, "SECONDS", 4.0)
    maintenance.expire(report_lifecycle)
    assert Report.objects.filter(status=Status.REQUESTED).exists()
    assert current(ended).status == Status.EXPIRED


def test_a_storage_that_fails_does_not_end_the_recovery(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = [create(acme), create(acme)]
    for report in reports:
        claimed(report)
        silence(report)
    asked: list[int] = []

    def refuse(job: Report, *args: object) -> bool:
        asked.append(job.pk)
        raise ConnectionError

    monkeypatch.setattr(report_lifecycle, "delete_attempts", refuse)
    maintenance.recover(report_lifecycle)
    assert sorted(asked) == [report.pk for report in reports]


def test_the_files_of_every_kind_are_deleted_with_their_organization(globex: Organization) -> None:
    for root in ("reports", "exports"):
        file_storage.save(f"{root}/{globex.pk}/a_job/an_attempt/lines", ContentFile(b"x"))
    organization_id = globex.pk
    globex.delete()
    folders = DiscardedFolder.objects.values_list("kind", "path")
    assert set(folders) == {
        ("export", f"exports/{organization_id}"),
        ("batch", f"batches/{organization_id}"),
        ("report", f"reports/{organization_id}"),
    }
    maintenance.discard(report_lifecycle)
    assert [path.parts[-5] for path in stored_files()] == ["exports"]


def test_kinds_may_share_a_folder() -> None:
    for kind in ("export", "report"):
        DiscardedFolder.objects.create(kind=kind, path="shared")
    assert DiscardedFolder.objects.count() == 2


def test_a_job_is_not_retried_in_a_status_that_its_kind_excludes(acme: Organization) -> None:
    report = create(acme)
    run(report.pk)
    Report.objects.update(expires_at=timezone.now())
    final = ReportLifecycle(replace(REPORTS, retryable=(Status.FAILED,)))
    with pytest.raises(ApiError) as refused:
        actions.retry(final, current(report))
    assert refused.value.details == {"status": "expired", "accepted": ["failed"]}
    assert len(stored_files()) == 1
