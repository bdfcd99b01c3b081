"""The page of an organization: keys, limits, usage, jobs, webhooks, staff, audit log."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from batches.models import Batch
from exports.lifecycle.transitions import EXPORTS
from exports.models import Export, ExportLimits
from longshore.accounts.admin import organization_sections
from longshore.accounts.models import ApiKey, AuditEntry, Organization
from longshore.jobs import counters
from longshore.jobs.statuses import Status
from tests.exports.conftest import export_of
from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.members import bind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
BODY = {"resource": "contact", "csv_field_options": {"columns": {"id": True}}}


def page(client: Client, organization: Organization) -> str:
    path = f"/admin/longshore_accounts/organization/{organization.pk}/change/"
    response = client.get(path)
    assert response.status_code == 200
    # The texts that Django formats contain non-breaking spaces.
    return response.content.decode().replace("\xa0", " ")


def sections(client: Client, organization: Organization) -> dict[str, dict[str, list[list[str]]]]:
    """Return the rows of each table by section and title, without markup."""
    path = f"/admin/longshore_accounts/organization/{organization.pk}/change/"
    found = client.get(path).context["sections"]
    return {
        section["title"]: {
            table["title"]: [
                [str(cell).replace("\xa0", " ") for cell in row] for row in table["rows"]
            ]
            for table in section["tables"]
        }
        for section in found
    }


def listed(client: Client, organization: Organization, title: str, query: str = "") -> list[str]:
    """Return the records in the list of a tab, as texts."""
    path = f"/admin/longshore_accounts/organization/{organization.pk}/change/{query}"
    response = client.get(path)
    assert response.status_code == 200
    [found] = [each for each in response.context["datasets"] if each.title == title]
    return [str(record) for record in found.cl.result_list]


def test_limits_show_what_applies_now_with_units_and_usage(
    admin_client: Client, acme: Organization, settings: Settings
) -> None:
    settings.EXPORT_MAX_DAILY = 10_000
    ExportLimits.objects.create(organization=acme, unfinished=3, bytes=5 << 30)
    export_of(acme, BODY)
    limits = sections(admin_client, acme)["Exports"]["Limits"]
    assert ["Unfinished", "3", "This organization", "1"] in limits
    assert ["Per day", "10,000", "Default", "0"] in limits
    assert ["Seconds", "1 h 0 min", "Default", "–"] in limits  # noqa: RUF001 (a dash)
    assert ["Stored bytes", "1.0 TB", "Default", "0 bytes"] in limits
    assert ["Records per export", "No limit", "Default", "–"] in limits  # noqa: RUF001
    assert ["Bytes per export", "5.0 GB", "This organization", "–"] in limits  # noqa: RUF001


def test_the_form_of_limits_shows_defaults_and_units(
    admin_client: Client, acme: Organization, settings: Settings
) -> None:
    settings.EXPORT_MAX_DAILY = 10_000
    content = admin_client.get("/admin/exports/exportlimits/add/").content.decode()
    assert "Default: 10,000." in content
    assert "Default: 3,600 seconds (1 h 0 min)." in content


def test_usage_counts_the_completed_jobs_of_today(admin_client: Client, acme: Organization) -> None:
    now = timezone.now()
    earlier = now - timedelta(days=2)
    done = {"status": Status.COMPLETED, "stored_bytes": 2048, "created_at": earlier}
    expired = export_of(acme, BODY, records_count=1_500, completed_at=now, **done)
    for export in (expired, export_of(acme, BODY, records_count=7, completed_at=earlier, **done)):
        counters.add(EXPORTS, export)
    # One that never began, such as a batch without an upload, was not completed.
    export_of(acme, BODY, status=Status.EXPIRED, completed_at=now)
    Export.objects.filter(pk=expired.pk).update(status=Status.EXPIRED, stored_bytes=0)
    exports = sections(admin_client, acme)["Exports"]
    assert exports["Completed today (UTC)"] == [["1", "1,500", "2.0 KB"]]
    assert len(listed(admin_client, acme, "Exports")) == 3
    assert ["Stored bytes", "1.0 TB", "Default", "2.0 KB"] in exports["Limits"]


def test_keys_that_expire_soon_are_marked(admin_client: Client, acme: Organization) -> None:
    soon = timezone.now() + timedelta(days=3)
    ApiKey.objects.create_key(organization=acme, name="short", expiry_date=soon)
    ApiKey.objects.create_key(organization=acme, name="long")
    assert page(admin_client, acme).lower().count("expires soon") == 1
    found = admin_client.get("/admin/longshore_accounts/apikey/", {"status": "expires soon"})
    assert [key.name for key in found.context["cl"].result_list] == ["short"]


def test_bound_staff_and_webhooks_are_listed(admin_client: Client, acme: Organization) -> None:
    bind(User.objects.create_user("mary", is_staff=True), [acme])
    User.objects.create_user("paul", is_staff=True)
    subscription = SubscriptionFactory.create(organization=acme, name="Warehouse")
    DeliveryFactory.create(subscription=subscription)
    found = sections(admin_client, acme)
    [[name, *_]] = found["Staff"][""]
    assert "mary" in name
    assert listed(admin_client, acme, "Webhooks") == [str(subscription)]
    assert "Warehouse" in page(admin_client, acme)


def test_more_staff_than_the_page_lists_are_counted(
    admin_client: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organization_sections, "MAX_PEOPLE", 1)
    for name in ("mary", "paul", "ruth"):
        bind(User.objects.create_user(name, is_staff=True), [acme])
    content = page(admin_client, acme)
    assert "And 2 more. Users who are bound to no organization see all of them." in content


def test_each_list_has_the_records_of_the_organization_only_and_pages(
    admin_client: Client, acme: Organization, globex: Organization
) -> None:
    own = [export_of(acme, BODY) for _ in range(13)]
    keys = [ApiKey.objects.create_key(organization=each, name="ci")[0] for each in (acme, globex)]
    for organization in (acme, globex):
        batch = {"resource": "contact", "action": "merge", "mode": "async", "via": "file"}
        expires = timezone.now() + timedelta(days=1)
        Batch.objects.create(
            organization=organization, request={}, spec={}, expires_at=expires, **batch
        )
        SubscriptionFactory.create(organization=organization)
        AuditEntry.objects.create(organization=organization, username="mary", action="change")
        export_of(globex, BODY)
    newest = [str(export) for export in reversed(own)]
    assert listed(admin_client, acme, "Exports") == newest[:10]
    for number in ("2", "99"):
        assert listed(admin_client, acme, "Exports", f"?export-p={number}") == newest[10:]
    assert listed(admin_client, acme, "Exports", "?export-p=x") == newest[:10]
    assert listed(admin_client, acme, "API keys") == [str(keys[0])]
    for title in ("Batches", "Webhooks", "Audit log"):
        assert len(listed(admin_client, acme, title)) == 1, title


def test_a_new_organization_has_no_lists(admin_client: Client) -> None:
    response = admin_client.get("/admin/longshore_accounts/organization/add/")
    assert response.status_code == 200
    assert response.context["datasets"] == []


def test_a_person_sees_only_the_sections_of_its_permissions(acme: Organization) -> None:
    user = User.objects.create_user("mary", is_staff=True)
    codenames = ["view_organization", "view_export"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    assert sections(client, acme).keys() == {"Exports"}
    content = page(client, acme)
    assert 'href="#dataset-export"' in content
    assert 'href="#dataset-apikey"' not in content
    assert "Change the limits" not in content


def test_a_bound_person_sees_no_users(acme: Organization) -> None:
    user = User.objects.create_superuser("mary")
    bind(user, [acme])
    client = Client()
    client.force_login(user)
    found = sections(client, acme)
    assert "Staff" not in found
    assert "Exports" in found


@pytest.mark.slow
def test_the_link_to_the_limits_opens_the_form_of_the_organization(
    admin_client: Client, acme: Organization
) -> None:
    add = f"/admin/exports/exportlimits/add/?organization={acme.pk}"
    assert f'href="{add}"' in page(admin_client, acme)
    assert "Acme Freight" in admin_client.get(add).content.decode()
    ExportLimits.objects.create(organization=acme)
    assert f'href="/admin/exports/exportlimits/{acme.pk}/change/"' in page(admin_client, acme)


@pytest.mark.slow
def test_the_number_of_queries_does_not_grow_with_the_organization(
    admin_client: Client,
    acme: Organization,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(6):
        export_of(acme, BODY)
        ApiKey.objects.create_key(organization=acme, name=f"key {number}")
        subscription = SubscriptionFactory.create(organization=acme)
        DeliveryFactory.create(subscription=subscription)
        bind(User.objects.create_user(f"user {number}"), [acme])
    page(admin_client, acme)  # Fills the cache of content types.
    with django_assert_max_num_queries(27):
        page(admin_client, acme)


def test_the_time_zone_of_an_organization_is_chosen_from_a_list(
    admin_client: Client, acme: Organization
) -> None:
    assert '<option value="Europe/Berlin">' in page(admin_client, acme)
    path = f"/admin/longshore_accounts/organization/{acme.pk}/change/"
    form = {"name": acme.name, "slug": acme.slug, "timezone": "Mars/Olympus"}
    assert "Select a valid choice" in admin_client.post(path, form).content.decode()
