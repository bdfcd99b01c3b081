"""Measures webhook deliveries per second, and the delay between an export's end and its webhook.

    python -m benchmarks.webhooks [--deliveries 3000] [--repeat 2] [--exports 50]

Starts its own stack, as `make run` does, in a temporary folder, and a local receiver that responds
at once. Lifts the limits of one host, which all targets share. Verifies every signature after the
measurement. Prints tables in Markdown, with the processor time of each program for one delivery.
"""

import argparse
import json
import os
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

import httpx
import psutil

from benchmarks.lifecycle import SMALL, percentile_95, stack
from benchmarks.measuring import machine
from benchmarks.webhook_receiver import Receiver, receiving

_TARGETS = 20
# Settings that lift the limits of a host: concurrent deliveries, and deliveries per second.
UNLIMITED = {"WEBHOOK_HOST_SENDERS": "0", "WEBHOOK_HOST_RATE": "0"}
# A pattern of the command lines of each measured program. The receiver is found by its process id.
_PROGRAMS = {
    "sender": "webhooks@",
    "PostgreSQL": "postgres",
    "Valkey": "valkey-server",
    "receiver": "",
}


@dataclass(frozen=True)
class Usage:
    """A time in seconds since 1970, and the processor time of each program until then."""

    at: float
    seconds: dict[str, float]


@dataclass(frozen=True)
class Rate:
    """Deliveries to some targets, from the commit to the last one.

    milliseconds: processor time of each program for one delivery.
    """

    targets: int
    deliveries: int
    per_second: float
    milliseconds: dict[str, float]

    @property
    def name(self) -> str:
        return "one target" if self.targets == 1 else f"{self.targets} targets"


def usage(receiver: Receiver) -> Usage:
    used = dict.fromkeys(_PROGRAMS, 0.0)
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            line, times = " ".join(process.cmdline()), process.cpu_times()
            name = "receiver" if process.pid == receiver.pid else _program(line)
            if name is not None:
                used[name] += times.user + times.system
                # Of the child processes that have ended: closed connections of PostgreSQL.
                used[name] += times.children_user + times.children_system
    return Usage(time.time(), used)


def _program(command_line: str) -> str | None:
    for name, pattern in _PROGRAMS.items():
        if pattern and re.search(pattern, command_line):
            return name
    return None


@contextmanager
def subscribed(client: httpx.Client, receiver: Receiver, count: int) -> Iterator[dict[str, str]]:
    """Subscribe `count` paths of the receiver; return the secret of each path."""
    urls, secrets = [], {}
    for number in range(count):
        path = f"/{number}"
        target = f"http://127.0.0.1:{receiver.port}{path}"
        body = {"target": target, "events": ["export.created"]}
        created = client.post("/v1/webhooks", json=body).raise_for_status().json()
        urls.append(created["url"])
        secrets[path] = created["secret"]
    receiver.clear()
    yield secrets
    for url in urls:
        client.delete(url).raise_for_status()
    for received in receiver.received():
        received.verify(secrets[received.path])


def measured_rate(client: httpx.Client, receiver: Receiver, most: int, targets: int) -> Rate:
    """Deliver about `most` messages: the same number of events to each target."""
    with subscribed(client, receiver, targets):
        count = most // targets * targets
        began = publish(most // targets, receiver)
        receiver.wait_for(count)
        ended = usage(receiver)
        last = receiver.received()[count - 1].at
    used = {name: ended.seconds[name] - began.seconds[name] for name in ended.seconds}
    milliseconds = {name: seconds / count * 1000 for name, seconds in used.items()}
    return Rate(targets, count, count / (last - began.at), milliseconds)


def publish(events: int, receiver: Receiver) -> Usage:
    """Store events in one transaction; return the usage at the start of its commit."""
    from django.db import transaction

    from longshore.accounts.models import Organization
    from webhooks import outbox
    from webhooks.events import EventType

    acme = Organization.objects.get(slug="acme")
    data = {"object": "thing", "id": "thing_1", "text": "x" * 1000}
    with transaction.atomic():
        for _ in range(events):
            outbox.publish(acme.pk, EventType.EXPORT_CREATED, data)
        return usage(receiver)


def seconds_after_completion(client: httpx.Client, receiver: Receiver, exports: int) -> list[float]:
    with subscribed(client, receiver, 1):
        for number in range(exports):
            client.post("/v1/exports", json=SMALL).raise_for_status()
            receiver.wait_for(number + 1)
        messages = [(each.at, json.loads(each.body)) for each in receiver.received()]
    return sorted(
        at - datetime.fromisoformat(message["data"]["completed_at"]).timestamp()
        for at, message in messages
    )


def measured(
    client: httpx.Client, receiver: Receiver, deliveries: int, exports: int, repeat: int
) -> tuple[list[Rate], list[float]]:
    """Return the rates of deliveries, and the sorted seconds after the completions of exports.

    Sets up Django for the database of the running stack.
    """
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "exports_project.settings"
    django.setup()
    measured_rate(client, receiver, 400, 4)  # Not counted: warms up the worker.
    rates = [
        measured_rate(client, receiver, deliveries, targets)
        for _ in range(repeat)
        for targets in (1, _TARGETS)
    ]
    seconds_after_completion(client, receiver, 1)
    return rates, seconds_after_completion(client, receiver, exports)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=3000)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--exports", type=int, default=50)
    options = parser.parse_args()
    print(f"\n{machine()}\n")
    with stack(**UNLIMITED) as client, receiving() as receiver:
        rates, seconds = measured(
            client, receiver, options.deliveries, options.exports, options.repeat
        )
    print(f"| | deliveries | a second | {' | '.join(f'{name}, ms' for name in _PROGRAMS)} |")
    print(f"|---{'|--:' * (2 + len(_PROGRAMS))}|")
    for rate in rates:
        times = " | ".join(f"{rate.milliseconds[name]:.2f}" for name in _PROGRAMS)
        print(f"| to {rate.name} | {rate.deliveries:,} | {rate.per_second:,.0f} | {times} |")
    print("\n| | times | median | p95 |")
    print("|---|--:|--:|--:|")
    print(
        f"| from an export's completion to its webhook | {len(seconds)}"
        f" | {statistics.median(seconds) * 1000:.0f} ms | {percentile_95(seconds) * 1000:.0f} ms |"
    )


if __name__ == "__main__":
    main()
