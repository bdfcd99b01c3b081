"""Audit log: which entries actions in the admin leave, where they are shown, how they are found."""

from datetime import timedelta
from hashlib import sha256
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from exports.models import Export, ExportLimits
from longshore.accounts import audit, staff
from longshore.accounts.models import ApiKey, AuditEntry, Organization
from longshore.accounts.roles import Role
from longshore.domains.logistics.models import Contact
from tests.conftest import KeyClient
from tests.exports.conftest import export_of
from tests.factories import ContactFactory
from tests.records import copies

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
LOG = "/admin/longshore_accounts/auditentry/"
BODY = {"resource": "contact", "csv_field_options": {"columns": {"id": True}}}
SUBMIT = {"_form_submitted": "on"}


@pytest.fixture
def export(acme: Organization) -> Export:
    return export_of(acme, BODY)


def newest() -> AuditEntry:
    return AuditEntry.objects.order_by("-pk")[0]


def test_an_action_on_an_export_is_recorded_with_person_object_and_address(
    admin_client: Client, export: Export
) -> None:
    path = reverse("admin:exports_export_cancel_job", args=[export.pk])
    admin_client.post(path, SUBMIT, REMOTE_ADDR="192.0.2.7")
    entry = AuditEntry.objects.get()
    assert (entry.username, entry.action, entry.subject) == (
        "admin",
        "cancel_job",
        export.public_id,
    )
    assert (entry.organization, entry.address) == (export.organization, "192.0.2.7")
    assert (entry.model, entry.object_id) == ("exports.export", str(export.pk))
    assert entry.message == "The export was canceled."


def test_the_creator_of_a_job_is_found_behind_many_later_entries(
    admin_client: Client, admin_user: User, export: Export, rf: Any
) -> None:
    request = rf.get("/")
    request.user = admin_user
    audit.record(request, "add", export.organization_id, export)
    audit.record_all(request, "download", [(export.organization_id, export)] * 100)
    page = reverse("admin:exports_export_change", args=[export.pk])
    assert "admin, in the admin" in admin_client.get(page).content.decode()


def test_a_refused_action_leaves_no_entry(admin_client: Client, export: Export) -> None:
    path = reverse("admin:exports_export_retry_job", args=[export.pk])
    assert admin_client.post(path, SUBMIT).status_code == 403
    assert not AuditEntry.objects.exists()


