"""Failures of the read replica are recognized and do not count against the export."""

import os
import subprocess
import sys
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings as project
from psycopg import errors
from pytest_django import Settings

from exports.execution import replica
from exports.lifecycle.transitions import REPLICA_DELAYS, export_lifecycle
from exports.models import Export, ExportEvent, Status
from longshore.jobs.lifecycle import RETRY_DELAYS
from tests.claims import claim

pytestmark = pytest.mark.django_db(transaction=True)
CONFLICT = errors.SerializationFailure("canceling statement due to conflict with recovery")


@pytest.fixture
def on_replica(settings: Settings) -> None:
    settings.EXPORT_DATABASE = "replica"


def claim_again(number: int) -> Export:
    """Claim the export for its next attempt, without a delay."""
    Export.objects.update(not_before=None)
    export = claim(export_lifecycle, Export.objects.get(pk=number))
    assert export is not None
    return export


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (CONFLICT, "hot_standby_feedback = on"),
        (
            psycopg.OperationalError("terminating connection due to conflict with recovery"),
            "hot_standby_feedback = on",
        ),
        (errors.AdminShutdown(), "(AdminShutdown)"),
        (errors.DatabaseDropped(), "(DatabaseDropped)"),
        (psycopg.OperationalError("connection refused"), "(OperationalError)"),
        (errors.QueryCanceled(), None),
        (errors.DiskFull(), None),
        (ValueError(), None),
    ],
)
def test_failures_of_the_replica_are_recognized(
    on_replica: None, error: Exception, text: str | None
) -> None:
    failure = replica.failure_of(Export(), error)
    assert failure is None if text is None else text in (failure or "")


def test_without_a_replica_no_error_is_a_failure_of_the_replica(queued: Export) -> None:
    assert replica.failure_of(Export(), CONFLICT) is None


def test_failures_of_the_replica_do_not_count_against_the_export(
    on_replica: None, queued: Export
) -> None:
    for _ in REPLICA_DELAYS:
        export_lifecycle.retry_replica_later(claim_again(queued.pk), "The replica is away.")
    # The number of failures that an export survives without a replica.
    for _ in RETRY_DELAYS:
        export_lifecycle.retry_later(claim_again(queued.pk), "The test ended the attempt.")
    export_lifecycle.retry_replica_later(claim_again(queued.pk), "The replica is away.")
    queued.refresh_from_db()
    assert (queued.status, queued.error) == (
        Status.FAILED,
        {
            "error": "replica_unavailable",
            "message": "The export failed after 7 attempts. The replica is away.",
        },
    )
    reasons = ExportEvent.objects.exclude(reason="").values_list("reason", flat=True)
    assert list(reasons)[:4] == ["The replica is away."] * 4
    assert export_lifecycle.restart(queued)
    queued.refresh_from_db()
    assert queued.replica_failures == 0


def test_delays_grow_to_minutes(on_replica: None, queued: Export) -> None:
    assert sum(REPLICA_DELAYS, timedelta()) == timedelta(seconds=200)


@pytest.mark.parametrize(("allowed", "database"), [(True, "default"), (False, "replica")])
def test_the_last_attempt_reads_from_the_primary_if_the_setting_allows_it(
    on_replica: None, settings: Settings, allowed: bool, database: str
) -> None:
    settings.EXPORT_REPLICA_FALLBACK = allowed
    last = len(REPLICA_DELAYS)
    assert replica.database_of(Export(replica_failures=last - 1)) == "replica"
    assert replica.database_of(Export(replica_failures=last)) == database


def test_the_check_warns_if_the_replica_is_unreachable() -> None:
    """Run in a process of its own: Django keeps tests from databases that they do not name."""
    environment = os.environ | {"EXPORT_DATABASE_URL": "postgres://me@127.0.0.1:1/me"}
    command = [sys.executable, "manage.py", "check", "--database", "replica"]
    process = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, cwd=project.BASE_DIR
    )
    assert process.returncode == 0
    assert "(exports.W001) EXPORT_DATABASE_URL cannot be reached: " in process.stderr
    assert "Check that the replica runs." in process.stderr
