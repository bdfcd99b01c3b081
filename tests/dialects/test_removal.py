"""Longshore works with each of the dialects alone, and without any."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

from tests.services import LOCAL_DIR

# Addresses of a dialect, and the name of its pages.
ADDRESSES = {
    "packagex": ("/packagex/v1/exports", "/packagex/v1/nothing"),
    "nextcommerce": ("/api/admin/exports/", "/api/admin/nothing"),
    "commercelayer": ("/api/exports", "/api/nothing"),
}


def installed(*dialects: str) -> dict[str, Any]:
    """Return what an installation with these dialects responds without an API key."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "exports_project.settings",
        "LOCAL_DIR": LOCAL_DIR.name,
        "DIALECTS": ",".join(f"dialects.{dialect}" for dialect in dialects),
    }
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.dialects.removal"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("dialects", [*((name,) for name in ADDRESSES), ()])
def test_each_dialect_alone_and_none(dialects: tuple[str, ...]) -> None:
    found = installed(*dialects)
    responses = found["responses"]
    assert responses["/v1/exports"] == [401, "application/json"]
    assert responses["/docs"][0] == 200
    assert set(found["envelopes"]) - {""} <= set(dialects)
    for name, (address, unknown) in ADDRESSES.items():
        pages = [responses[f"/docs/{name}"][0], responses[f"/docs/{name}/schema"][0]]
        if name in dialects:
            assert responses[address][0] == 401
            # Not the page for browsers.
            assert responses[unknown][0] == 404
            assert "json" in responses[unknown][1]
            assert pages == [200, 200]
        else:
            assert responses[address][0] == 404
            assert pages == [404, 404]


def test_the_engine_names_no_dialect() -> None:
    packages = ("exports", "batches", "webhooks", "longshore")
    words = ("packagex", "29next", "nextcommerce", "commercelayer", "commerce layer", "dialects.")
    paths = [path for name in packages for path in (settings.BASE_DIR / name).rglob("*.py")]
    assert len(paths) > 200
    found = [
        (str(path.relative_to(settings.BASE_DIR)), word)
        for path in paths
        for word in words
        if word in path.read_text().lower()
    ]
    assert found == []
