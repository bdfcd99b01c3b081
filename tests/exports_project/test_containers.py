"""Dockerfile and compose.yaml agree with the process table, the settings and the checkout.

No test starts a container: CI has no Docker.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from exports_project.processes import PROCESSES, Process
from tests.files.buckets import s3_server

ROOT = settings.BASE_DIR
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
# Variables of boto3 and of compose.yaml itself.
OTHER_VARIABLES = {
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    *("POSTGRES_PASSWORD", "STORAGE_PASSWORD"),
}


def instructions(name: str) -> list[str]:
    """Return the arguments of the instructions of the Dockerfile that have this name."""
    return re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("process", PROCESSES.values(), ids=lambda process: process.name)
def test_a_service_starts_and_stops_every_process_of_the_table(process: Process) -> None:
    service = SERVICES[process.name]
    command = service.get("command")
    if command is None:
        command = instructions("CMD")[-1].removesuffix(', "--bind", "0.0.0.0:8000"]') + "]"
        assert yaml.safe_load(command) == [*process.program]
    else:
        assert shlex.split(command) == [*process.program]
    assert service.get("stop_signal", "SIGTERM") == process.stop_signal.name


def test_there_are_no_other_services_but_servers_and_the_setup() -> None:
    assert {*SERVICES} == {*PROCESSES, "setup", "postgres", "valkey", "storage"}


def test_a_service_waits_for_services_with_a_health_check() -> None:
    for service in SERVICES.values():
        for name, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_healthy":
                assert "test" in SERVICES[name]["healthcheck"], name


def test_every_variable_is_a_setting_or_documented() -> None:
    known = set(re.findall(r"^#([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    used = {*COMPOSE["x-longshore"]["environment"]}
    used |= set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "compose.yaml").read_text()))
    [image] = instructions("ENV")
    used |= {word.partition("=")[0] for word in image.split()} - {"PATH", "PYTHONUNBUFFERED"}
    assert used - known <= OTHER_VARIABLES
    documentation = (ROOT / "docs" / "docker.md").read_text()
    for name in re.findall(r"\$\{([A-Z0-9_]+):\?", (ROOT / "compose.yaml").read_text()):
        assert f"{name}=" in documentation


def test_setup_creates_the_bucket_once() -> None:
    script, _, last = SERVICES["setup"]["command"][-1].rpartition("exec ")
    assert last.strip() == "python3 manage.py migrate --no-input"
    with s3_server() as (client, endpoint):
        environment = os.environ | {
            "AWS_S3_ENDPOINT_URL": endpoint,
            "AWS_STORAGE_BUCKET_NAME": "longshore",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        for _ in range(2):
            subprocess.run(["/bin/sh", "-ec", script], env=environment, check=True, timeout=60)
        assert "longshore" in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


def context(folder: Path) -> None:
    """Copy what .dockerignore leaves to a build."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    ignored = {line for line in lines if not line.startswith(("#", "!"))}
    assert ignored == {"*", "exports_project/site", "**/__pycache__", "**/*.pyc"}
    for name in (line[1:] for line in lines if line.startswith("!")):
        if (ROOT / name).is_dir():
            hidden = shutil.ignore_patterns("site", "__pycache__")
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=hidden)
        else:
            shutil.copy(ROOT / name, folder)


@pytest.mark.slow
def test_the_build_has_every_file_that_it_needs(tmp_path: Path) -> None:
    """Runs the last RUN instruction: collectstatic imports all settings and apps."""
    context(tmp_path)
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = pyproject["tool"]["importlinter"]["root_packages"]
    last = instructions("RUN")[-1]
    assert shlex.split(last)[-len(packages) :] == sorted(packages)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LOCAL_DIR": str(tmp_path / "local"),
        "STATIC_ROOT": str(tmp_path / "static"),
    }
    command = ["/bin/sh", "-ec", last]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "static" / "staticfiles.json").exists()
    # A build writes no key and no data.
    assert not (tmp_path / "local").exists()


def test_packages_are_installed_with_hashes_and_the_user_is_not_root() -> None:
    installs = re.findall(r"pip install (.*?)(?:&&|$)", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 2
    assert all(" --require-hashes " in options for options in installs)
    assert instructions("USER") == ["10001"]