def test_a_deletion_that_fails_leaves_no_entry(
    admin_client: Client, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr("longshore.jobs.actions.delete", fail)
    path = reverse("admin:exports_export_delete_job", args=[export.pk])
    with pytest.raises(ConnectionError):
        admin_client.post(path, SUBMIT)
    assert not AuditEntry.objects.exists()


def test_a_deletion_is_recorded_for_an_object_that_is_gone(
    admin_client: Client, acme: Organization
) -> None:
    contact = ContactFactory.create(organization=acme, name="Zoë")
    page = reverse("admin:longshore_logistics_contact_delete", args=[contact.pk])
    admin_client.post(page, {"post": "yes"})
    assert not Contact.objects.exists()
    entry = newest()
    assert (entry.action, entry.subject, entry.organization) == ("delete", "Zoë", acme)
    assert f"{contact.pk}/change/" not in admin_client.get(LOG).content.decode()


def test_issued_and_revoked_keys_are_recorded_without_their_secret(
    admin_client: Client, acme: Organization
) -> None:
    keys = "/admin/longshore_accounts/apikey/"
    form = {"organization": acme.pk, "name": "ci", "scopes": ["read"]}
    response = admin_client.post(f"{keys}add/", form)
    api_key = ApiKey.objects.get()
    issued = newest()
    assert (issued.action, issued.subject, issued.organization) == ("add", "ci", acme)
    assert "read" in issued.message
    assert response.context["secret"] not in issued.message
    admin_client.post(reverse("admin:longshore_accounts_apikey_revoke", args=[api_key.pk]), SUBMIT)
    assert (newest().action, newest().message) == ("revoke", "Revoked.")


def test_changed_limits_are_recorded_with_old_and_new_values(
    admin_client: Client, acme: Organization
) -> None:
    ExportLimits.objects.create(organization=acme, unfinished=3)
    page = reverse("admin:exports_exportlimits_change", args=[acme.pk])
    admin_client.post(page, {"unfinished": "7"})
    assert newest().message == "Unfinished: 3 → 7"
    assert newest().organization == acme


def test_changed_roles_and_organizations_of_a_user_are_recorded(
    admin_client: Client, acme: Organization
) -> None:
    mary = User.objects.create_user("mary", is_staff=True)
    page = reverse("admin:auth_user_change", args=[mary.pk])
    profile = {
        "staff_profile-TOTAL_FORMS": 1,
        "staff_profile-INITIAL_FORMS": 0,
        "staff_profile-0-user": mary.pk,
        "staff_profile-0-is_bound": "on",
        "staff_profile-0-organizations": [acme.pk],
        "staff_profile-0-timezone": "Europe/Berlin",
    }
    role = Group.objects.get(name=Role.SUPPORT)
    form: dict[str, Any] = {
        "username": "mary",
        "email": "mary@example.com",
        "is_active": "on",
        "is_staff": "on",
        "groups": [role.pk],
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
    }
    response = admin_client.post(page, form | profile)
    assert response.status_code == 302
    assert "Roles: none → Support" in newest().message
    assert "Organizations: none → Acme Freight" in newest().message
    assert "Email address;" in newest().message
    assert "mary@example.com" not in newest().message
    assert newest().organization is None
    mary = User.objects.get(pk=mary.pk)
    assert list(staff.organizations(mary)) == [acme]


def test_a_new_password_is_recorded_without_the_password(admin_client: Client) -> None:
    password = "correct horse battery"  # noqa: S105 (of a test user only)
    form = {"username": "mary", "password1": password, "password2": password}
    admin_client.post("/admin/auth/user/add/", form | {"usable_password": "true"})
    mary = User.objects.get(username="mary")
    other = {"password1": f"{password} 2", "password2": f"{password} 2", "usable_password": "true"}
    admin_client.post(f"/admin/auth/user/{mary.pk}/password/", other)
    messages = list(AuditEntry.objects.values_list("message", flat=True))
    assert len(messages) == 2
    assert not any("horse" in message for message in messages)


def test_a_change_of_the_own_password_is_recorded(client: Client) -> None:
    password = "correct horse battery"  # noqa: S105 (of a test user only)
    mary = User.objects.create_user("mary", password=password, is_staff=True)
    client.force_login(mary)
    form = {"old_password": "wrong", "new_password1": f"{password} 2"}
    form["new_password2"] = form["new_password1"]
    page = reverse("admin:password_change")
    assert client.post(page, form).status_code == 200
    assert not AuditEntry.objects.exists()
    assert client.post(page, form | {"old_password": password}).status_code == 302
    entry = AuditEntry.objects.get()
    assert (entry.username, entry.action, entry.object_id) == ("mary", "change", str(mary.pk))
    assert entry.message == "Changed their own password."
    assert client.get(reverse("admin:password_change_done")).status_code == 200


@pytest.mark.slow
def test_the_history_of_an_object_shows_its_entries_only(
    admin_client: Client, export: Export, acme: Organization
) -> None:
    page = reverse("admin:exports_export_history", args=[export.pk])
    assert "Nobody has changed" in admin_client.get(page).content.decode()
    for each in (export, export_of(acme, BODY)):
        admin_client.post(reverse("admin:exports_export_cancel_job", args=[each.pk]), SUBMIT)
    admin_client.get(page)  # Shows the messages of both actions.
    content = admin_client.get(page).content.decode()
    assert content.count("The export was canceled.") == 1
    assert "127.0.0.1" in content


def test_the_history_hides_addresses_from_people_who_may_not_read_the_log(
    admin_client: Client, client: Client, export: Export
) -> None:
    admin_client.post(reverse("admin:exports_export_cancel_job", args=[export.pk]), SUBMIT)
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.groups.add(Group.objects.get(name=Role.VIEWER))
    client.force_login(viewer)
    page = client.get(reverse("admin:exports_export_history", args=[export.pk]))
    assert "The export was canceled." in page.content.decode()
    assert "127.0.0.1" not in page.content.decode()


def test_histories_show_the_log_of_an_earlier_version(
    admin_client: Client, admin_user: User, acme: Organization
) -> None:
    contact = ContactFactory.create(organization=acme)
    change = LogEntry.objects.create(
        user=admin_user,
        action_flag=CHANGE,
        content_type=ContentType.objects.get_for_model(Contact),
        object_id=contact.pk,
        object_repr="x" * 200,
        change_message='[{"changed": {"fields": ["Email"]}}]',
    )
    LogEntry.objects.create(user=admin_user, action_flag=DELETION, object_repr="?")
    migration = import_module("longshore.accounts.migrations.0003_audit")
    migration.copy_log_entries(apps, connection.schema_editor())
    deletion, entry = AuditEntry.objects.all()
    assert (deletion.action, deletion.model, deletion.object_id) == ("delete", "", "")
    assert (entry.user, entry.username, entry.action) == (admin_user, "admin", "change")
    assert (entry.subject, entry.created_at) == ("x" * 200, change.action_time)
    page = reverse("admin:longshore_logistics_contact_history", args=[contact.pk])
    assert "Changed Email." in admin_client.get(page).content.decode()


@pytest.fixture
def entries(acme: Organization, globex: Organization, rf: Any) -> None:
    mary, paul = (User.objects.create_user(name) for name in ("mary", "paul"))
    for user, action, organization, address in (
        (mary, "download", acme, "192.0.2.7"),
        (mary, "cancel_job", globex, "192.0.2.8"),
        (paul, "download", globex, "2001:db8::1"),
    ):
        request = rf.get("/", REMOTE_ADDR=address)
        request.user = user
        audit.record(request, action, organization.pk, f"exp_{user.username}_{action}")


@pytest.mark.slow
@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"person": "mary"}, ["mary cancel_job", "mary download"]),
        ({"person": "mar"}, []),
        ({"action": "download"}, ["paul download", "mary download"]),
        ({"q": "paul"}, ["paul download"]),
        ({"q": "exp_mary_c"}, ["mary cancel_job"]),
        ({"q": "192.0.2.7"}, ["mary download"]),
        ({"q": "2001:db8:0::1"}, ["paul download"]),
        ({"created_at_from_0": "2099-01-01", "created_at_from_1": "00:00:00"}, []),
        ({"created_at_from_0": "2026-01-01", "created_at_to_0": "2026-01-02"}, []),
        ({"created_at_from_0": "nonsense"}, ["paul download", "mary cancel_job", "mary download"]),
    ],
)
def test_entries_are_found_by_person_action_object_address_and_time(
    admin_client: Client, query: dict[str, str], found: list[str]
) -> None:
    listed = admin_client.get(LOG, query).context["cl"].result_list
    assert [f"{entry.username} {entry.action}" for entry in listed] == found


