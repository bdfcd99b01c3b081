"""Writes shipments to CSV in five ways and compares their speed and memory.

    python -m benchmarks.export [--rows 1000000] [--repeat 3]

Every measurement runs in its own process, for its peak memory. Prints a table in Markdown.
"""

import argparse
import statistics

from benchmarks import measuring
from benchmarks.data import fill, servers
from benchmarks.measuring import Measurement, machine, median_run
from benchmarks.names import EXPORT, IMPORT_EXPORT, ITERATOR, SERIALIZER, SERVER

# Fewer rows for slow contenders. Their time grows linearly, so the rates are comparable.
SLOW_ROWS = {ITERATOR: 100_000, IMPORT_EXPORT: 20_000, SERIALIZER: 20_000}


def measure(contender: str, rows: int) -> Measurement:
    return measuring.measure("benchmarks.contenders", contender, rows)


def compare(rows: int, repeat: int) -> None:
    results: dict[str, list[Measurement]] = {SERVER: [], EXPORT: []}
    measure(SERVER, rows)  # Not counted: warms up the server's cache.
    for _ in range(repeat):
        for contender in (SERVER, EXPORT):
            results[contender].append(measure(contender, rows))
    for contender, fewer in SLOW_ROWS.items():
        results[contender] = [measure(contender, min(fewer, rows)) for _ in range(repeat)]
    ours = statistics.median(found.rate for found in results[EXPORT])
    print(f"\n{machine()}\n")
    print("| | rows | seconds | rows/s | relative speed of Longshore | peak memory |")
    print("|---|--:|--:|--:|--:|--:|")
    for contender, found in results.items():
        median = median_run(found)
        print(
            f"| {contender} | {median.rows:,} | {median.seconds:.2f} | {median.rate:,.0f} "
            f"| {ours / median.rate:.2f} x | {median.peak_megabytes:.0f} MB |"
        )
    pairs = zip(results[EXPORT], results[SERVER], strict=True)
    ratios = ", ".join(f"{ours.seconds / server.seconds:.2f}" for ours, server in pairs)
    print(f"\nDuration as a multiple of the server-side COPY, for each pair of runs: {ratios}.")


def memory(measurements: list[Measurement]) -> None:
    print("\n| rows | peak memory of the exporting process | rows/s |\n|--:|--:|--:|")
    for found in measurements:
        print(f"| {found.rows:,} | {found.peak_megabytes:.0f} MB | {found.rate:,.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with servers():
        measurements = []
        for rows in (options.rows // 5, options.rows, 2 * options.rows):
            fill(rows)
            measurements.append(measure(EXPORT, rows))
            if rows == options.rows:
                compare(rows, options.repeat)
        memory(measurements)


if __name__ == "__main__":
    main()
