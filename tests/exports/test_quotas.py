"""Quotas of exports per day and of stored bytes: exact, and checked before any work."""

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportLimits, ExportUsage, Status
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.jobs import actions, maintenance
from tests.conftest import KeyClient
from tests.exports.conftest import export_of, stored_files

pytestmark = pytest.mark.django_db(transaction=True)

CONTACTS = {"resource": "contact"}


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send no messages, so that exports stay queued."""
    monkeypatch.setattr(
        "longshore.jobs.queues.current_app.send_task", lambda *args, **options: None
    )


@pytest.fixture
def limits(acme: Organization) -> ExportLimits:
    return ExportLimits.objects.create(organization=acme)


def used_bytes() -> int:
    return sum(Export.objects.values_list("stored_bytes", flat=True))


def test_the_daily_quota_counts_deleted_and_retried_exports(
    alice: KeyClient, charlie: KeyClient, contacts: list[Contact], settings: Settings
) -> None:
    settings.EXPORT_MAX_DAILY = 3
    first = alice.post("/v1/exports", CONTACTS).json()
    assert alice.delete(first["url"]).status_code == 204
    second = alice.post("/v1/exports", CONTACTS).json()
    alice.post(f"{second['url']}/cancel")
    assert alice.post(f"{second['url']}/retry").status_code == 200
    refused = alice.post("/v1/exports", CONTACTS)
    assert (refused.status_code, refused.json()["error"]) == (429, "daily_quota_exceeded")
    details = refused.json()["details"]
    assert (details["maximum"], details["used"]) == (3, 3)
    assert 0 < details["retry_after"] <= 24 * 3600
    assert int(refused["Retry-After"]) == details["retry_after"]
    alice.post(f"{second['url']}/cancel")
    assert alice.post(f"{second['url']}/retry").status_code == 429
    assert charlie.post("/v1/exports", CONTACTS).status_code == 201

    ExportUsage.objects.update(day=datetime.now(UTC).date() - timedelta(days=1))
    third = alice.post("/v1/exports", CONTACTS)
    assert (third.status_code, third.json()["number"]) == (201, 3)


def test_rows_are_not_counted_for_a_request_over_the_quota(
    alice: KeyClient, contacts: list[Contact], limits: ExportLimits
) -> None:
    def counts_rows(body: Mapping[str, object], status: int) -> bool:
        with CaptureQueriesContext(connection) as queries:
            assert alice.post("/v1/exports", body).status_code == status
        return any(Contact._meta.db_table in query["sql"] for query in queries)

    ExportLimits.objects.update(daily=1)
    assert counts_rows(CONTACTS | {"dedupe": True}, 201)
    assert not counts_rows(CONTACTS, 429)
    assert not counts_rows(CONTACTS | {"dedupe": True}, 200)


def test_racing_requests_do_not_exceed_the_daily_quota(
    alice: KeyClient, contacts: list[Contact], limits: ExportLimits, settings: Settings
) -> None:
    settings.API_MAX_EXPENSIVE_REQUESTS = 0  # All requests race; none waits for admission.
    ExportLimits.objects.update(daily=5, unfinished=100)
    responses: list[tuple[int, str | None]] = []
    numbers: list[int] = []
    start = threading.Barrier(15)

    def create() -> None:
        start.wait()
        response = alice.post("/v1/exports", CONTACTS)
        responses.append((response.status_code, response.json().get("error")))
        if response.status_code == 201:
            numbers.append(response.json()["number"])
        connections.close_all()

    threads = [threading.Thread(target=create) for _ in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(responses) == {(201, None): 5, (429, "daily_quota_exceeded"): 10}
    assert sorted(numbers) == [1, 2, 3, 4, 5]


def test_a_full_storage_quota_refuses_exports_until_files_are_deleted(
    alice: KeyClient, queued: Export, limits: ExportLimits
) -> None:
    runner.run(queued.pk)
    used = used_bytes()
    assert used == queued.files.get().bytes
    ExportLimits.objects.update(stored_bytes=used)
    refused = alice.post("/v1/exports", CONTACTS)
    assert (refused.status_code, refused.json()["error"]) == (422, "storage_quota_exceeded")
    assert refused.json()["details"] == {"maximum": used, "used": used}
    queued.refresh_from_db()
    actions.delete(export_lifecycle, queued)
    maintenance.discard(export_lifecycle)
    assert used_bytes() == 0
    assert alice.post("/v1/exports", CONTACTS).status_code == 201


def test_expired_files_do_not_count(alice: KeyClient, queued: Export) -> None:
    runner.run(queued.pk)
    assert used_bytes()
    queued.refresh_from_db()
    maintenance.expire_one(export_lifecycle, queued)
    assert used_bytes() == 0


def test_an_export_that_exceeds_the_storage_quota_fails_and_leaves_no_files(
    queued: Export, limits: ExportLimits, acme: Organization
) -> None:
    other = export_of(acme, CONTACTS)
    runner.run(queued.pk)
    used = used_bytes()
    ExportLimits.objects.update(stored_bytes=used + 10)
    files = stored_files()
    runner.run(other.pk)
    other.refresh_from_db()
    assert other.error is not None
    assert (other.status, other.error["error"]) == (Status.FAILED, "storage_quota_exceeded")
    assert f"{used:,}" in other.error["message"]
    assert stored_files() == files
    assert used_bytes() == used


def test_exports_that_end_together_do_not_exceed_the_storage_quota(
    queued: Export, limits: ExportLimits, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each export had room when it began and while it was written."""
    other = export_of(acme, CONTACTS | {"csv_field_options": {"columns": ["id", "name"]}})
    runner.run(queued.pk)
    used = used_bytes()
    ExportLimits.objects.update(stored_bytes=used + used // 2)
    monkeypatch.setattr(runner, "stored_bytes_of", lambda *_: 0)
    runner.run(other.pk)
    other.refresh_from_db()
    assert other.error is not None
    assert other.error["error"] == "storage_quota_exceeded"
    assert used_bytes() == used
    assert len(stored_files()) == 2


def test_a_request_that_is_too_large_is_refused(alice: KeyClient, contacts: list[Contact]) -> None:
    large = CONTACTS | {"options": {"name": [f"{number:0500}" for number in range(550)]}}
    refused = alice.post("/v1/exports", large)
    assert (refused.status_code, refused.json()["error"]) == (413, "request_too_large")
    details = refused.json()["details"]
    assert details["maximum"] == 256 * 1024 < details["used"]
    assert not Export.objects.exists()
