"""Runs the programs of `make run` as copies of one process that has loaded the application.

Each program alone would load it again: that takes seconds, and 120 MB. The copies share this memory
until they change it.
"""

import gc
import os
import runpy
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module

import django
from django.conf import settings
from django.db import connections
from setproctitle import setproctitle

from exports_project import processes
from exports_project.embedded import child_processes
from exports_project.embedded.child_processes import Child, Fork
from exports_project.processes import Process

# Modules that the programs import at their start.
_MODULES = (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.concurrency.thread",
    "django_celery_beat.schedulers",
    "exports_project.command_line",
    "exports_project.gunicorn",
    "exports_project.web.worker",
    "gunicorn.app.wsgiapp",
    "kombu.transport.redis",
)
# Longer than a worker's soft shutdown (3 s). Beat may miss a signal during a database query.
_STOP_SECONDS = 10
Children = dict[str, Child]


def load() -> None:
    """Load the application with all its views and tasks, and what the programs need to start."""
    django.setup(set_prefix=False)
    import_module(settings.ROOT_URLCONF)
    for module in _MODULES:
        import_module(module)
    celery = import_module("exports_project.celery")
    celery.app.loader.import_default_modules()
    # A project may query the database at its import. A copy must not use the same connection.
    connections.close_all()
    # Garbage collection would copy the pages of all objects in each process.
    gc.collect()
    gc.freeze()


@contextmanager
def running() -> Iterator[Children]:
    """Run web, workers and beat until the end of the block, which stops all of them in parallel."""
    children: Children = {}
    try:
        for name, process in processes.with_project_queues(settings.PROJECT_QUEUES).items():
            # SIGKILL if this process dies: a worker that receives SIGTERM while its broker stops
            # waits forever. The next start recovers its unfinished tasks.
            spawn = partial(Fork, partial(_run, process), death_signal=signal.SIGKILL)
            children[name] = Child(spawn, process.stop_signal, _STOP_SECONDS)
        yield children
    finally:
        for child in children.values():
            child.process.send_signal(child.stop_signal)
        for child in children.values():
            child_processes.await_end(child.process, child.stop_seconds)


def command(*arguments: str) -> Fork:
    """Start a `manage.py` command."""
    return Fork(partial(_command, arguments))


def _run(process: Process) -> None:
    os.nice(process.niceness)
    # Root may run Longshore, for example in a container. Celery's warning would fill a page.
    warnings.filterwarnings("ignore", "You're running the worker with superuser privileges")
    setproctitle(f"longshore: {process.name}")
    sys.argv = list(process.local)
    runpy.run_module(process.local[0], run_name="__main__", alter_sys=True)


def _command(arguments: tuple[str, ...]) -> None:
    setproctitle(f"longshore: manage.py {arguments[0]}")
    sys.argv = ["manage.py", *arguments]
    import_module("exports_project.command_line").main()
