"""docs/your-models.md, executed literally: from an empty folder to a downloaded file."""

import csv
import re
import shutil
import site
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.foreign.team import ROOT, Team

pytestmark = pytest.mark.stack
PACKAGES = ("exports_project", "dialects", "exports", "batches", "webhooks", "longshore")
SERVE = "python -m exports_project.serve\n"
SECONDS = 600


def blocks() -> list[tuple[str, str]]:
    """Return language and text of each block of code of the page."""
    page = (ROOT / "docs/your-models.md").read_text()
    return re.findall(r"^```(\w+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def install(folder: Path) -> Path:
    """Do what the first block does, without the package index; return the interpreter.

    The virtual environment has the packages of this one, and Longshore from its checkout.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    [packages] = folder.glob(".venv/lib/python*/site-packages")
    for number, path in enumerate(site.getsitepackages()):
        (packages / f"shared{number}.pth").write_text(f"import site; site.addsitedir({path!r})\n")
    with TemporaryDirectory() as copy:
        # A build writes into the folder of its sources.
        ignored = shutil.ignore_patterns("__pycache__")
        for name in PACKAGES:
            shutil.copytree(ROOT / name, Path(copy) / name, ignore=ignored)
        for name in ("pyproject.toml", "requirements.in", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        command += ["--no-build-isolation", "--no-compile", "--target", str(packages), copy]
        subprocess.run(command, check=True, timeout=SECONDS)
    return folder / ".venv/bin/python"


def run(team: Team, script: str) -> str:
    process = subprocess.run(
        ["/bin/bash", "-e"],
        cwd=team.folder,
        env=team.environment,
        input=script,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    """The project of the page after its last block."""
    with TemporaryDirectory(prefix="site-") as name:
        folder = Path(name).resolve() / "oursite"
        folder.mkdir()
        team = Team(folder, "oursite.settings", python=str(install(folder)))
        # Longshore is installed, and the reader sets the settings.
        del team.environment["PYTHONPATH"], team.environment["DJANGO_SETTINGS_MODULE"]
        # `pip` would install the program `django-admin` into the virtual environment.
        team.environment["PATH"] = f"{Path(sys.executable).parent}:{team.environment['PATH']}"
        (_, installation), *others = blocks()
        assert installation.endswith("pip install --no-deps ../longshore\n")
        before, after, current = ". .venv/bin/activate\n", "", "before"
        for language, text in others:
            if text == SERVE:
                current = "after"
            elif language == "python":
                path = re.match(r"# (\S+)\n", text)
                assert path, text
                before += f"cat > {path[1]} <<'END'\n{text}END\n"
            elif current == "before":
                before += text
            else:
                after += text
        run(team, before)
        team.environment["DJANGO_SETTINGS_MODULE"] = "oursite.settings"
        with team.running():
            run(team, after)
            yield team


def test_the_file_has_the_records(team: Team) -> None:
    with (team.folder / "bookings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["guest"], row["nights"]) for row in rows] == [("Ada", "2"), ("Bob", "14")]


def test_the_sample_data_models_are_removed(team: Team) -> None:
    assert [each["name"] for each in team.request("GET", "/v1/resources")["results"]] == ["booking"]


def test_the_admin_has_templates_and_styles_of_the_installed_package(team: Team) -> None:
    code = """
from django.contrib.auth import get_user_model
from django.test import Client
client = Client(headers={"Host": "localhost"})
client.force_login(get_user_model().objects.get(), "django.contrib.auth.backends.ModelBackend")
print("status", client.get("/admin/").status_code, client.get("/hello").content)
"""
    with (team.folder / "oursite/settings.py").open("a") as file:
        file.write('ROOT_URLCONF = "oursite.urls"\n')
    assert "status 200 b'Hello'" in team.command("shell", "--command", code)
