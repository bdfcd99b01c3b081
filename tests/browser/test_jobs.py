"""The pages of exports and batches in a real browser."""

import hashlib
import zipfile
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from batches.models import Batch
from exports.execution import runner
from exports.lifecycle.limits import too_many_records
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, Status
from longshore.accounts.models import AuditEntry, Organization
from longshore.domains.logistics.models import Contact
from tests.batches.running import created, post_file, run
from tests.claims import claim
from tests.conftest import KeyClient
from tests.exports.conftest import export_of, storage

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]
LIST = "/admin/exports/export/"
NAMES = [f"Contact {number:03}" for number in range(50)]
BODY = {
    "resource": "contact",
    "max_rows_per_file": 20,
    "metadata": {"team": "finance"},
    "filters": {"name_start": "Contact"},
    "csv_field_options": {"columns": ["id", "name"]},
}


@pytest.fixture
def queued(acme: Organization) -> Export:
    Contact.objects.bulk_create(Contact(organization=acme, name=name) for name in NAMES)
    return export_of(acme, BODY, records_count=len(NAMES))


def page_of(export: Export) -> str:
    return f"{LIST}{export.pk}/change/"


def press(admin: Page, button: str, confirmation: str) -> None:
    """Click a button above the page and confirm the dialog that it opens."""
    admin.get_by_role("link", name=button).or_(admin.get_by_role("button", name=button)).click()
    admin.get_by_role("button", name=confirmation, exact=True).click()


def test_all_files_of_an_export_arrive_in_one_archive(admin: Page, queued: Export) -> None:
    runner.run(queued.pk)
    admin.goto(LIST)
    admin.get_by_placeholder("Part of an id").fill(queued.public_id[-6:].upper())
    admin.keyboard.press("Enter")
    row = admin.get_by_role("row").filter(has_text=queued.public_id)
    row.get_by_role("link", name=queued.public_id).first.click()
    expect(admin.get_by_text("Name starts with “Contact”")).to_be_visible()
    with admin.expect_download() as download:
        admin.get_by_role("link", name="Download all (3)").click()
    assert download.value.suggested_filename == f"{queued.public_id}.zip"
    rows: list[str] = []
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        files = {file.name: file for file in queued.files.all()}
        assert set(archive.namelist()) == set(files)
        for name, file in files.items():
            content = archive.read(name)
            assert hashlib.sha256(content).hexdigest() == file.sha256
            rows += content.decode().splitlines()[1:]
    found = sorted(tuple(row.split(",")) for row in rows)
    assert found == sorted(Contact.objects.values_list("id", "name"))
    assert AuditEntry.objects.get(action="download").message == "Downloaded all 3 files."


def test_the_page_of_an_export_follows_it_until_it_is_canceled(admin: Page, queued: Export) -> None:
    admin.goto(page_of(queued))
    admin.evaluate("window.loadedOnce = true")
    bar = admin.get_by_role("progressbar")
    admin.get_by_text("The request as JSON").first.click()
    expect(admin.get_by_text('"team": "finance"')).to_be_visible()
    export = claim(export_lifecycle, queued)
    assert export is not None
    for rows in (10, 25):
        export_lifecycle.report(export, rows)
        expect(bar).to_have_js_property("value", 2 * rows)
    # What the reader has opened stays open.
    expect(admin.get_by_text('"team": "finance"')).to_be_visible()
    assert admin.evaluate("window.loadedOnce")
    press(admin, "Cancel", "Cancel the job")
    expect(admin.get_by_text("Canceled by the staff.").first).to_be_visible()
    expect(admin.get_by_text("Cancel by admin")).to_be_visible()
    queued.refresh_from_db()
    assert queued.status == Status.CANCELED


