"""Every process refuses an old PostgreSQL at its start, with one line."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command

from exports_project.embedded import child_processes
from exports_project.processes import PROCESSES
from longshore.database.postgres import unsupported
from tests.programs import command_of
from tests.recovery.services import free_port, need

DEBIAN_BIN = Path("/usr/lib/postgresql/15/bin")


@pytest.mark.parametrize(
    ("version", "found"),
    [(140_011, "14.11"), (150_018, "15.18"), (160_000, None), (160_004, None), (180_001, None)],
)
def test_versions_before_16_are_unsupported(version: int, found: str | None) -> None:
    problem = unsupported(version)
    assert (problem is None) == (found is None)
    if problem:
        assert problem.startswith(f"PostgreSQL {found} is too old: Longshore needs PostgreSQL 16")


@pytest.mark.slow
@pytest.mark.django_db
def test_the_server_of_the_tests_is_supported() -> None:
    call_command("check", databases=["default"])


@pytest.fixture(scope="module")
def old_url() -> Iterator[str]:
    """The URL of an empty database of PostgreSQL 15."""
    need("postgresql-15", DEBIAN_BIN / "postgres")
    with TemporaryDirectory(prefix="old-") as name:
        folder = Path(name)
        as_user: dict[str, Any] = (
            {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
        )
        if as_user:
            shutil.chown(folder, "nobody", "nogroup")
        data = folder / "data"
        initdb: list[Any] = [
            DEBIAN_BIN / "initdb",
            "-D",
            data,
            "--auth=trust",
            "--username=old",
            "--no-sync",
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/", **as_user)
        port = free_port()
        server = child_processes.spawn(
            [DEBIAN_BIN / "postgres", "-D", data, "-k", folder, "-h", "127.0.0.1", "-p", str(port)],
            output=subprocess.DEVNULL,
            cwd="/",
            **as_user,
        )
        url = f"postgres://old@127.0.0.1:{port}/postgres"
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    psycopg.connect(url).close()
                    break
                except psycopg.OperationalError:
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
            yield url
        finally:
            child_processes.stop(server)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        command_of(PROCESSES["web"]),
        command_of(PROCESSES["quick"]),
        command_of(PROCESSES["webhooks"]),
        command_of(PROCESSES["beat"]),
        [sys.executable, "manage.py", "check", "--database", "default"],
        [sys.executable, "-m", "exports_project.serve"],
    ],
    ids=["web", "worker", "webhooks", "beat", "check", "make run"],
)
def test_every_process_refuses_to_start(old_url: str, tmp_path: Path, command: list[str]) -> None:
    # As after `collectstatic`.
    (tmp_path / "static").mkdir()
    environment = {
        "DATABASE_URL": old_url,
        "SECRET_KEY": token_hex(25),
        # Not the servers of the tests.
        "CACHE_URL": "redis://127.0.0.1:1/1",
        "BROKER_URL": "redis://127.0.0.1:1/0",
        "LOCAL_DIR": str(tmp_path),
        "LOG_FORMAT": "line",
    }
    process = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 1
    output = process.stdout + process.stderr
    assert "PostgreSQL 15." in output
    assert "is too old: Longshore needs PostgreSQL 16 or newer." in output
    if "exports_project.serve" not in command and "check" not in command:
        lines = [line for line in output.splitlines() if line.strip()]
        # Beat prints a banner first.
        assert len(lines) == 1 or "beat" in command
        line = lines[-1]
        assert line.startswith("Longshore: PostgreSQL 15.")
