"""Writes shipments to CSV in five ways and compares their speed and memory.

    python -m benchmarks.export [--rows 1000000] [--repeat 3]

Every measurement is a process of its own, whose peak memory the system tells. Prints a table
in Markdown.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import fill, servers

SERVER, OURS, LOOP, IMPORT_EXPORT, SERIALIZER = (
    "server-side COPY to /dev/null",
    "Longshore, CSV + gzip",
    "values_list().iterator() + csv.writer",
    "django-import-export",
    "DRF serializer loop",
)
# The slow ones on fewer rows: their time grows with the rows, their memory even faster.
SLOW_ROWS = {LOOP: 100_000, IMPORT_EXPORT: 20_000, SERIALIZER: 20_000}


@dataclass(frozen=True)
class Measurement:
    rows: int
    seconds: float
    peak_megabytes: float
    bytes: int

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def measure(contender: str, rows: int) -> Measurement:
    """Run one contender in a new process."""
    command = [sys.executable, "-m", "benchmarks.export", "--measure", contender]
    output = subprocess.run([*command, "--rows", str(rows)], check=True, capture_output=True)
    found = Measurement(**json.loads(output.stdout.splitlines()[-1]))
    print(
        f"  {contender}: {found.rate:,.0f} rows/s, {found.peak_megabytes:.0f} MB", file=sys.stderr
    )
    return found


def measured(contender: str, rows: int) -> None:
    """In the new process: run it, and say what it took."""
    import django

    django.setup()
    from benchmarks.contenders import CONTENDERS

    started = time.perf_counter()
    size = CONTENDERS[contender](rows)
    seconds = time.perf_counter() - started
    peak = peak_megabytes()
    print(json.dumps({"rows": rows, "seconds": seconds, "peak_megabytes": peak, "bytes": size}))


def peak_megabytes() -> float:
    """The largest resident size of this process since it began to run this program."""
    if sys.platform == "linux":
        # getrusage would also count what the parent held when it forked.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def compare(rows: int, repeat: int) -> None:
    results: dict[str, list[Measurement]] = {SERVER: [], OURS: []}
    measure(SERVER, rows)  # Not counted: it warms the server's cache.
    for _ in range(repeat):
        for contender in (SERVER, OURS):
            results[contender].append(measure(contender, rows))
    for contender, fewer in SLOW_ROWS.items():
        results[contender] = [measure(contender, min(fewer, rows)) for _ in range(repeat)]
    ours = statistics.median(found.rate for found in results[OURS])
    print(f"\n{machine()}\n")
    print("| | rows | seconds | rows/s | Longshore is | peak memory |")
    print("|---|--:|--:|--:|--:|--:|")
    for contender, found in results.items():
        middle = sorted(found, key=lambda each: each.seconds)[len(found) // 2]
        print(
            f"| {contender} | {middle.rows:,} | {middle.seconds:.2f} | {middle.rate:,.0f} "
            f"| {ours / middle.rate:.2f} x | {middle.peak_megabytes:.0f} MB |"
        )
    pairs = zip(results[OURS], results[SERVER], strict=True)
    ratios = ", ".join(f"{ours.seconds / server.seconds:.2f}" for ours, server in pairs)
    print(f"\nTime as a multiple of the server-side COPY, pair by pair: {ratios}.")


def memory(row_counts: list[int]) -> None:
    print("\n| rows | peak memory of the exporting process | rows/s |\n|--:|--:|--:|")
    for rows in row_counts:
        found = measure(OURS, rows)
        print(f"| {rows:,} | {found.peak_megabytes:.0f} MB | {found.rate:,.0f} |")


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = models[0] if models else platform.processor()
    version = f"{platform.system()}, Python {platform.python_version()}"
    return f"{len(models) or '?'} cores of {name}, {version}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measured(options.measure, options.rows)
        return
    with servers():
        fill(options.rows)
        compare(options.rows, options.repeat)
        memory([options.rows // 5, options.rows])
        fill(2 * options.rows)
        memory([2 * options.rows])


if __name__ == "__main__":
    main()