@pytest.mark.parametrize(("term", "count"), [(" Green Harbor L", 1), ("Harbor Ltd", 0)])
def test_entries_are_found_by_a_name_with_spaces(
    admin_client: Client, admin_user: User, rf: Any, term: str, count: int
) -> None:
    request = rf.get("/")
    request.user = admin_user
    audit.record(request, "change", None, "Green Harbor Ltd")
    assert len(admin_client.get(LOG, {"q": term}).context["cl"].result_list) == count


@pytest.mark.usefixtures("entries")
def test_a_range_of_times_includes_its_last_second(admin_client: Client) -> None:
    AuditEntry.objects.update(created_at="2026-01-02T23:59:59.5Z")
    for query, found in (
        ({"created_at_to_0": "2026-01-02"}, 3),
        ({"created_at_to_0": "2026-01-02", "created_at_to_1": "23:59:59"}, 3),
        ({"created_at_to_0": "2026-01-02", "created_at_to_1": "23:59:58"}, 0),
    ):
        assert len(admin_client.get(LOG, query).context["cl"].result_list) == found


def test_the_last_day_of_the_calendar_ends_no_range(admin_client: Client) -> None:
    query = {"created_at_to_0": "9999-12-31", "created_at_to_1": "23:59:59"}
    assert admin_client.get(LOG, query).status_code == 200


