"""Measures how much a busy organization or a hostile client delays the others.

    python -m benchmarks.contention [--seconds 60] [--rows 200000] [--bodies 10000]

Starts its own stack, as `make run` does, in a temporary folder. Prints a table in Markdown. Every
client stops after a fixed time and connects to the loopback interface only.
"""

import argparse
import hashlib
import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import django
import httpx
import psutil

from benchmarks import hostile, slow_clients
from benchmarks.lifecycle import seconds_to_completed, seconds_to_created, stack
from benchmarks.measuring import machine

NOISY = "noisy"
EXPENSIVE_CLIENTS = 24
SCHEMA_CLIENTS, SCHEMA_REQUESTS_EACH = 32, 10
CREATORS, CREATIONS_EACH = 50, 4
SLOW_CLIENTS, SLOW_SECONDS = 200, 30
HOSTILE_CLIENTS = 8
_POLL_SECONDS = 0.1
_TEXTS = (
    *("tracking_number", "order_number", "notes", "label_url", "tracking_url", "invoice_number"),
    *("purchase_order", "reference_number", "rma_number", "payment_reference"),
)
# Maximum length of a value of a LIKE predicate.
_MAX_PATTERN_CHARACTERS = 1_000


@dataclass
class Sample:
    """Response times in seconds, and counts of status codes."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def request(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        started = time.perf_counter()
        response = send()
        self.seconds.append(time.perf_counter() - started)
        self.statuses[response.status_code] += 1
        return response

    @property
    def p50(self) -> float:
        return statistics.median(self.seconds) * 1000

    @property
    def p95(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * 0.95)] * 1000


def row(name: str, measured: str, goal: str) -> None:
    print(f"| {name} | {measured} | {goal} |", flush=True)


def expensive(number: int) -> tuple[str, dict[str, Any]]:
    """Return the path and the body of a request that needs as much work as the limits allow."""
    middle = chr(ord("a") + number % 26) + "_" * 7
    pattern = "%" + middle * ((_MAX_PATTERN_CHARACTERS - 2) // len(middle)) + "%"
    names = "_or_".join(_TEXTS)
    body = {
        "resource": "shipment",
        "filters": {f"{names}_matches": pattern},
        "options": {"order_by": "notes"},
    }
    return ("/v1/exports/preview" if number % 4 else "/v1/exports"), body


def new_key(organization: str) -> str:
    """Create an API key. organization: a slug."""
    from longshore.accounts.models import ApiKey, Organization

    owner = Organization.objects.get(slug=organization)
    return ApiKey.objects.create_key(organization=owner, name="benchmark")[1]


def fill(rows: int) -> None:
    from django.core.management import call_command

    call_command("demo_data", rows=rows, organization=NOISY, verbosity=0)


def attack(base: str, key: str, seconds: float) -> "Counter[int]":
    """Send expensive requests from many threads without pause; return counts of status codes."""
    until = time.monotonic() + seconds
    number = count()
    statuses: Counter[int] = Counter()

    def repeat() -> None:
        while time.monotonic() < until:
            path, body = expensive(next(number))
            code = client.post(path, json=body).status_code
            statuses[code] += 1
            if code == httpx.codes.TOO_MANY_REQUESTS:
                # Ignore Retry-After, as an impatient client does.
                time.sleep(0.02)

    with new_client(base, key) as client, ThreadPoolExecutor(EXPENSIVE_CLIENTS) as pool:
        for future in [pool.submit(repeat) for _ in range(EXPENSIVE_CLIENTS)]:
            future.result()
    return statuses


def noisy_neighbor(noisy: str, quiet: httpx.Client, seconds: float) -> None:
    types, exports = Sample(), Sample()
    until = time.monotonic() + seconds

    def export() -> None:
        while time.monotonic() < until:
            exports.seconds.append(seconds_to_completed(quiet))

    with elsewhere() as pool:
        attacking = pool.submit(attack, str(quiet.base_url), noisy, seconds)
        time.sleep(2)
        writing = threading.Thread(target=export)
        writing.start()
        while time.monotonic() < until:
            types.request(lambda: quiet.get("/v1/exports/types"))
            time.sleep(_POLL_SECONDS)
        writing.join()
        statuses = attacking.result()
    name = f"{EXPENSIVE_CLIENTS} expensive previews and creations at once for {seconds:.0f} s"
    row(
        f"{name}: another organization's `GET /v1/exports/types`",
        f"p95 {types.p95:.0f} ms",
        "p95 ≤ 300 ms",
    )
    measured = f"median {exports.p50 / 1000:.2f} s of {len(exports.seconds)}"
    row(f"{name}: another organization's export of 1,000 rows", measured, "median ≤ 2 s")
    row(f"{name}: responses to the noisy organization", _statuses(statuses), "")
    _no_failures(types)


def slow(client: httpx.Client) -> None:
    key = client.headers["PX-API-KEY"]
    base = str(client.base_url).rstrip("/")
    target = slow_clients.Target(base, key, slow_clients.link(base, key))
    with slow_clients.slow_clients(target, SLOW_CLIENTS):
        found = slow_clients.latencies(target, SLOW_SECONDS)
    name = f"{SLOW_CLIENTS} connections of a byte a second"
    for path, goal in (("/healthz", 100), ("/v1/exports", 500)):
        measured = slow_clients.p95(found[path])
        row(f"{name}: `{path}`", f"p95 {measured}", f"p95 ≤ {goal} ms")


def hostile_bodies(client: httpx.Client, number: int) -> None:
    sample, lock = Sample(), threading.Lock()
    remaining = hostile.bodies(1, number)
    paths = ("/v1/exports/preview", "/v1/exports", "/v1/webhooks")
    headers = {"Content-Type": "application/json"}

    def send(index: int) -> None:
        with lock:
            body = next(remaining)
        path = paths[index % len(paths)]
        sample.request(lambda: client.post(path, content=body, headers=headers))

    with ThreadPoolExecutor(HOSTILE_CLIENTS) as pool:
        for _ in pool.map(send, range(number)):
            pass
    peak = max(map(peak_megabytes, web_processes()))
    row(f"{number:,} hostile bodies: peak memory of a web process", f"{peak:.0f} MB", "≤ 250 MB")
    row("as above: responses", _statuses(sample.statuses), "no 5xx")
    if any(status >= 500 for status in sample.statuses):
        raise SystemExit("A hostile body caused a 5xx.")


def read_schema(base: str, key: str) -> "tuple[Counter[int], int]":
    """Read the API description from many threads.

    Return counts of status codes, and the number of different responses.
    """
    statuses: Counter[int] = Counter()
    digests: set[str] = set()

    def read(_: int) -> None:
        response = client.get("/v1/schema")
        statuses[response.status_code] += 1
        digests.add(hashlib.sha256(response.content).hexdigest())

    with new_client(base, key) as client, ThreadPoolExecutor(SCHEMA_CLIENTS) as pool:
        list(pool.map(read, range(SCHEMA_CLIENTS * SCHEMA_REQUESTS_EACH)))
    return statuses, len(digests)


def schema(client: httpx.Client) -> None:
    other = Sample()
    with elsewhere() as pool:
        reading = pool.submit(read_schema, str(client.base_url), client.headers["PX-API-KEY"])
        while not reading.done():
            other.request(lambda: client.get("/v1/exports/types"))
            time.sleep(0.02)
        statuses, different = reading.result()
    name = f"{SCHEMA_CLIENTS} clients of `/v1/schema`"
    row(name, f"{_statuses(statuses)}, {different} different", "200, 1 different")
    row(f"{name}: another request", f"p95 {other.p95:.0f} ms", "p95 ≤ 200 ms")


def creators(client: httpx.Client) -> None:
    with ThreadPoolExecutor(CREATORS) as pool:
        requests = range(CREATORS * CREATIONS_EACH)
        sample = Sample(list(pool.map(lambda _: seconds_to_created(client), requests)))
    row(f"{CREATORS} concurrent creators", f"p50 {sample.p50:.0f} ms, p95 {sample.p95:.0f} ms", "")


@contextmanager
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    """Yield a process for clients, so that their work does not delay the measured requests."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def new_client(base: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=base, headers={"PX-API-KEY": key}, timeout=60, trust_env=False)


