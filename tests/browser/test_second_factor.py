"""Setting up a second factor, and signing in with it, in a real browser."""

from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from longshore.accounts.models import SecondFactor
from tests.browser.test_accessibility import COLOR_RULES, NARROW, RULES, WIDE, violations

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(seconds=30)


def check(page: Page) -> None:
    """Fail if a page is not accessible in both themes, or wider than a phone."""
    page.add_style_tag(content="*, *::before { transition: none !important; }")
    assert violations(page, RULES) == []
    page.evaluate("document.documentElement.classList.add('dark')")
    assert violations(page, COLOR_RULES) == []
    page.evaluate("document.documentElement.classList.remove('dark')")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]


def enter(page: Page, code: str, button: str) -> None:
    page.get_by_role("textbox", name="Code").fill(code)
    page.get_by_role("button", name=button).click()


def sign_in(page: Page) -> None:
    page.goto("/admin/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("open sesame")
    page.get_by_role("button", name="Log in").click()


def test_a_person_sets_up_a_second_factor_and_signs_in_with_it(
    admin: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock: dict[str, Any] = {"now": timezone.now()}
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock["now"])
    admin.get_by_role("button", name="admin", exact=False).last.click()
    admin.get_by_role("link", name="Second factor").click()
    check(admin)
    size = admin.get_by_role("img", name="QR code").bounding_box()
    assert size is not None
    assert size["width"] == size["height"] > 150
    totp = pyotp.TOTP(admin.locator("code").inner_text())
    enter(admin, "000000", "Turn on")
    expect(admin.get_by_text("This code is not valid")).to_be_visible()
    enter(admin, totp.at(clock["now"]), "Turn on")
    codes = admin.get_by_role("list", name="Recovery codes").locator("code")
    expect(codes).to_have_count(10)
    recovery_code = codes.first.inner_text()
    check(admin)
    admin.get_by_role("link", name="I have saved them").click()
    expect(admin.get_by_text("Unused recovery codes: 10")).to_be_visible()
    check(admin)

    clock["now"] += LATER
    for code in (totp.at(clock["now"]), recovery_code):
        admin.context.clear_cookies()
        sign_in(admin)
        expect(admin.get_by_role("textbox", name="Code")).to_have_attribute("autofocus", "")
        check(admin)
        enter(admin, code, "Continue")
        admin.wait_for_url(lambda url: "/login/" not in url)
    expect(admin.get_by_text("Unused recovery codes: 9")).to_be_visible()

    admin.goto("/admin/second-factor/")
    admin.get_by_label("Password").fill("open sesame")
    admin.get_by_role("button", name="Turn off").click()
    expect(admin.get_by_text("Set up a second factor")).to_be_visible()
    assert not SecondFactor.objects.exists()
