"""Clients that public generators make from the API description, against a running server."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from longshore.accounts.models import ApiKey, Organization, Scope
from tests.descriptions import COMMITTED
from tests.exports.conftest import storage, worker
from tests.factories import ContactFactory
from tests.node import install_packages, unavailable

__all__ = ["storage", "worker"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("storage", "worker"),
]

SOURCES = Path(__file__).resolve().parent / "generated"
NAMES = ("Bo", "Cy", "Di")
ROWS = len(NAMES) + 1
# openapi-python-client knows the type of a ZIP archive only from this.
PYTHON_SETTINGS = (
    "post_hooks: []\ncontent_type_overrides:\n  application/zip: application/octet-stream\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The programs that use the clients, copied to a folder of their own."""
    return Path(shutil.copytree(SOURCES, tmp_path / "generated"))


@pytest.fixture
def environment(live_server: LiveServer, acme: Organization) -> Mapping[str, str]:
    for name in NAMES:
        ContactFactory.create(organization=acme, name=name)
    _, key = ApiKey.objects.create_key(
        organization=acme, name="generated", scopes=[Scope.READ, Scope.WRITE]
    )
    return os.environ | {"BASE": live_server.url, "KEY": key}


def run(folder: Path, environment: Mapping[str, str], *command: str | Path) -> str:
    """Return what a command prints. Fails if it fails or warns."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert "warning" not in printed.lower(), printed
    return done.stdout


def check_jobs(printed: dict[str, Any]) -> None:
    """Check what both programs print of their batch and their export."""
    assert printed["batch"] == ["completed", 1]
    assert printed["export"] == ["completed", ROWS, ROWS]
    assert sorted(printed["lines"]) == sorted(["name", "Ada", *NAMES])


def test_a_generated_python_client_runs_an_export(
    folder: Path, environment: Mapping[str, str]
) -> None:
    if importlib.util.find_spec("openapi_python_client") is None:
        unavailable("openapi-python-client is not installed.", in_ci=True)
    (folder / "settings.yaml").write_text(PYTHON_SETTINGS)
    generate: list[str | Path] = [
        *(sys.executable, "-m", "openapi_python_client", "generate", "--path", COMMITTED),
        *("--config", "settings.yaml", "--meta", "none", "--output-path", "client"),
    ]
    run(folder, environment, *generate)
    printed = json.loads(run(folder, environment, sys.executable, "run.py"))
    check_jobs(printed)
    assert printed["message"] == ["export.created", True]
    assert printed["is_signed"] == [True, False]


def test_a_generated_typescript_client_compiles_and_runs_an_export(
    folder: Path, environment: Mapping[str, str]
) -> None:
    install_packages(folder)
    programs = folder / "node_modules" / ".bin"
    run(folder, environment, programs / "openapi-typescript", COMMITTED, "--output", "api.d.ts")
    options = ("--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext")
    run(folder, environment, programs / "tsc", *options, "run.ts")
    check_jobs(json.loads(run(folder, environment, "node", "run.js")))
