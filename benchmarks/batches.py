"""Creates and updates contacts from CSV, and compares batches with other ways to do so.

    python -m benchmarks.batches [--rows 200000] [--repeat 3] [--gigabytes 0]

Every measurement runs in its own process, on servers that flush each commit to the disk. That of a
batch begins with the stored input and ends with the completed batch. The organization has no other
contacts; another organization has as many as the file has rows. Prints tables in Markdown.

gigabytes: also create the contacts of a file of this size, to measure the memory.
"""

import argparse
import statistics
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import httpx

from benchmarks import batch_data, measuring
from benchmarks.batch_data import (
    CREATE_FILE,
    CREATED,
    ORGANIZATION,
    UNCHANGED,
    UPDATE_FILE,
    UPDATED,
    VALIDATED,
    changed_contacts,
    new_contacts,
    path,
    queue,
    updating,
)
from benchmarks.data import fill_contacts, servers
from benchmarks.lifecycle import stack
from benchmarks.measuring import Measurement, machine, median_run

# Rows per second.
MIN_RATES = {CREATED: 15_000, UPDATED: 10_000, UNCHANGED: 25_000, VALIDATED: 60_000}
# Rates of Longshore as multiples of the contender's.
MIN_RATIOS = {
    batch_data.SAVE: 8,
    batch_data.ONE_BY_ONE: 8,
    batch_data.BULK: 3,
    batch_data.UPSERT: 1.5,
}
MAX_MEGABYTES, MAX_SYNC_MILLISECONDS = 250, 300
_OTHERS_ROWS = 5_000
_SAMPLE_ROWS = 10_000
_SYNC_ROWS, _SYNC_BATCHES = 100, 50


def measured(
    rows: int, repeat: int, others_rows: int = _OTHERS_ROWS
) -> dict[str, list[Measurement]]:
    """Measure everything in each round, since the speed of the machine varies.

    others_rows: rows of the contenders, whose time grows linearly: rates are comparable.
    """
    found: dict[str, list[Measurement]] = {}

    def add(name: str, rows: int) -> None:
        execute("CHECKPOINT")  # Otherwise one would flush what another has written.
        found.setdefault(name, []).append(measure(name, rows))

    write(path(CREATE_FILE), new_contacts(rows))
    for _ in range(repeat):
        clear()
        for name in (VALIDATED, CREATED):
            queue(new_contacts(rows), dry_run=name == VALIDATED)
            add(name, rows)
        write(path(UPDATE_FILE), changed_contacts(created_ids()))
        for name in (UPDATED, UNCHANGED):
            queue([path(UPDATE_FILE).read_bytes()])
            add(name, rows)
        for name in (*MIN_RATIOS, *map(updating, MIN_RATIOS)):
            add(name, min(rows, others_rows))
    return found


def show(found: dict[str, list[Measurement]]) -> None:
    show_rates(found)
    print("\n| | rows | rows/s | Longshore's multiple of it | goal |\n|---|--:|--:|--:|--:|")
    for name, goal in MIN_RATIOS.items():
        show_ratio(name, found[name], found[CREATED], goal)
    for name, goal in MIN_RATIOS.items():
        show_ratio(updating(name), found[updating(name)], found[UPDATED], goal)


def measure(name: str, rows: int) -> Measurement:
    return measuring.measure("benchmarks.batch_contenders", name, rows)


def show_rates(found: dict[str, list[Measurement]]) -> None:
    print(f"\n{machine()}\n")
    print("| | rows | seconds | rows/s | goal | peak memory | file |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, goal in MIN_RATES.items():
        median = median_run(found[name])
        print(
            f"| {name} | {median.rows:,} | {median.seconds:.2f} | {median.rate:,.0f} | {goal:,} "
            f"| {median.peak_megabytes:.0f} MB | {median.bytes / 1e6:,.0f} MB |"
        )


def show_ratio(name: str, other: list[Measurement], ours: list[Measurement], goal: float) -> None:
    median = median_run(other)
    pairs = zip(ours, other, strict=True)
    ratio = statistics.median(one.rate / another.rate for one, another in pairs)
    print(f"| {name} | {median.rows:,} | {median.rate:,.0f} | {ratio:.1f} | {goal} |")


def memory(gigabytes: float) -> None:
    """Create the contacts of a large file, and show the peak memory of the process."""
    clear()
    sample = sum(map(len, new_contacts(_SAMPLE_ROWS)))
    rows = int(gigabytes * 1e9 / sample * _SAMPLE_ROWS)
    queue(new_contacts(rows))
    found = measure(CREATED, rows)
    print(
        f"\nA file of {found.bytes / 1e9:.1f} GB, {rows:,} rows: {found.rate:,.0f} created per "
        f"second, peak memory {found.peak_megabytes:.0f} MB (goal: {MAX_MEGABYTES} MB)."
    )


def sync_batches() -> None:
    """Show the time of small batches by HTTP, from the request to the completed batch."""
    records = batch_data.records(_SYNC_ROWS)
    body = {"resource": "contact", "mode": "sync", "data": records}
    with stack(BATCH_MAX_DAILY="0") as client:
        seconds_of_batch(client, body)  # Not counted: warms up the server.
        seconds = [seconds_of_batch(client, body) for _ in range(_SYNC_BATCHES)]
    milliseconds = statistics.median(seconds) * 1000
    print(
        f"\nA sync batch of {_SYNC_ROWS} rows by HTTP: median of {_SYNC_BATCHES} batches "
        f"{milliseconds:.0f} ms (goal: {MAX_SYNC_MILLISECONDS} ms)."
    )


def seconds_of_batch(client: httpx.Client, body: Mapping[str, Any]) -> float:
    started = time.perf_counter()
    batch = client.post("/v1/batches", json=body).json()
    seconds = time.perf_counter() - started
    if batch.get("status") != "completed":
        raise SystemExit(f"The batch is not completed: {batch}")
    return seconds


def clear() -> None:
    """Delete all batches and the contacts of the organization."""
    from batches.models import Batch
    from longshore.domains.logistics.models import Contact

    table = Contact._meta.db_table
    execute(f"TRUNCATE {Batch._meta.db_table} CASCADE")
    Contact.objects.filter(organization__slug=ORGANIZATION)._raw_delete("default")
    execute(f"VACUUM (ANALYZE) {table}")


def created_ids() -> list[str]:
    """Return the ids of the organization's contacts, in the order of the file."""
    from longshore.domains.logistics.models import Contact

    created = Contact.objects.filter(organization__slug=ORGANIZATION).order_by("external_id")
    return list(created.values_list("pk", flat=True))


def execute(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def write(file: Path, blocks: Iterable[bytes]) -> None:
    with file.open("wb") as output:
        output.writelines(blocks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--gigabytes", type=float, default=0)
    options = parser.parse_args()
    with servers(durable=True):
        fill_contacts(options.rows)
        show(measured(options.rows, options.repeat))
        if options.gigabytes:
            memory(options.gigabytes)
    sync_batches()


if __name__ == "__main__":
    main()