def test_the_buttons_follow_the_status(admin: Page, queued: Export) -> None:
    admin.goto(page_of(queued))
    expect(
        admin.get_by_role("link", name="Cancel").or_(admin.get_by_role("button", name="Cancel"))
    ).to_be_visible()
    export = claim(export_lifecycle, queued)
    assert export is not None
    error = too_many_records(1_204_332, 1_000_000)
    export_lifecycle.fail(export, error.code, error.message)
    failure = admin.get_by_role("region", name="Why the job failed")
    expect(failure).to_contain_text("1,204,332 records; the limit is 1,000,000")
    expect(failure.get_by_role("link", name="Change the limits")).to_be_visible()
    press(admin, "Retry", "Retry the job")
    expect(admin.get_by_text("The export was queued again.").first).to_be_visible()


def test_selected_exports_are_canceled(admin: Page, queued: Export, acme: Organization) -> None:
    others = [export_of(acme, BODY) for _ in range(2)]
    admin.goto(LIST)
    for export in others:
        row = admin.get_by_role("row").filter(has_text=export.public_id)
        row.get_by_role("checkbox").check()
    # The selection outlives the refresh of the rows.
    with admin.expect_response(f"**{LIST}"):
        pass
    admin.locator("select[name=action]").select_option("cancel_selected")
    admin.get_by_role("button", name="Run").click()
    expect(admin.get_by_role("heading", name="Cancel 2 exports?").first).to_be_visible()
    admin.get_by_role("button", name="Cancel", exact=True).click()
    expect(admin.get_by_text("2 exports canceled.")).to_be_visible()
    canceled = Export.objects.filter(status=Status.CANCELED)
    assert {each.pk for each in canceled} == {each.pk for each in others}


def test_the_dialog_of_an_undo_says_what_it_reverses(admin: Page, alice: KeyClient) -> None:
    batch = run(created(post_file(alice, "name\nZoë\nŁukasz\n", mode="async")))
    admin.goto(f"/admin/batches/batch/{batch.pk}/change/")
    admin.get_by_role("link", name="Undo").or_(admin.get_by_role("button", name="Undo")).click()
    expect(admin.get_by_text("2 created contacts are deleted.")).to_be_visible()
    admin.get_by_role("button", name="Undo the batch").click()
    expect(admin.get_by_text("The batch is undone by batch_").first).to_be_visible()
    reversal = Batch.objects.get(reverses=batch)
    admin.get_by_role("link", name=reversal.public_id).first.click()
    expect(admin.get_by_text("Reverses what another batch wrote to contacts.")).to_be_visible()
    # And back.
    admin.get_by_role("link", name=batch.public_id).click()
    expect(admin.get_by_role("heading", name="Contacts, merge")).to_be_visible()


@pytest.fixture
def of_each_kind(queued: Export, acme: Organization, alice: KeyClient) -> list[str]:
    """The addresses of lists, of a completed and a failed export, and of a batch."""
    runner.run(queued.pk)
    error = too_many_records(1_204_332, 1_000_000)
    failed = export_of(
        acme,
        BODY,
        status=Status.FAILED,
        completed_at=timezone.now() - timedelta(minutes=1),
        error={"error": error.code.value, "message": error.message},
    )
    batch = run(created(post_file(alice, "name,is_primary\nZoë,perhaps\nŁukasz,\n", mode="async")))
    batches = "/admin/batches/"
    return [
        *(LIST, f"{LIST}?q=nothing", page_of(queued), page_of(failed)),
        *(f"{batches}batch/", f"{batches}batch/{batch.pk}/change/"),
        f"{batches}batcherror/?batch={batch.pk}",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_meet_wcag_aa_and_fit_a_phone(
    admin: Page, of_each_kind: list[str], scheme: str
) -> None:
    axe = Axe()
    admin.evaluate(f"localStorage.setItem('_x_adminTheme', JSON.stringify('{scheme}'))")
    own = ".admin-summary, .job-progress, .admin-note, .admin-confirm, .batch-chips"
    for address in of_each_kind:
        admin.goto(address)
        # The parts of this project; other tests check the frame of the admin.
        if admin.locator(own).count():
            options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
            found = axe.run(admin, context=own, options=options)
            assert found.violations_count == 0, (address, found.generate_report())
        admin.set_viewport_size({"width": 390, "height": 844})
        assert admin.evaluate("document.documentElement.scrollWidth") <= 390, address
        admin.set_viewport_size({"width": 1280, "height": 900})
