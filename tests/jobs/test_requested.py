"""Jobs that wait for their input before they are queued."""

import pytest
from django.utils import timezone

from longshore.accounts.models import Organization
from longshore.api.errors import ApiError
from longshore.jobs import actions, maintenance
from longshore.jobs.queues import enqueue
from longshore.jobs.statuses import Lane, Status
from tests.claims import claim
from tests.exports.conftest import stored_files
from tests.jobs.conftest import current, history
from tests.jobs.reports import (
    LIMITS,
    REPORTS,
    RETENTION,
    Report,
    report_lifecycle,
    request,
    run,
    upload,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_requested_job_runs_once_it_is_queued(acme: Organization) -> None:
    report = request(acme)
    assert claim(report_lifecycle, report) is None
    queued = report_lifecycle.queue(report, lane=Lane.LARGE)
    assert queued is not None
    assert (queued.status, queued.lane) == (Status.QUEUED, Lane.LARGE)
    assert queued.expires_at > report.expires_at
    assert enqueue(REPORTS, queued)
    run(report.pk)
    assert current(report).status == Status.COMPLETED
    assert history(report) == [
        ("requested", 0),
        ("queued", 0),
        ("processing", 1),
        ("completed", 1),
    ]


def test_a_job_is_queued_once(acme: Organization) -> None:
    report = request(acme)
    assert report_lifecycle.queue(report) is not None
    assert report_lifecycle.queue(report) is None


def test_a_new_job_expires_after_the_retention_of_its_kind(acme: Organization) -> None:
    before = timezone.now()
    report = request(acme)
    assert before + RETENTION <= report.expires_at <= timezone.now() + RETENTION


def test_a_requested_job_is_canceled(acme: Organization) -> None:
    report = request(acme)
    actions.cancel(report_lifecycle, report)
    assert current(report).status == Status.CANCELED
    assert report_lifecycle.queue(report) is None


def test_requested_jobs_count_as_unfinished(acme: Organization) -> None:
    for _ in range(LIMITS.unfinished):
        request(acme)
    with pytest.raises(ApiError) as refused:
        request(acme)
    assert refused.value.code.value == "too_many_requests"


def test_a_job_that_is_never_queued_expires_with_its_input(acme: Organization) -> None:
    report = request(acme)
    upload(report)
    maintenance.expire(report_lifecycle)
    assert current(report).status == Status.REQUESTED
    Report.objects.update(expires_at=timezone.now())
    maintenance.expire(report_lifecycle)
    assert (current(report).status, report.has_files, report.progress) == ("expired", False, 0)
    assert report.completed_at is not None
    assert stored_files() == []
    assert history(report) == [("requested", 0), ("expired", 0)]


def test_a_queued_job_does_not_expire_with_the_request(acme: Organization) -> None:
    report = request(acme)
    Report.objects.update(expires_at=timezone.now())
    report_lifecycle.queue(report)
    report_lifecycle.expire_requested(report)
    assert current(report).status == Status.QUEUED
