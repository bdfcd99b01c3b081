"""Soak test: mixed jobs of many organizations, and a fault every 20 seconds.

    python -m benchmarks.soak [--minutes 15] [--rows 5000] [--seed 20]

Starts its own processes and servers in a temporary folder, and connects to the loopback interface
only. Prints tables in Markdown. Exits with 1 if a job, a record, a file or a delivery was lost,
doubled, wrong or stuck, or if the memory of a program grew.
"""

import argparse
import random
import secrets
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import httpx

from benchmarks import faults, memory
from benchmarks.chaos import running_stack
from benchmarks.measuring import machine
from benchmarks.soak_clients import PROBE, SUBSCRIPTIONS, Client, Log, Organization, administrate

if TYPE_CHECKING:
    from benchmarks.soak_checks import Check
    from tests.recovery.stack import Stack

ORGANIZATIONS = 20
MAX_MINUTES = 60
FAULT_SECONDS = 20
# Requests that overlap with this time before or after a fault do not count as fault-free.
CALM_SECONDS = 5
_GOAL_MILLISECONDS = 300
# The program that a fault may kill in addition to those of `faults.PROGRAMS`.
_WEBHOOKS = "webhooks"
# Kinds of requests without a goal: they wait for the work of a batch, or do nothing.
_WITHOUT_GOAL = ("POST /v1/batches, sync", "POST /v1/batches, mixed", PROBE)
# The reason of an attempt whose worker was killed, which is noticed long after the fault.
_LOST_WORKER = "The worker stopped responding."
_MAX_SHOWN = 20


@dataclass(frozen=True)
class Injected:
    """A fault. began, ended: when it was injected and repaired (epoch)."""

    name: str
    began: float
    ended: float

    def overlaps(self, began: float, ended: float) -> bool:
        """Return whether a request, or another interval, is near the fault."""
        return began < self.ended + CALM_SECONDS and ended > self.began - CALM_SECONDS


def inject_faults(stack: "Stack", chance: random.Random, end: float) -> Iterator[Injected]:
    """Inject all faults in random order, again and again, until `end` (epoch)."""
    found = faults.ALL | {
        "SIGKILL of the processes that execute tasks": lambda stack: stack.kill_tasks("worker"),
        "SIGKILL of the sender of webhooks": partial(faults.kill, name=_WEBHOOKS),
    }
    remaining: list[str] = []
    due = time.time() + FAULT_SECONDS
    while due < end:
        remaining = remaining or chance.sample([*found], len(found))
        time.sleep(max(0, due - time.time() + chance.uniform(-1, 1)))
        name, began = remaining.pop(), time.time()
        found[name](stack)
        yield Injected(name, began, time.time())
        due = max(due + FAULT_SECONDS, time.time() + 2 * CALM_SECONDS)
    time.sleep(max(0, end - time.time()))


def organizations(stack: "Stack") -> dict[str, str]:
    """Create the organizations with shipments. Returns the key of each, by its id."""
    from benchmarks.contention import new_key
    from longshore.accounts.models import Organization

    slugs = [f"soak-{number:02}" for number in range(ORGANIZATIONS)]
    keys = {
        Organization.objects.create(slug=slug, name=slug.title()).pk: new_key(slug)
        for slug in slugs
    }
    stack.fill(*keys)
    return keys


def sign_in(base: str) -> str:
    """Create a superuser and sign in. Returns the cookie of the session."""
    from django.conf import settings
    from django.contrib.auth.models import User

    name, password = "soak", secrets.token_urlsafe()
    User.objects.create_superuser(name, password=password)
    path = "/admin/login/"
    with httpx.Client(base_url=base, trust_env=False) as browser:
        browser.get(path).raise_for_status()
        token = browser.cookies[settings.CSRF_COOKIE_NAME]
        data = {"csrfmiddlewaretoken": token, "username": name, "password": password}
        browser.post(path, data=data)
        return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME]}"


def subscribe(clients: dict[str, Client], port: int) -> None:
    for organization, client in clients.items():
        for path, events in SUBSCRIPTIONS.items():
            target = f"http://127.0.0.1:{port}/{organization}/{path}"
            client.create("POST /v1/webhooks", "/v1/webhooks", {"target": target, "events": events})


@contextmanager
def working(clients: dict[str, Client], admin: Client) -> Iterator[None]:
    """Let the clients send requests until the end of the block."""
    stopped = threading.Event()
    with ThreadPoolExecutor(len(clients) + 1) as pool:
        futures = [
            pool.submit(Organization(client, organization).run, stopped)
            for organization, client in clients.items()
        ]
        futures.append(pool.submit(administrate, admin, stopped))
        try:
            yield
        finally:
            stopped.set()
    for future in futures:
        future.result()


def report_faults(injected: Sequence[Injected]) -> None:
    print("| fault | injected |\n|---|--:|")
    for name, times in sorted(Counter(fault.name for fault in injected).items()):
        print(f"| {name} | {times} |")


