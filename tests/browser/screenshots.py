"""`make screenshots`: pictures of all pages of the admin, light and dark, wide and narrow.

Starts Longshore with demo data in a temporary folder. The pictures that README.md and docs/staff.md
show are stored in docs/screenshots/, all others in docs/screenshots/all/, which Git ignores.
"""

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Literal

import django
from PIL import Image
from playwright.sync_api import (
    APIRequestContext,
    APIResponse,
    FilePayload,
    Page,
    ViewportSize,
    sync_playwright,
)

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "docs" / "screenshots"
EVERYTHING = FOLDER / "all"
GUEST, GUARDED = "guest", "guarded"
PASSWORD = "open sesame"  # noqa: S105 (of the two guests only)
WIDTHS: dict[str, ViewportSize] = {
    "wide": {"width": 1440, "height": 900},
    "narrow": {"width": 390, "height": 844},
}
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
MAX_HEIGHT = 2000
QUALITY = 60
START_SECONDS, JOB_SECONDS = 600, 300
# The pictures of README.md and docs/staff.md: page, theme and width.
SHOWN = {
    "home": ("index", "light", "wide"),
    "home-narrow": ("index", "dark", "narrow"),
    "builder": ("builder", "light", "wide"),
    "export": ("exports_export_change", "dark", "wide"),
    "wizard": ("batches_batch_wizard_checks", "light", "wide"),
    "order": ("longshore_commerce_order_change", "light", "wide"),
}
# The request that the picture of the builder shows.
SHIPMENTS = {
    "resource": "shipment",
    "format": "csv",
    "options": {"provider": "fedex,ups,usps", "created_at": "gte:2024-12-01"},
    "csv_field_options": {
        "timezone": "America/New_York",
        "datetime_format": "MM/dd/yyyy hh:mm:ss a",
        "columns": {
            "id": True,
            "tracking_number": True,
            "provider": True,
            "status": True,
            "recipient": True,
            "location": "Shipped from",
            "created_at": True,
        },
    },
}
CONTACTS = "name;email;is_primary\nZoë Ünal;zoe@example.org;true\nŁukasz Żak;;perhaps\n".encode()
EXPORTS = (
    SHIPMENTS,
    {"resource": "contact", "format": "xlsx"},
    {"resource": "location", "format": "parquet"},
    {"resource": "tracker", "format": "json"},
)
UNFINISHED = (
    "/v1/exports?status=queued",
    "/v1/exports?status=processing",
    "/v1/batches?status=queued",
    "/v1/batches?status=processing",
)


