"""Faults of a running stack. Each function repairs what it breaks before it returns."""

import signal
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.recovery.stack import Stack

Inject = Callable[["Stack"], None]
# Duration of the outage of a server, and of the storage.
SERVER_SECONDS, STORAGE_SECONDS = 3, 10
WORKER = "SIGKILL of the worker"


def kill(stack: "Stack", name: str) -> None:
    """Kill a program and start it again at once, as a supervisor would do."""
    stack.kill(name)
    stack.start(name)


def kill_web(stack: "Stack") -> None:
    kill(stack, "web")
    stack.await_web()


def stop_broker(stack: "Stack", ending: signal.Signals) -> None:
    stack.stop_broker(ending)
    time.sleep(SERVER_SECONDS)
    stack.start_broker()


def flush_broker(stack: "Stack") -> None:
    stack.flush_broker()


def stop_database(stack: "Stack", ending: signal.Signals) -> None:
    stack.stop_database(ending)
    time.sleep(SERVER_SECONDS)
    stack.start_database()


def fail_storage(stack: "Stack", error: str) -> None:
    with stack.storage_fault(error):
        time.sleep(STORAGE_SECONDS)


# Faults of servers and of the storage.
SERVICES: dict[str, Inject] = {
    f"Valkey stopped for {SERVER_SECONDS} s": partial(stop_broker, ending=signal.SIGTERM),
    f"Valkey killed, down for {SERVER_SECONDS} s": partial(stop_broker, ending=signal.SIGKILL),
    "Valkey flushed": flush_broker,
    f"PostgreSQL stopped for {SERVER_SECONDS} s": partial(stop_database, ending=signal.SIGINT),
    f"PostgreSQL crashed, down for {SERVER_SECONDS} s": partial(
        stop_database, ending=signal.SIGQUIT
    ),
    f"storage without a response for {STORAGE_SECONDS} s": partial(fail_storage, error="EIO"),
    f"disk full for {STORAGE_SECONDS} s": partial(fail_storage, error="ENOSPC"),
}
# Faults of programs. The killed program is started again at once.
PROGRAMS: dict[str, Inject] = {
    WORKER: partial(kill, name="worker"),
    "SIGKILL of the web server": kill_web,
    "SIGKILL of beat": partial(kill, name="beat"),
    "SIGKILL of the maintenance worker": partial(kill, name="maintenance"),
}
ALL = SERVICES | PROGRAMS
