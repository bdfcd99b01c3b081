"""The guide at /docs/guide: a strict build, in a browser under the content security policy."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect

from exports_project import guide
from tests.browser.test_accessibility import RULES, violations

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide, as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("guide")
    shutil.copy(settings.BASE_DIR / "zensical.toml", folder)
    shutil.copytree(settings.BASE_DIR / "docs", folder / "docs")
    command = [str(Path(sys.executable).parent / "zensical"), "build", "--strict"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "exports_project" / "site"


@pytest.fixture
def site(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(guide, "SITE", built)
    return built


def test_every_address_in_a_page_leads_to_a_file_of_the_guide(site: Path) -> None:
    pages = [*site.rglob("index.html")]
    assert len(pages) > 40
    addresses = {
        (page, address)
        for page in pages
        for address in re.findall(r'(?:href|src)="?([^" >]+)', page.read_text())
    }
    loaded = {
        urlsplit(address).netloc
        for page in pages
        for address in re.findall(r"<(?:script|link|img)[^>]+(?:href|src)=(\S+)", page.read_text())
    }
    assert loaded == {""}
    missing = []
    for page, address in addresses:
        parts = urlsplit(address)
        if parts.netloc or address in ("/docs", "/admin/"):
            continue
        target = (page.parent / unquote(parts.path)).resolve()
        target = target / "index.html" if target.is_dir() else target
        anchor = f'id="?{re.escape(unquote(parts.fragment))}\\b'
        if not target.is_file() or (parts.fragment and not re.search(anchor, target.read_text())):
            missing.append((page.parent.name, address))
    assert missing == []


def test_a_folder_without_slash_is_redirected_and_other_paths_are_not_found(
    client: Client, site: Path
) -> None:
    for path in ("/docs/guide", "/docs/guide/api"):
        assert client.get(path)["Location"] == f"{path}/"
    assert client.get("/docs/guide/api/").status_code == 200
    for path in ("nothing/", "x" * 1000):
        assert client.get(f"/docs/guide/{path}").status_code == 404
    for path in ("../__init__.py", "/etc/passwd", "%2e%2e/__init__.py"):
        assert client.get(f"/docs/guide/{path}").status_code in (400, 404)
    assert client.post("/docs/guide/").status_code == 405


@pytest.mark.usefixtures("static_files")
def test_only_an_installation_with_the_guide_links_to_it(
    client: Client, built: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client.force_login(User.objects.create_superuser("admin"))
    for folder, is_linked in ((built, True), (tmp_path, False)):
        monkeypatch.setattr(guide, "SITE", folder)
        for path in ("/docs", "/admin/"):
            assert ("/docs/guide/" in client.get(path).content.decode()) == is_linked, path
        assert client.get("/docs/guide/").status_code == (200 if is_linked else 404)


@pytest.mark.usefixtures("site")
def test_the_search_finds_a_page_and_the_dark_mode_is_kept(page: Page) -> None:
    page.goto("/docs/guide/")
    page.get_by_title("Switch to light mode").click()
    page.get_by_title("Switch to dark mode").click()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page.get_by_role("button", name="Search").click()
    page.locator("input[aria-label=Search]").fill("overlap")
    result = page.get_by_role("option", name="From when on")
    expect(result.first).to_be_visible()
    result.first.click()
    expect(page.get_by_role("heading", name="Incremental exports")).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_meet_wcag(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for path in ("", "recipes/webhooks/", "comparison/", "staff/"):
        page.goto(f"/docs/guide/{path}")
        assert violations(page, RULES) == [], path
