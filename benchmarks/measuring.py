"""Measures functions that write files, each in its own process, for its peak memory.

A module of contenders has `CONTENDERS`, the functions by name, and may have `IMPORTS`: modules that
are imported before the measurement, by the name of the contender.
"""

import argparse
import importlib
import json
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from benchmarks.processes import Unavailable


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
    contenders = importlib.import_module(options.module)
    contender = contenders.CONTENDERS[options.contender]
    try:
        # A process imports libraries once, and writes many files.
        for name in getattr(contenders, "IMPORTS", {}).get(options.contender, ()):
            importlib.import_module(name)
        client, server = processes.client_seconds(), processes.server_seconds()
        started = time.perf_counter()
        size = contender(options.rows)
    except (Unavailable, ModuleNotFoundError) as error:
        print(json.dumps({"unavailable": str(error)}))
        return
    seconds = time.perf_counter() - started
    found = {
        "rows": options.rows,
        "seconds": seconds,
        "peak_megabytes": processes.peak_megabytes(),
        "bytes": size,
        "client_seconds": processes.client_seconds() - client,
        "server_seconds": processes.server_seconds() - server,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
