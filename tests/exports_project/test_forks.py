"""A fork calls a function in a process of its own and ends as the function does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from exports_project.embedded.child_processes import Child, Fork

SECONDS = 30


def leave(code: int | str | None) -> Callable[[], None]:
    return lambda: sys.exit(code)


def fail() -> None:
    raise ValueError("a reason")


@pytest.mark.parametrize(
    ("function", "code"),
    [
        (lambda: None, 0),
        (leave(None), 0),
        (leave(3), 3),
        (leave("a message"), 1),
        (fail, 1),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), -signal.SIGKILL),
    ],
    ids=["return", "exit", "exit code", "exit message", "error", "signal"],
)
def test_a_fork_ends_with_the_exit_code_of_its_function(
    function: Callable[[], None], code: int
) -> None:
    fork = Fork(function)
    assert fork.wait(SECONDS) == code
    assert fork.poll() == fork.returncode == code
    # The system may give its id to another process.
    fork.send_signal(signal.SIGKILL)


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program that forks. Returns when all its forks have ended: they hold its output."""
    imports = (
        "import os, signal, sys, time",
        "from exports_project.embedded.child_processes import Fork",
    )
    command = [sys.executable, "-c", "\n".join((*imports, program))]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS / 2)


def test_messages_and_errors_are_printed_once() -> None:
    ended = run(
        "print('before')\n"
        "Fork(lambda: sys.exit('a message')).wait()\n"
        "Fork(lambda: 1 / 0).wait()\n"
        "Fork(lambda: print('after')).wait()\n"
    )
    assert ended.stdout == "before\nafter\n"
    assert ended.stderr.startswith("a message\nTraceback")
    assert ended.stderr.rstrip().endswith("ZeroDivisionError: division by zero")


def test_a_fork_has_its_own_session_and_no_open_files_of_its_parent(tmp_path: Path) -> None:
    report = tmp_path / "report"
    with (tmp_path / "open").open("w") as file:

        def function() -> None:
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(file.fileno())
            assert os.read(0, 1) == b""
            report.write_text(f"{os.getsid(0) == os.getpid()}")

        assert Fork(function).wait(SECONDS) == 0
    assert report.read_text() == "True"


def test_waiting_ends_at_the_time_limit_and_the_fork_can_be_stopped() -> None:
    child = Child(lambda: Fork(lambda: time.sleep(SECONDS)), stop_seconds=SECONDS)
    with pytest.raises(subprocess.TimeoutExpired):
        child.process.wait(0.1)
    child.stop()
    assert child.process.returncode == -signal.SIGTERM


def test_a_fork_ends_when_its_parent_is_killed() -> None:
    ended = run(
        f"fork = Fork(lambda: time.sleep({SECONDS}), death_signal=signal.SIGKILL)\n"
        "print(fork.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert ended.returncode == -signal.SIGKILL
    assert int(ended.stdout)
