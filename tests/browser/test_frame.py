"""What the scripts of every page do: forms are sent once, and refusals are explained."""

import pytest
from playwright.sync_api import Page, expect

from longshore.accounts.models import ApiKey, AuditEntry, Organization
from tests.factories import SubscriptionFactory
from webhooks.models import Event, Subscription

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


def open_dialog(page: Page, button: str) -> None:
    page.get_by_role("link", name=button).or_(page.get_by_role("button", name=button)).first.click()


def test_a_dialog_is_submitted_once(admin: Page, acme: Organization) -> None:
    found = SubscriptionFactory.create(organization=acme)
    admin.goto(f"/admin/webhooks/subscription/{found.pk}/change/")
    open_dialog(admin, "Send a test")
    button = admin.locator("#dialog").get_by_role("button", name="Send the test", exact=True)
    button.evaluate("button => { button.click(); button.click(); }")
    expect(admin.get_by_text("A test was queued.")).to_be_visible()
    assert Event.objects.count() == 1


def test_a_button_that_came_too_late_says_so(admin: Page, acme: Organization) -> None:
    found = SubscriptionFactory.create(organization=acme)
    admin.goto(f"/admin/webhooks/subscription/{found.pk}/change/")
    open_dialog(admin, "Send a test")
    expect(admin.locator("#dialog")).to_contain_text("Send a test?")
    admin.keyboard.press("Escape")
    Subscription.objects.update(active=False)
    open_dialog(admin, "Disable")
    message = admin.locator("#modal-content")
    expect(message).to_have_text("The state has changed. Reload the page.")
    admin.keyboard.press("Escape")
    expect(message).to_be_hidden()

    Subscription.objects.update(active=True)
    open_dialog(admin, "Disable")
    submit = admin.locator("#dialog").get_by_role("button", name="Disable", exact=True)
    expect(submit).to_be_visible()
    Subscription.objects.update(active=False)
    submit.click()
    expect(message).to_have_text("The state has changed. Reload the page.")
