"""The admin's home: counts, charts, failed and slow jobs, organizations, roles, queries."""

import json
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.migrations import RunSQL
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from exports.lifecycle.transitions import EXPORTS, export_lifecycle
from exports.models import Export, ExportFile
from longshore.accounts.models import ApiKey, Organization
from longshore.jobs import counters, kinds, maintenance
from longshore.jobs.models import JobHour
from longshore.jobs.statuses import Status
from tests.exports.conftest import export_of
from tests.factories import SubscriptionFactory
from tests.jobs.reports import REPORTS
from tests.members import bind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
BODY = {"resource": "contact", "csv_field_options": {"columns": ["id", "name"]}}
PERMISSIONS = ("view_export", "view_batch", "view_subscription", "view_apikey")


def signed_in(name: str, *codenames: str, **values: object) -> Client:
    user = User.objects.create_user(name, is_staff=True, **values)  # type: ignore[arg-type]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def viewer(db: None) -> Client:
    return signed_in("viewer", *PERMISSIONS, "view_organization")


def ended(organization: Organization, status: Status, seconds: int = 1, **values: Any) -> Export:
    """Return an export that ended in a status just now, and count it."""
    now = timezone.now()
    if status == Status.COMPLETED:
        values = {"records_count": 10, "stored_bytes": 2_000_000, **values}
    export = export_of(
        organization,
        BODY,
        status=status,
        started_at=now - timedelta(seconds=seconds),
        completed_at=now,
        **values,
    )
    counters.add(EXPORTS, export)
    return export


def home(client: Client, query: str = "") -> Any:
    response = client.get(f"/admin/{query}")
    assert response.status_code == 200
    return response


def card(response: Any, title: str) -> Any:
    [found] = [kind for kind in response.context["jobs"]["kinds"] if kind["title"] == title]
    return found


def datasets(response: Any, number: int) -> dict[str, list[float]]:
    """Return the values of a chart by the name of their series."""
    data = json.loads(response.context["jobs"]["charts"][number].data)
    return {each["label"]: each["data"] for each in data["datasets"]}


def test_cards_show_the_exports_of_today_by_status_and_the_success_rate(
    viewer: Client, acme: Organization
) -> None:
    for status in (*(Status.COMPLETED,) * 3, Status.FAILED, Status.CANCELED):
        ended(acme, status)
    export_of(acme, BODY, created_at=timezone.now() - timedelta(seconds=90))
    response = home(viewer)
    exports = card(response, "Exports")
    assert exports["completed"] == "3"
    assert [each["text"] for each in exports["statuses"]] == ["1 queued", "1 failed", "1 canceled"]
    urls = [each["url"] for each in exports["statuses"]]
    assert urls == ["/admin/exports/export/?status__exact=queued", None, None]
    assert exports["success_rate"] == "75"
    assert card(response, "Batches")["success_rate"] is None
    assert response.context["jobs"]["queue"]["length"] == "1"
    assert response.context["jobs"]["queue"]["oldest"].startswith("1 min 3")
    assert response.context["jobs"]["stored"] == "5.7\xa0MB"


@pytest.mark.slow
def test_charts_show_rows_and_bytes_of_each_hour(viewer: Client, acme: Organization) -> None:
    ended(acme, Status.COMPLETED)
    ended(acme, Status.COMPLETED)
    JobHour.objects.update(hour=timezone.now().replace(minute=0, second=0, microsecond=0))
    hours = home(viewer)
    rows, sizes = datasets(hours, 0), datasets(hours, 1)
    assert rows["Exports"] == [0] * (len(rows["Exports"]) - 1) + [20]
    assert len(rows["Exports"]) == 25
    assert sizes["Exports"][-1] == 4_000_000 / 2**20
    assert rows["Batches"] == [0] * 25
    assert hours.context["jobs"]["charts"][1].title == "Data per hour in MB"
    assert sum(datasets(home(viewer, "?period=7d"), 0)["Exports"]) == 20
    month = datasets(home(viewer, "?period=30d"), 0)["Exports"]
    assert (sum(month), len(month)) == (20, 31)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns", "Europe/Berlin", "UTC"])
