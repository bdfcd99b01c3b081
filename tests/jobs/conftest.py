"""Fixtures and helpers of the tests of jobs: the tables of reports, and an empty storage."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from celery import current_app
from django.db import connection
from django.utils import timezone

from longshore.cache import cache
from longshore.jobs import kinds, maintenance
from longshore.jobs.tasks import define_tasks
from tests.claims import claim
from tests.exports.conftest import storage  # noqa: F401  (a fixture)
from tests.jobs.reports import MODELS, REPORTS, Report, report_lifecycle, run

PERIODIC = ("Recover reports", "Expire reports", "Purge reports")


def purge_queues() -> None:
    """Empty the queues of reports, which are not among those that `control.purge` empties."""
    with current_app.connection_or_acquire() as broker:
        for queue in REPORTS.queues.values():
            broker.default_channel.queue_purge(queue)


@pytest.fixture(autouse=True)
def reports(transactional_db: None) -> Iterator[None]:
    """The kind of job `report`, with empty tables and queues."""
    cache.clear()
    current_app.control.purge()
    purge_queues()
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    kinds.register(REPORTS)
    define_tasks(report_lifecycle, run)
    yield
    for name in ("run", "discard", "recover", "expire", "purge"):
        current_app.tasks.unregister(REPORTS.task(name))
    for name in PERIODIC:
        del current_app.conf.beat_schedule[name]
    kinds.unregister(REPORTS)
    with connection.schema_editor() as editor:
        for model in reversed(MODELS):
            editor.delete_model(model)


@pytest.fixture(autouse=True)
def fast_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longshore.jobs.runner.REPORT_SECONDS", 0.05)


def claimed(report: Report) -> Report:
    job = claim(report_lifecycle, report)
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
