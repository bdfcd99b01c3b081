"""The admin of batches in a real browser, under the content security policy."""

import pytest
from playwright.sync_api import Page, expect

from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch
from longshore.domains.logistics.models import Contact
from tests.batches.running import created, post_file, run
from tests.claims import claim
from tests.conftest import KeyClient
from tests.exports.conftest import storage

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]
CONTENT = "name,is_primary\nZoë,true\n" + "Łukasz,perhaps\n" * 6


@pytest.fixture
def queued(alice: KeyClient) -> Batch:
    return created(post_file(alice, CONTENT, mode="async"))


def test_the_page_follows_the_phases_until_the_batch_is_completed(
    admin: Page, queued: Batch
) -> None:
    admin.goto(f"/admin/batches/batch/{queued.pk}/change/")
    expect(admin.get_by_text("Waiting for a worker")).to_be_visible()
    admin.evaluate("window.loadedOnce = true")
    batch = claim(batch_lifecycle, queued)
    assert batch is not None
    phase = {"name": "parsing", "total": 8, "processed": 2, "success": 2, "error": 0}
    batch_lifecycle.report(batch, 2, phases=[phase])
    expect(admin.get_by_text("Parsing: 2 of 8 rows")).to_be_visible()
    expect(admin.get_by_role("progressbar", name="Parsing")).to_have_js_property("value", 25)
    batch_lifecycle.retry_later(batch, "The test ended the attempt.")
    run(batch)
    expect(admin.get_by_text("7 rows: 1 created, 6 failed.")).to_be_visible()
    expect(admin.get_by_role("list", name="Phases").get_by_role("listitem")).to_have_count(3)
    assert admin.evaluate("window.loadedOnce")
    admin.get_by_role("link", name="show all").click()
    expect(admin.get_by_text("'perhaps' is not a valid value of is_primary")).to_have_count(6)


def test_a_batch_is_undone_by_a_button(admin: Page, queued: Batch) -> None:
    run(queued)
    admin.goto(f"/admin/batches/batch/{queued.pk}/change/")
    admin.get_by_role("link", name="Undo").or_(admin.get_by_role("button", name="Undo")).click()
    admin.get_by_role("button", name="Undo the batch").click()
    reversal = admin.get_by_role("link", name="batch_").last
    expect(admin.get_by_text("The batch is undone by batch_").first).to_be_visible()
    run(Batch.objects.get(reverses=queued))
    reversal.click()
    expect(admin.get_by_role("heading", name="Contacts, undo of merge")).to_be_visible()
    assert not Contact.objects.exists()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(admin: Page, queued: Batch, width: int) -> None:
    run(queued)
    admin.set_viewport_size({"width": width, "height": 900})
    for address in ("batch/", f"batch/{queued.pk}/change/", f"batcherror/?batch={queued.pk}"):
        admin.goto(f"/admin/batches/{address}")
        assert admin.evaluate("document.documentElement.scrollWidth") <= width
        for table in admin.locator("#result_list").all():
            wrapper = "element => element.scrollWidth - element.parentElement.clientWidth"
            assert table.evaluate(wrapper) <= 0
