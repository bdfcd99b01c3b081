"""Admin of API keys, organizations, users and schedules; sidebar and search."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test.client import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from exports_project import guide
from exports_project.search import MAX_RECORDS
from longshore.accounts.models import ApiKey, Organization
from tests.conftest import KeyClient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]

KEYS = "/admin/longshore_accounts/apikey/"
USERS = "/admin/auth/user/"
ORGANIZATIONS = "/admin/longshore_accounts/organization/"
KEY = re.compile(r"[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}")


def issue(client: Client, organization: Organization, **fields: Any) -> str:
    """Submit the form for a new key and return the page that follows."""
    form = {"organization": organization.pk, "name": "CI & <b>CD</b>", "scopes": ["read"]}
    return client.post(f"{KEYS}add/", form | fields).content.decode()


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.slow
def test_a_new_key_works_and_is_shown_only_once(
    admin_client: Client, acme: Organization, client: Client
) -> None:
    response = admin_client.post(
        f"{KEYS}add/", {"organization": acme.pk, "name": "CI & <b>CD</b>", "scopes": ["read"]}
    )
    page = response.content.decode()
    (key,) = set(KEY.findall(page))
    assert "CI &amp; &lt;b&gt;CD&lt;/b&gt;, for Acme Freight" in page
    assert "no-store" in response["Cache-Control"]
    assert client.get("/v1/exports", headers={"PX-API-KEY": key}).status_code == 200

    # No message, cookie, session, log entry or later page contains the key.
    assert not list(get_messages(response.wsgi_request))
    assert key not in str(response.cookies)
    assert key not in str(dict(admin_client.session))
    api_key = ApiKey.objects.get()
    assert key not in str(vars(api_key))
    for address in (KEYS, f"{KEYS}{api_key.pk}/change/", f"{KEYS}{api_key.pk}/history/"):
        page = admin_client.get(address).content.decode()
        assert api_key.name.split()[0] in page
        assert key not in page
        assert api_key.hashed_key not in page


def test_reloading_the_page_of_a_new_key_shows_the_existing_key(
    admin_client: Client, acme: Organization
) -> None:
    page = issue(admin_client, acme)
    api_key = ApiKey.objects.get()
    assert f"history.replaceState(null, '', '{KEYS}{api_key.pk}/change/')" in page


def test_a_key_needs_at_least_one_valid_scope(admin_client: Client, acme: Organization) -> None:
    assert "This field is required." in issue(admin_client, acme, scopes=[])
    assert "Select a valid choice." in issue(admin_client, acme, scopes=["root"])
    assert not ApiKey.objects.exists()


def test_a_new_key_with_a_past_expiry_date_is_refused(
    admin_client: Client, acme: Organization
) -> None:
    expiry = {"expiry_date_0": "2020-01-01", "expiry_date_1": "00:00:00"}
    assert "A new key cannot have expired already." in issue(admin_client, acme, **expiry)
    assert not ApiKey.objects.exists()


def test_the_secret_and_the_organization_of_a_key_cannot_be_changed(
    admin_client: Client, alice: KeyClient, globex: Organization
) -> None:
    before = ApiKey.objects.get(pk=alice.api_key.pk)
    address = f"{KEYS}{alice.api_key.pk}/change/"
    form = {
        "name": "renamed",
        "scopes": ["read"],
        "expiry_date_0": "2020-01-01",
        "expiry_date_1": "00:00:00",
        "organization": globex.pk,
        "revoked": "on",
        "hashed_key": "x",
    }
    assert admin_client.post(address, form).status_code == 302
    after = ApiKey.objects.get(pk=alice.api_key.pk)
    assert (after.name, after.scopes, after.status) == ("renamed", ["read"], "expired")
    assert (after.organization, after.hashed_key) == (before.organization, before.hashed_key)


def test_revoking_a_key_needs_confirmation_and_cannot_be_undone(
    admin_client: Client, alice: KeyClient
) -> None:
    change = f"{KEYS}{alice.api_key.pk}/change/"
    revoke = reverse("admin:longshore_accounts_apikey_revoke", args=[alice.api_key.pk])
    assert revoke in admin_client.get(change).content.decode()

    assert "This cannot be undone." in admin_client.get(revoke).content.decode()
    assert alice.get("/v1/exports").status_code == 200
    response = admin_client.post(revoke, {"_form_submitted": "on"})
    assert response["HX-Redirect"] == change
    assert alice.get("/v1/exports").status_code == 401

    assert "Revoked." in admin_client.get(f"{KEYS}{alice.api_key.pk}/history/").content.decode()
    page = admin_client.get(change).content.decode()
    assert revoke not in page
    assert 'name="_save"' not in page
    assert admin_client.post(change, {"name": "x", "scopes": ["read"]}).status_code == 403
    assert admin_client.post(revoke, {"_form_submitted": "on"}).status_code == 403


def test_only_the_selected_keys_are_revoked(
    admin_client: Client, alice: KeyClient, bob: KeyClient, charlie: KeyClient
) -> None:
    selected = [alice.api_key.pk, charlie.api_key.pk]
    form = {"action": "revoke_selected", "_selected_action": selected}
    page = admin_client.post(KEYS, form, follow=True).content.decode()
    assert "Revoked 2 API keys." in page
    assert [c.get("/v1/exports").status_code for c in (alice, bob, charlie)] == [401, 200, 401]


def test_keys_cannot_be_deleted(admin_client: Client, alice: KeyClient) -> None:
    address = f"{KEYS}{alice.api_key.pk}/delete/"
    assert admin_client.post(address, {"post": "yes"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": [alice.api_key.pk], "post": "yes"}
    admin_client.post(KEYS, form)
    assert ApiKey.objects.filter(pk=alice.api_key.pk).exists()


def test_a_user_who_may_only_view_keys_cannot_issue_or_revoke_them(
    alice: KeyClient, acme: Organization
) -> None:
    client = staff("view_apikey")
    assert client.get(KEYS).status_code == 200
    assert client.post(f"{KEYS}add/", {"name": "x", "organization": acme.pk}).status_code == 403
    revoke = reverse("admin:longshore_accounts_apikey_revoke", args=[alice.api_key.pk])
    assert client.post(revoke, {"_form_submitted": "on"}).status_code == 403
    client.post(KEYS, {"action": "revoke_selected", "_selected_action": [alice.api_key.pk]})
    assert ApiKey.objects.get(pk=alice.api_key.pk).status == "active"


@pytest.fixture
def keys_of_every_status(acme: Organization) -> None:
    past = timezone.now() - timedelta(seconds=1)
    keys: dict[str, dict[str, object]] = {
        "valid": {},
        "expired": {"expiry_date": past},
        "revoked": {"revoked": True},
        "revoked-expired": {"revoked": True, "expiry_date": past},
    }
    for name, fields in keys.items():
        ApiKey.objects.create_key(organization=acme, name=name, **fields)


@pytest.mark.slow
@pytest.mark.usefixtures("keys_of_every_status")
@pytest.mark.parametrize(
    ("status", "names"),
    [
        ("active", {"valid"}),
        ("expired", {"expired"}),
        ("revoked", {"revoked", "revoked-expired"}),
        ("unknown", {"valid", "expired", "revoked", "revoked-expired"}),
    ],
)
def test_keys_are_filtered_by_status(admin_client: Client, status: str, names: set[str]) -> None:
    listed = admin_client.get(KEYS, {"status": status}).context["cl"].result_list
    assert {api_key.name for api_key in listed} == names
    if status != "unknown":
        assert {api_key.status for api_key in listed} == {status}


@pytest.mark.usefixtures("keys_of_every_status")
def test_the_list_of_organizations_counts_their_active_keys(
    admin_client: Client, acme: Organization, charlie: KeyClient
) -> None:
    response = admin_client.get(ORGANIZATIONS)
    listed = {row.slug: row.active_keys for row in response.context["cl"].result_list}
    assert listed == {"acme": 1, "globex": 1}
    link = f"{KEYS}?organization__id__exact={acme.pk}&amp;status=active"
    assert link in response.content.decode()


def test_an_organization_is_created_and_renamed_but_cannot_be_deleted(admin_client: Client) -> None:
    form = {"name": "Initech", "slug": "initech", "timezone": "Europe/Berlin"}
    assert admin_client.post(f"{ORGANIZATIONS}add/", form).status_code == 302
    initech = Organization.objects.get(slug="initech")
    form["name"] = "Initech Ltd"
    admin_client.post(f"{ORGANIZATIONS}{initech.pk}/change/", form)
    initech.refresh_from_db()
    assert initech.name == "Initech Ltd"
    response = admin_client.post(f"{ORGANIZATIONS}{initech.pk}/delete/", {"post": "yes"})
    assert response.status_code == 403


@pytest.mark.slow
def test_the_number_of_queries_of_a_list_does_not_grow_with_its_length(
    admin_client: Client, acme: Organization, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        ApiKey.objects.create_key(organization=acme, name=f"key {number}")
    for address in (KEYS, ORGANIZATIONS):
        admin_client.get(address)  # Fills the cache of content types.
        with django_assert_max_num_queries(6):
            assert admin_client.get(address).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "auth_user",
        "auth_group",
        "django_celery_beat_periodictask",
        "django_celery_beat_intervalschedule",
        "django_celery_beat_crontabschedule",
        "django_celery_beat_clockedschedule",
        "longshore_accounts_apikey",
        "longshore_accounts_organization",
    ],
)
@pytest.mark.slow
def test_each_page_opens_and_contains_no_inline_script(admin_client: Client, name: str) -> None:
    for page in ("changelist", "add"):
        response = admin_client.get(reverse(f"admin:{name}_{page}"))
        assert response.status_code == 200
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", response.content.decode())


@pytest.mark.slow
def test_the_sidebar_shows_only_what_the_user_may_view(admin_client: Client) -> None:
    def titles(client: Client) -> dict[str, list[str]]:
        groups = client.get("/admin/").context["sidebar_navigation"]
        return {group["title"]: [item["title"] for item in group["items"]] for group in groups}

    all_groups = titles(admin_client)
    assert [*all_groups][:2] == ["", "Exports"]
    assert all_groups["Access"] == [
        "Organizations",
        "API keys",
        "Audit log",
        "Users",
        "Roles",
    ]
    assert "Periodic tasks" in all_groups["Schedules"]
    for address, title in (("auth/group", "Roles"), ("longshore_accounts/auditentry", "Audit log")):
        page = " ".join(admin_client.get(f"/admin/{address}/").content.decode().split())
        assert re.search(rf"> ?Access ?<.*> ?{title} ?<", page)
        assert "Authentication and Authorization" not in page
    assert titles(staff("view_organization")) == {
        "": ["Home"],
        "Access": ["Organizations"],
        "Help": [*(["Guide"] if guide.is_built() else []), "API reference"],
    }


@pytest.mark.parametrize(
    ("term", "title", "address"), [("keys", "API keys", KEYS), ("users", "Users", USERS)]
)
def test_a_search_finds_pages_of_the_sidebar(
    admin_client: Client, term: str, title: str, address: str
) -> None:
    response = admin_client.get("/admin/search/", {"s": term})
    assert title in response.content.decode()
    assert f'href="{address}"' in response.content.decode()


def test_a_search_returns_few_records_with_few_queries(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Organization.objects.bulk_create(
        Organization(name=f"Depot {number}", slug=f"depot-{number}") for number in range(30)
    )
    with django_assert_max_num_queries(32):
        page = admin_client.get("/admin/search/", {"s": "depot"}).content.decode()
    assert page.count("/admin/longshore_accounts/organization/") == MAX_RECORDS
    assert staff().get("/admin/search/", {"s": "depot"}).content.decode().count("<a ") == 0


@pytest.mark.parametrize("term", ["", " ", "x", "x" * 5000, "%_\\", "\N{GRINNING FACE}"])
def test_any_term_of_a_search_is_answered(admin_client: Client, term: str) -> None:
    assert admin_client.get("/admin/search/", {"s": term, "page": "zzz"}).status_code == 200
