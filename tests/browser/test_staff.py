"""Time zone of a person, binding of a user, and the page of an organization in a real browser."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from longshore.accounts import staff
from longshore.accounts.models import ApiKey, Organization, StaffProfile
from tests.exports.conftest import export_of
from tests.factories import DeliveryFactory, SubscriptionFactory

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


def test_the_page_of_an_organization_leads_to_its_parts(
    admin: Page, acme: Organization, key: ApiKey
) -> None:
    export = export_of(acme, {"resource": "contact", "csv_field_options": {"columns": ["id"]}})
    DeliveryFactory.create(subscription=SubscriptionFactory.create(organization=acme, name="Dock"))
    address = f"/admin/longshore_accounts/organization/{acme.pk}/change/"
    for name, part in (("ci", "apikey"), (export.public_id, "export"), ("Dock", "subscription")):
        admin.goto(address)
        admin.get_by_role("link", name=name, exact=True).click()
        admin.wait_for_url(f"**/{part}/*/change/")
