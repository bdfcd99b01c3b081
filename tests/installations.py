"""Installations that the first test process of a run prepares, and that all processes copy.

Migrating an empty database and writing the demo data take most of the start of a stack.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from exports_project import embedded
from exports_project.embedded import servers

ROOT = Path(__file__).resolve().parent.parent
Name = Literal["migrated", "demo"]
# The folder that the processes of a run share: the first one creates it, and deletes it at its end.
VARIABLE = "TEST_INSTALLATIONS"
if VARIABLE not in os.environ:
    _OWN = tempfile.TemporaryDirectory(prefix="longshore-")
    os.environ[VARIABLE] = _OWN.name
SHARED = Path(os.environ[VARIABLE])
# The migrated installation of an earlier run, in a folder named by its digest.
KEPT = ROOT / ".pytest_cache" / "migrated"
PACKAGES = ("longshore", "exports", "batches", "webhooks")


def copy(name: Name, local_dir: Path, part: str = "") -> None:
    """Copy an installation into a new LOCAL_DIR; prepare it first if no process has.

    name: `migrated` has the tables of all apps in the database `longshore`, `demo` also has the
        demo data and its credentials.
    part: the only folder to copy.
    """
    source, target = SHARED / name, local_dir / part
    with source.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not source.exists():
            _prepare(name, source)
    _copy(source / part, target)


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    # With the owners of the files: if we are root, the server runs as another user.
    subprocess.run(["/bin/cp", "-a", f"{source}/.", target], check=True)


def _prepare(name: Name, folder: Path) -> None:
    # Renamed at the end, so that a failure leaves no incomplete installation.
    new = folder.with_suffix(".new")
    if name == "demo":
        copy("migrated", new)
        _run(new, "demo")
    else:
        kept = KEPT / _digest()
        if kept.exists():
            _copy(kept, new)
        # Also in a kept database, because signals of the command write rows.
        _run(new, "migrate", "--verbosity=0")
        if not kept.exists():
            shutil.rmtree(KEPT, ignore_errors=True)
            _copy(new, KEPT / f"{os.getpid()}.new")
            (KEPT / f"{os.getpid()}.new").rename(kept)
    new.rename(folder)


def _digest() -> str:
    """Return a hash of everything that decides what migrations do to an empty database."""
    paths = [
        path
        for package in ("exports_project/settings", *PACKAGES)
        for path in (ROOT / package).rglob("*.py")
        if "migrations" in path.parts or "settings" in path.parts
    ]
    digest = hashlib.sha256()
    for path in sorted([*paths, *ROOT.glob("requirements*.txt")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _run(local_dir: Path, *arguments: str) -> None:
    """Run a command of Django on the database of an installation that nobody else uses."""
    with servers.running(local_dir, broker=False, durable=False):
        _manage(local_dir, *arguments)
    shutil.rmtree(embedded.socket_dir(local_dir))


def _manage(local_dir: Path, *arguments: str) -> None:
    # Not by manage.py, which would start a database, because nobody holds the lock.
    environment = os.environ | {
        "LOCAL_DIR": str(local_dir),
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "exports_project.settings",
    }
    command = [sys.executable, "-W", "ignore::RuntimeWarning", "-m", "django", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
