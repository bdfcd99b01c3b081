"""Writes shipments in every format and compares it with PostgreSQL's own CSV of the same columns.

    python -m benchmarks.formats [--rows 1000000] [--repeat 3]

Eighteen columns: three are JSON, three are datetimes in a time zone. Every measurement runs in its
own process, from the queued export to the verified file. Prints a table in Markdown.
"""

import argparse

from benchmarks import names
from benchmarks.data import fill, fill_contacts, servers
from benchmarks.measuring import Measurement, machine, measure, median_run
from benchmarks.names import CONTACTS, MERGED, PLAIN, PLAIN_CONTACTS

MODULE = "benchmarks.format_contenders"
# Maximum time as a multiple of PLAIN, or of PLAIN_CONTACTS.
MAX_RATIOS = {
    names.CSV: 1.5,
    names.CSV_GZIP: None,
    names.CSV_ZSTD: None,
    names.JSON_LINES: 2.2,
    names.CSV_FLATTEN: 2.5,
    names.PARQUET: 1.5,
    names.XLSX: None,
    CONTACTS: 3.0,
}


def compare(rows: int, repeat: int) -> None:
    found: dict[str, list[Measurement]] = {
        name: [] for name in (PLAIN, MERGED, PLAIN_CONTACTS, *MAX_RATIOS)
    }
    for name in (PLAIN, PLAIN_CONTACTS):
        measure(MODULE, name, rows)  # Not counted: warms up the server's cache.
    for _ in range(repeat):
        for name in found:
            found[name].append(measure(MODULE, name, rows))
    print(f"\n{machine()}\n")
    print("| | rows | seconds | rows/s | multiple of plain COPY | goal | peak memory | file |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, measurements in found.items():
        median = median_run(measurements)
        base = found[PLAIN_CONTACTS if name in (CONTACTS, PLAIN_CONTACTS) else PLAIN]
        # Compare consecutive runs, because the speed of the machine varies.
        pairs = zip(measurements, base, strict=True)
        ratios = sorted(ours.seconds / plain.seconds for ours, plain in pairs)
        print(
            f"| {name} | {median.rows:,} | {median.seconds:.2f} | {median.rate:,.0f} "
            f"| {ratios[len(ratios) // 2]:.2f} | {MAX_RATIOS.get(name) or ''} "
            f"| {median.peak_megabytes:.0f} MB | {median.bytes / 1e6:,.0f} MB |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with servers():
        fill(options.rows)
        fill_contacts(options.rows)
        compare(options.rows, options.repeat)


if __name__ == "__main__":
    main()
