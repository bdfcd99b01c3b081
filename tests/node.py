"""Node packages for tests. A test is skipped if Node is missing, except in CI."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_MIN_VERSION = 20


def install_packages(folder: Path) -> None:
    """Install the packages of the package-lock.json in a folder; otherwise skip the test."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        unavailable(f"Node {_MIN_VERSION} with npm is not installed.", in_ci=True)
    version = subprocess.run([str(node), "--version"], capture_output=True, text=True, check=True)
    # CI installs Debian's package, which is older than the clients allow in Debian 12.
    if int(version.stdout[1:].partition(".")[0]) < _MIN_VERSION:
        unavailable(f"Node is older than {_MIN_VERSION}: {version.stdout}", in_ci=False)
    command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode:
        unavailable(f"npm cannot install the packages: {done.stderr[-500:]}", in_ci=True)


def unavailable(reason: str, *, in_ci: bool) -> None:
    """Skip the test. in_ci: fail instead in CI, which has what is missing."""
    (pytest.fail if in_ci and os.environ.get("CI") == "true" else pytest.skip)(reason)