def report_outcome(log: Log, check: "Check") -> None:
    print("\n| | number | completed | failed | lost | doubled | wrong | stuck |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, verdict, number in (
        ("exports", check.exports, len(log.exports)),
        ("batches", check.batches, sum(len(batch.ids) for batch in log.batches)),
        ("deliveries and counters", check.other, check.deliveries),
    ):
        print(
            f"| {name} | {number:,} | {verdict.completed or ''} | {verdict.failed or ''} "
            f"| {len(verdict.lost)} | {len(verdict.duplicated)} | {len(verdict.wrong)} "
            f"| {len(verdict.stuck)} |"
        )
    attempts = [*check.exports.attempts, *check.batches.attempts]
    print(
        f"\nAttempts that were requeued: {sum(attempts) - len(attempts)}. "
        f"Messages received: {check.received:,} for {check.deliveries:,} deliveries. "
        f"Creations sent again: {log.repeated}, {log.replayed} had succeeded before."
    )
    if check.abandoned_inputs:
        print(
            f"Inputs whose request failed before it stored a batch: {check.abandoned_inputs}. "
            "The daily purge deletes them."
        )


def report_failures(check: "Check", injected: Sequence[Injected]) -> list[str]:
    """Print why jobs failed. Returns the failed attempts that no fault explains."""
    failures = check.failures()
    for reason, count in Counter(failure.reason for failure in failures).items():
        print(f"{count} attempts of failed jobs: {reason}")
    return [
        f"{failure.job}: no fault explains {failure.reason!r}"
        for failure in failures
        if not failure.reason.endswith(_LOST_WORKER)
        and not any(fault.overlaps(failure.at, failure.at) for fault in injected)
    ]


def report_latencies(log: Log, injected: Sequence[Injected]) -> int:
    """Print the latencies of fault-free seconds. Returns the number of failures in them."""
    found: dict[str, list[float]] = defaultdict(list)
    failures = 0
    for response in log.responses:
        if not any(fault.overlaps(response.began, response.ended) for fault in injected):
            found[response.kind].append((response.ended - response.began) * 1000)
            failures += response.status == 0 or response.status >= 500
    measured = [
        value for kind, values in found.items() if kind not in _WITHOUT_GOAL for value in values
    ]
    found[f"**all that do not wait for a batch** (goal: p95 ≤ {_GOAL_MILLISECONDS} ms)"] = measured
    print("\n| fault-free requests | number | median | p95 |\n|---|--:|--:|--:|")
    for kind, values in sorted(found.items(), key=lambda item: item[0].lstrip("*")):
        ordered = sorted(values)
        median, p95 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.95))
        print(f"| {kind} | {len(values):,} | {median:.0f} ms | {p95:.0f} ms |")
    return failures


def report_memory(samples: memory.Samples) -> list[str]:
    """Print the memory of each program. Returns those whose memory grew."""
    print("\n| memory (PSS) of | samples | medians of the quarters | maximum | flat |")
    print("|---|--:|--:|--:|---|")
    # The others were killed too often in a short run.
    sampled = {name: found for name, found in samples.of.items() if len(found) >= 4}
    for name, found in sampled.items():
        medians = ", ".join(f"{median:.0f}" for median in samples.quarters(name))
        is_flat = "yes" if samples.is_flat(name) else "**no**"
        print(f"| {name} | {len(found)} | {medians} MB | {max(found):.0f} MB | {is_flat} |")
    return [f"The memory of {name} grew." for name in sampled if not samples.is_flat(name)]


def soak(stack: "Stack", options: argparse.Namespace) -> list[str]:
    """Run the test and print the tables. Returns the problems."""
    import django
    from django.db import connection

    from benchmarks.soak_checks import Check
    from benchmarks.webhook_receiver import receiving
    from tests.recovery.stack import COMMANDS

    django.setup()
    keys = organizations(stack)
    log, base = Log(), f"http://127.0.0.1:{stack.port}"
    clients = {
        organization: Client(base, {"PX-API-KEY": key}, log, options.seed + number)
        for number, (organization, key) in enumerate(keys.items())
    }
    admin = Client(base, {"Cookie": sign_in(base)}, log, options.seed - 1)
    connection.close()
    stack.start(_WEBHOOKS)
    with receiving() as receiver:
        subscribe(clients, receiver.port)
        end = time.time() + options.minutes * 60
        programs = (*COMMANDS, _WEBHOOKS)
        with memory.sampling(programs, stack.processes) as samples, working(clients, admin):
            chance = random.Random(options.seed)  # noqa: S311
            injected = [*inject_faults(stack, chance, end)]
        check = Check(stack, log, [*keys])
        check.await_end()
        received = receiver.received()
    check.run([(each.path, each.headers["webhook-id"]) for each in received])
    report_faults(injected)
    report_outcome(log, check)
    failures = report_latencies(log, injected)
    problems = [
        each for found in (check.exports, check.batches, check.other) for each in found.problems
    ]
    problems += report_failures(check, injected) + report_memory(samples)
    if failures:
        problems.append(f"{failures} requests without a response, or with 5xx, without a fault.")
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    if options.minutes > MAX_MINUTES:
        parser.error(f"--minutes must be at most {MAX_MINUTES}")
    # Like Ctrl-C: every block stops what it has started.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    print(f"{machine()}\n", flush=True)
    with running_stack(options.rows) as stack:
        problems = soak(stack, options)
        logs = stack.logs() if problems else ""
    print("\n" + ("\n".join(problems[:_MAX_SHOWN]) or "Nothing was lost, doubled, wrong or stuck."))
    if problems:
        print(logs, file=sys.stderr)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
