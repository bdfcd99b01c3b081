"""Exceeding a limit is an error, also for racing requests; values are never clamped."""

import threading
from typing import Any

import pytest
from django.db import connection, connections
from pytest_django import Settings

from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportLimits, Lane, Status
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from tests.claims import claim
from tests.conftest import KeyClient
from tests.exports.conftest import stored_files

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


def test_the_eleventh_unfinished_export_is_refused_until_one_ends(
    alice: KeyClient, charlie: KeyClient, contacts: list[Contact]
) -> None:
    for _ in range(10):
        assert alice.post("/v1/exports", CONTACTS).status_code == 201
    refused = alice.post("/v1/exports", CONTACTS)
    assert (refused.status_code, refused.json()["error"]) == (429, "too_many_exports")
    assert refused.json()["details"]["maximum"] == 10
    assert int(refused["Retry-After"]) == refused.json()["details"]["retry_after"] > 0
    assert charlie.post("/v1/exports", CONTACTS).status_code == 201
    first = Export.objects.order_by("number")[0]
    assert alice.post(f"/v1/exports/{first.public_id}/cancel").status_code == 200
    assert alice.post("/v1/exports", CONTACTS).status_code == 201
    assert alice.post(f"/v1/exports/{first.public_id}/retry").status_code == 429
    first.refresh_from_db()
    assert first.status == Status.CANCELED


@pytest.mark.parametrize("name", [field.name for field in ExportLimits.limit_fields()])
def test_every_limit_of_an_organization_replaces_its_default(
    name: str, limits: ExportLimits, acme: Organization, globex: Organization
) -> None:
    [field] = [each for each in ExportLimits.limit_fields() if each.name == name]
    ExportLimits.objects.update(**{name: 7})
    own, default = (ExportLimits.applied_to(each.pk) for each in (acme, globex))
    assert getattr(own, name) == 7
    assert getattr(default, name) == ExportLimits.default_of(field)
    others = [each.name for each in ExportLimits.limit_fields() if each != field]
    assert [getattr(own, other) for other in others] == [
        getattr(default, other) for other in others
    ]


def test_racing_requests_do_not_exceed_the_limit(
    alice: KeyClient, contacts: list[Contact], settings: Settings
) -> None:
    settings.API_MAX_EXPENSIVE_REQUESTS = 0
    statuses: list[int] = []
    start = threading.Barrier(25)

    def create() -> None:
        start.wait()
        statuses.append(alice.post("/v1/exports", CONTACTS).status_code)
        connections.close_all()

    threads = [threading.Thread(target=create) for _ in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] * 10 + [429] * 15
    assert Export.objects.count() == 10


def test_the_limit_of_an_organization_replaces_that_of_the_settings(
    alice: KeyClient, contacts: list[Contact], limits: ExportLimits
) -> None:
    ExportLimits.objects.update(unfinished=1)
    assert alice.post("/v1/exports", CONTACTS).status_code == 201
    assert alice.post("/v1/exports", CONTACTS).json()["details"]["maximum"] == 1


def test_too_many_records_are_refused_with_their_count(
    alice: KeyClient, contacts: list[Contact], settings: Settings
) -> None:
    settings.EXPORT_MAX_RECORDS = 4
    refused = alice.post("/v1/exports", CONTACTS)
    assert (refused.status_code, refused.json()["error"]) == (422, "too_many_records")
    assert refused.json()["details"] == {"records_count": 5, "maximum": 4}
    assert not Export.objects.exists()
    assert alice.post("/v1/exports", CONTACTS | {"options": {"limit": 4}}).status_code == 201


@pytest.mark.parametrize("file_format", ["csv", "json", "parquet", "xlsx"])
def test_an_uncounted_export_with_too_many_records_fails(
    queued: Export, limits: ExportLimits, file_format: str
) -> None:
    ExportLimits.objects.update(records=4)
    Export.objects.update(records_count=None, spec=queued.spec | {"format": file_format})
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.FAILED
    assert queued.error == {
        "error": "too_many_records",
        "message": "The export has 5 or more records; the limit is 4. "
        "Add filters, or set `options.limit`.",
    }
    assert stored_files() == []


def test_an_export_with_too_large_files_fails(queued: Export, limits: ExportLimits) -> None:
    ExportLimits.objects.update(bytes=100)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.error is not None
    assert (queued.status, queued.error["error"]) == (Status.FAILED, "file_too_large")
    assert stored_files() == []


def test_an_empty_export_is_refused_on_request(alice: KeyClient, contacts: list[Contact]) -> None:
    nothing = CONTACTS | {"options": {"name": "nobody"}}
    assert alice.post("/v1/exports", nothing).status_code == 201
    refused = alice.post("/v1/exports", nothing | {"empty": "error"})
    assert (refused.status_code, refused.json()["error"]) == (422, "empty_export")
    assert refused.json()["details"] == {"records_count": 0}
    assert alice.post("/v1/exports", CONTACTS | {"empty": "error"}).status_code == 201


