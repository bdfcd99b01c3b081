"""A kind of job that defines its models and its work has everything that exports have."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from exports.lifecycle.transitions import EXPORTS
from longshore.accounts.models import Organization
from longshore.api.errors import ApiError
from longshore.jobs import actions, heartbeats, kinds, maintenance, queues
from longshore.jobs.kinds import JobKind
from longshore.jobs.lifecycle import RETRY_DELAYS, Superseded
from longshore.jobs.models import JobCount, JobTotal
from longshore.jobs.statuses import QUEUED_AT_ONCE, RETRYABLE, Lane, Status
from tests.exports.conftest import stored_files, wait_for, working
from tests.jobs.conftest import purge_queues
from tests.jobs.reports import REPORTS, RETENTION, Report, create, report_lifecycle, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fast_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longshore.jobs.runner.REPORT_SECONDS", 0.05)


def claimed(report: Report) -> Report:
    job = report_lifecycle.claim(report.pk)
    assert job is not None
    return job


def current(report: Report) -> Report:
    report.refresh_from_db()
    return report


def history(report: Report) -> list[tuple[str, int]]:
    return list(report.events.values_list("status", "attempt"))  # type: ignore[attr-defined]


def skip_delay(report: Report) -> None:
    Report.objects.filter(pk=report.pk).update(not_before=None)


def silence(report: Report) -> None:
    """Make the last heartbeat of the report's worker too old."""
    long_ago = timezone.now() - maintenance.MAX_SILENCE - timedelta(seconds=1)
    Report.objects.filter(pk=report.pk).update(heartbeat_at=long_ago)


def test_a_job_has_an_id_of_its_kind_and_a_number_of_its_organization(
    acme: Organization, globex: Organization
) -> None:
    reports = [create(acme), create(acme), create(globex)]
    assert [report.organization_number for report in reports] == [1, 2, 1]
    assert all(report.public_id.startswith("rep_") for report in reports)
    assert history(reports[0]) == [("queued", 0)]


def test_a_created_job_is_enqueued_in_the_queue_of_its_lane(acme: Organization) -> None:
    create(acme, Lane.LARGE)
    assert queues.count_messages("reports_large") == 1
    small = create(acme, Lane.QUICK)
    assert queues.count_messages("reports_quick") == 1
    # The second message for the small job.
    assert queues.count_messages("reports_large") == 2
    assert current(small).enqueued_at is not None
    assert queues.count_messages("large") == queues.count_messages("quick") == 0


