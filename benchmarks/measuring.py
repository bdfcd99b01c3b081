"""Measures functions that write files, each in its own process, for its peak memory."""

import argparse
import importlib
import json
import platform
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measurement:
    rows: int
    seconds: float
    peak_megabytes: float
    bytes: int

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def measure(module: str, contender: str, rows: int) -> Measurement:
    """Run one of the `CONTENDERS` of a module in a new process and measure it."""
    command = [sys.executable, "-m", "benchmarks.measuring", module, contender, str(rows)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found = Measurement(**json.loads(output.stdout.splitlines()[-1]))
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


def _peak_megabytes() -> float:
    """Return the peak memory of this process since it started this program."""
    if sys.platform == "linux":
        # getrusage would include the memory of the parent at the time of the fork.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    """Run a contender in the new process and print its measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module")
    parser.add_argument("contender")
    parser.add_argument("rows", type=int)
    options = parser.parse_args()

    import django

    django.setup()
    from django.conf import settings

    # A running worker has imported the views, whose URLs are in webhook events.
    importlib.import_module(settings.ROOT_URLCONF)
    contender = importlib.import_module(options.module).CONTENDERS[options.contender]
    started = time.perf_counter()
    size = contender(options.rows)
    seconds = time.perf_counter() - started
    found = {"rows": options.rows, "seconds": seconds, "peak_megabytes": _peak_megabytes()}
    print(json.dumps(found | {"bytes": size}))


if __name__ == "__main__":
    main()
