"""The admin of webhooks in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from longshore.accounts.models import Organization
from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.webhooks.receiver import receiving, respond
from webhooks import actions, runner
from webhooks.models import Delivery, DeliveryStatus, Subscription

pytestmark = pytest.mark.django_db(transaction=True)


def press(admin: Page, button: str, confirmation: str) -> None:
    """Click a button of the page and confirm the dialog that it opens."""
    admin.get_by_role("link", name=button).or_(
        admin.get_by_role("button", name=button)
    ).first.click()
    admin.locator("#dialog").get_by_role("button", name=confirmation, exact=True).click()


def test_a_test_event_is_sent_and_redelivered(admin: Page, acme: Organization) -> None:
    with receiving() as receiver:
        found = SubscriptionFactory.create(
            organization=acme, name="Harbour office", target=receiver.url()
        )
        admin.goto("/admin/webhooks/subscription/")
        expect(admin.get_by_text("No deliveries yet")).to_be_visible()
        admin.get_by_role("link", name="Harbour office").click()
        press(admin, "Send a test", "Send the test")
        expect(admin.get_by_text("A test was queued.")).to_be_visible()
        expect(admin.get_by_role("table").get_by_text("Pending", exact=True)).to_be_visible()

        runner.run(found.pk)
        admin.goto("/admin/webhooks/subscription/")
        expect(admin.get_by_role("img", name="Delivered: 1 of 1")).to_be_visible()
        admin.get_by_role("link", name="Harbour office").click()
        admin.get_by_role("link", name="webhook.test").click()
        expect(admin.get_by_text("204 No Content in").first).to_be_visible()
        press(admin, "Redeliver", "Redeliver")
        expect(admin.get_by_text("The delivery is queued again.")).to_be_visible()
        runner.run(found.pk)
        assert [message.id for message in receiver.messages] == [
            Delivery.objects.get().event.public_id
        ] * 2


def test_failed_deliveries_are_recovered_since_a_time(admin: Page, acme: Organization) -> None:
    with receiving() as receiver:
        found = SubscriptionFactory.create(organization=acme, target=receiver.url())
        DeliveryFactory.create(subscription=found, status=DeliveryStatus.FAILED)
        admin.goto(f"/admin/webhooks/subscription/{found.pk}/change/")
        admin.get_by_role("link", name="Recover").or_(
            admin.get_by_role("button", name="Recover")
        ).first.click()
        expect(admin.get_by_text("Failed deliveries: 1 of the last hour")).to_be_visible()
        admin.get_by_label("Since (UTC)").fill("")
        submit = admin.get_by_role("button", name="Recover", exact=True)
        submit.click()
        expect(admin.get_by_text("This field is required.")).to_be_visible()
        admin.get_by_label("Since (UTC)").fill("2024-12-25T12:00")
        submit.click()
        expect(admin.get_by_text("Deliveries queued again: 1.")).to_be_visible()
        runner.run(found.pk)
        assert len(receiver.messages) == 1


def test_a_subscription_is_disabled_and_enabled(admin: Page, acme: Organization) -> None:
    found: Subscription = SubscriptionFactory.create(organization=acme)
    admin.goto(f"/admin/webhooks/subscription/{found.pk}/change/")
    press(admin, "Disable", "Disable")
    expect(admin.get_by_text("Inactive", exact=True)).to_be_visible()
    press(admin, "Enable", "Enable")
    expect(admin.get_by_text("Active", exact=True)).to_be_visible()


def test_a_webhook_is_created_tested_rotated_and_deleted(admin: Page, acme: Organization) -> None:
    with receiving() as receiver:
        admin.goto("/admin/webhooks/subscription/")
        admin.get_by_role("link", name="Add webhook").first.click()
        admin.locator(".select2-selection").first.click()
        admin.locator(".select2-results").get_by_text("Acme Freight").click()
        admin.get_by_label("Name", exact=True).fill("Harbour office")
        admin.get_by_role("textbox", name="Target").fill("ftp://example.com")
        admin.get_by_role("button", name="Create").click()
        expect(admin.get_by_text("The target must begin with")).to_be_visible()
        admin.get_by_role("textbox", name="Target").fill(receiver.url())
        admin.get_by_label("export.canceled").check()
        admin.get_by_role("textbox", name="Headers").fill("X-Team: harbour")
        admin.get_by_role("button", name="Create").click()
        secret = admin.get_by_text("whsec_").first.inner_text()
        admin.reload()
        # The address has become that of the page.
        expect(admin.get_by_role("heading", name="Harbour office")).to_be_visible()
        expect(admin.get_by_text("whsec_")).to_have_count(0)
        expect(admin.get_by_text("export.canceled")).to_be_visible()
        press(admin, "Send a test", "Send the test")
        expect(admin.get_by_text("A test was queued.")).to_be_visible()
        found = Subscription.objects.get()
        runner.run(found.pk)
        # The page refreshes itself.
        expect(admin.get_by_text("204 No Content in")).to_be_visible()
        assert receiver.messages[0].verified(secret)
        assert receiver.messages[0].headers["x-team"] == "harbour"

        admin.get_by_role("link", name="Rotate secret").click()
        admin.get_by_role("button", name="Rotate the secret").click()
        rotated = admin.get_by_text("whsec_").first.inner_text()
        admin.get_by_role("link", name="I have saved it").click()
        press(admin, "Send a test", "Send the test")
        expect(admin.get_by_text("A test was queued.")).to_be_visible()
        runner.run(found.pk)
        assert receiver.messages[1].verified(rotated)
        assert receiver.messages[1].verified(secret)
        press(admin, "Delete", "Delete the webhook")
        expect(admin.get_by_text("Harbour office was deleted.")).to_be_visible()


def test_a_response_is_copied(admin: Page, acme: Organization) -> None:
    with receiving() as receiver:
        receiver.behaviors["/"] = respond(500, b"<h1>broken</h1>")
        found = SubscriptionFactory.create(organization=acme, target=receiver.url())
        delivery = actions.test(found)
        runner.run(found.pk)
    admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admin.goto(f"/admin/webhooks/delivery/{delivery.pk}/change/")
    expect(admin.get_by_text("Response 500 Internal Server Error, retry")).to_be_visible()
    copy = "Copy: Body of the response to attempt 1"
    admin.get_by_role("button", name=copy).click()
    assert admin.evaluate("navigator.clipboard.readText()") == "<h1>broken</h1>"


def test_pages_fit_the_width_of_a_phone(admin: Page, acme: Organization) -> None:
    found = SubscriptionFactory.create(
        organization=acme, target=f"https://receiver.example.com/{'long' * 30}"
    )
    admin.set_viewport_size({"width": 390, "height": 844})
    for address in (
        "/admin/webhooks/subscription/",
        f"/admin/webhooks/subscription/{found.pk}/change/",
    ):
        admin.goto(address)
        expect(admin.get_by_text("longlong").first).to_be_visible()
        assert admin.evaluate("document.documentElement.scrollWidth") <= 390
