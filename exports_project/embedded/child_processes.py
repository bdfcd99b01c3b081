"""Child processes that never outlive their parent."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

STOP_SECONDS = 60
PR_SET_PDEATHSIG = 1


def spawn(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int | None,
    death_signal: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a process in its own session.

    Ctrl-C in the terminal reaches only the parent, which stops its children in order. On Linux the
    kernel sends `death_signal` when the parent dies, even by SIGKILL.

    output: destination of stdout and stderr; None for those of the parent.
    options: further arguments of subprocess.Popen.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=tie_to_parent(death_signal),
        **options,
    )


def tie_to_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return a preexec_fn that sets the parent-death signal; None on other systems than Linux.

    The kernel clears this signal when the process changes its user; subprocess.Popen calls
    preexec_fn after that.
    """
    if sys.platform != "linux":
        return None
    # Loaded before the fork: between fork and exec only system calls are safe.
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # The parent died before the call.
            os._exit(1)

    return tie


def stop(
    process: subprocess.Popen[bytes],
    stop_signal: signal.Signals = signal.SIGTERM,
    seconds: float = STOP_SECONDS,
) -> None:
    """Send the signal and wait for the end; kill the process after `seconds`."""
    process.send_signal(stop_signal)
    await_end(process, seconds)


def await_end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for the end of a process; kill it after `seconds`."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass
class Child:
    """A child process, started at once and restartable after its end.

    stop_signal: ends it in order.
    stop_seconds: time until it is killed after this signal.
    """

    spawn: Callable[[], subprocess.Popen[bytes]]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = STOP_SECONDS
    process: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.process = self.spawn()

    def stop(self) -> None:
        stop(self.process, self.stop_signal, self.stop_seconds)

    def kill_remains(self) -> None:
        """Kill the remaining processes of its session after its end."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def stop_orphan(pid_file: Path, folder: Path, stop_signal: signal.Signals) -> None:
    """Stop the server of an earlier parent that was killed, if it still runs.

    Kills it after STOP_SECONDS.
    pid_file: its first line is the process id. The system may have reused the id, also for a
        process of another user, so only a process whose working directory is `folder` is stopped.
    """
    with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        process = psutil.Process(int(pid_file.read_text().split("\n")[0]))
        if Path(process.cwd()) != folder:
            return
        process.send_signal(stop_signal)
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()
