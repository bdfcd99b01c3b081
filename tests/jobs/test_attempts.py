"""Attempts: a job is run, reported, retried with backoff, canceled, timed out, and fenced."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone

from longshore.accounts.models import Organization
from longshore.jobs import actions, maintenance
from longshore.jobs.lifecycle import RETRY_DELAYS, Superseded
from longshore.jobs.statuses import Lane, Status
from tests.claims import claim
from tests.exports.conftest import stored_files, wait_for, working
from tests.jobs.conftest import claimed, current, history, skip_delay
from tests.jobs.reports import RETENTION, Report, create, report_lifecycle, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_job_runs_and_reports_its_progress(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = create(acme, steps=8, seconds=0.1)
    progress: list[int] = []
    store = report_lifecycle.report

    def watched(job: Report, rows: int) -> None:
        store(job, rows)
        progress.append(current(report).progress)

    monkeypatch.setattr(report_lifecycle, "report", watched)
    run(report.pk)
    assert current(report).status == Status.COMPLETED
    assert (report.records_count, report.progress, report.stored_bytes) == (8, 100, 40)
    assert progress == sorted(progress)
    assert 0 < max(progress) < 100
    assert history(report) == [("queued", 0), ("processing", 1), ("completed", 1)]
    assert report.completed_at is not None
    assert report.expires_at - report.completed_at == RETENTION
    assert len(stored_files()) == 1


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_report_that_fails_does_not_end_the_attempt(
    acme: Organization, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    report = create(acme, steps=8, seconds=0.1)
    failures: list[int] = []
    store = report_lifecycle.report

    def failing(job: Report, rows: int) -> None:
        if not failures:
            failures.append(rows)
            raise error("The server closed the connection.")
        store(job, rows)

    monkeypatch.setattr(report_lifecycle, "report", failing)
    run(report.pk)
    assert len(failures) == 1
    assert history(report) == [("queued", 0), ("processing", 1), ("completed", 1)]


def test_a_worker_runs_what_is_enqueued(acme: Organization) -> None:
    with working("reports_large,reports_quick,maintenance"):
        reports = [create(acme, lane) for lane in (Lane.LARGE, Lane.QUICK)]
        wait_for(lambda: all(current(each).status == Status.COMPLETED for each in reports))
        actions.delete(report_lifecycle, reports[0])
        wait_for(lambda: not Report.objects.filter(pk=reports[0].pk).exists())
    assert len(stored_files()) == 1


def test_a_failed_attempt_is_retried_with_backoff(acme: Organization) -> None:
    report = create(acme, failures=1)
    Report.objects.update(estimated_completion=timezone.now())
    run(report.pk)
    assert current(report).status == Status.QUEUED
    assert report.not_before is not None
    # That of the failed attempt may be over by now.
    assert report.estimated_completion is None
    assert timedelta(0) < report.not_before - timezone.now() <= RETRY_DELAYS[0]
    assert claim(report_lifecycle, report) is None
    skip_delay(report)
    run(report.pk)
    assert current(report).status == Status.COMPLETED
    assert history(report)[2:] == [("queued", 1), ("processing", 2), ("completed", 2)]


def test_a_job_fails_after_its_last_attempt(acme: Organization) -> None:
    report = create(acme, failures=99)
    for _ in range(len(RETRY_DELAYS) + 1):
        skip_delay(report)
        run(report.pk)
    assert current(report).status == Status.FAILED
    assert report.error == {
        "error": "internal_error",
        "message": (
            "The report failed after 3 attempts. "
            "A connection failed, or a file could not be read or written."
        ),
    }


def test_an_error_that_no_retry_fixes_fails_the_job_with_its_code(acme: Organization) -> None:
    report = create(acme, invalid=True)
    run(report.pk)
    assert current(report).status == Status.FAILED
    assert report.error == {"error": "invalid_request", "message": "The spec is invalid."}


def test_a_running_job_is_canceled_and_leaves_no_file(acme: Organization) -> None:
    report = create(acme, steps=1000, seconds=0.1)

    def work() -> None:
        run(report.pk)
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    wait_for(lambda: current(report).processed_count > 0)
    actions.cancel(report_lifecycle, report)
    worker.join(30)
    assert not worker.is_alive()
    assert current(report).status == Status.CANCELED
    assert history(report)[-1] == ("canceled", 1)
    assert stored_files() == []


def test_a_job_that_exceeds_its_time_limit_times_out(acme: Organization) -> None:
    report = create(acme, steps=1000, seconds=0.1, limit=0)
    run(report.pk)
    assert current(report).status == Status.TIMED_OUT
    message = "The report took longer than its limit of 0 s."
    assert report.error == {"error": "timeout", "message": message}


def test_a_superseded_worker_cannot_change_the_job(acme: Organization) -> None:
    report = create(acme)
    first = claimed(report)
    report_lifecycle.retry_later(first, "The test ended the attempt.")
    skip_delay(report)
    second = claimed(report)
    changes: tuple[Callable[[], None], ...] = (
        lambda: report_lifecycle.report(first, 1),
        lambda: report_lifecycle.complete(first, 1),
        lambda: report_lifecycle.time_out(first, 1),
        lambda: report_lifecycle.retry_later(first, "The test ended the attempt."),
    )
    for change in changes:
        with pytest.raises(Superseded):
            change()
    report_lifecycle.complete(second, 3)
    assert current(report).status == Status.COMPLETED


def test_a_report_of_progress_estimates_the_end_from_the_speed_so_far(acme: Organization) -> None:
    report = claimed(create(acme, steps=400))
    report.started_at = timezone.now() - timedelta(seconds=10)
    report_lifecycle.report(report, 100)
    assert current(report).processed_count == 100
    assert report.estimated_completion is not None
    remaining = report.estimated_completion - timezone.now()
    assert timedelta(seconds=25) < remaining < timedelta(seconds=31)


def test_a_job_is_not_taken_back_while_its_result_is_stored(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "MAX_SILENCE", timedelta(seconds=1))
    report = create(acme, complete_seconds=3)

    def work() -> None:
        run(report.pk)
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    while worker.is_alive():
        maintenance.recover(report_lifecycle)
        worker.join(0.2)
    assert current(report).status == Status.COMPLETED
    assert history(report) == [("queued", 0), ("processing", 1), ("completed", 1)]


def test_a_job_that_is_canceled_while_its_result_is_stored_leaves_no_file(
    acme: Organization,
) -> None:
    report = create(acme, complete_seconds=1)

    def work() -> None:
        run(report.pk)
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    wait_for(lambda: len(stored_files()) == 1)
    actions.cancel(report_lifecycle, report)
    worker.join(30)
    assert not worker.is_alive()
    assert current(report).status == Status.CANCELED
    assert stored_files() == []
