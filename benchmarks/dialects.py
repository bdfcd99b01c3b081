"""Measures what a dialect adds to the time of a request: creating an export, and a list of exports.

    python -m benchmarks.dialects [--requests 200]

Starts its own stack, as `make run` does, in a temporary folder. Requests of a dialect and of the
native API alternate. Both create the same export and list as many. Prints a table in Markdown.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from benchmarks.lifecycle import stack
from benchmarks.measuring import machine

_PAGE = 25
_NEWEST = f"the newest {_PAGE} exports"
_MAX_SECONDS = 300
_QUARTER = {
    "type": "order_list",
    "date_from": "2025-01-01T00:00:00Z",
    "date_to": "2025-03-31T23:59:59Z",
}
_GZIP = {"resource": "tag", "format": "json", "compression": "gzip", "empty": "error"}


@dataclass(frozen=True)
class Dialect:
    """native: the body of the native request for the same export.

    lists: the parameters of lists of exports, by what they are.
    """

    name: str
    exports: str
    body: dict[str, Any]
    native: dict[str, Any]
    lists: dict[str, dict[str, Any]] = field(default_factory=lambda: {_NEWEST: {}})
    headers: dict[str, str] = field(default_factory=dict)


DIALECTS = (
    Dialect(
        "PackageX",
        "/packagex/v1/exports",
        {"resource": "contact"},
        {"resource": "contact"},
        {
            _NEWEST: {"limit": _PAGE, "direction": "desc"},
            # Its default.
            f"the oldest {_PAGE} exports": {"limit": _PAGE},
        },
    ),
    Dialect("29next", "/api/admin/exports/", _QUARTER, _QUARTER),
    Dialect(
        "Commerce Layer",
        "/api/exports",
        {"data": {"type": "exports", "attributes": {"resource_type": "tags"}}},
        _GZIP,
        {_NEWEST: {"page[size]": _PAGE}},
        {"Content-Type": "application/vnd.api+json"},
    ),
)


def milliseconds(call: Callable[[], httpx.Response]) -> float:
    started = time.perf_counter()
    call().raise_for_status()
    return (time.perf_counter() - started) * 1000


def medians(
    count: int, dialect: Callable[[], httpx.Response], native: Callable[[], httpx.Response]
) -> tuple[float, float]:
    """Return the median milliseconds of two requests, which alternate."""
    for call in (dialect, native):
        call()  # Not counted: warms up the web server.
    pairs = [(milliseconds(dialect), milliseconds(native)) for _ in range(count)]
    of_dialect, of_native = zip(*pairs, strict=True)
    return statistics.median(of_dialect), statistics.median(of_native)


def wait_until_idle(client: httpx.Client) -> None:
    """Wait until no export is queued or running: workers would disturb the lists."""
    deadline = time.monotonic() + _MAX_SECONDS
    unfinished = {"status": "queued,processing", "limit": "1"}
    while client.get("/v1/exports", params=unfinished).raise_for_status().json()["results"]:
        if time.monotonic() > deadline:
            raise SystemExit(f"The exports did not end within {_MAX_SECONDS} s.")
        time.sleep(0.5)


def row(label: str, of_dialect: float, of_native: float) -> str:
    ratio = of_dialect / of_native
    return f"| {label} | {of_dialect:.1f} ms | {of_native:.1f} ms | {ratio:.2f} x |"


def measured(client: httpx.Client, dialect: Dialect, count: int) -> list[str]:
    """Return the rows of a dialect."""
    create = medians(
        count,
        lambda: client.post(dialect.exports, json=dialect.body, headers=dialect.headers),
        lambda: client.post("/v1/exports", json=dialect.native),
    )
    wait_until_idle(client)
    rows = [row(f"{dialect.name}: create an export", *create)]
    for name, parameters in dialect.lists.items():
        listed = medians(
            count,
            partial(client.get, dialect.exports, params=parameters),
            partial(client.get, "/v1/exports", params={"limit": _PAGE}),
        )
        rows.append(row(f"{dialect.name}: list {name}", *listed))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200)
    options = parser.parse_args()
    print(f"\n{machine()}\n")
    print("| | dialect | native | dialect / native |")
    print("|---|--:|--:|--:|")
    # Not without the limit of expensive requests: lists of two dialects count as such.
    with stack(NEXTCOMMERCE_RATE_LIMIT="", API_MAX_EXPENSIVE_REQUESTS="3") as client:
        for dialect in DIALECTS:
            for line in measured(client, dialect, options.requests):
                print(line, flush=True)


if __name__ == "__main__":
    main()
