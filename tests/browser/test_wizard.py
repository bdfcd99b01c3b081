"""The batch wizard in a real browser: from a file with errors to written records, and undo."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from batches.execution import runner
from batches.models import Batch
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from tests.exports.conftest import storage

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]
PAGE = "/admin/batches/batch/wizard/"


@pytest.fixture
def zoe(acme: Organization) -> Contact:
    return Contact.objects.create(organization=acme, name="Zoë", email="old@example.org")


@pytest.fixture
def file(tmp_path: Path, zoe: Contact) -> Path:
    """A file with one changed record, one new one, and two rows with errors."""
    path = tmp_path / "people.csv"
    rows = [
        "id;Full name;E-mail;is_primary;Shoe size",
        f"{zoe.pk};Zoë;new@example.org;false;43",
        ";Ada;ada@example.org;true;38",
        ";Łukasz;lukasz@example.org;perhaps;42",
        ";Grace;grace@example.org;maybe;39",
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def run_newest() -> Batch:
    """Run the newest batch, as a worker would."""
    batch = Batch.objects.order_by("-pk")[0]
    runner.run(batch.pk)
    batch.refresh_from_db()
    return batch


def upload(page: Page, acme: Organization, file: Path) -> None:
    page.goto(f"{PAGE}?organization={acme.pk}&resource=contact")
    page.set_input_files("#bw-file", file)
    expect(page.locator("#bw-file-name")).to_contain_text("people.csv")
    page.get_by_role("button", name="Upload").click()
    page.wait_for_url("**/mapping/")


def test_a_file_is_uploaded_mapped_mended_compared_run_and_undone(
    admin: Page, acme: Organization, zoe: Contact, file: Path
) -> None:
    upload(admin, acme, file)
    expect(admin.get_by_label("Full name", exact=True)).to_have_value("name")
    expect(admin.get_by_label("E-mail", exact=True)).to_have_value("email")
    with admin.expect_response("**/preview/"):
        admin.get_by_label("Shoe size", exact=True).select_option("")
    expect(admin.locator("#bw-result").get_by_role("alert")).to_have_count(0)
    admin.get_by_role("button", name="Check all rows").click()
    admin.wait_for_url("**/checks/")
    expect(admin.get_by_role("heading", name="Checking all rows")).to_be_visible()
    admin.evaluate("window.loadedOnce = true")

    assert run_newest().failed_count == 2
    expect(admin.get_by_role("heading", name="2 rows with errors")).to_be_visible()
    assert admin.evaluate("window.loadedOnce")
    wrong = admin.get_by_label("is_primary of row 3")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    wrong.fill("false")
    admin.get_by_label("is_primary of row 4").fill("true")
    admin.get_by_role("button", name="Save and check again").click()
    expect(admin.get_by_text("2 corrected rows")).to_be_visible()
    assert run_newest().failed_count == 0
    expect(admin.get_by_role("heading", name="No errors")).to_be_visible()

    admin.get_by_role("link", name="See what would change").click()
    changed = admin.get_by_role("region", name="Old and new values")
    expect(changed.locator("del")).to_have_text("old@example.org")
    expect(changed.locator("ins")).to_have_text("new@example.org")
    created = admin.get_by_role("region", name="Values of new records")
    expect(created.get_by_role("row")).to_have_count(4)
    expect(created).to_contain_text("Grace")
    assert Contact.objects.count() == 1

    admin.get_by_role("button", name="Run the batch").click()
    admin.wait_for_url("**/change/")
    batch = run_newest()
    expect(admin.get_by_text("4 rows: 3 created, 1 updated.")).to_be_visible()
    written = Contact.objects.order_by("name").values_list("name", "email", "is_primary")
    assert set(written) == {
        ("Ada", "ada@example.org", True),
        ("Grace", "grace@example.org", True),
        ("Zoë", "new@example.org", False),
        ("Łukasz", "lukasz@example.org", False),
    }

    admin.get_by_role("link", name="Undo").or_(admin.get_by_role("button", name="Undo")).click()
    admin.get_by_role("button", name="Undo the batch").click()
    expect(admin.get_by_text("The batch is undone by batch_").first).to_be_visible()
    assert run_newest().reverses == batch
    [left] = Contact.objects.all()
    assert (left.pk, left.email) == (zoe.pk, "old@example.org")


def test_the_steps_are_addresses(admin: Page, acme: Organization, file: Path) -> None:
    upload(admin, acme, file)
    admin.get_by_label("Shoe size", exact=True).select_option("")
    admin.get_by_role("button", name="Check all rows").click()
    admin.wait_for_url("**/checks/")
    run_newest()
    admin.go_back()
    admin.wait_for_url("**/mapping/")
    admin.reload()
    expect(admin.get_by_label("Shoe size", exact=True)).to_have_value("")
    expect(admin.get_by_label("Full name", exact=True)).to_have_value("name")
    admin.get_by_role("navigation", name="Steps").get_by_role("link", name="Checks").click()
    expect(admin.get_by_role("heading", name="2 rows with errors")).to_be_visible()


def test_a_file_is_dropped_and_the_upload_can_be_canceled(admin: Page, acme: Organization) -> None:
    admin.goto(f"{PAGE}?organization={acme.pk}&resource=contact")
    transfer = admin.evaluate_handle(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["name\\n".repeat(1000)], "dropped.csv"));
            return transfer;
        }"""
    )
    admin.dispatch_event("#bw-drop", "drop", {"dataTransfer": transfer})
    expect(admin.locator("#bw-file-name")).to_contain_text("dropped.csv")
    admin.route("**/v1/batches/uploads/**", lambda route: None)
    admin.get_by_role("button", name="Upload").click()
    expect(admin.get_by_role("progressbar", name="Progress of the upload")).to_be_visible()
    admin.get_by_role("button", name="Cancel").click()
    expect(admin.get_by_role("alert")).to_have_text("The upload was canceled.")
    expect(admin.get_by_role("button", name="Upload")).to_be_enabled()


def test_an_incomplete_form_is_explained_at_its_controls(admin: Page, acme: Organization) -> None:
    admin.goto(f"{PAGE}?organization={acme.pk}")
    admin.get_by_role("button", name="Upload").click()
    expect(admin.get_by_text("Choose a file.")).to_be_visible()
    admin.set_input_files(
        "#bw-file", {"name": "a.csv", "mimeType": "text/csv", "buffer": b"name\nAda\n"}
    )
    admin.get_by_role("button", name="Upload").click()
    expect(admin.get_by_text("Choose the resource of the rows.")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_no_step_is_wider_than_the_window(
    admin: Page, acme: Organization, file: Path, width: int
) -> None:
    admin.set_viewport_size({"width": width, "height": 900})
    wide = "document.documentElement.scrollWidth"
    upload(admin, acme, file)
    assert admin.evaluate(wide) <= width
    admin.get_by_label("Shoe size", exact=True).select_option("")
    admin.get_by_role("button", name="Check all rows").click()
    admin.wait_for_url("**/checks/")
    run_newest()
    expect(admin.get_by_role("heading", name="Correct the rows")).to_be_visible()
    assert admin.evaluate(wide) <= width
    admin.get_by_role("link", name="Continue without these rows").click()
    admin.wait_for_url("**/changes/")
    assert admin.evaluate(wide) <= width
