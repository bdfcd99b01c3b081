"""Commands that run programs of the process table alone, as production does."""

import sys

from exports_project.processes import Process

_PYTHON = (sys.executable, "-W", "ignore:You're running the worker with superuser privileges")


def command_of(process: Process) -> list[str]:
    """Return the command that runs a process of the table, with as many tasks as `make run`."""
    return [*_PYTHON, "-m", *process.local]
