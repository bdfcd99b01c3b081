"""The admin of exports and API keys in a real browser, under the content security policy."""

import csv

import pytest
from playwright.sync_api import Page, Route, expect

from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from longshore.accounts.models import ApiKey, Organization
from longshore.domains.logistics.models import Contact
from tests.claims import claim
from tests.exports.conftest import export_of

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ["Zoë Ünal", "山田 太郎", 'says "hi", 👋', "first line\nsecond line"]


@pytest.fixture
def queued(acme: Organization) -> Export:
    Contact.objects.bulk_create(Contact(organization=acme, name=name) for name in NAMES)
    body = {"resource": "contact", "csv_field_options": {"columns": ["id", "name"]}}
    return export_of(acme, body, records_count=len(NAMES))


def test_the_list_follows_an_export_without_reloading_until_its_download(
    admin: Page, queued: Export
) -> None:
    admin.goto("/admin/exports/export/")
    row = admin.get_by_role("row").filter(has_text=queued.public_id)
    progress = row.get_by_role("progressbar")
    expect(row).to_contain_text("Waiting for a worker")
    admin.evaluate("window.loadedOnce = true")

    export = claim(export_lifecycle, queued)
    assert export is not None
    export_lifecycle.report(export, 3)
    expect(row).to_contain_text("3 of 4 rows")
    expect(progress).to_have_js_property("value", 75)
    expect(row.get_by_title("Download")).to_have_count(0)

    export_lifecycle.retry_later(export, "The test ended the attempt.")
    Export.objects.update(not_before=None)
    runner.run(export.pk)
    expect(row).to_contain_text("Completed")
    expect(progress).to_have_js_property("value", 100)
    assert admin.evaluate("window.loadedOnce")

    with admin.expect_download() as download:
        row.get_by_title("Download").click()
    assert download.value.suggested_filename == queued.files.get().name
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["id", "name"]
    assert sorted(map(tuple, rows)) == sorted(Contact.objects.values_list("id", "name"))


@pytest.mark.parametrize("is_answered", [True, False])
def test_the_list_follows_an_export_after_a_refresh_that_failed(
    admin: Page, queued: Export, is_answered: bool
) -> None:
    admin.goto("/admin/exports/export/")
    row = admin.get_by_role("row").filter(has_text=queued.public_id)
    expect(row).to_contain_text("Waiting for a worker")

    def fail(route: Route) -> None:
        if is_answered:
            route.fulfill(status=502, body="Bad Gateway")
        else:
            route.abort()

    admin.route("**/admin/exports/export/", fail, times=1)
    with admin.expect_request("**/admin/exports/export/"):
        pass
    runner.run(queued.pk)
    expect(row).to_contain_text("Completed")


def test_the_page_of_an_export_is_refreshed_until_its_file_is_ready(
    admin: Page, queued: Export
) -> None:
    admin.goto(f"/admin/exports/export/{queued.pk}/change/")
    expect(admin.get_by_text("Waiting for a worker")).to_be_visible()
    runner.run(queued.pk)
    expect(admin.get_by_role("link", name="Download")).to_be_visible()
    expect(admin.get_by_text(queued.files.get().sha256)).to_be_visible()


def test_a_row_of_the_list_opens_by_keyboard_and_loads_its_files_then(
    admin: Page, queued: Export
) -> None:
    runner.run(queued.pk)
    loaded: list[str] = []
    admin.on("request", lambda request: loaded.append(request.url))
    admin.goto("/admin/exports/export/")
    opener = admin.get_by_role("button", name="Show more")
    expect(opener).to_have_attribute("aria-expanded", "false")
    assert not any("/row/" in url for url in loaded)
    opener.press("Enter")
    expect(admin.get_by_role("link", name=queued.files.get().name)).to_be_visible()
    expect(opener).to_have_attribute("aria-expanded", "true")
    opener.press("Enter")
    expect(admin.get_by_role("link", name=queued.files.get().name)).to_be_hidden()
    expect(opener).to_have_attribute("aria-expanded", "false")


def test_a_row_leaves_a_filtered_list_when_it_no_longer_matches(
    admin: Page, queued: Export
) -> None:
    admin.goto("/admin/exports/export/?status__exact=queued")
    row = admin.get_by_role("row").filter(has_text=queued.public_id)
    expect(row).to_be_visible()
    runner.run(queued.pk)
    expect(row).to_have_count(0)


def test_a_new_api_key_is_shown_once_and_works(admin: Page, acme: Organization) -> None:
    admin.goto("/admin/longshore_accounts/apikey/add/")
    admin.get_by_label("Name").fill("Night run")
    admin.locator(".select2-selection").click()
    admin.get_by_role("option", name=acme.name).click()
    admin.get_by_role("button", name="Save").click()

    key = admin.get_by_role("code").inner_text()
    api_key = ApiKey.objects.get(name="Night run")
    assert ApiKey.objects.get_from_key(key) == api_key
    assert key not in str(ApiKey.objects.values().get(pk=api_key.pk))
    response = admin.request.get("/v1/exports", headers={"PX-API-KEY": key})
    assert response.status == 200

    for address in (
        "",
        f"/admin/longshore_accounts/apikey/{api_key.pk}/change/",
        "/admin/longshore_accounts/apikey/",
    ):
        admin.goto(address) if address else admin.reload()
        expect(admin.get_by_text("Night run").first).to_be_visible()
        assert key not in admin.content()
    assert ApiKey.objects.count() == 1
