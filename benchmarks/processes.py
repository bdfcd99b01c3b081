"""Processor time and peak memory of this process, of programs that it runs, and of PostgreSQL."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.02


class Unavailable(Exception):
    """A contender needs something that this machine lacks; the message names it."""


_peaks_of_programs: list[float] = []


def run_program(command: Sequence[str | Path]) -> None:
    """Run a program. Its peak memory becomes that of the contender: this process only starts it.

    Raises CalledProcessError.
    """
    peak = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            # The last sample, because the first may be of the copy of this process, which the
            # program replaces.
            peak = _peak_of(process.pid) or peak
            time.sleep(_SAMPLE_SECONDS)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    _peaks_of_programs.append(peak)


def peak_megabytes() -> float:
    """Return the peak memory of the programs that were run, or else of this process."""
    if _peaks_of_programs:
        return max(_peaks_of_programs)
    if sys.platform == "linux":
        # getrusage would include the memory of the parent at the time of the fork.
        return _peak_of("self")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _peak_of(process: int | str) -> float:
    """Return the peak memory of a process since it started its program; 0 if it has ended."""
    path = Path(f"/proc/{process}/status")
    _, has_memory, rest = path.read_text().partition("VmHWM:") if path.exists() else ("", "", "")
    return int(rest.split()[0]) * 1024 / 1e6 if has_memory else 0


def client_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def server_seconds() -> float:
    """Return the processor time that the embedded PostgreSQL has used since its start.

    On Linux, its processes that have ended are included.
    """
    pid_file = Path(os.environ["LOCAL_DIR"]) / "postgres" / "postmaster.pid"
    server = psutil.Process(int(pid_file.read_text().split()[0]))
    while True:
        ended = _seconds_of_ended(server)
        running = sum(map(_seconds_of, (server, *server.children())))
        # Otherwise a process has ended meanwhile, and its time may be in neither sum.
        if _seconds_of_ended(server) == ended:
            return ended + running


def _seconds_of_ended(server: psutil.Process) -> float:
    times = server.cpu_times()
    return float(times.children_user + times.children_system)


def _seconds_of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0
    return float(times.user + times.system)
