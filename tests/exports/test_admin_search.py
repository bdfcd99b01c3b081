"""The search and the filters of the list of exports in the admin."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from importlib import import_module
from urllib.parse import parse_qsl

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.migrations import RunSQL
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from exports.models import Export, ExportFile, ExportSearch, Status
from longshore.accounts import staff
from longshore.accounts.models import ApiKey, AuditEntry, Organization, StaffProfile
from longshore.jobs.admin import search
from longshore.jobs.admin.dates import date_links
from longshore.resources.export_types import export_types
from tests.exports.conftest import export_of
from tests.members import bind
from tests.records import copies

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
LIST = "/admin/exports/export/"
FILE = "contacts-20241225T143000Z-z0abc.csv"


def listed(client: Client, **query: str) -> list[str]:
    """Return the ids of the exports in the list, in its order."""
    content = client.get(LIST, query).content.decode()
    return re.findall(r"<code[^>]*>(exp_\w+)</code>", content)


def make(organization: Organization, **values: object) -> Export:
    request = values.pop("request", {"resource": "contact"})
    export = export_of(organization, {"resource": "contact"}, **values)
    Export.objects.filter(pk=export.pk).update(request=request)
    return export


@pytest.fixture
def wanted(acme: Organization) -> Export:
    """The export that each search finds."""
    key, _ = ApiKey.objects.create_key(organization=acme, name="Night run")
    wanted = make(
        acme,
        request={"type": "PackagesReport", "metadata": {"Team": "Finance 100%", "run": "42_b"}},
        organization_number=4711,
        api_key=key,
        error={"error": "timeout", "message": "The export took longer than 3600 s."},
        status=Status.FAILED,
    )
    ExportFile.objects.create(
        export=wanted, name=FILE, storage_key="k", content_type="text/csv", rows=1, bytes=1
    )
    return wanted


@pytest.fixture
def others(globex: Organization) -> list[Export]:
    return [make(globex) for _ in range(3)]


@pytest.mark.slow
@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    "text",
    [
        *("4711", "#4,711", "Acme Fr", "ACME", "night", "packagesreport"),
        *(
            "finance 100%",
            "42_B",
            "took longer than",
            "TIMEOUT",
            FILE,
            "143000Z-z0abc",
            "Z0ABC.CSV",
        ),
    ],
)
def test_an_export_is_found(admin_client: Client, wanted: Export, text: str) -> None:
    assert listed(admin_client, q=text) == [wanted.public_id]


def test_an_export_is_found_by_labels_and_by_the_person_who_created_it(
    admin_client: Client, acme: Organization, globex: Organization
) -> None:
    named = next(each for each in export_types.declared if each.name.lower() != each.code.lower())
    by_type = make(acme, request={"type": named.code})
    by_resource = make(acme)
    Export.objects.filter(pk=by_resource.pk).update(resource="shipment")
    by_person = make(globex)
    AuditEntry.objects.create(
        username="mary.poppins", action="add", model="exports.export", object_id=by_person.pk
    )
    AuditEntry.objects.create(
        username="mary.poppins", action="download", model="exports.export", object_id=by_type.pk
    )
    assert listed(admin_client, q=named.name) == [by_type.public_id]
    assert listed(admin_client, q="HIPMENTS") == [by_resource.public_id]
    assert listed(admin_client, q="mary.poppins") == [by_person.public_id]


def test_links_narrow_the_list_to_a_year_a_month_and_a_day(
    admin_client: Client, acme: Organization
) -> None:
    for moment in ("2024-11-30T12:00:00Z", "2025-02-03T12:00:00Z", "2025-03-31T12:00:00Z"):
        make(acme, created_at=datetime.fromisoformat(moment))

    def links(query: str) -> dict[str, str]:
        content = admin_client.get(f"{LIST}{query}").content.decode()
        nav = content.partition('aria-label="Days of creation"')[2].partition("</nav>")[0]
        found = re.findall(r'href="([^"]*)">([^<]*)</a>', nav)
        return {label: unescape(url) for url, label in found}

    years = links("?status__exact=queued&p=2")
    assert [*years] == ["2024", "2025"]
    assert "status__exact=queued" in years["2025"]
    assert "p=2" not in years["2025"]
    assert len(listed(admin_client, **dict(parse_qsl(years["2025"][1:])))) == 2
    months = links(years["2025"])
    assert [*months] == ["All years", "January 2025", "February 2025", "March 2025"]
    assert [*links(months["All years"])] == ["2024", "2025"]
    days = links(months["February 2025"])
    assert [*days] == ["2025", *map(str, range(1, 29))]
    assert len(listed(admin_client, **dict(parse_qsl(days["3"][1:])))) == 1
    assert [*links(days["3"])] == ["February 2025"]
    assert links("?created_at_from=2025-01-02&created_at_to=2025-01-05") == {}


def test_the_days_of_a_bound_person_are_read_by_organization_and_not_for_a_post(
    acme: Organization, globex: Organization, rf: RequestFactory
) -> None:
    hidden = Organization.objects.create(name="Hidden", slug="hidden")
    for organization, year in ((acme, 2024), (globex, 2025), (hidden, 2022), (hidden, 2026)):
        make(organization, created_at=datetime(year, 6, 1, tzinfo=UTC))
    person = User.objects.create_user("bound", is_staff=True)
    bind(person, [acme, globex])
    request = rf.get(LIST)
    request.user = person
    jobs = staff.restrict(Export.objects.all(), person)
    with CaptureQueriesContext(connection) as queries:
        labels = [label for label, _ in date_links(request, jobs)]
    assert labels == ["2024", "2025"]
    [query] = queries
    assert query["sql"].count('"organization_id" = ') == 2
    request.method = "POST"
    with CaptureQueriesContext(connection) as queries:
        assert date_links(request, jobs) == []
    assert not queries.captured_queries


@pytest.mark.usefixtures("others")
def test_any_part_of_an_id_finds_its_export(admin_client: Client, wanted: Export) -> None:
    name = wanted.public_id
    for text in (name, name.upper(), name[-5:], name[8:20], f"  {name[3:]} "):
        assert listed(admin_client, q=text) == [name], text


@pytest.mark.slow
@pytest.mark.usefixtures("others", "wanted")
@pytest.mark.parametrize("text", ["no such text", "100_", "42%b", "\\", "Finance  no", "9" * 40])
def test_other_texts_find_nothing(admin_client: Client, text: str) -> None:
    assert listed(admin_client, q=text) == []


@pytest.mark.usefixtures("wanted")
def test_a_text_may_be_long_but_not_short(admin_client: Client) -> None:
    assert listed(admin_client, q="x" * 10_000) == []
    assert "Enter at least 3 characters" in admin_client.get(LIST, {"q": "ac"}).content.decode()


def test_the_text_of_a_deleted_export_is_forgotten(wanted: Export) -> None:
    Export.objects.filter(pk=wanted.pk).update(request={}, error=None)
    assert ExportSearch.objects.get(pk=wanted.pk).text == wanted.public_id
    Export.objects.filter(pk=wanted.pk).delete()
    assert not ExportSearch.objects.exists()


@pytest.mark.parametrize(
    "migration", ["exports.migrations.0003_search", "batches.migrations.0002_search"]
)
def test_the_trigger_exists_before_the_migration_reads_the_stored_jobs(migration: str) -> None:
    operations = import_module(migration).Migration.operations
    statements = [str(each.sql).split()[0] for each in operations if isinstance(each, RunSQL)]
    assert statements == ["CREATE", "INSERT"]


@pytest.mark.slow
@pytest.mark.parametrize(("max_rare_rows", "max_rows"), [(0, 5_000), (10_000, 5_000), (10_000, 10)])
def test_a_text_of_many_exports_finds_the_newest_ones_within_the_filters(
    admin_client: Client,
    wanted: Export,
    monkeypatch: pytest.MonkeyPatch,
    max_rare_rows: int,
    max_rows: int,
) -> None:
    # Any text is common, or any is rare, or is common only in older exports.
    monkeypatch.setattr(search, "MAX_RARE_ROWS", max_rare_rows)
    monkeypatch.setattr(search, "MAX_ROWS", max_rows)
    monkeypatch.setattr(search, "MAX_MATCHES", 20)
    copies(wanted, 60, number="number + n", public_id="public_id || n", organization_number="n")
    newest = Export.objects.order_by("-number").values_list("public_id", flat=True)
    assert listed(admin_client, q="took longer") == list(newest[:20])
    assert "More than 20 jobs match." in admin_client.get(LIST, {"q": "longer"}).content.decode()
    Export.objects.filter(pk=wanted.pk).update(resource="shipment")
    assert listed(admin_client, q="took longer", resource="shipment") == [wanted.public_id]


@pytest.mark.slow
def test_exports_of_others_use_up_no_limit_of_a_bound_person(
    wanted: Export, globex: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MAX_OWNERS", "MAX_ROWS", "MAX_MATCHES"):
        monkeypatch.setattr(search, name, 1)
    error = {"error": "timeout", "message": "The export took longer than 3600 s."}
    created = {"username": "mary.poppins", "action": "add", "model": "exports.export"}
    AuditEntry.objects.create(**created, organization=wanted.organization, object_id=str(wanted.pk))
    for number in range(2):
        other = make(globex, error=error, status=Status.FAILED)
        AuditEntry.objects.create(**created, organization=globex, object_id=str(other.pk))
        Organization.objects.create(name=f"Acme {number}", slug=f"acme-{number}")
        ApiKey.objects.create_key(organization=globex, name=f"Night {number}")
        ExportFile.objects.create(
            export=other,
            **{"name": FILE, "storage_key": f"k{number}", "rows": 1, "bytes": 1},
        )
    person = User.objects.create_user("bound", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_export"))
    bind(person, [wanted.organization])
    client = Client()
    client.force_login(person)
    for text in ("acme", "night", "took longer", FILE, "mary.poppins"):
        assert listed(client, q=text) == [wanted.public_id], text
        assert "admin-note" not in client.get(LIST, {"q": text}).content.decode(), text


@pytest.mark.parametrize("limit", ["MAX_MATCHES", "_NEWEST_ROWS"])
def test_a_search_for_a_creator_says_that_it_is_cut(
    admin_client: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    exports = [make(acme) for _ in range(2)]
    for export in exports:
        AuditEntry.objects.create(
            username="mary.poppins", action="add", model="exports.export", object_id=export.pk
        )
    assert len(listed(admin_client, q="mary.poppins")) == 2
    monkeypatch.setattr(search, limit, 1)
    assert listed(admin_client, q="mary.poppins") == [exports[1].public_id]
    page = admin_client.get(LIST, {"q": "mary.poppins"}).content.decode()
    assert "jobs match. Only the newest are shown" in page


def test_a_slow_search_is_stopped_and_shows_what_it_found(
    admin_client: Client, wanted: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_MILLISECONDS", 50)
    slow = "pg_sleep(5) IS NOT NULL AND %(expressions)s"
    monkeypatch.setattr(search._Contains, "template", slow)
    assert listed(admin_client, q="4711") == [wanted.public_id]
    assert "was stopped" in admin_client.get(LIST, {"q": "4711"}).content.decode()


def test_the_number_of_queries_of_a_search_is_bounded(admin_client: Client, wanted: Export) -> None:
    copies(wanted, 60, number="number + n", public_id="public_id || n", organization_number="n")
    with CaptureQueriesContext(connection) as queries:
        listed(admin_client, q="acme")
    assert len(queries) <= 21


def test_exports_are_filtered(admin_client: Client, wanted: Export, others: list[Export]) -> None:
    Export.objects.filter(pk=wanted.pk).update(format="jsonl", resource="shipment")
    assert wanted.api_key
    for name, value in {
        "status__exact": "failed",
        "resource": "shipment",
        "format": "jsonl",
        "type": "PackagesReport",
        "organization__id__exact": wanted.organization_id,
        "api_key__id__exact": wanted.api_key.pk,
    }.items():
        assert listed(admin_client, **{name: value}) == [wanted.public_id], name


def test_the_days_of_a_range_are_those_of_the_reader(
    admin_client: Client, acme: Organization
) -> None:
    # 23:30 on the 24th in UTC is the 25th in Berlin.
    moment = datetime(2024, 12, 24, 23, 30, tzinfo=UTC)
    export = make(acme, created_at=moment)
    make(acme, created_at=moment - timedelta(days=9))
    make(acme, created_at=moment + timedelta(days=9))
    person = User.objects.get(username="admin")
    for zone, day in (("UTC", "2024-12-24"), ("Europe/Berlin", "2024-12-25")):
        StaffProfile.objects.update_or_create(pk=person.pk, defaults={"timezone": zone})
        found = listed(admin_client, created_at_from=day, created_at_to=day)
        assert found == [export.public_id], zone
    assert len(listed(admin_client, created_at_from="no day")) == 3


def test_the_choices_of_filters_are_not_counted(admin_client: Client, wanted: Export) -> None:
    content = admin_client.get(LIST, {"_facets": "True"}).content.decode()
    assert wanted.public_id in content
    assert "Failed (1)" not in content
    assert "Show counts" not in content
