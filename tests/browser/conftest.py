"""Fixtures: a browser, a page, and the admin of a signed-in superuser."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Generous: the machine may be busy with other tests.
WAIT_MILLISECONDS = 30_000
PASSWORD = "open sesame"  # noqa: S105
expect.set_options(timeout=WAIT_MILLISECONDS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of the system. Without one, the tests are skipped, or fail in CI."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        missing = f"no browser: none of {', '.join(NAMES)} is installed"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread, in which Django refuses queries by default.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        # Chromium has no sandbox for root. It opens only the server of the test.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, static_files: None) -> Iterator[Page]:
    """A page in a new session. A script error or a CSP violation fails the test."""
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    page.set_default_timeout(WAIT_MILLISECONDS)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if "Policy" in message.text else None,
    )
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def admin(page: Page) -> Page:
    """The start page of the admin, after signing in by the form."""
    User.objects.create_superuser("admin", password=PASSWORD)
    sign_in(page, "admin")
    return page


def sign_in(page: Page, username: str) -> None:
    """Sign in by the form, with PASSWORD."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/login/" not in url)
