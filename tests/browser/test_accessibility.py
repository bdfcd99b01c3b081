"""Every page of the admin meets WCAG 2.2 AA, light and dark, and logs no error in the browser."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)
from playwright.sync_api import Page, expect

from batches.models import BatchLimits
from exports.execution import runner
from exports.models import Export, ExportLimits
from longshore.accounts.models import AuditAction, AuditEntry, Organization
from longshore.domains.demo.sources import demo_sources
from tests.batches.running import CSV, CSV_WITH_ERROR, created, post_file
from tests.batches.running import run as run_batch
from tests.browser.conftest import PASSWORD, sign_in
from tests.browser.pages import BUILDER, AdminPage, admin_pages
from tests.conftest import KeyClient
from tests.exports.conftest import export_of, storage
from tests.factories import DeliveryFactory
from webhooks.models import Attempt

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
}
# The other rules do not depend on colors.
COLOR_RULES = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
AXE = Axe()
# Pages that the admin refuses: some records cannot be added or deleted in the admin, and the errors
# of batches have no page of their own.
_REFUSED = {"_add": 403, "_delete": 403, "batcherror_change": 404}


@pytest.fixture
def records(acme: Organization, alice: KeyClient) -> None:
    """One record of each model, and jobs in several statuses."""
    sizes = {source.unit: source.min_size for source in demo_sources()}
    call_command("demo_data", organization=acme.slug, verbosity=0, **sizes)
    columns = {"columns": ["id", "name"]}
    filters = {"name_cont": "a", "created_at_gteq": "2020-01-01"}
    body = {"resource": "contact", "csv_field_options": columns, "filters": filters}
    runner.run(export_of(acme, body).pk)
    export_of(acme, body)
    failed = export_of(acme, body)
    error = {"error": "too_many_records", "message": "The export has more rows than the limit."}
    now = timezone.now()
    Export.objects.filter(pk=failed.pk).update(status="failed", completed_at=now, error=error)
    run_batch(created(post_file(alice, CSV_WITH_ERROR, mode="async")))
    run_batch(created(post_file(alice, CSV_WITH_ERROR, mode="async", dry_run=True)))
    delivery = DeliveryFactory.create(subscription__organization=acme)
    Attempt.objects.create(delivery=delivery, started_at=now, milliseconds=9, error="refused")
    ExportLimits.objects.create(organization=acme, unfinished=2)
    BatchLimits.objects.create(organization=acme, unfinished=2)
    AuditEntry.objects.create(
        username="admin", action=AuditAction.DOWNLOAD, organization=acme, subject="exp_1"
    )
    Group.objects.get_or_create(name="Night shift")
    every = IntervalSchedule.objects.create(every=5, period="minutes")
    CrontabSchedule.objects.create()
    ClockedSchedule.objects.create(clocked_time=now)
    PeriodicTask.objects.create(name="Recover", task="exports.recover", interval=every)


def violations(page: Page, rules: dict[str, Any]) -> list[str]:
    """Return what axe-core finds, one line per element."""
    found = AXE.run(page, options=rules).response["violations"]
    return [
        f"{each['id']}: {node['html'][:160]} ({(node['failureSummary'] or '')[:200]})"
        for each in found
        for node in each["nodes"]
    ]


def problems(page: Page, visited: AdminPage) -> list[str]:
    """Open a page and return its problems; none if a superuser may not open it."""
    if page.request.get(visited.address).status == 405:
        return []  # Receives a form only.
    response = page.goto(visited.address)
    assert response is not None
    if any(visited.name.endswith(end) for end, code in _REFUSED.items() if code == response.status):
        return []
    if response.status != 200:
        return [f"{visited}: {response.status}"]
    assert "/login/" not in page.url, visited
    if "<main" not in response.text():
        return []  # Data, not a page.
    if visited.name == BUILDER:
        expect(page.get_by_role("region", name="First rows of the file")).to_be_visible()
    # A color that is changing has no contrast.
    page.add_style_tag(content="*, *::before { transition: none !important; }")
    found = violations(page, RULES)
    page.evaluate("document.documentElement.classList.add('dark')")
    found += [f"dark: {each}" for each in violations(page, COLOR_RULES)]
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > NARROW["width"]:
        found.append(f"{width} px wide on a phone")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    return [f"{visited.name}: {each}" for each in found]


def test_all_pages_are_accessible_in_both_themes(admin: Page, records: None) -> None:
    errors: list[str] = []
    admin.on(
        "console",
        lambda message: errors.append(message.text) if message.type == "error" else None,
    )
    admin.set_viewport_size(WIDE)  # type: ignore[arg-type]
    pages = admin_pages()
    expected = {"index", "exports_export_change", "batches_batch_wizard_checks", BUILDER}
    assert expected <= {page.name for page in pages}
    found = [problem for page in pages for problem in problems(admin, page)]
    # Pages that a superuser may not open.
    errors = [error for error in errors if "403" not in error and "404" not in error]
    assert not found + errors, "\n".join(found + errors)


def test_dialogs_and_pages_after_a_form_are_accessible(
    admin: Page, acme: Organization, alice: KeyClient
) -> None:
    """Pages that have no address of their own."""
    export = export_of(acme, {"resource": "contact"})
    batch = run_batch(created(post_file(alice, CSV, mode="async")))
    dialogs = {
        f"exports/export/{export.pk}": ("Cancel", "Cancel the job"),
        f"batches/batch/{batch.pk}": ("Undo", "Undo the batch"),
    }
    found: list[str] = []
    for path, (button, confirmation) in dialogs.items():
        admin.goto(f"/admin/{path}/change/")
        admin.get_by_role("link", name=button).or_(admin.get_by_role("button", name=button)).click()
        expect(admin.get_by_role("button", name=confirmation, exact=True)).to_be_visible()
        found += violations(admin, RULES)
    admin.goto("/admin/exports/export/")
    admin.locator("input[name=_selected_action]").check()
    admin.locator("select[name=action]").select_option("cancel_selected")
    admin.get_by_role("button", name="Run").click()
    expect(admin.get_by_role("heading", name="Cancel 1 export?").first).to_be_visible()
    found += violations(admin, RULES)
    admin.goto(f"/admin/longshore_accounts/apikey/add/?organization={acme.pk}")
    admin.get_by_label("Name").fill("Night run")
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_text("Copy the key now.")).to_be_visible()
    found += violations(admin, RULES)
    assert not found, "\n".join(found)


def test_the_page_to_sign_in_is_accessible(page: Page) -> None:
    page.goto("/admin/login/")
    assert violations(page, RULES) == []


def test_the_first_tab_stop_skips_the_navigation(admin: Page) -> None:
    admin.goto("/admin/")
    admin.keyboard.press("Tab")
    expect(admin.get_by_role("link", name="Skip to the content")).to_be_focused()
    admin.keyboard.press("Enter")
    admin.keyboard.press("Tab")
    inside = "document.querySelector('#content').contains(document.activeElement)"
    assert admin.evaluate(inside)


def test_controls_of_the_frame_work_by_keyboard(admin: Page) -> None:
    admin.goto("/admin/")
    menu = admin.get_by_role("button", name="admin", exact=False).last
    menu.focus()
    admin.keyboard.press("Enter")
    dark = admin.get_by_role("button", name="Dark")
    expect(dark).to_be_visible()
    dark.focus()
    admin.keyboard.press("Space")
    expect(admin.locator("html")).to_have_class("dark")


def test_the_palette_finds_an_organization(admin: Page, acme: Organization) -> None:
    admin.goto("/admin/")
    admin.keyboard.press("Control+k")
    admin.get_by_placeholder("Type to search").press_sequentially("acme")
    admin.get_by_role("link", name="Acme Freight").click()
    admin.wait_for_url(f"**/{acme.pk}/change/")


def test_a_page_that_is_refused_is_accessible(page: Page) -> None:
    User.objects.create_user("mary", password=PASSWORD, is_staff=True)
    sign_in(page, "mary")
    response = page.goto("/admin/exports/export/build/")
    assert response is not None
    assert response.status == 403
    expect(page.get_by_role("heading", name="You may not open this page")).to_be_visible()
    assert violations(page, RULES) == []


def test_the_page_of_an_internal_error_is_accessible(admin: Page) -> None:
    table = AuditEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO missing")
        try:
            response = admin.goto("/admin/longshore_accounts/auditentry/")
        finally:
            cursor.execute(f"ALTER TABLE missing RENAME TO {table}")
    assert response is not None
    assert response.status == 500
    expect(admin.get_by_role("heading", name="Something went wrong")).to_be_visible()
    assert violations(admin, RULES) == []


def test_the_page_of_a_locked_sign_in_is_accessible(page: Page) -> None:
    page.goto("/admin/login/")
    for _ in range(5):
        page.get_by_label("Username").fill("mary")
        page.get_by_label("Password").fill("guess")
        page.get_by_role("button", name="Log in").click()
        expect(
            page.get_by_label("Password").or_(page.get_by_text("wrong passwords"))
        ).to_be_visible()
    expect(page.get_by_text("Sign-in is locked")).to_be_visible()
    assert violations(page, RULES) == []


@pytest.mark.parametrize("address", ["/nothing", "/admin/exports/export/1/change/"])
def test_a_missing_page_is_styled(admin: Page, address: str) -> None:
    response = admin.goto(address)
    assert response is not None
    assert response.status == 404
    expect(admin.get_by_role("heading", name="This page does not exist")).to_be_visible()
    assert violations(admin, RULES) == []
    admin.get_by_role("link", name="Go to the admin").click()
    admin.wait_for_url("**/admin/")