def test_an_export_that_became_empty_fails_on_request(queued: Export) -> None:
    Export.objects.update(spec=queued.spec | {"refuse_empty": True})
    Contact.objects.all().delete()
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.error is not None
    assert (queued.status, queued.error["error"]) == (Status.FAILED, "empty_export")
    assert stored_files() == []


def test_dedupe_returns_the_unfinished_export_with_the_same_spec(
    alice: KeyClient, bob: KeyClient, charlie: KeyClient, contacts: list[Contact]
) -> None:
    body = CONTACTS | {"dedupe": True}
    first = alice.post("/v1/exports", body)
    again = bob.post("/v1/exports", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert again["Location"] == first["Location"]
    for other in (body | {"format": "json"}, CONTACTS):
        assert alice.post("/v1/exports", other).status_code == 201
    assert charlie.post("/v1/exports", body).status_code == 201
    runner.run(Export.objects.order_by("number")[0].pk)
    assert alice.post("/v1/exports", body).json()["id"] != first.json()["id"]


BAD = [
    ({"dedupe": "yes"}, "dedupe", "invalid_request"),
    ({"empty": "fail"}, "empty", "invalid_request"),
    ({"max_rows_per_file": 0}, "max_rows_per_file", "invalid_limit"),
    ({"max_rows_per_file": True}, "max_rows_per_file", "invalid_limit"),
    ({"max_rows_per_file": "10"}, "max_rows_per_file", "invalid_limit"),
    ({"max_rows_per_file": 2**63}, "max_rows_per_file", "invalid_limit"),
    ({"metadata": ["A-17"]}, "metadata", "invalid_request"),
    ({"metadata": {"note": "x" * 10_000}}, "metadata", "invalid_request"),
]


@pytest.mark.parametrize(("bad", "field", "code"), BAD)
def test_a_malformed_field_is_named(
    alice: KeyClient, bad: dict[str, object], field: str, code: str
) -> None:
    response = alice.post("/v1/exports", CONTACTS | bad)
    [problem] = response.json()["details"]["problems"]
    assert (response.status_code, problem["error"], problem["field"]) == (400, code, field)
    assert problem["accepted"]


def test_small_exports_go_to_the_quick_lane(
    alice: KeyClient, contacts: list[Contact], settings: Settings
) -> None:
    alice.post("/v1/exports", CONTACTS)
    settings.EXPORT_PARALLEL_ROWS = 5
    alice.post("/v1/exports", CONTACTS)
    assert [each.lane for each in Export.objects.order_by("number")] == [Lane.QUICK, Lane.LARGE]


def test_organizations_take_turns(
    alice: KeyClient, charlie: KeyClient, contacts: list[Contact]
) -> None:
    for _ in range(3):
        alice.post("/v1/exports", CONTACTS)
    charlie.post("/v1/exports", CONTACTS)
    first, second, third, foreign = Export.objects.order_by("number")
    order = [claim(export_lifecycle, first) for _ in range(5)]
    assert [each and each.pk for each in order] == [first.pk, foreign.pk, second.pk, third.pk, None]


def test_an_export_with_too_many_files_is_refused(
    alice: KeyClient, queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.lifecycle.limits.MAX_FILES", 2)
    refused = alice.post("/v1/exports", CONTACTS | {"max_rows_per_file": 2})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_limit")
    assert alice.post("/v1/exports", CONTACTS | {"max_rows_per_file": 3}).status_code == 201
    Export.objects.update(spec=queued.spec | {"max_rows_per_file": 2})
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.error is not None
    assert (queued.status, queued.error["error"]) == (Status.FAILED, "invalid_limit")
    assert stored_files() == []


def test_rows_are_not_counted_for_a_request_over_the_limit(
    alice: KeyClient, contacts: list[Contact], settings: Settings
) -> None:
    settings.EXPORT_MAX_UNFINISHED = 1
    statements: list[str] = []

    def note(execute: Any, query: str, *arguments: Any) -> Any:
        statements.append(query)
        return execute(query, *arguments)

    assert alice.post("/v1/exports", CONTACTS).status_code == 201
    with connection.execute_wrapper(note):
        assert alice.post("/v1/exports", CONTACTS).status_code == 429
    assert statements
    assert not any("longshore_logistics_contact" in statement for statement in statements)
    with connection.execute_wrapper(note):
        same = alice.post("/v1/exports", CONTACTS | {"dedupe": True})
    assert same.status_code == 200
    assert not any("longshore_logistics_contact" in statement for statement in statements)
