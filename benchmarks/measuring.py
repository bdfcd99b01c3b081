"""Measures functions that write files, each in its own process, for its peak memory."""

import argparse
import importlib
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.02


@dataclass(frozen=True)
class Measurement:
    """One run of a contender.

    client_seconds: processor time of its process and its children, without their start.
    server_seconds: processor time of PostgreSQL meanwhile.
    """

    rows: int
    seconds: float
    peak_megabytes: float
    bytes: int
    client_seconds: float
    server_seconds: float

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


class Unavailable(Exception):
    """A contender needs something that this machine lacks; the message names it."""


def measure(module: str, contender: str, rows: int, *, django: bool = True) -> Measurement:
    """Run one of the `CONTENDERS` of a module in a new process and measure it.

    django: whether the process sets up Django first, whose memory is part of the peak.
    Raises Unavailable.
    """
    command = [sys.executable, "-m", "benchmarks.measuring", module, contender, str(rows)]
    command += [] if django else ["--without-django"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    described = json.loads(output.stdout.splitlines()[-1])
    if "unavailable" in described:
        raise Unavailable(described["unavailable"])
    found = Measurement(**described)
    print(
        f"  {contender}: {found.rate:,.0f} rows/s, {found.peak_megabytes:.0f} MB", file=sys.stderr
    )
    return found


def median_run(found: list[Measurement]) -> Measurement:
    return sorted(found, key=lambda each: each.seconds)[len(found) // 2]


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.processor()
    version = f"{platform.system()}, Python {platform.python_version()}"
    return f"{len(models) or '?'} cores of {name}, {version}."


_peaks_of_programs: list[float] = []


def run_program(command: Sequence[str | Path]) -> None:
    """Run a program. Its peak memory becomes that of the contender: this process only starts it.

    Raises CalledProcessError.
    """
    peak = 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            # getrusage would include the memory of this process at the time of the fork.
            peak = max(peak, _peak_megabytes(str(process.pid)))
            time.sleep(_SAMPLE_SECONDS)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    _peaks_of_programs.append(peak)


def _peak_megabytes(pid: str = "self") -> float:
    """Return the peak memory of a process since it started its program; 0 if it has ended."""
    if sys.platform == "linux":
        # getrusage would include the memory of the parent at the time of the fork.
        status = Path(f"/proc/{pid}/status").read_text()
        _, has_memory, rest = status.partition("VmHWM:")
        return int(rest.split()[0]) * 1024 / 1e6 if has_memory else 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def _client_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def server_seconds() -> float:
    """Return the processor time that the embedded PostgreSQL has used since its start.

    On Linux, its processes that have ended are included.
    """
    pid_file = Path(os.environ["LOCAL_DIR"]) / "postgres" / "postmaster.pid"
    server = psutil.Process(int(pid_file.read_text().split()[0]))
    of_ended = server.cpu_times()
    total = float(of_ended.children_user + of_ended.children_system)
    for process in (server, *server.children()):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # Its time is lost for this sum; a connection ends at the end of a run.
        total += times.user + times.system
    return total


def main() -> None:
    """Run a contender in the new process and print its measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module")
    parser.add_argument("contender")
    parser.add_argument("rows", type=int)
    parser.add_argument("--without-django", action="store_true")
    options = parser.parse_args()

    if not options.without_django:
        import django

        django.setup()
        from django.conf import settings

        # A running worker has imported the views, whose URLs are in webhook events.
        importlib.import_module(settings.ROOT_URLCONF)
    contender = importlib.import_module(options.module).CONTENDERS[options.contender]
    client, server, started = _client_seconds(), server_seconds(), time.perf_counter()
    try:
        size = contender(options.rows)
    except (Unavailable, ModuleNotFoundError) as error:
        print(json.dumps({"unavailable": str(error)}))
        return
    seconds = time.perf_counter() - started
    found = {
        "rows": options.rows,
        "seconds": seconds,
        "peak_megabytes": max(_peaks_of_programs, default=0) or _peak_megabytes(),
        "bytes": size,
        "client_seconds": _client_seconds() - client,
        "server_seconds": server_seconds() - server,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
