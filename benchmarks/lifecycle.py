"""Measures exports from the request to the file, creations, and two connections against one.

    python -m benchmarks.lifecycle [--rows 1000000] [--repeat 5]

Starts its own stack, as `make run` does, with demo data in a temporary folder. Prints a table in
Markdown.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from benchmarks.data import fill, servers
from benchmarks.measuring import machine, measure

SMALL = {"resource": "contact", "options": {"limit": 1000}}
_EXPORTS, _CREATORS, _REQUESTS_EACH = 50, 50, 4
_START_SECONDS = 600
LARGE = "CSV, merge, gzip"
# A part of the command line or title of each program.
_SERVERS = {"web server": "gunicorn", "PostgreSQL": "bin/postgres", "Valkey": "valkey-server"}
_EXPORT_WORKERS = ("quick@", "large@")


@contextmanager
def stack(**settings: str) -> Iterator[httpx.Client]:
    """Run Longshore and yield a client with an API key.

    settings: environment variables, in addition to those that lift the limits of the API.
    """
    with tempfile.TemporaryDirectory(prefix="longshore-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        # Also in this process, for benchmarks that query the database directly.
        os.environ |= {"LOCAL_DIR": folder, "ENV_FILE": os.devnull}
        environment = os.environ | {
            "PORT": str(port),
            "EXPORT_MAX_UNFINISHED": "100000",
            "API_RATE_LIMIT": "",
            "API_MAX_EXPENSIVE_REQUESTS": "0",
            "LOG_LEVEL": "WARNING",
            **settings,
        }
        command = [sys.executable, "-m", "exports_project.serve"]
        log = Path(folder) / "stack.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            demo = Path(folder) / "demo.json"
            deadline = time.monotonic() + _START_SECONDS
            while not demo.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"Longshore did not start.\n{log.read_text()}")
                time.sleep(0.1)
            described = json.loads(demo.read_text())
            headers = {"PX-API-KEY": described["api_key"]}
            limits = httpx.Limits(max_connections=_CREATORS)
            base = described["base_url"]
            with httpx.Client(base_url=base, headers=headers, limits=limits, timeout=60) as client:
                yield client
        finally:
            process.terminate()
            process.wait(60)


def seconds_to_completed(client: httpx.Client) -> float:
    started = time.perf_counter()
    address = client.post("/v1/exports", json=SMALL).json()["url"]
    while (export := client.get(address).json())["status"] != "completed":
        if export["status"] not in ("queued", "processing"):
            raise SystemExit(f"The export is {export['status']}.")
        time.sleep(0.01)
    return time.perf_counter() - started


def seconds_to_created(client: httpx.Client) -> float:
    started = time.perf_counter()
    client.post("/v1/exports", json=SMALL).raise_for_status()
    return time.perf_counter() - started


def create_at_once(client: httpx.Client, requests_each: int = _REQUESTS_EACH) -> list[float]:
    """Return the sorted response times of concurrent creators."""
    with ThreadPoolExecutor(_CREATORS) as pool:
        requests = [
            pool.submit(seconds_to_created, client) for _ in range(_CREATORS * requests_each)
        ]
        return sorted(request.result() for request in requests)


def processes_of(*parts: str) -> list[psutil.Process]:
    """Return the processes of programs of the stack, with the children of each."""
    programs = [
        each
        for serve in psutil.Process().children()
        if "exports_project.serve" in serve.cmdline()
        for each in serve.children()
        if any(part in " ".join(each.cmdline()) for part in parts)
    ]
    return [each for program in programs for each in (program, *program.children(recursive=True))]


@contextmanager
def paused_workers() -> Iterator[None]:
    """Stop the workers of exports during the block, so that no export runs."""
    workers = processes_of(*_EXPORT_WORKERS)
    if not workers:
        raise SystemExit("No worker of exports was found.")
    for worker in workers:
        worker.suspend()
    try:
        yield
    finally:
        for worker in workers:
            worker.resume()


def processor_seconds() -> dict[str, float]:
    """Return the processor time that each server has used."""
    found = {}
    for name, part in _SERVERS.items():
        times = [process.cpu_times() for process in processes_of(part)]
        found[name] = sum(each.user + each.system for each in times)
    return found


def small_exports(
    client: httpx.Client, exports: int = _EXPORTS, requests_each: int = _REQUESTS_EACH
) -> dict[str, list[float]]:
    """Return sorted seconds by name. Prints the processor time of a creation.

    requests_each: number of exports that each of the concurrent clients creates.
    """
    seconds_to_completed(client)  # Not counted: warms up the workers.
    ended = sorted(seconds_to_completed(client) for _ in range(exports))
    with paused_workers():
        create_at_once(client, 1)  # Not counted: opens the connections of all threads.
        before = processor_seconds()
        alone = create_at_once(client, requests_each)
        used = {
            name: (seconds - before[name]) / len(alone) * 1000
            for name, seconds in processor_seconds().items()
        }
    created = create_at_once(client, requests_each)
    each = ", ".join(f"{name} {milliseconds:.1f} ms" for name, milliseconds in used.items())
    print(f"Processor time of a creation while no export runs: {each}.", file=sys.stderr)
    return {
        "an export of 1,000 rows, from the request to the file": ended,
        f"{_CREATORS} clients create exports at once: response while no export runs": alone,
        f"{_CREATORS} clients create exports at once: response while exports run": created,
    }


def percentile_95(ordered: list[float]) -> float:
    return ordered[int(len(ordered) * 0.95)]


def show(found: dict[str, list[float]]) -> None:
    print("| | times | median | p95 |")
    print("|---|--:|--:|--:|")
    for name, seconds in found.items():
        print(
            f"| {name} | {len(seconds)} | {statistics.median(seconds) * 1000:.0f} ms"
            f" | {percentile_95(seconds) * 1000:.0f} ms |"
        )


def readers(rows: int, repeat: int) -> None:
    with servers():
        fill(rows)
        found: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(repeat):
            for connections, seconds in found.items():
                os.environ["EXPORT_CONNECTIONS"] = str(connections)
                measured = measure("benchmarks.format_contenders", LARGE, rows)
                seconds.append(measured.seconds)
    ratios = [one / two for one, two in zip(found[1], found[2], strict=True)]
    print(f"\n{LARGE}, {rows:,} shipments: speed with two connections as a multiple of the speed")
    print(f"with one, for each pair of runs: {', '.join(f'{ratio:.2f}' for ratio in ratios)}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    print(f"\n{machine()}\n")
    with stack() as client:
        show(small_exports(client))
    readers(options.rows, options.repeat)


if __name__ == "__main__":
    main()
