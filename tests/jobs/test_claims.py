"""Admission, messages and claims: limits are exact, and organizations take turns."""

import threading
from collections import Counter
from dataclasses import replace

import pytest
from django.db import connections
from django.db.transaction import TransactionManagementError

from longshore.accounts.models import Organization
from longshore.api.errors import ApiError
from longshore.jobs import admission, queues
from longshore.jobs.admission import Quotas
from longshore.jobs.statuses import Lane
from tests.claims import claim
from tests.jobs.conftest import claimed, current, history
from tests.jobs.reports import LIMITS, REPORTS, Report, create, report_lifecycle

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_the_lock_of_an_organization_needs_a_transaction(acme: Organization) -> None:
    with pytest.raises(TransactionManagementError):
        admission.lock(acme.pk)


def test_quotas_without_a_maximum_admit_every_job(acme: Organization) -> None:
    create(acme)
    Report.objects.update(stored_bytes=1)
    quotas = Quotas(REPORTS, acme.pk, LIMITS)
    assert quotas.used() == {"unfinished": 1, "daily": 1, "stored_bytes": 1}
    quotas.check()
    full = replace(quotas, limits=replace(LIMITS, stored_bytes=1))
    with pytest.raises(ApiError):
        full.check()
    replace(full, has_stored_bytes=False).check()


def test_organizations_take_turns(acme: Organization, globex: Organization) -> None:
    first, second, third = (create(acme) for _ in range(3))
    foreign = create(globex)
    assert [claimed(first) for _ in range(4)] == [first, foreign, second, third]
    assert claim(report_lifecycle, first) is None


def test_one_organization_never_holds_the_last_slot(
    acme: Organization, globex: Organization
) -> None:
    first, second = create(acme, Lane.LARGE), create(acme, Lane.LARGE)
    assert report_lifecycle.claim(first.pk, Lane.LARGE, slots=2) == first
    assert report_lifecycle.claim(second.pk, Lane.LARGE, slots=2) is None
    foreign = create(globex, Lane.LARGE)
    assert report_lifecycle.claim(second.pk, Lane.LARGE, slots=2) == foreign


def test_concurrent_workers_claim_each_job_once(acme: Organization, globex: Organization) -> None:
    reports = [create(organization) for organization in (acme, globex) for _ in range(5)]
    taken: list[int] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        while job := claim(report_lifecycle, reports[0]):
            taken.append(job.pk)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A worker that finds all waiting jobs locked by others stops early.
    while job := claim(report_lifecycle, reports[0]):
        taken.append(job.pk)
    assert sorted(taken) == [report.pk for report in reports]