@contextmanager
def longshore() -> Iterator[dict[str, str]]:
    """Run Longshore with demo data on a free port; yield the contents of demo.json."""
    with tempfile.TemporaryDirectory(prefix="longshore-") as folder:
        own = {"ENV_FILE": os.devnull, "DATABASE_URL": "", "BROKER_URL": ""}
        os.environ |= own | {"LOCAL_DIR": folder, "PORT": str(_free_port())}
        command = [sys.executable, "-m", "exports_project.serve"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            try:
                yield json.loads(_await_file(Path(folder) / "demo.json", process))
            finally:
                process.terminate()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _await_file(path: Path, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + START_SECONDS
    while not path.exists():
        if process.poll() is not None or time.monotonic() > end:
            sys.exit("Longshore did not start.")
        time.sleep(0.5)
    return path.read_text()


def create_jobs(api: APIRequestContext) -> None:
    """Create exports, batches and a webhook, and wait until the jobs have ended."""
    # Nothing listens there.
    webhook = {"name": "Warehouse", "target": "http://127.0.0.1:9/", "events": ["*"]}
    _expect_success(api.post("/v1/webhooks", data=webhook))
    for body in EXPORTS:
        _expect_success(api.post("/v1/exports", data=body))
    for dry_run in (True, False):
        request = json.dumps({"resource": "contact", "mode": "async", "dry_run": dry_run})
        file: FilePayload = {"name": "people.csv", "mimeType": "text/csv", "buffer": CONTACTS}
        _expect_success(api.post("/v1/batches", multipart={"request": request, "file": file}))
    end = time.monotonic() + JOB_SECONDS
    while any(api.get(path).json()["results"] for path in UNFINISHED):
        if time.monotonic() > end:
            sys.exit("The jobs did not end.")
        time.sleep(1)


def _expect_success(response: APIResponse) -> None:
    if not response.ok:
        sys.exit(f"{response.url}: {response.text()}")


def fill_history() -> None:
    """Add earlier hours to the charts of the home page, and a key that expires soon."""
    from datetime import timedelta

    from django.utils import timezone

    from longshore.accounts.models import ApiKey, Organization
    from longshore.jobs.models import JobHour

    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    for organization in Organization.objects.all():
        ApiKey.objects.create_key(
            name="Nightly reports",
            organization=organization,
            expiry_date=now + timedelta(days=12),
        )
        for hours, kind in product(range(1, 24 * 30), ("export", "batch")):
            when = now - timedelta(hours=hours)
            # More by day than by night, and exports more than batches.
            load = (15 - abs(when.hour - 13)) * (5 if kind == "export" else 2) + hours % 7
            for status, jobs in (("completed", load), ("failed", hours % 29 == 0)):
                rows = 1_700 * load if status == "completed" else 0
                JobHour.objects.create(
                    organization=organization,
                    hour=when,
                    kind=kind,
                    status=status,
                    jobs=jobs,
                    rows=rows,
                    bytes=rows * 210,
                )


def create_guests() -> None:
    """Add two people without permissions. One of them needs a code to sign in."""
    from django.contrib.auth.models import User

    from longshore.accounts.models import SecondFactor

    for name in (GUEST, GUARDED):
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    SecondFactor.objects.create(user=user, secret="", last_step=0, recovery_codes=[])


def sign_in(page: Page, username: str, password: str, until: str = "**/admin/") -> None:
    """Sign in by the form. until: the address to which it leads."""
    page.goto("/admin/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(until)


def take_refusals(page: Page, suffix: str) -> None:
    """Take the pages of sign-in, and those of people who may not go on."""
    page.goto("/admin/login/")
    take(page, EVERYTHING / f"login-{suffix}.webp")
    sign_in(page, GUARDED, PASSWORD, "**/login/code/**")
    take(page, EVERYTHING / f"login-code-{suffix}.webp")
    sign_in(page, GUEST, PASSWORD)
    for name, address in (("403", "/admin/exports/export/build/"), ("404", "/admin/nothing/")):
        page.goto(address)
        take(page, EVERYTHING / f"{name}-{suffix}.webp")
    page.context.clear_cookies()


def take(page: Page, path: Path) -> None:
    """Store a picture of the page, at most MAX_HEIGHT pixels high."""
    viewport = page.viewport_size
    assert viewport
    height = page.evaluate("document.documentElement.scrollHeight")
    # A picture of more than the viewport would show the bar at its bottom in the middle.
    page.set_viewport_size(
        {"width": viewport["width"], "height": max(viewport["height"], min(height, MAX_HEIGHT))}
    )
    image = Image.open(io.BytesIO(page.screenshot()))
    image.save(path, quality=QUALITY, method=6)
    page.set_viewport_size(viewport)


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "exports_project.settings"
    # Playwright runs an event loop in this thread, in which Django refuses queries by default.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    EVERYTHING.mkdir(parents=True, exist_ok=True)
    with longshore() as credentials, sync_playwright() as playwright:
        django.setup()
        # They need the settings.
        from tests.browser.conftest import NAMES
        from tests.browser.pages import admin_pages

        key = {"PX-API-KEY": credentials["api_key"]}
        base = credentials["base_url"]
        create_jobs(playwright.request.new_context(base_url=base, extra_http_headers=key))
        fill_history()
        create_guests()
        path = next(filter(None, map(shutil.which, NAMES)))
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        names = {value: name for name, value in SHOWN.items()}
        for theme, width in product(THEMES, WIDTHS):
            context = browser.new_context(
                base_url=credentials["base_url"],
                viewport=WIDTHS[width],
                color_scheme=theme,
            )
            page = context.new_page()
            take_refusals(page, f"{theme}-{width}")
            sign_in(page, credentials["admin_username"], credentials["admin_password"])
            for each in admin_pages():
                # Some addresses only accept POST, or return a file.
                response = page.request.get(each.address)
                if not response.ok or "<main" not in response.text():
                    continue
                page.goto(each.address)
                page.wait_for_load_state("networkidle")
                name = names.get((each.name, theme, width))
                file = f"{each.name}-{theme}-{width}"
                take(page, FOLDER / f"{name}.webp" if name else EVERYTHING / f"{file}.webp")
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
