"""Admin of exports: permissions, list, page, download and actions."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportLimits, Status
from exports.request.parser import parse_export
from longshore.accounts.models import AuditEntry, Organization, StaffProfile
from longshore.database.paginator import EstimatingPaginator
from longshore.jobs.admin import files
from longshore.jobs.admin.limits import limit_text
from tests.claims import claim
from tests.exports.conftest import export_of
from tests.records import copies

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("static_files")]
LIST = "/admin/exports/export/"


@pytest.fixture
def staff(db: None) -> Client:
    """A user who may view exports and download their files; not a superuser."""
    user = User.objects.create_user("staff", is_staff=True)
    codenames = ["view_export", "download_export"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def completed(queued: Export) -> Export:
    runner.run(queued.pk)
    queued.refresh_from_db()
    return queued


def make(organization: Organization, **values: object) -> Export:
    body = {"resource": "contact", "csv_field_options": {"columns": {"id": True, "name": "Name"}}}
    return export_of(organization, body, **values)


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def listed(client: Client, query: str) -> list[str]:
    """Return the ids of the exports in the list, in its order."""
    return re.findall(r"<code[^>]*>(exp_\w+)</code>", page(client, LIST + query))


def test_a_long_list_is_counted_by_estimate_and_skips_earlier_pages_in_the_index(
    staff: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EstimatingPaginator, "max_counted", 50)
    copies(make(acme), 119, number="number + n", public_id="public_id || lpad(n::text, 3, '0')")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE exports_export")
    with CaptureQueriesContext(connection) as queries:
        ids = listed(staff, "?p=3")
    expected = Export.objects.order_by("-number").values_list("public_id", flat=True)
    assert ids == list(expected)[100:]
    statements = [each["sql"] for each in queries if '"exports_export"' in each["sql"]]
    assert all("LIMIT 51" in each for each in statements if "COUNT" in each)
    # The rows of earlier pages are skipped without reading them.
    [skipping] = [each for each in statements if "OFFSET" in each]
    assert skipping.startswith('SELECT "exports_export"."number" AS "pk" FROM')


def change(export: Export) -> str:
    return reverse("admin:exports_export_change", args=[export.pk])


def download(export: Export) -> str:
    return reverse("admin:exports_export_download", args=[export.pk])


def test_guests_must_sign_in_and_staff_without_permission_see_nothing(
    completed: Export,
) -> None:
    addresses = [LIST, change(completed), download(completed)]
    guest = Client()
    assert all("/admin/login/" in guest.get(address).headers["Location"] for address in addresses)
    unauthorized = Client()
    unauthorized.force_login(User.objects.create_user("unauthorized", is_staff=True))
    assert [unauthorized.get(address).status_code for address in addresses] == [403] * 3
    assert "/admin/exports/" not in page(unauthorized, "/admin/")


def test_no_form_adds_changes_or_deletes_an_export(admin_client: Client, completed: Export) -> None:
    for address in (f"{LIST}add/", f"{LIST}{completed.pk}/delete/"):
        assert admin_client.get(address).status_code == 403
        assert admin_client.post(address, {"post": "yes"}).status_code == 403
    assert admin_client.post(change(completed), {"status": "queued"}).status_code == 403
    admin_client.post(
        LIST, {"action": "delete_selected", "_selected_action": [completed.pk], "post": "yes"}
    )
    assert Export.objects.get().status == Status.COMPLETED


def test_the_list_shows_the_progress_of_each_export(staff: Client, acme: Organization) -> None:
    now = timezone.now()
    make(acme, status=Status.PROCESSING, records_count=2_000_000, processed_count=900_000)
    make(acme, status=Status.PROCESSING, records_count=None, processed_count=1_234)
    error = {"error": "timeout", "message": "The export took longer than 3600 s, its limit."}
    make(acme, status=Status.TIMED_OUT, records_count=100, processed_count=60, error=error)
    make(
        acme,
        status=Status.COMPLETED,
        records_count=1_500,
        completed_at=now,
        expires_at=now - timedelta(seconds=1),
    )
    content = page(staff, LIST)
    assert "900,000 of 2,000,000 rows" in content
    assert 'value="45"' in content
    assert "1,234 rows so far" in content
    assert "Stopped after 60 rows" in content
    assert "1,500 rows" in content
    assert content.count("data-unfinished") == 2
    assert "Expired" in content
    assert 'class="job-progress-expired"' in content
    assert "/zip/" not in content


def test_the_number_of_queries_of_the_list_does_not_grow_with_its_length(
    staff: Client,
    acme: Organization,
    globex: Organization,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    make(acme)
    with django_assert_max_num_queries(50) as captured:
        page(staff, LIST)
    for _ in range(20):
        make(acme)
        make(globex)
    with django_assert_max_num_queries(len(captured)):
        page(staff, LIST)


def test_the_list_links_to_all_files_without_reading_them(staff: Client, completed: Export) -> None:
    Export.objects.update(stored_bytes=5_000_000)
    with CaptureQueriesContext(connection) as queries:
        content = page(staff, LIST)
    assert "4.8\xa0MB" in content
    assert not any("exports_exportfile" in each["sql"] for each in queries)
    url = reverse("admin:exports_export_zip", args=[completed.pk])
    assert f'href="{url}"' in content
    [file] = completed.files.all()
    assert file.name in staff.get(url).headers["Location"]
    assert AuditEntry.objects.get().message == f"Downloaded {file.name}."
    copies(file, 1, id="id + n", name="name || n", storage_key="storage_key || n")
    assert f"{completed.public_id}.zip" in staff.get(url).headers["Location"]


def test_the_opened_row_of_an_export_shows_its_files_and_last_events(
    staff: Client, completed: Export
) -> None:
    address = reverse("admin:exports_export_row", args=[completed.pk])
    assert f'hx-get="{address}"' in page(staff, LIST)
    content = staff.get(address, headers={"HX-Request": "true"}).content.decode()
    [file] = completed.files.all()
    assert f'href="{download(completed)}?file={file.pk}"' in content
    assert file.sha256 not in content
    assert "Exports all contacts with 2 columns as CSV." in content
    assert "attempt 1" in content
    # The address itself leads to the page of the export.
    assert staff.get(address).headers["Location"] == change(completed)


def test_the_opened_row_of_a_failed_export_says_what_to_do(
    staff: Client, acme: Organization
) -> None:
    error = {"error": "too_many_records", "message": "The export has 7 records; the limit is 5."}
    failed = make(acme, status=Status.FAILED, completed_at=timezone.now(), error=error)
    address = reverse("admin:exports_export_row", args=[failed.pk])
    content = staff.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "The export has 7 records; the limit is 5. Raise the limit" in content
    unauthorized = Client(headers={"HX-Request": "true"})
    unauthorized.force_login(User.objects.create_user("unauthorized", is_staff=True))
    assert unauthorized.get(address).status_code == 403


def test_the_page_of_an_export_lists_its_first_files(
    staff: Client, completed: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_LISTED_FILES", 2)
    [file] = completed.files.all()
    columns = {"name": "name || n", "storage_key": "storage_key || n"}
    copies(file, 3, id=f"{file.pk} + n", **columns)
    content = page(staff, change(completed))
    assert "Files: 4, " in content
    assert "The first 2 are listed." in content
    assert content.count("?file=") == 2
    assert "Download all (4)" in content


def test_the_page_of_an_export_shows_its_request_interpretation_and_files(
    staff: Client, acme: Organization, completed: Export
) -> None:
    content = page(staff, change(completed))
    file = completed.files.get()
    for text in (
        completed.public_id,
        acme.name,
        file.name,
        f"{file.bytes:,}",
        file.sha256,
        "&quot;resource&quot;: &quot;contact&quot;",
        "ISO 8601",
        "No limit",
        completed.claims[0],
        download(completed),
    ):
        assert text in content, text


def test_the_page_of_an_export_shows_its_filters(staff: Client, queued: Export) -> None:
    filters = {"name_or_email_start": "a", "id_not_in": "x,y", "notes_blank": True}
    filters["created_at_gteq"] = "2024-12-25"
    queued.spec = parse_export({"resource": "contact", "filters": filters}).to_json()
    queued.save()
    content = page(staff, change(queued))
    for text in (
        "Name starts with “a” or Email starts with “a”",
        "ID has a value that is none of “x” or “y”",
        "Notes is empty",
        "Created at is on or after 2024-12-25 UTC",
        "Exports all contacts that match the filters",
    ):
        assert text in content, text


def test_filters_by_time_are_shown_in_the_zone_of_the_reader(staff: Client, queued: Export) -> None:
    StaffProfile.objects.create(pk=User.objects.get().pk, timezone="Europe/Berlin")
    filters = {"created_at_gteq": "2024-12-25T14:30:00Z", "updated_at_lt": "2024-12-24T23:00:00Z"}
    filters["updated_at_not_eq"] = "2024-12-25T14:30:00Z"
    queued.spec = parse_export({"resource": "contact", "filters": filters}).to_json()
    queued.save()
    content = page(staff, change(queued))
    assert "Created at is on or after 2024-12-25 15:30:00 CET" in content
    assert "Updated at is before 2024-12-25 CET" in content
    assert "other than “2024-12-25 15:30:00 CET until before 2024-12-25 15:30:01 CET”" in content
    assert "2024-12-25 14:30" not in content.partition("The request as JSON")[0]


def test_acronyms_stay_in_capitals_inside_sentences(staff: Client, queued: Export) -> None:
    filters = {"code_eq": "x"}
    queued.spec = parse_export({"resource": "sku", "filters": filters}).to_json()
    queued.resource = "sku"
    queued.save()
    assert "Exports all SKUs that match the filters" in page(staff, change(queued))


def test_the_page_of_an_export_leads_viewers_to_the_limits(staff: Client, queued: Export) -> None:
    organization = f"/admin/longshore_accounts/organization/{queued.organization_id}/change/"
    assert organization not in page(staff, change(queued))
    permission = Permission.objects.get(codename="view_organization")
    User.objects.get().user_permissions.add(permission)
    assert f"{organization}#dataset-export" in page(staff, change(queued))
    assert 'href="#dataset-export"' in page(staff, organization)


def test_the_page_of_an_export_shows_included_columns_and_warnings(
    staff: Client, queued: Export
) -> None:
    fields = ["name", "groups.name", "groups.location.code"]
    spec = parse_export({"resource": "contact", "format": "json", "fields": fields})
    Export.objects.update(spec=spec.to_json())
    content = page(staff, change(queued))
    chips = re.findall(r'<code class="admin-code admin-chip">([^<]*)</code>', content)
    assert chips == ["name", "groups", "groups.name", "groups.location.code"]
    spec = parse_export({"resource": "contact", "includes": ["groups.location"]})
    Export.objects.update(spec=spec.to_json())
    assert "groups.location is left out: csv shows one level" in page(staff, change(queued))


def test_the_page_of_a_failed_export_shows_the_error(staff: Client, queued: Export) -> None:
    export = claim(export_lifecycle, queued)
    assert export is not None
    export_lifecycle.time_out(export, 1)
    content = page(staff, change(queued))
    assert "The export took longer than its limit of 1 s." in content
    assert "/download/" not in content


def test_a_download_redirects_to_the_file(staff: Client, completed: Export) -> None:
    link = staff.get(download(completed))
    assert link.status_code == 302
    # The link works without signing in.
    response = Client().get(link.headers["Location"])
    content = b"".join(response)
    assert content.decode().splitlines()[0] == "id,name"
    assert len(content) == completed.files.get().bytes


@pytest.mark.parametrize("address", ["", "localhost"])
def test_a_download_without_a_client_address_is_in_the_audit_log(
    staff: Client, completed: Export, address: str
) -> None:
    assert staff.get(download(completed), REMOTE_ADDR=address).status_code == 302
    assert AuditEntry.objects.get().address is None


def test_a_download_of_an_unknown_file_is_not_found(staff: Client, completed: Export) -> None:
    for file in ("0", "x", ""):
        assert staff.get(download(completed), {"file": file}).status_code == 404
    assert not AuditEntry.objects.exists()


def test_each_download_is_in_the_audit_log(
    staff: Client, admin_client: Client, completed: Export
) -> None:
    staff.get(download(completed), REMOTE_ADDR="192.0.2.7", headers={"X-Forwarded-For": "8.8.8.8"})
    admin_client.get(download(completed))
    admin, entry = AuditEntry.objects.all()
    assert (entry.user, entry.username) == (User.objects.get(username="staff"), "staff")
    assert (entry.action, entry.subject) == ("download", completed.public_id)
    assert (entry.organization, entry.address) == (completed.organization, "192.0.2.7")
    assert (admin.username, admin.address) == ("admin", "127.0.0.1")

    log = "/admin/longshore_accounts/auditentry/"
    assert staff.get(log).status_code == 403
    assert "192.0.2.7" in page(admin_client, log)
    assert "192.0.2.7" not in page(admin_client, f"{log}?q=admin")
    address = f"{log}{entry.pk}/"
    assert "192.0.2.7" in page(admin_client, f"{address}change/")
    assert admin_client.post(f"{address}change/", {"username": "x"}).status_code == 403
    assert admin_client.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    # The entry outlives the user.
    User.objects.filter(username="staff").delete()
    assert AuditEntry.objects.get(pk=entry.pk).username == "staff"


@pytest.mark.parametrize("codename", ["view_export", "download_export"])
def test_a_download_needs_both_permissions(completed: Export, codename: str) -> None:
    user = User.objects.create_user("partial", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename=codename))
    client = Client()
    client.force_login(user)
    assert client.get(download(completed)).status_code == 403
    assert not AuditEntry.objects.exists()
    if codename == "view_export":
        for address in (LIST, change(completed)):
            content = page(client, address)
            assert "/download/" not in content
            assert "/zip/" not in content


def test_a_download_of_an_expired_export_shows_an_error(staff: Client, completed: Export) -> None:
    Export.objects.update(expires_at=timezone.now())
    response = staff.get(download(completed), follow=True)
    assert response.redirect_chain == [(change(completed), 302)]
    assert "This export has no file to download." in response.content.decode()
    assert staff.get(download(completed).replace(str(completed.pk), "999")).status_code == 404


@pytest.fixture
def manager(db: None) -> Client:
    """A user who may do everything with exports; not a superuser."""
    user = User.objects.create_user("manager", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="exports"))
    client = Client()
    client.force_login(user)
    return client


def button(export: Export, action: str) -> str:
    return reverse(f"admin:exports_export_{action}_job", args=[export.pk])


def act(client: Client, export: Export, action: str) -> int:
    """Submit the dialog of an action."""
    return client.post(button(export, action), {"_form_submitted": "on"}).status_code


def test_a_manager_cancels_retries_and_deletes_an_export(manager: Client, queued: Export) -> None:
    assert button(queued, "cancel") in page(manager, change(queued))
    assert act(manager, queued, "cancel") == 200
    queued.refresh_from_db()
    assert queued.status == Status.CANCELED
    assert button(queued, "retry") in page(manager, change(queued))
    assert act(manager, queued, "retry") == 200
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    assert act(manager, queued, "delete") == 200
    assert not Export.objects.visible().exists()


def test_an_export_that_has_just_expired_is_shown_filtered_and_retried_as_expired(
    manager: Client, completed: Export
) -> None:
    assert button(completed, "retry") not in page(manager, change(completed))
    assert listed(manager, "?status__exact=completed") == [completed.public_id]
    Export.objects.update(expires_at=timezone.now())
    assert listed(manager, "?status__exact=completed") == []
    assert listed(manager, "?status__exact=expired") == [completed.public_id]
    assert button(completed, "retry") in page(manager, change(completed))
    assert act(manager, completed, "retry") == 200
    completed.refresh_from_db()
    assert completed.status == Status.QUEUED


@pytest.mark.parametrize("number", ["abc", "999"])
def test_an_unknown_export_is_not_found(manager: Client, number: str) -> None:
    assert manager.get(f"{LIST}{number}/change/").status_code == 404
    url = reverse("admin:exports_export_delete_job", args=[number])
    assert manager.post(url, {"_form_submitted": "on"}).status_code == 404


def test_a_user_who_may_only_view_can_run_no_action(staff: Client, queued: Export) -> None:
    content = page(staff, change(queued))
    for action in ("cancel", "retry", "delete"):
        assert button(queued, action) not in content
        assert act(staff, queued, action) == 403
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED


def test_the_history_lists_the_newest_status_first(manager: Client, completed: Export) -> None:
    content = page(manager, change(completed))
    history = content[content.index("History") :]
    assert history.index("Completed") < history.index("Processing")


def test_each_file_has_a_download_link(manager: Client, queued: Export) -> None:
    Export.objects.update(spec=queued.spec | {"max_rows_per_file": 2})
    runner.run(queued.pk)
    text = page(manager, change(queued))
    links = re.findall(r'href="([^"]+\?file=\d+)"', text)
    assert len(links) == 3
    names = [manager.get(link)["Location"].partition("?")[0][-8:] for link in links]
    assert names == ["-001.csv", "-002.csv", "-003.csv"]


def test_a_manager_sets_the_limits_of_an_organization(manager: Client, acme: Organization) -> None:
    user = User.objects.get(username="manager")
    user.user_permissions.add(Permission.objects.get(codename="view_organization"))
    values = {"organization": acme.pk, "unfinished": "3", "records": "", "seconds": "", "bytes": ""}
    response = manager.post("/admin/exports/exportlimits/add/", values)
    assert response.status_code == 302
    assert ExportLimits.objects.get(organization=acme).unfinished == 3
    text = page(manager, "/admin/exports/exportlimits/")
    assert "1 h 0 min (default)" in text


def test_the_admin_lists_and_edits_every_limit(manager: Client, acme: Organization) -> None:
    user = User.objects.get(username="manager")
    user.user_permissions.add(Permission.objects.get(codename="view_organization"))
    names = [field.name for field in ExportLimits.limit_fields()]
    values = {name: 1_000 + number for number, name in enumerate(names)}
    response = manager.post("/admin/exports/exportlimits/add/", {"organization": acme.pk, **values})
    assert response.status_code == 302
    stored = ExportLimits.objects.get(organization=acme)
    assert {name: getattr(stored, name) for name in names} == values
    text = page(manager, "/admin/exports/exportlimits/")
    fields = ExportLimits.limit_fields()
    assert all(limit_text(field, values[field.name]) in unescape(text) for field in fields)