@pytest.mark.parametrize("period", ["24h", "7d", "30d"])
def test_every_hour_of_a_period_has_a_place_in_the_chart_in_every_zone(
    viewer: Client, acme: Organization, zone: str, period: str
) -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    JobHour.objects.bulk_create(
        JobHour(
            organization=acme,
            hour=now - timedelta(hours=hours),
            kind="export",
            status=Status.COMPLETED,
            jobs=1,
            rows=1,
            bytes=1,
        )
        # The clock of another server may be an hour ahead.
        for hours in range(-1, 24 * 31)
    )
    expected = {"24h": 25, "7d": 7 * 24 + 1, "30d": 30 * 24 + 1}[period]
    with timezone.override(zone):
        assert sum(datasets(home(viewer, f"?period={period}"), 0)["Exports"]) == expected


def test_failed_and_slow_jobs_are_listed_with_links(viewer: Client, acme: Organization) -> None:
    error = {"error": "too_many_records", "message": "The export has 12 rows; the limit is <10>."}
    failed = ended(acme, Status.FAILED, error=error)
    slow, fast = (ended(acme, Status.COMPLETED, seconds) for seconds in (70, 2))
    deleted = ended(acme, Status.FAILED, error=error)
    Export.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    response = home(viewer)
    page = response.content.decode()
    assert "the limit is &lt;10&gt;." in page
    assert f"/admin/exports/export/{failed.pk}/change/" in page
    assert str(deleted.pk) not in [str(row) for row in response.context["jobs"]["failed"]["rows"]]
    assert len(response.context["jobs"]["failed"]["rows"]) == 1
    slowest = response.context["jobs"]["slowest"]["rows"]
    assert [slow.public_id[-6:] in slowest[0][0], fast.public_id[-6:] in slowest[1][0]] == [
        True
    ] * 2
    assert "1 min 10 s" in slowest[0][-1]


def test_webhooks_and_keys_that_need_attention_are_listed(
    viewer: Client, acme: Organization
) -> None:
    now = timezone.now()
    SubscriptionFactory.create(organization=acme, name="Fine")
    SubscriptionFactory.create(
        organization=acme, name="Broken", consecutive_failures=7, failing_since=now
    )
    for name, days in (("Soon", 3), ("Later", 300)):
        ApiKey.objects.create_key(
            name=name, organization=acme, expiry_date=now + timedelta(days=days)
        )
    response = home(viewer)
    [row] = response.context["webhooks"]["attention"]["rows"]
    assert "Broken" in row[0]
    assert "Failing for" in row[-1]
    assert {each["text"] for each in response.context["webhooks"]["states"]} == {
        "1 active",
        "1 failing",
    }
    [key] = response.context["keys"]["rows"]
    assert "Soon" in key[0]


def test_bound_staff_see_only_their_organizations(acme: Organization, globex: Organization) -> None:
    client = signed_in("bound", *PERMISSIONS, "view_organization")
    bind(User.objects.get(username="bound"), [acme])
    ended(acme, Status.COMPLETED)
    for _ in range(2):
        ended(globex, Status.COMPLETED)
        ended(globex, Status.FAILED)
        export_of(globex, BODY)
    SubscriptionFactory.create(organization=globex, consecutive_failures=1)
    soon = timezone.now() + timedelta(days=1)
    ApiKey.objects.create_key(name="Globex key", organization=globex, expiry_date=soon)
    for query in ("", f"?organization={globex.pk}", f"?organization={acme.pk}"):
        response = home(client, query)
        assert card(response, "Exports")["completed"] == "1"
        assert card(response, "Exports")["statuses"] == []
        assert response.context["jobs"]["queue"]["length"] == "0"
        assert response.context["jobs"]["failed"]["rows"] == []
        assert response.context["webhooks"]["total"] == 0
        assert response.context["keys"]["rows"] == []
        assert "Globex" not in response.content.decode()


@pytest.mark.slow
def test_one_organization_can_be_chosen(
    viewer: Client, acme: Organization, globex: Organization
) -> None:
    ended(acme, Status.COMPLETED)
    ended(globex, Status.COMPLETED)
    assert card(home(viewer), "Exports")["completed"] == "2"
    assert card(home(viewer, f"?organization={acme.pk}"), "Exports")["completed"] == "1"
    for wrong in ("?organization=nothing", "?period=1y", "?organization=%00"):
        assert viewer.get(f"/admin/{wrong}").status_code in (200, 400)


