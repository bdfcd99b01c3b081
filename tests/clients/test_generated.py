"""Clients that public generators make from the API description, against a running server."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from longshore.accounts.models import ApiKey, Organization, Scope
from tests.descriptions import COMMITTED
from tests.exports.conftest import working
from tests.factories import ContactFactory
from tests.node import install_packages

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SOURCES = Path(__file__).resolve().parent / "generated"
ROWS = 3
# openapi-python-client knows the type of a ZIP archive only from this.
PYTHON_SETTINGS = (
    "post_hooks: []\ncontent_type_overrides:\n  application/zip: application/octet-stream\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The programs that use the clients, copied to a folder of their own."""
    return Path(shutil.copytree(SOURCES, tmp_path / "generated"))


@pytest.fixture
def environment(live_server: LiveServer, acme: Organization) -> Iterator[Mapping[str, str]]:
    ContactFactory.create_batch(ROWS, organization=acme)
    _, key = ApiKey.objects.create_key(
        organization=acme, name="generated", scopes=[Scope.READ, Scope.WRITE]
    )
    with working("quick"):
        yield os.environ | {"BASE": live_server.url, "KEY": key}


def run(folder: Path, environment: Mapping[str, str], *command: str | Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_generated_python_client_runs_an_export(
    folder: Path, environment: Mapping[str, str]
) -> None:
    pytest.importorskip("openapi_python_client", reason="openapi-python-client is not installed")
    (folder / "settings.yaml").write_text(PYTHON_SETTINGS)
    generate: list[str | Path] = [
        *(sys.executable, "-m", "openapi_python_client", "generate", "--path", COMMITTED),
        *("--config", "settings.yaml", "--meta", "none", "--output-path", "client"),
    ]
    assert "WARNING" not in run(folder, environment, *generate).upper()
    printed = run(folder, environment, sys.executable, "run.py")
    assert json.loads(printed) == ["completed", ROWS, ROWS]


def test_a_generated_typescript_client_compiles_and_runs_an_export(
    folder: Path, environment: Mapping[str, str]
) -> None:
    install_packages(folder)
    programs = folder / "node_modules" / ".bin"
    run(folder, environment, programs / "openapi-typescript", COMMITTED, "--output", "api.d.ts")
    options = ("--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext")
    run(folder, environment, programs / "tsc", *options, "run.ts")
    printed = run(folder, environment, "node", "run.js")
    assert json.loads(printed) == ["completed", ROWS, ROWS]
