"""Metrics, heartbeats and the registry keep the kinds of job apart."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from batches.lifecycle.transitions import BATCHES, batch_lifecycle
from exports.lifecycle.transitions import EXPORTS, export_lifecycle
from exports_project.health import CHECKS
from longshore.accounts.models import Organization
from longshore.jobs import heartbeats, kinds, maintenance
from longshore.jobs.kinds import JobKind
from longshore.jobs.models import JobCount, JobTotal
from longshore.jobs.statuses import QUEUED_AT_ONCE, Lane, Status
from tests.jobs.reports import REPORTS, create, report_lifecycle, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_metrics_of_each_kind_have_its_name_and_its_queues(
    acme: Organization, settings: Settings, client: Client
) -> None:
    settings.METRICS_TOKEN = token = "a-token-of-the-tests"  # noqa: S105
    run(create(acme, steps=3).pk)
    create(acme, Lane.LARGE)
    maintenance.expire(report_lifecycle)
    lines = client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).content.decode()
    for line in (
        'longshore_reports{lane="quick",status="completed"} 1.0',
        'longshore_reports{lane="large",status="queued"} 1.0',
        'longshore_reports_ended_total{lane="quick",status="completed"} 1.0',
        'longshore_report_rows_total{lane="quick"} 3.0',
        'longshore_report_bytes_total{lane="quick"} 15.0',
        'longshore_report_seconds_count{lane="quick"} 1.0',
        'longshore_exports{lane="quick",status="completed"} 0.0',
    ):
        assert f"{line}\n" in lines
    assert 'longshore_oldest_queued_seconds{kind="report",lane="large"}' in lines
    assert 'longshore_reports{lane="large",status="requested"} 0.0' in lines
    assert 'longshore_exports{lane="large",status="requested"}' not in lines
    assert set(JobTotal.objects.values_list("kind", flat=True)) == {"report"}
    assert JobCount.objects.filter(kind="report").count() == 2 * len(Status)


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
    assert kinds.registered() == (EXPORTS, BATCHES, REPORTS)


def test_a_kind_is_registered_once() -> None:
    with pytest.raises(ValueError, match="'report' \\(reports\\) is already registered"):
        kinds.register(REPORTS)


def test_the_plural_of_a_kind_has_only_letters_and_underscores() -> None:
    with pytest.raises(ValueError, match="'order reports' may contain only"):
        replace(REPORTS, plural="order reports")


def test_the_statuses_of_a_kind_are_those_of_its_model() -> None:
    assert EXPORTS.statuses == QUEUED_AT_ONCE
    assert EXPORTS.unfinished == (Status.QUEUED, Status.PROCESSING)
    assert REPORTS.statuses == tuple(Status)


def test_readiness_checks_the_recovery_of_every_kind() -> None:
    [check] = [each for each in CHECKS if each.name == "recovery"]
    assert check.begin().result(60).state == "failed"
    maintenance.recover(export_lifecycle)
    maintenance.recover(batch_lifecycle)
    assert check.begin().result(60).state == "failed"
    maintenance.recover(report_lifecycle)
    assert check.begin().result(60).state == "ok"
