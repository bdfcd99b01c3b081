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


def make() -> None:
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--shell", "/bin/false", NAME]
        subprocess.run(command, check=True)


@contextmanager
def admitted(local_dir: Path, postgres: Path) -> Iterator[None]:
    """Let the service user reach its data and PostgreSQL's own files while in the block.

    Parent folders that only their owner enters become enterable for others (o+x), but not
    readable: reaching a file still takes its name and its permission. They are named on standard
    output and get their mode back at the end, unless another PostgreSQL of this user still runs.
    The wheel's files become readable, which they are unless pip ran under a strict umask.
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
    # LOCAL_DIR is ours. Changes to other folders are logged for their owner.
    if foreign := [str(folder) for folder in opened if folder != local_dir]:
        print(f"Until it stops, the user {NAME} may enter {', '.join(foreign)} (o+x).", flush=True)
    try:
        yield
    finally:
        if not _runs():
            for folder in opened:
                _remove_mode(folder, stat.S_IXOTH)


def _runs() -> bool:
    return any(process.info["username"] == NAME for process in psutil.process_iter(["username"]))


def _add_mode(path: Path, bits: int) -> bool:
    """Whether the bits were missing and have been added."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode | bits == mode:
        return False
    path.chmod(mode | bits)
    return True


def _remove_mode(path: Path, bits: int) -> None:
    if path.exists():
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~bits)