def test_sections_need_the_permission_to_view_their_records(acme: Organization) -> None:
    ended(acme, Status.COMPLETED)
    response = home(signed_in("batches only", "view_batch"))
    assert [kind["title"] for kind in response.context["jobs"]["kinds"]] == ["Batches"]
    assert response.context["jobs"]["slowest"]["rows"] == []
    assert (response.context["webhooks"], response.context["keys"]) == (None, None)
    assert home(signed_in("nobody")).context["jobs"] is None


@pytest.mark.slow
def test_a_new_installation_shows_what_to_do_first(acme: Organization) -> None:
    client = signed_in("root", is_superuser=True)
    steps = home(client).context["first_steps"]
    assert [(step["title"], step["is_done"]) for step in steps] == [
        ("Create an organization", True),
        ("Issue an API key", False),
        ("Build an export", False),
    ]
    assert steps[2]["url"] == "/admin/exports/export/build/"
    export_of(acme, BODY)
    assert home(client).context["first_steps"] == []


def test_queries_do_not_depend_on_the_number_of_records(
    viewer: Client, acme: Organization, globex: Organization
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            home(viewer)
        return len(queries)

    ended(acme, Status.COMPLETED)
    few = count()
    assert few <= 25
    for organization in (acme, globex):
        for status in (Status.COMPLETED, Status.FAILED):
            for _ in range(3):
                ended(organization, status)
        SubscriptionFactory.create(organization=organization, consecutive_failures=1)
    assert count() == few


def test_the_end_of_a_job_is_counted_in_its_hour_until_the_hour_is_old(
    acme: Organization,
) -> None:
    export = export_of(acme, BODY, status=Status.PROCESSING, claims=["claim_1"])
    export_lifecycle.complete(export, 7, stored_bytes=12)
    [hour] = JobHour.objects.all()
    assert (hour.organization, hour.kind, hour.status) == (acme, "export", "completed")
    assert (hour.jobs, hour.rows, hour.bytes) == (1, 7, 12)
    maintenance.purge(export_lifecycle)
    assert JobHour.objects.exists()
    JobHour.objects.update(hour=timezone.now() - counters.HOURS_KEPT - timedelta(hours=1))
    maintenance.purge(export_lifecycle)
    assert not JobHour.objects.exists()


def test_the_upgrade_counts_the_stored_exports_like_their_end(
    acme: Organization, globex: Organization
) -> None:
    columns = ("organization", "hour", "kind", "status", "jobs", "rows", "bytes")
    for organization in (acme, acme, globex):
        completed = ended(organization, Status.COMPLETED, stored_bytes=7)
        key = completed.public_id
        ExportFile.objects.create(export=completed, storage_key=key, rows=10, bytes=7)
        ended(organization, Status.FAILED, records_count=3)
    Export.objects.filter(pk=completed.pk).update(status=Status.EXPIRED, stored_bytes=0)
    export_of(acme, BODY)
    long_ago = timezone.now() - counters.HOURS_KEPT - timedelta(hours=1)
    export_of(acme, BODY, status=Status.FAILED, completed_at=long_ago)
    counted = set(JobHour.objects.values_list(*columns))
    assert counted
    JobHour.objects.all().delete()
    operations = import_module("exports.migrations.0004_home_indexes").Migration.operations
    [statement] = [str(each.sql) for each in operations if isinstance(each, RunSQL)]
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert set(JobHour.objects.values_list(*columns)) == counted


def test_a_kind_of_job_without_pages_is_left_out() -> None:
    kinds.register(REPORTS)
    try:
        response = home(signed_in("root", is_superuser=True))
    finally:
        kinds.unregister(REPORTS)
    assert [each["title"] for each in response.context["jobs"]["kinds"]] == ["Exports", "Batches"]


@pytest.mark.parametrize(
    ("codenames", "links"),
    [
        (("add_batch",), []),
        (("add_batch", "view_batch"), ["Upload a batch"]),
        (("preview_export",), ["Build an export"]),
        (("add_export",), ["Build an export"]),
    ],
)
def test_the_sidebar_links_to_the_pages_that_a_person_may_open(
    codenames: tuple[str, ...], links: list[str]
) -> None:
    groups = signed_in("someone", *codenames).get("/admin/").context["sidebar_navigation"]
    titles = [item["title"] for group in groups for item in group["items"]]
    assert [title for title in titles if title in ("Upload a batch", "Build an export")] == links
