"""The Makefile: its list of targets, and the installation of the packages."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MAKE = shutil.which("make") or ""
pytestmark = pytest.mark.skipif(not MAKE, reason="make is not installed")

ROOT = Path(__file__).resolve().parents[2]
# Runs until a signal ends it, as a slow download does.
SLOW_PIP = f'{sys.executable} -c \'open("started", "w"); __import__("time").sleep(60)\''
FAILING_PIP = "sh -c 'echo no such package; exit 1' --"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which only the development tools are missing."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / "requirements-dev.txt").write_text("one==1\n")
    return tmp_path


def make(folder: Path, pip: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [MAKE, "--old-file=.venv/.run", ".venv/.dev", f"PIP={pip}"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # As in a terminal: a background process of a shell ignores the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def is_running(group: int) -> bool:
    """Return whether a process of a group is running."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_interrupted_installation_ends_pip(folder: Path) -> None:
    process = make(folder, SLOW_PIP)
    deadline = time.monotonic() + 30
    while not (folder / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.communicate(timeout=10)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode != 0
    deadline = time.monotonic() + 10
    while is_running(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(process.pid)
    assert not (folder / ".venv" / ".dev").exists()


def test_a_failed_installation_shows_the_output_of_pip(folder: Path) -> None:
    process = make(folder, FAILING_PIP)
    output, _ = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "no such package" in output
    assert not (folder / ".venv" / ".dev").exists()


def test_an_installation_that_succeeds_is_not_repeated(folder: Path) -> None:
    process = make(folder, "true")
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert (folder / ".venv" / ".dev").exists()


@pytest.mark.parametrize("target", [[], ["help"]])
def test_make_lists_every_target(target: list[str]) -> None:
    command = [MAKE, "--directory", str(ROOT), *target]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    makefile = (ROOT / "Makefile").read_text()
    [targets] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert re.findall(r"^  make (\S+) +\S", done.stdout, re.MULTILINE) == targets.split()
