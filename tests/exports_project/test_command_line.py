"""`manage.py check` with the option `--database`, with and without a database."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.conf import settings

from tests.recovery.services import free_port

pytestmark = pytest.mark.slow


def check(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "check", *arguments],
        cwd=settings.BASE_DIR,
        env=environment | {"ENV_FILE": os.devnull} | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("arguments", [("--database", "default"), ("--database=default",)])
def test_a_check_of_the_database_starts_the_embedded_one(arguments: tuple[str, ...]) -> None:
    with TemporaryDirectory(prefix="longshore-") as folder:
        done = check(*arguments, LOCAL_DIR=folder)
        assert done.returncode == 0, done.stderr
        assert "no issues" in done.stdout
        assert (Path(folder) / "postgres").exists()


def test_a_check_without_the_option_starts_no_database(tmp_path: Path) -> None:
    done = check(LOCAL_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "postgres").exists()


def test_a_database_that_does_not_respond_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    url = f"postgres://longshore@127.0.0.1:{free_port()}/longshore"
    variables = {
        "DATABASE_URL": url,
        "BROKER_URL": "redis://127.0.0.1:1",
        "SECRET_KEY": "ab1-x" * 12,
    }
    done = check("--database", "default", LOCAL_DIR=str(tmp_path), **variables)
    assert done.returncode == 1
    assert "(exports.E003) The statements of the resources were not checked" in done.stderr
    assert "Traceback" not in done.stderr