def web_processes() -> list[psutil.Process]:
    """Return the processes of the web server, which are children of this process."""
    children = psutil.Process().children(recursive=True)
    return [each for each in children if each.cmdline()[0].startswith("gunicorn: ")]


def peak_megabytes(process: psutil.Process) -> float:
    """Return the peak memory of a process since its start."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def _statuses(statuses: "Counter[int]") -> str:
    return ", ".join(f"{number} of {code}" for code, number in sorted(statuses.items()))


def _no_failures(sample: Sample) -> None:
    if set(sample.statuses) != {200}:
        raise SystemExit(f"Not every response was 200: {_statuses(sample.statuses)}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--bodies", type=int, default=10_000)
    options = parser.parse_args()
    print(f"\n{machine()}\n\n| | measured | goal |\n|---|--:|--:|", flush=True)
    # Default limits, but no rate limit, so that only the admission limits protect an organization.
    with stack(EXPORT_MAX_UNFINISHED="", API_MAX_EXPENSIVE_REQUESTS="") as quiet:
        os.environ["DJANGO_SETTINGS_MODULE"] = "exports_project.settings"
        django.setup()
        fill(options.rows)
        seconds_to_completed(quiet)  # Not counted: warms up the workers.
        noisy_neighbor(new_key(NOISY), quiet, options.seconds)
        slow(quiet)
        schema(quiet)
        hostile_bodies(quiet, options.bodies)
    with stack() as client:
        creators(client)


if __name__ == "__main__":
    main()
