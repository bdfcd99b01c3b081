"""What the scripts of every page do: forms are sent once, and refusals are explained."""

from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from longshore.accounts.models import ApiKey, AuditEntry, Organization
from tests.browser.conftest import sign_in
from tests.exports.conftest import export_of
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
    assert AuditEntry.objects.exclude(action="sign_in").count() == 1


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


def test_the_end_of_a_session_keeps_the_input_of_the_builder(
    admin: Page, acme: Organization
) -> None:
    admin.goto(f"/admin/exports/export/build/?resource=contact&organization={acme.pk}")
    limit = admin.get_by_label("Limit", exact=True)
    limit.fill("7")
    expect(admin.get_by_label("Format", exact=True)).to_be_visible()
    Session.objects.all().delete()
    admin.get_by_label("Format", exact=True).select_option("jsonl")
    notice = admin.get_by_role("alert").filter(has_text="Sign in in another tab, then go on here.")
    expect(notice).to_be_visible()
    expect(limit).to_have_value("7")
    other = admin.context.new_page()
    sign_in(other, "admin")
    admin.get_by_label("Format", exact=True).select_option("json")
    expect(notice).to_have_count(0)
    expect(limit).to_have_value("7")
    expect(admin.locator("#xb-failed")).to_be_empty()


def test_the_end_of_a_session_is_explained_before_an_upload(
    admin: Page, acme: Organization, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name\nZoë\n")
    admin.goto(f"/admin/batches/batch/wizard/?organization={acme.pk}&resource=contact")
    admin.set_input_files("#bw-file", path)
    Session.objects.all().delete()
    admin.get_by_role("button", name="Upload").click()
    text = "Your session has ended. Sign in in another tab, then try again."
    expect(admin.get_by_text(text)).to_be_visible()


def test_the_refresh_of_a_list_keeps_the_keyboard_focus(admin: Page, acme: Organization) -> None:
    export = export_of(acme, {"resource": "contact", "csv_field_options": {"columns": ["id"]}})
    admin.goto("/admin/exports/export/")
    link = admin.get_by_role("link", name=export.public_id).first
    link.focus()
    link.evaluate("link => { link.isFirst = true; }")
    for _ in range(2):
        with admin.expect_response("**/admin/exports/export/"):
            pass
    # The row has been replaced once, because scripts have changed the first one.
    expect(link).not_to_have_js_property("isFirst", True)
    expect(link).to_be_focused()
    link.evaluate("link => { link.isSecond = true; }")
    for _ in range(2):
        with admin.expect_response("**/admin/exports/export/"):
            pass
    expect(link).to_be_focused()
