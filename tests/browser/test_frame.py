"""What the scripts of every page do: forms are sent once."""

import pytest
from playwright.sync_api import Page, expect

from longshore.accounts.models import ApiKey, AuditEntry, Organization
from tests.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db(transaction=True)
# Clicks a button twice; returns which of the submissions were prevented.
CLICK_TWICE = """button => {
  const prevented = [];
  window.addEventListener("submit", (event) => prevented.push(event.defaultPrevented));
  button.click();
  button.click();
  return prevented;
}"""


def test_a_second_click_does_not_rotate_a_secret_again(admin: Page, acme: Organization) -> None:
    found = SubscriptionFactory.create(organization=acme)
    admin.goto(f"/admin/webhooks/subscription/{found.pk}/rotate_secret/")
    button = admin.get_by_role("button", name="Rotate the secret")
    assert button.evaluate(CLICK_TWICE) == [False, True]
    expect(admin.get_by_text("whsec_").first).to_be_visible()
    assert AuditEntry.objects.count() == 1


def test_a_second_click_does_not_issue_another_key(admin: Page, acme: Organization) -> None:
    admin.goto(f"/admin/longshore_accounts/apikey/add/?organization={acme.pk}")
    admin.get_by_label("Name").fill("ci")
    button = admin.get_by_role("button", name="Save", exact=True)
    assert button.evaluate(CLICK_TWICE) == [False, True]
    expect(admin.get_by_text("Copy the key now.")).to_be_visible()
    assert ApiKey.objects.count() == 1


def test_a_form_can_be_sent_again_after_going_back(admin: Page, acme: Organization) -> None:
    admin.goto("/admin/preferences/")
    for _ in range(2):
        admin.get_by_role("button", name="Save").click()
        expect(admin.get_by_text("Times are now shown in UTC.")).to_be_visible()
        admin.go_back()