def test_racing_requests_do_not_exceed_the_limit(acme: Organization) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def request() -> None:
        start.wait()
        try:
            create(acme)
            outcomes.append("created")
        except ApiError as error:
            outcomes.append(error.message)
        connections.close_all()

    threads = [threading.Thread(target=request) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refusal = "5 reports are unfinished, which is the limit: wait for one to end, or cancel one."
    assert Counter(outcomes) == {"created": 5, refusal: 3}


def test_organizations_take_turns(acme: Organization, globex: Organization) -> None:
    first, second, third = (create(acme) for _ in range(3))
    theirs = create(globex)
    assert [claimed(first) for _ in range(4)] == [first, theirs, second, third]
    assert report_lifecycle.claim(first.pk) is None


def test_one_organization_never_holds_the_last_slot(
    acme: Organization, globex: Organization
) -> None:
    first, second = create(acme, Lane.LARGE), create(acme, Lane.LARGE)
    assert report_lifecycle.claim(first.pk, Lane.LARGE, slots=2) == first
    assert report_lifecycle.claim(second.pk, Lane.LARGE, slots=2) is None
    theirs = create(globex, Lane.LARGE)
    assert report_lifecycle.claim(second.pk, Lane.LARGE, slots=2) == theirs


def test_concurrent_workers_claim_each_job_once(acme: Organization, globex: Organization) -> None:
    reports = [create(organization) for organization in (acme, globex) for _ in range(5)]
    taken: list[int] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        while job := report_lifecycle.claim(reports[0].pk):
            taken.append(job.pk)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A worker that finds all waiting jobs locked by others stops early.
    while job := report_lifecycle.claim(reports[0].pk):
        taken.append(job.pk)
    assert sorted(taken) == [report.pk for report in reports]


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


def test_a_worker_runs_what_is_enqueued(acme: Organization) -> None:
    with working("reports_large,reports_quick,upkeep"):
        reports = [create(acme, lane) for lane in (Lane.LARGE, Lane.QUICK)]
        wait_for(lambda: all(current(each).status == Status.COMPLETED for each in reports))
        actions.delete(report_lifecycle, reports[0])
        wait_for(lambda: not Report.objects.filter(pk=reports[0].pk).exists())
    assert len(stored_files()) == 1


def test_a_failed_attempt_is_retried_with_backoff(acme: Organization) -> None:
    report = create(acme, failures=1)
    run(report.pk)
    assert current(report).status == Status.QUEUED
    assert report.not_before is not None
    assert timedelta(0) < report.not_before - timezone.now() <= RETRY_DELAYS[0]
    assert report_lifecycle.claim(report.pk) is None
    skip_delay(report)
    run(report.pk)
    assert current(report).status == Status.COMPLETED
    assert history(report)[2:] == [("queued", 1), ("processing", 2), ("completed", 2)]


def test_a_job_whose_attempts_all_fail_fails(acme: Organization) -> None:
    report = create(acme, failures=99)
    for _ in range(len(RETRY_DELAYS) + 1):
        skip_delay(report)
        run(report.pk)
    assert current(report).status == Status.FAILED
    assert report.error == {
        "error": "internal_error",
        "message": "The report failed after 3 attempts. The last attempt ended with"
        " ConnectionError.",
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
    report_lifecycle.retry_later(first, "a test")
    skip_delay(report)
    second = claimed(report)
    changes: tuple[Callable[[], None], ...] = (
        lambda: report_lifecycle.report(first, 1),
        lambda: report_lifecycle.complete(first, 1),
        lambda: report_lifecycle.time_out(first, 1),
        lambda: report_lifecycle.retry_later(first, "a test"),
    )
    for change in changes:
        with pytest.raises(Superseded):
            change()
    report_lifecycle.complete(second, 3)
    assert current(report).status == Status.COMPLETED


def test_a_job_of_a_dead_worker_is_recovered(acme: Organization) -> None:
    report = create(acme)
    lost = claimed(report)
    key = f"reports/{report.public_id}.{lost.claims[0]}"
    default_storage.save(key, ContentFile(b"half"))
    silence(report)
    maintenance.recover(report_lifecycle)
    assert current(report).status == Status.QUEUED
    assert not default_storage.exists(key)
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
    monkeypatch.setattr(maintenance, "MESSAGE_PATIENCE", timedelta(0))
    maintenance.recover(report_lifecycle)
    assert queues.count_messages("reports_large") == 1
    assert current(report).status == Status.QUEUED


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


def test_a_purge_deletes_files_that_belong_to_no_job(acme: Organization) -> None:
    report = create(acme)
    run(report.pk)
    default_storage.save("reports/rep_gone.claim_gone", ContentFile(b"x"))
    maintenance.purge(report_lifecycle)
    [path] = stored_files()
    assert path.name.startswith(report.public_id)


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


def test_metrics_of_each_kind_have_its_name_and_its_queues(
    acme: Organization, settings: Settings, client: Client
) -> None:
    settings.METRICS_TOKEN = token = "a-token-of-the-tests"  # noqa: S105
    run(create(acme, steps=3).pk)
    create(acme, Lane.LARGE)
    maintenance.expire(report_lifecycle)
    lines = client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).content.decode()
    for line in (
        'longshore_reports{lane="reports_quick",status="completed"} 1.0',
        'longshore_reports{lane="reports_large",status="queued"} 1.0',
        'longshore_reports_ended_total{lane="reports_quick",status="completed"} 1.0',
        'longshore_report_rows_total{lane="reports_quick"} 3.0',
        'longshore_report_bytes_total{lane="reports_quick"} 15.0',
        'longshore_report_seconds_count{lane="reports_quick"} 1.0',
        'longshore_exports{lane="quick",status="completed"} 0.0',
    ):
        assert f"{line}\n" in lines
    assert 'longshore_oldest_queued_seconds{lane="reports_large"}' in lines
    assert "requested" not in lines
    assert set(JobTotal.objects.values_list("kind", flat=True)) == {"report"}
    assert JobCount.objects.filter(kind="report").count() == 2 * len(QUEUED_AT_ONCE)


@pytest.mark.parametrize("kind", [EXPORTS, REPORTS])
def test_slots_are_those_of_live_workers_of_the_kind(kind: JobKind[Any]) -> None:
    other = EXPORTS if kind is REPORTS else REPORTS
    assert heartbeats.slots(kind, Lane.LARGE) == 0
    heartbeats.offer_slots(kind, Lane.LARGE, "large@one", 2)
    heartbeats.offer_slots(kind, Lane.LARGE, "large@two", 3)
    heartbeats.offer_slots(kind, Lane.QUICK, "quick@one", 1)
    assert [heartbeats.slots(kind, lane) for lane in (Lane.LARGE, Lane.QUICK)] == [5, 1]
    assert [heartbeats.slots(other, lane) for lane in (Lane.LARGE, Lane.QUICK)] == [0, 0]
    heartbeats.withdraw_slots(kind, Lane.LARGE, "large@one")
    assert heartbeats.slots(kind, Lane.LARGE) == 3


def test_a_worker_has_a_lane_of_each_kind_whose_queue_it_consumes() -> None:
    assert heartbeats.lane_of(EXPORTS, ["quick", "large"]) == Lane.LARGE
    assert heartbeats.lane_of(EXPORTS, ["quick"]) == Lane.QUICK
    assert heartbeats.lane_of(EXPORTS, ["reports_quick", "webhooks"]) is None
    assert heartbeats.lane_of(REPORTS, ["reports_quick", "webhooks"]) == Lane.QUICK


def test_kinds_are_registered_in_order() -> None:
    assert kinds.registered() == (EXPORTS, REPORTS)


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


def test_a_report_of_progress_estimates_the_end_from_the_speed_so_far(acme: Organization) -> None:
    report = claimed(create(acme, steps=400))
    report.started_at = timezone.now() - timedelta(seconds=10)
    report_lifecycle.report(report, 100)
    assert current(report).processed_count == 100
    assert report.estimated_completion is not None
    remaining = report.estimated_completion - timezone.now()
    assert timedelta(seconds=25) < remaining < timedelta(seconds=31)


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
        "message": "The report failed after 3 attempts. "
        "The last attempt ended with the loss of its worker.",
    }
    assert report.completed_at is not None


def test_recovery_leaves_a_job_whose_worker_reports(acme: Organization) -> None:
    report = create(acme)
    claimed(report)
    maintenance.recover(report_lifecycle)
    assert current(report).status == Status.PROCESSING


def test_recovery_enqueues_a_retried_job_only_after_its_delay(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "MIN_AGE", timedelta(0))
    report = create(acme, Lane.LARGE)
    report_lifecycle.retry_later(claimed(report), "a test")
    purge_queues()
    maintenance.recover(report_lifecycle)
    assert current(report).enqueued_at is None
    assert report_lifecycle.claim(report.pk) is None
    Report.objects.update(not_before=timezone.now())
    maintenance.recover(report_lifecycle)
    assert current(report).enqueued_at is not None
    assert claimed(report) == report
