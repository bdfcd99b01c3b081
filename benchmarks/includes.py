"""Writes orders with nested records to JSON and compares it with a loop of serializers.

    python -m benchmarks.includes [--rows 200000] [--repeat 3]

Each order has a customer, two addresses, three lines with two options each, and two transactions.
Every measurement runs in its own process. Longshore's covers everything from the queued export to
the verified file. The loop writes fewer orders, stored fields only. Prints tables in Markdown.
"""

import argparse

from benchmarks import measuring
from benchmarks.data import servers
from benchmarks.measuring import Measurement, machine, median_run
from benchmarks.names import (
    NESTED,
    PREFETCHED,
    SERVER,
    STATEMENTS,
    STATEMENTS_OF_ONE,
    STORED,
)
from benchmarks.orders import fill_orders

_LOOP_ORDERS, _FEW = 5_000, 1_000


def measure(contender: str, orders: int) -> Measurement:
    return measuring.measure("benchmarks.include_contenders", contender, orders)


def compare(orders: int, repeat: int) -> None:
    found: dict[str, list[Measurement]] = {SERVER: [], NESTED: [], STORED: [], PREFETCHED: []}
    measure(SERVER, orders)  # Not counted: warms up the server's cache.
    for _ in range(repeat):
        for name in found:
            number = min(orders, _LOOP_ORDERS) if name == PREFETCHED else orders
            found[name].append(measure(name, number))
    loop = median_run(found[PREFETCHED])
    print(f"\n{machine()}\n")
    print("| | orders | median, orders/s | best | multiple of the loop | peak memory | file |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, measurements in found.items():
        median, best = median_run(measurements), max(each.rate for each in measurements)
        print(
            f"| {name} | {median.rows:,} | {median.rate:,.0f} | {best:,.0f} "
            f"| {median.rate / loop.rate:.0f} | {median.peak_megabytes:.0f} MB "
            f"| {median.bytes / 1e6:,.0f} MB |"
        )


def growth(orders: int) -> None:
    """Print peak memory and number of statements by number of orders."""
    print("\n| orders | peak memory | statements | statements with one connection |")
    print("|--:|--:|--:|--:|")
    for number in (_FEW, orders // 10, orders):
        memory = measure(NESTED, number).peak_megabytes
        counts = [measure(name, number).bytes for name in (STATEMENTS, STATEMENTS_OF_ONE)]
        print(f"| {number:,} | {memory:.0f} MB | {counts[0]} | {counts[1]} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with servers():
        fill_orders(options.rows)
        compare(options.rows, options.repeat)
        growth(options.rows)


if __name__ == "__main__":
    main()
