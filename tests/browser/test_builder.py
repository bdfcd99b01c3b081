"""The export builder in a real browser: by mouse and by keyboard alone."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from exports.execution import runner
from exports.models import Export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/admin/exports/export/build/"
NAMES = ["Ada", "Zoë Ünal", "山田 太郎", 'says "hi", 👋']


@pytest.fixture
def contacts(acme: Organization) -> list[Contact]:
    contacts = [
        Contact(organization=acme, name=name, email=f"{n}@x.org") for n, name in enumerate(NAMES)
    ]
    return Contact.objects.bulk_create(contacts)


@pytest.fixture
def builder(admin: Page, acme: Organization, contacts: list[Contact]) -> Page:
    """The builder of an export of contacts."""
    admin.goto(f"{PAGE}?resource=contact&organization={acme.pk}")
    expect(preview_of(admin).get_by_role("cell", name="Ada", exact=True).first).to_be_visible()
    return admin


def preview_of(page: Page) -> Locator:
    return page.get_by_role("region", name="First rows of the file")


def columns_of(page: Page) -> Locator:
    return page.get_by_role("list", name="Columns in the file, in order").get_by_role("listitem")


def downloaded(page: Page, export: Export) -> list[list[str]]:
    """Run an export whose page is open, and return the rows of its downloaded file."""
    runner.run(export.pk)
    page.reload()
    with page.expect_download() as download:
        page.locator("#content-main").get_by_role("link", name="Download").first.click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    return list(csv.reader(text.splitlines(), delimiter=";"))


def test_an_export_is_built_from_nothing_and_its_file_is_downloaded(
    admin: Page, acme: Organization, contacts: list[Contact]
) -> None:
    admin.goto(PAGE)
    admin.locator(".select2-selection").click()
    admin.get_by_role("option", name=acme.name).click()
    admin.get_by_label("What to export").select_option(label="Contacts")
    expect(preview_of(admin)).to_contain_text("Ada")

    admin.get_by_role("button", name="None").click()
    expect(columns_of(admin)).to_have_count(0)
    for path in ("email", "name"):
        admin.locator(f"[data-add='{path}']").click()
    expect(columns_of(admin)).to_have_count(2)
    admin.get_by_label("Header of name").fill("Full name")
    source, target = columns_of(admin).nth(1), columns_of(admin).nth(0)
    source.locator(".xb-handle").drag_to(target.locator(".xb-handle"))
    expect(columns_of(admin).nth(0)).to_contain_text("name")

    admin.get_by_role("button", name="Add filter").click()
    admin.get_by_label("Field of filter 1").select_option("name")
    admin.get_by_label("Operator of filter 1").select_option(label="does not contain")
    admin.get_by_label("Value of name").fill("Ada")
    admin.get_by_role("button", name="Excel CSV, semicolon").click()
    expect(preview_of(admin).get_by_role("columnheader")).to_have_text(["Full name", "email"])
    expect(preview_of(admin).get_by_role("row")).to_have_count(len(NAMES))
    expect(admin.locator("#xb-json")).to_contain_text('"name_not_cont": "Ada"')

    admin.get_by_role("button", name="Run export").click()
    admin.wait_for_url("**/change/")
    header, *rows = downloaded(admin, Export.objects.get())
    assert header == ["Full name", "email"]
    expected = Contact.objects.exclude(name="Ada").values_list("name", "email")
    assert sorted(map(tuple, rows)) == sorted(expected)


def test_the_keyboard_alone_chooses_renames_and_sorts_columns(builder: Page) -> None:
    press = builder.keyboard.press
    builder.get_by_role("button", name="None").focus()
    press("Enter")
    expect(columns_of(builder)).to_have_count(0)
    builder.get_by_label("Add columns").focus()
    for path in ("email", "phone", "name"):
        builder.keyboard.type(path)
        press("Enter")
    expect(columns_of(builder)).to_have_count(3)
    builder.get_by_role("button", name="Move name up").focus()
    press("Enter")
    press("Enter")
    press("Space")
    expect(columns_of(builder).nth(0)).to_contain_text("name")
    press("Tab")
    press("Tab")
    press("Enter")
    expect(columns_of(builder)).to_have_count(2)
    builder.get_by_label("Header of email").focus()
    builder.keyboard.type("Mail")
    expect(preview_of(builder).get_by_role("columnheader")).to_have_text(["Mail", "phone"])
    builder.get_by_role("button", name="Run export").focus()
    press("Enter")
    builder.wait_for_url("**/change/")
    columns = Export.objects.get().request["csv_field_options"]["columns"]
    assert list(columns.items()) == [("email", "Mail"), ("phone", True)]


def test_the_preview_explains_a_bad_value_at_its_control(builder: Page) -> None:
    builder.get_by_label("Limit", exact=True).fill("many")
    message = "'many' is not a valid limit."
    expect(builder.locator("[data-place=limit]")).to_contain_text(message)
    expect(builder.get_by_role("alert")).to_contain_text(message)
    expect(builder.get_by_label("Limit", exact=True)).to_have_attribute("aria-invalid", "true")
    builder.get_by_label("Limit", exact=True).fill("2")
    expect(builder.locator("[data-place=limit]")).not_to_contain_text(message)
    expect(preview_of(builder).get_by_role("row")).to_have_count(3)


def test_the_preview_is_read_once_after_each_change(builder: Page) -> None:
    requests: list[str] = []
    builder.on("request", lambda each: requests.append(each.url))
    with builder.expect_response("**/preview/"):
        builder.get_by_label("Time zone", exact=True).fill("Europe/Berlin")
    expect(builder.locator("#xb-example")).to_contain_text("(Europe/Berlin)")
    builder.locator(".xb-menu > summary").click()
    builder.get_by_role("textbox", name="Name", exact=True).press_sequentially("Berlin")
    builder.wait_for_timeout(1000)
    assert [each.rpartition("/build/")[2] for each in requests] == ["preview/"]


def test_single_fields_of_related_records_are_chosen_in_the_tree(builder: Page) -> None:
    builder.get_by_label("Format").select_option("jsonl")
    builder.get_by_label("Fields of groups", exact=True).first.click()
    group = builder.get_by_role("group", name="Fields of groups", exact=True)
    group.get_by_label("name", exact=True).check()
    expect(builder.locator("#xb-json")).to_contain_text('"groups.name"')
    expect(preview_of(builder)).to_contain_text('"groups":[]')


def test_nothing_is_wider_than_a_phone(builder: Page) -> None:
    builder.set_viewport_size({"width": 390, "height": 844})
    width = "document.documentElement.scrollWidth"
    assert builder.evaluate(width) <= 390
