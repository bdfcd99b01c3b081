"""Metrics of exports: correct, monotonic where they are counters, and not per organization."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from exports.execution import runner
from exports.lifecycle.transitions import EXPORTS, export_lifecycle
from exports.models import (
    STATUSES,
    Export,
    ExportEvent,
    ExportFile,
    Lane,
    Status,
)
from longshore.api.errors import ErrorCode
from longshore.jobs import actions, counters, maintenance
from longshore.jobs.counters import BUCKETS
from longshore.jobs.lifecycle import Superseded
from longshore.jobs.models import JobCount, JobTotal
from tests.claims import claim
from tests.conftest import KeyClient

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "a-token-of-the-tests"  # noqa: S105
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def text(client: Client) -> str:
    response = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    return response.content.decode()


class Scrape:
    """The samples of a response, by their names and labels."""

    def __init__(self, client: Client) -> None:
        families = text_string_to_metric_families(text(client))
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self._samples[f"longshore_{name}", frozenset(labels.items())]


def test_metrics_are_not_found_without_a_configured_token(
    client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = ""
    for value in ("", "Bearer ", f"Bearer {TOKEN}"):
        assert client.get("/metrics", headers={"Authorization": value}).status_code == 404


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer é"])
def test_a_scrape_without_the_token_is_refused(client: Client, value: str) -> None:
    response = client.get("/metrics", headers={"Authorization": value})
    assert (response.status_code, response.content) == (401, b"")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_an_api_key_is_not_the_token(alice: KeyClient) -> None:
    assert alice.get("/metrics").status_code == 401


def test_all_statuses_are_present_before_the_first_export(client: Client) -> None:
    scrape = Scrape(client)
    for lane in Lane.values:
        for status in STATUSES:
            assert scrape("exports", lane=lane, status=status) == 0
        assert scrape("oldest_queued_seconds", kind="export", lane=lane) == 0
        assert scrape("exports_ended_total", lane=lane, status="failed") == 0
        assert scrape("export_seconds_count", lane=lane) == 0


def test_exports_are_counted_by_lane_and_status(client: Client, queued: Export) -> None:
    assert Scrape(client)("exports", lane="large", status="queued") == 1
    claim(export_lifecycle, queued)
    scrape = Scrape(client)
    assert scrape("exports", lane="large", status="queued") == 0
    assert scrape("exports", lane="large", status="processing") == 1
    assert scrape("exports", lane="quick", status="processing") == 0


def test_a_scrape_does_not_count_ended_exports(client: Client, queued: Export) -> None:
    runner.run(queued.pk)
    maintenance.expire(export_lifecycle)
    with CaptureQueriesContext(connection) as queries:
        scrape = Scrape(client)
    assert scrape("exports", lane="large", status="completed") == 1
    counts = [each["sql"] for each in queries if 'COUNT("exports_export"' in each["sql"]]
    assert len(counts) == 1
    assert """"status" IN ('queued', 'processing')""" in counts[0]


def test_a_completed_export_adds_its_rows_bytes_and_seconds(client: Client, queued: Export) -> None:
    runner.run(queued.pk)
    scrape, file = Scrape(client), ExportFile.objects.get()
    assert scrape("exports_ended_total", lane="large", status="completed") == 1
    assert scrape("export_rows_total", lane="large") == file.rows == 5
    assert scrape("export_bytes_total", lane="large") == file.bytes > 0
    assert scrape("export_seconds_count", lane="large") == 1
    assert 0 < scrape("export_seconds_sum", lane="large") < 15
    assert scrape("export_seconds_bucket", lane="large", le="15.0") == 1
    assert scrape("export_seconds_bucket", lane="large", le="+Inf") == 1
    assert scrape("export_rows_total", lane="quick") == 0


def test_counters_keep_deleted_exports(client: Client, queued: Export) -> None:
    runner.run(queued.pk)
    queued.refresh_from_db()
    actions.delete(export_lifecycle, queued)
    maintenance.discard(export_lifecycle)
    scrape = Scrape(client)
    assert not Export.objects.exists()
    assert scrape("exports", lane="large", status="completed") == 0
    assert scrape("exports_ended_total", lane="large", status="completed") == 1
    assert scrape("export_rows_total", lane="large") == 5


def test_concurrent_recounts_both_succeed(queued: Export) -> None:
    def recount() -> None:
        counters.recount(EXPORTS)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            counters.recount(EXPORTS)
            other = pool.submit(recount)
            wait([other], timeout=1)
        other.result()
    assert JobCount.objects.get(kind="export", lane="large", status="queued").jobs == 1


def test_each_end_is_counted_once(client: Client, queued: Export) -> None:
    export = claim(export_lifecycle, queued)
    assert export is not None
    export_lifecycle.fail(export, ErrorCode.INTERNAL_ERROR, "no")
    with pytest.raises(Superseded):
        export_lifecycle.fail(export, ErrorCode.INTERNAL_ERROR, "no")
    export_lifecycle.restart(export)
    export_lifecycle.cancel(export)
    export_lifecycle.cancel(export)
    scrape = Scrape(client)
    assert scrape("exports_ended_total", lane="large", status="failed") == 1
    assert scrape("exports_ended_total", lane="large", status="canceled") == 1
    assert scrape("export_seconds_count", lane="large") == 0


def test_a_duration_is_counted_in_the_smallest_bucket(client: Client, queued: Export) -> None:
    long_ago = timezone.now() - timedelta(seconds=100)
    for seconds in (100, 5000):
        export = claim(export_lifecycle, queued)
        assert export is not None
        long_ago = timezone.now() - timedelta(seconds=seconds)
        Export.objects.update(started_at=long_ago)
        export_lifecycle.complete_with_files(export, [])
        Export.objects.update(status=Status.EXPIRED)
        export_lifecycle.restart(export)
    scrape = Scrape(client)
    counts = [
        scrape("export_seconds_bucket", lane="large", le=bound)
        for bound in ("60.0", "300.0", "3600.0", "+Inf")
    ]
    assert counts == [0, 1, 1, 2]
    assert set(JobTotal.objects.values_list("bucket", flat=True)) <= set(BUCKETS)


def test_the_age_is_that_of_the_oldest_waiting_export(client: Client, queued: Export) -> None:
    ExportEvent.objects.all().delete()
    Export.objects.update(created_at=timezone.now() - timedelta(seconds=90))
    assert 90 <= Scrape(client)("oldest_queued_seconds", kind="export", lane="large") < 100
    assert Scrape(client)("oldest_queued_seconds", kind="export", lane="quick") == 0


@pytest.mark.parametrize("change", ["claimed", "delayed", "retried"])
def test_the_age_excludes_the_time_before_a_retry_or_delay(
    client: Client, queued: Export, change: str
) -> None:
    Export.objects.update(created_at=timezone.now() - timedelta(days=7))
    export = claim(export_lifecycle, queued)
    assert export is not None
    if change == "delayed":
        export_lifecycle.retry_later(export, "The test ended the attempt.")
    elif change == "retried":
        export_lifecycle.cancel(export)
        export_lifecycle.restart(export)
    age = Scrape(client)("oldest_queued_seconds", kind="export", lane="large")
    assert age < 60 if change == "retried" else age == 0


def test_metrics_identify_no_organization(
    client: Client, alice: KeyClient, charlie: KeyClient, queued: Export
) -> None:
    runner.run(queued.pk)
    shown = text(client)
    organizations: list[Any] = [alice.api_key.organization, charlie.api_key.organization]
    for organization in organizations:
        for name in (organization.name, organization.slug, organization.pk):
            assert name not in shown
    for name in (queued.public_id, "contact", "alice", "charlie"):
        assert name not in shown


def test_a_scrape_runs_a_fixed_number_of_queries(
    client: Client, queued: Export, django_assert_num_queries: Any
) -> None:
    # Counts and totals of all jobs, and two of each kind of job.
    with django_assert_num_queries(6):
        text(client)
