"""Service user for the embedded PostgreSQL, which refuses to run as root."""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

NAME = "embedded_postgres"


def options() -> dict[str, Any]:
    """Return the `subprocess` options that run PostgreSQL as the service user, if we are root."""
    if os.geteuid() != 0:
        return {}
    return {"user": NAME, "group": NAME, "extra_groups": []}


def create() -> None:
    """Create the service user if it does not exist."""
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--shell", "/bin/false", NAME]
        subprocess.run(command, check=True)


@contextmanager
def admitted(local_dir: Path, postgres: Path) -> Iterator[None]:
    """Give the service user access to its data and to PostgreSQL until the end of the block.

    Adds o+x to parent folders, so that others can enter but not list them. Prints the changed
    folders and restores their modes at the end, unless another PostgreSQL of this user still runs.
    Makes the files of the wheel readable, in case pip ran with a strict umask.
    """
    if os.geteuid() != 0:
        yield
        return
    folders = dict.fromkeys((*local_dir.parents, local_dir, *postgres.parents))
    opened = [folder for folder in folders if _add_mode(folder, stat.S_IXOTH)]
    for root in (postgres, postgres.parent.with_name("embedded_postgres.libs")):
        for path in (root, *root.rglob("*")) if root.exists() else ():
            executable = path.stat().st_mode & stat.S_IXUSR
            _add_mode(path, stat.S_IROTH | (stat.S_IXOTH if executable else 0))
    # LOCAL_DIR is our own. Tell the user about other folders.
    if foreign := [str(folder) for folder in opened if folder != local_dir]:
        text = f"While the embedded PostgreSQL runs, all users, including {NAME}, can enter"
        print(f"{text} {', '.join(foreign)} (permission o+x).", flush=True)
    try:
        yield
    finally:
        if not runs():
            for folder in opened:
                _remove_mode(folder, stat.S_IXOTH)


def runs() -> bool:
    """Return whether any process of the service user runs."""
    return any(process.info["username"] == NAME for process in psutil.process_iter(["username"]))


def _add_mode(path: Path, bits: int) -> bool:
    """Add the mode bits; return False if the file had them already."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode | bits == mode:
        return False
    path.chmod(mode | bits)
    return True


def _remove_mode(path: Path, bits: int) -> None:
    if path.exists():
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~bits)
