"""Time zone of a person, binding and roles, and the page of an organization in a real browser."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Page, expect

from exports.execution import runner
from exports.models import Export
from longshore.accounts import staff
from longshore.accounts.models import ApiKey, AuditEntry, Organization, StaffProfile
from longshore.accounts.roles import Role
from longshore.domains.logistics.models import Contact
from tests.browser.conftest import PASSWORD, sign_in
from tests.exports.conftest import export_of, storage
from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.members import bind

__all__ = ["storage"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(acme: Organization) -> ApiKey:
    ends = datetime(2099, 1, 15, 12, tzinfo=UTC)
    api_key, _ = ApiKey.objects.create_key(organization=acme, name="ci", expiry_date=ends)
    assert isinstance(api_key, ApiKey)
    return api_key


def test_a_person_takes_the_time_zone_of_the_browser(admin: Page, key: ApiKey) -> None:
    devtools = admin.context.new_cdp_session(admin)
    devtools.send("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    offer = admin.get_by_role("button", name="Use Asia/Tokyo, the time zone of this browser")
    admin.goto("/admin/preferences/")
    offer.click()
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_text("Times are now shown in Asia/Tokyo.")).to_be_visible()
    assert StaffProfile.objects.get().timezone == "Asia/Tokyo"
    expect(offer).to_be_hidden()
    admin.goto("/admin/longshore_accounts/apikey/")
    expect(admin.get_by_text("2099-01-15 21:00:00 JST")).to_be_visible()


def test_a_user_is_bound_to_an_organization_and_then_sees_no_other(
    admin: Page, key: ApiKey, globex: Organization
) -> None:
    mary = User.objects.create_user("mary", is_staff=True)
    admin.goto(f"/admin/auth/user/{mary.pk}/change/")
    admin.get_by_label("Only some organizations").first.check()
    admin.locator(".field-organizations .select2-selection").click()
    admin.locator(".select2-search__field").last.press_sequentially("acme")
    admin.get_by_role("option", name="Acme Freight").click()
    admin.get_by_role("button", name="Save", exact=True).click()
    admin.wait_for_url("**/admin/auth/user/")
    expect(admin.get_by_role("row").filter(has_text="mary")).to_contain_text("Acme Freight")
    mary = User.objects.get(username="mary")
    assert [each.slug for each in staff.organizations(mary)] == ["acme"]


@pytest.fixture
def exports(acme: Organization, globex: Organization) -> tuple[Export, Export]:
    """A completed export of Acme and one of Globex, each of two files."""
    body = {"resource": "contact", "max_rows_per_file": 1, "csv_field_options": {"columns": ["id"]}}
    made = []
    for organization in (acme, globex):
        for number in range(2):
            Contact.objects.create(organization=organization, name=f"{organization.name} {number}")
        export = export_of(organization, body)
        runner.run(export.pk)
        made.append(export)
    return made[0], made[1]


def person(page: Page, role: Role, *organizations: Organization) -> Page:
    """Sign in a person with a role, who is bound to the organizations, if there are any."""
    mary = User.objects.create_user("mary", password=PASSWORD, is_staff=True)
    mary.groups.add(Group.objects.get(name=role))
    if organizations:
        bind(mary, organizations)
    sign_in(page, "mary")
    return page


@pytest.mark.usefixtures("storage")
def test_a_bound_person_finds_nothing_of_another_organization(
    page: Page, acme: Organization, globex: Organization, exports: tuple[Export, Export]
) -> None:
    own, other = exports
    mary = person(page, Role.ADMINISTRATOR, acme)
    # By page.
    for address, shown in (
        ("/admin/", acme.name),
        ("/admin/exports/export/", own.public_id),
        ("/admin/longshore_accounts/organization/", acme.name),
        ("/admin/longshore_logistics/contact/", f"{acme.name} 0"),
    ):
        mary.goto(address)
        expect(mary.locator("#content").get_by_text(shown).first).to_be_visible()
        for hidden in (globex.name, other.public_id):
            expect(mary.get_by_text(hidden)).to_have_count(0)
    # By search: of a list, and of the whole admin.
    for term, count in ((own.public_id, 1), (other.public_id, 0)):
        mary.goto(f"/admin/exports/export/?q={term}")
        expect(mary.locator("#result_list .data-row")).to_have_count(count)
    mary.keyboard.press("Control+k")
    palette = mary.get_by_placeholder("Type to search")
    palette.press_sequentially(own.public_id)
    expect(mary.get_by_role("link", name=own.public_id).last).to_be_visible()
    palette.fill("")
    with mary.expect_response("**/admin/search/**"):
        palette.press_sequentially(other.public_id)
    expect(mary.get_by_role("link", name=other.public_id)).to_have_count(0)
    # By autocomplete.
    mary.goto("/admin/longshore_logistics/contact/add/")
    mary.locator(".field-organization .select2-selection").click()
    expect(mary.get_by_role("option", name=acme.name)).to_be_visible()
    with mary.expect_response("**/autocomplete/**"):
        mary.locator(".select2-search__field").last.press_sequentially(globex.name)
    expect(mary.get_by_text("No results found")).to_be_visible()
    # By URL, and by zip.
    for view in ("change", "row", "history", "download", "zip", "cancel_job"):
        for export, expected in ((own, {200, 403}), (other, {404})):
            response = mary.request.get(f"/admin/exports/export/{export.pk}/{view}/")
            assert response.status in expected, (view, export)


@pytest.mark.usefixtures("storage")
def test_a_viewer_sees_exports_and_downloads_none(
    page: Page, exports: tuple[Export, Export]
) -> None:
    own, _ = exports
    viewer = person(page, Role.VIEWER)
    address = f"/admin/exports/export/{own.pk}"
    for shown in ("/admin/exports/export/", f"{address}/change/"):
        viewer.goto(shown)
        expect(viewer.get_by_text(own.public_id).first).to_be_visible()
        expect(viewer.get_by_role("link", name="Download")).to_have_count(0)
    for view in ("download", "zip"):
        response = viewer.goto(f"{address}/{view}/")
        assert response is not None
        assert response.status == 403
        heading = viewer.get_by_role("heading", name="You may not open this page")
        expect(heading).to_be_visible()
    assert not AuditEntry.objects.exclude(action="sign_in").exists()


def test_the_page_of_an_organization_leads_to_its_parts(
    admin: Page, acme: Organization, key: ApiKey
) -> None:
    export = export_of(acme, {"resource": "contact", "csv_field_options": {"columns": ["id"]}})
    DeliveryFactory.create(subscription=SubscriptionFactory.create(organization=acme, name="Dock"))
    address = f"/admin/longshore_accounts/organization/{acme.pk}/change/"
    for tab, name, part in (
        ("API keys", "ci", "apikey"),
        ("Exports", export.public_id, "export"),
        ("Webhooks", "Dock", "subscription"),
    ):
        admin.goto(address)
        admin.locator("#tabs-items").get_by_role("link", name=tab).click()
        admin.get_by_role("link", name=name, exact=True).click()
        admin.wait_for_url(f"**/{part}/*/change/")


def test_forms_show_the_fields_that_apply(admin: Page) -> None:
    admin.goto("/admin/django_celery_beat/periodictask/add/")
    interval, crontab = (admin.get_by_label(name, exact=True) for name in ("Interval", "Crontab"))
    expect(interval).to_be_visible()
    expect(crontab).to_be_hidden()
    admin.get_by_label("Runs").select_option("crontab")
    expect(crontab).to_be_visible()
    expect(interval).to_be_hidden()
    admin.goto("/admin/webhooks/subscription/add/")
    event = admin.get_by_label("export.created")
    expect(event).to_be_checked()
    admin.get_by_label("All events").check()
    expect(event).to_be_hidden()
