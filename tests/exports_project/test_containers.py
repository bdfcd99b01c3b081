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
from tests.test_docs_blocks import Loader

ROOT = settings.BASE_DIR
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
PAGE = (ROOT / "docs" / "docker.md").read_text()
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


def test_every_process_uses_the_image_that_web_builds() -> None:
    """Without a policy, Compose would ask a registry for an image of this name."""
    for name, service in SERVICES.items():
        if service["image"] == "longshore":
            assert service["pull_policy"] == ("build" if name == "web" else "never"), name


def test_the_files_service_reaches_neither_the_database_nor_the_broker() -> None:
    networks = {name: {*service.get("networks", ["default"])} for name, service in SERVICES.items()}
    assert networks["postgres"] == networks["valkey"] == {"data"}
    assert networks["storage"] == {"default"}
    assert all(networks[name] == {"default", "data"} for name in (*PROCESSES, "setup"))
    assert COMPOSE["networks"]["data"] == {"internal": True}


def test_no_service_gains_privileges() -> None:
    for name, service in SERVICES.items():
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_the_page_trusts_exactly_the_network_of_compose() -> None:
    [trusted] = re.findall(r"TRUSTED_PROXIES=(\S+)", PAGE)
    assert COMPOSE["networks"]["default"] == {"ipam": {"config": [{"subnet": trusted}]}}


def test_an_own_database_and_bucket_replace_the_services_of_compose() -> None:
    text = re.findall(r"^```\n(x-settings: .*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    override = yaml.load(text, Loader)["services"]  # noqa: S506  (a SafeLoader)
    unused = {name for name, service in override.items() if service == {"profiles": ["unused"]}}
    assert unused == {"postgres", "storage"}
    own = COMPOSE["x-longshore"]["environment"]
    for name in (*PROCESSES, "setup"):
        environment = override[name]["environment"]
        assert {*own} - {*environment} == {"BROKER_URL"}
        assert {*environment} <= {*own}
    for name, service in SERVICES.items():
        for needed, wanted in service.get("depends_on", {}).items():
            assert wanted.get("required", True) == (needed not in unused), (name, needed)


def test_every_variable_is_a_setting_or_documented() -> None:
    known = set(re.findall(r"^#([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    used = {*COMPOSE["x-longshore"]["environment"]}
    used |= set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "compose.yaml").read_text()))
    [image] = instructions("ENV")
    used |= {word.partition("=")[0] for word in image.split()} - {"PATH", "PYTHONUNBUFFERED"}
    assert used - known <= OTHER_VARIABLES
    for name in re.findall(r"\$\{([A-Z0-9_]+):\?", (ROOT / "compose.yaml").read_text()):
        assert f"{name}=" in PAGE


def test_setup_creates_the_bucket_once() -> None:
    script, _, last = SERVICES["setup"]["command"][-1].rpartition("exec ")
    assert last.strip() == "python3 -m exports_project migrate --no-input"
    with s3_server() as (client, endpoint):
        environment = os.environ | {
            "AWS_S3_ENDPOINT_URL": endpoint,
            "AWS_S3_REGION_NAME": COMPOSE["x-longshore"]["environment"]["AWS_S3_REGION_NAME"],
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
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)


def test_the_build_of_the_guide_has_the_targets_of_all_links(tmp_path: Path) -> None:
    context(tmp_path)
    links = [path for path in (tmp_path / "docs").rglob("*") if path.is_symlink()]
    assert len(links) > 3
    assert [path.name for path in links if not path.exists()] == []
    assert (tmp_path / "zensical.toml").exists()
    # The stage copies everything that .dockerignore leaves, then builds.
    stage = DOCKERFILE.partition("AS guide")[2].partition("FROM ")[0]
    assert stage.index("COPY . .") < stage.index("zensical build --strict")


@pytest.mark.slow
def test_the_build_has_every_file_that_it_needs(tmp_path: Path) -> None:
    """Runs the last RUN instruction: collectstatic imports all settings and apps."""
    context(tmp_path)
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = pyproject["tool"]["importlinter"]["root_packages"]
    last = instructions("RUN")[-1]
    assert shlex.split(last)[-len(packages) :] == sorted(packages)
    collect_static_files(last, tmp_path)


def collect_static_files(command: str, folder: Path, **variables: str) -> None:
    """Run an instruction RUN in a folder; check that it writes static files, no key and no data."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "LOCAL_DIR": str(folder / "local"),
        "STATIC_ROOT": str(folder / "static"),
        **variables,
    }
    done = subprocess.run(
        ["/bin/sh", "-ec", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "static" / "staticfiles.json").exists()
    assert not (folder / "local").exists()


@pytest.mark.slow
def test_the_image_of_an_own_project_has_its_static_files(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "your-models.md").read_text()
    [dockerfile] = re.findall(r"^```\n# Dockerfile\n(FROM longshore\n.*?)^```", page, re.M | re.S)
    for name, text in re.findall(r"^```python\n# (\S+)\n(.*?)^```", page, re.M | re.S):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    lines = dockerfile.replace("\\\n", "").splitlines()
    [command] = [line.removeprefix("RUN ") for line in lines if line.startswith("RUN ")]
    [variables] = [line.split()[1:] for line in lines if line.startswith("ENV ")]
    own = dict(each.split("=") for each in variables)
    assert own.pop("PYTHONPATH") == "/opt/oursite:/opt/longshore"
    collect_static_files(command, tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}", **own)
    assert lines[-1] == "USER 10001"


def test_packages_are_installed_with_hashes_and_the_user_is_not_root() -> None:
    installs = re.findall(r"pip install (.*?)(?:&&|$)", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 2
    assert all(" --require-hashes " in options for options in installs)
    assert instructions("USER") == ["10001"]
