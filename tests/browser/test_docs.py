"""The API documentation in a real browser, under the content security policy."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from longshore.accounts.models import ApiKey, Organization

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("scheme", "header", "prefix"),
    [
        ("ApiKey", "px-api-key", ""),
        ("XApiKey", "x-api-key", ""),
        ("Bearer", "authorization", "Bearer "),
    ],
)
def test_a_request_is_sent_with_the_key_in_each_header(
    page: Page, acme: Organization, scheme: str, header: str, prefix: str
) -> None:
    _, key = ApiKey.objects.create_key(organization=acme, name="docs")
    page.goto("/docs")
    expect(page.get_by_role("heading", name="Longshore API")).to_be_visible()
    page.get_by_role("button", name="Authorize").click()
    # Each header has its own form; the inputs have the same id.
    form = page.locator("form").filter(has=page.get_by_text(scheme, exact=True))
    form.get_by_role("textbox").fill(key)
    form.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").first.click()
    page.locator("#operations-tag-Resources").click()
    operation = page.locator("#operations-Resources-list_resources")
    operation.locator(".opblock-summary").click()
    with page.expect_request("**/v1/resources") as sent:
        operation.get_by_role("button", name="Execute").click()
    assert sent.value.headers[header] == f"{prefix}{key}"
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text(
        "200"
    )
    expect(operation.locator(".live-responses-table")).to_contain_text('"plural": "contacts"')


def test_operations_come_first_and_are_dark_if_the_system_is(page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto("/docs")
    first = page.locator(".opblock-tag").first
    expect(first).to_be_in_viewport()
    expect(page.locator("html.dark-mode")).to_be_attached()
    page.emulate_media(color_scheme="light")
    expect(page.locator("html.dark-mode")).not_to_be_attached()
    # The schema of an operation is resolved with the components that it refers to.
    page.locator("#operations-tag-Exports").click()
    operation = page.locator("#operations-Exports-get_export")
    operation.locator(".opblock-summary").click()
    schema = operation.get_by_role("tab", name="Schema").first
    schema.click()
    expect(operation.get_by_text("records_count").first).to_be_visible()
    expect(operation.get_by_text("Could not resolve reference")).to_have_count(0)


def test_the_reference_shows_each_operation_and_loads_nothing_from_other_servers(
    browser: Browser, live_server: LiveServer, static_files: None
) -> None:
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    loaded: list[str] = []
    page.on("response", lambda response: loaded.append(response.url))
    page.goto("/docs/redoc")
    description = page.request.get("/v1/schema", headers={"Accept": "application/json"}).json()
    paths = description["paths"].values()
    summaries = [operation["summary"] for path in paths for operation in path.values()]
    assert len(summaries) > 50
    # ReDoc renders the operations in several steps.
    for summary in (summaries[0], summaries[-1]):
        heading = page.locator("h2").filter(has_text=summary).first
        expect(heading).to_be_attached(timeout=120_000)
    headings = "\n".join(page.locator("h2").all_text_contents())
    assert [summary for summary in summaries if summary not in headings] == []
    assert all(url.startswith((live_server.url, "blob:", "data:")) for url in loaded), loaded
    context.close()