@pytest.mark.usefixtures("entries")
def test_entries_are_found_by_organization(admin_client: Client, acme: Organization) -> None:
    listed = admin_client.get(LOG, {"organization__id__exact": acme.pk}).context["cl"].result_list
    assert [entry.username for entry in listed] == ["mary"]


def test_the_log_links_to_the_object(admin_client: Client, export: Export) -> None:
    admin_client.post(reverse("admin:exports_export_cancel_job", args=[export.pk]), SUBMIT)
    page = reverse("admin:exports_export_change", args=[export.pk])
    assert f'href="{page}"' in admin_client.get(LOG).content.decode()
    assert f'href="{page}"' in admin_client.get(f"{LOG}{newest().pk}/change/").content.decode()


def test_a_preview_is_recorded_again_after_some_minutes_or_with_another_end(
    admin_user: User, acme: Organization, rf: RequestFactory
) -> None:
    request = rf.get("/")
    request.user = admin_user
    long = "Previewed contact: " + "a" * 3_000
    for message in ("Previewed contact.", long, long, f"{long}b", "Previewed contact."):
        audit.record_preview(request, acme.pk, "contacts", message)
    assert AuditEntry.objects.count() == 3
    messages = AuditEntry.objects.values_list("message", flat=True)
    assert len({*messages}) == 3
    assert {len(each) for each in messages} == {18, audit.MAX_MESSAGE_CHARACTERS}
    assert newest().message.endswith(f"… SHA-256 {sha256(f'{long}b'.encode()).hexdigest()}")
    AuditEntry.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    audit.record_preview(request, acme.pk, "contacts", f"{long}b")
    assert AuditEntry.objects.count() == 4


@pytest.mark.slow
def test_searches_of_a_large_log_read_an_index(
    admin_client: Client, admin_user: User, acme: Organization, rf: RequestFactory
) -> None:
    request = rf.get("/", REMOTE_ADDR="192.0.2.7")
    request.user = admin_user
    audit.record(request, "change", acme.pk)
    AuditEntry.objects.update(created_at="2020-01-01T00:00Z")
    values = {
        "id": "id + n",
        "address": "CASE WHEN n < 60 THEN address ELSE '192.0.2.8' END",
        "created_at": "CASE WHEN n < 60 THEN created_at ELSE now() + n * interval '1 s' END",
    }
    copies(newest(), 20_000, **values)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE longshore_accounts_auditentry")
    for query, index in (
        ({"q": "192.0.2.7"}, "audit_entry_by_address"),
        ({"created_at_to_0": "2020-01-02"}, "audit_entry_by_time"),
    ):
        with CaptureQueriesContext(connection) as queries:
            response = admin_client.get(LOG, query)
        assert {each.address for each in response.context["cl"].result_list} == {"192.0.2.7"}
        table = AuditEntry._meta.db_table
        [keys] = [
            q["sql"]
            for q in queries
            if f'SELECT "{table}"."id" AS "pk" FROM' in q["sql"] and "ORDER BY" in q["sql"]
        ]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {keys}")
            assert index in "".join(line for (line,) in cursor.fetchall())


def test_an_api_key_leaves_no_audit_entry(alice: KeyClient) -> None:
    """The log is of people."""
    assert alice.post("/v1/exports", BODY).status_code == 201
    assert not AuditEntry.objects.exists()
