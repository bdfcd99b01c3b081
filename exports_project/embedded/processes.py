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
    """Start `command`, its stdout and stderr going to `output` (None: to ours).

    It gets a session of its own, so that a Ctrl-C in the terminal reaches only the parent, which
    then stops its children in order. Where the system can (Linux), the kernel sends
    `death_signal` when the parent dies, be it by SIGKILL.
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
    """What the child does between fork and exec; after the switch of user, which undoes it."""
    if sys.platform != "linux":
        return None
    # Loaded before the fork: between fork and exec only system calls are safe.
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return tie


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals = signal.SIGTERM) -> None:
    """End the process and wait for it; kill it after STOP_SECONDS."""
    process.send_signal(stop_signal)
    await_end(process, STOP_SECONDS)


def await_end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for a process that was told to end; kill it after `seconds`."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass
class Child:
    """A program that runs from now on; once it has ended, it can be started again.

    stop_signal: ends it in order; it has stop_seconds to do so.
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
        self.process.send_signal(self.stop_signal)
        await_end(self.process, self.stop_seconds)

    def kill_remains(self) -> None:
        """Kill what the ended program left in its session, before another takes its place."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def stop_orphan(pid_file: Path, folder: Path, stop_signal: signal.Signals) -> None:
    """End the process that an earlier parent left behind in `folder`, if it still runs.

    A pid may be somebody else's by now: only a process working in `folder` is ours.
    """
    with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
        process = psutil.Process(int(pid_file.read_text().split("\n")[0]))
        if Path(process.cwd()) == folder:
            process.send_signal(stop_signal)
            process.wait(STOP_SECONDS)
