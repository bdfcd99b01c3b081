"""Measures webhook deliveries per second, and the delay between an export's end and its webhook.

    python -m benchmarks.webhooks [--deliveries 3000] [--exports 50]

Starts its own stack, as `make run` does, in a temporary folder, and a local receiver that responds
at once. Verifies every signature after the measurement. Prints a table in Markdown.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Thread

import httpx
from standardwebhooks import Webhook

from benchmarks.lifecycle import SMALL, percentile_95, stack
from benchmarks.measuring import machine

_TARGETS = 20
_MAX_SECONDS = 120


@dataclass
class Received:
    at: float
    head: bytes
    body: bytes

    def verify(self, secret: str) -> None:
        Webhook(secret).verify(self.body, self.headers)

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode().split("\r\n")[1:]
        return dict(line.split(": ", 1) for line in lines)

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode()


@dataclass
class Receiver:
    """Stores the received requests in order."""

    port: int = 0
    received: list[Received] = field(default_factory=list)

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + _MAX_SECONDS
        while len(self.received) < count:
            if time.monotonic() > deadline:
                raise SystemExit(f"Of {count} deliveries {len(self.received)} came.")
            time.sleep(0.002)


class _Connection(asyncio.Protocol):
    def __init__(self, receiver: Receiver) -> None:
        self._receiver, self._buffer = receiver, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        if len(rest) >= length:
            self._buffer = rest[length:]
            self._receiver.received.append(Received(time.time(), head, rest[:length]))
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver, loop = Receiver(), asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(lambda: _Connection(receiver), "127.0.0.1", 0)
    )
    receiver.port = server.sockets[0].getsockname()[1]
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


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
    receiver.received.clear()
    yield secrets
    for url in urls:
        client.delete(url).raise_for_status()
    for received in receiver.received:
        received.verify(secrets[received.path])


def deliveries_per_second(
    client: httpx.Client, receiver: Receiver, publish: Callable[[int], float], most: int, to: int
) -> tuple[int, float]:
    """Return the number of deliveries, and the rate per second from the commit to the last one."""
    with subscribed(client, receiver, to):
        began = publish(most // to)
        count = most // to * to
        receiver.wait_for(count)
        return count, count / (receiver.received[count - 1].at - began)


def publish(events: int) -> float:
    """Store events in one transaction; return the time at which its commit started."""
    from django.db import transaction

    from longshore.accounts.models import Organization
    from webhooks import outbox
    from webhooks.events import EventType

    acme = Organization.objects.get(slug="acme")
    data = {"object": "thing", "id": "thing_1", "text": "x" * 1000}
    with transaction.atomic():
        for _ in range(events):
            outbox.publish(acme.pk, EventType.EXPORT_CREATED, data)
        began = time.time()
    return began


def seconds_after_completion(client: httpx.Client, receiver: Receiver, exports: int) -> list[float]:
    with subscribed(client, receiver, 1):
        for number in range(exports):
            client.post("/v1/exports", json=SMALL).raise_for_status()
            receiver.wait_for(number + 1)
        messages = [(each.at, json.loads(each.body)) for each in receiver.received]
    return sorted(
        at - datetime.fromisoformat(message["data"]["completed_at"]).timestamp()
        for at, message in messages
    )


def measured(
    client: httpx.Client, receiver: Receiver, deliveries: int, exports: int
) -> tuple[dict[str, tuple[int, float]], list[float]]:
    """Return the number and rate of deliveries by targets, and the seconds after a completion.

    Sets up Django for the database of the running stack.
    """
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "exports_project.settings"
    django.setup()
    # Not counted: warms up the worker.
    deliveries_per_second(client, receiver, publish, 100, 1)
    rates = {
        name: deliveries_per_second(client, receiver, publish, deliveries, to)
        for name, to in (("one target", 1), (f"{_TARGETS} targets", _TARGETS))
    }
    seconds_after_completion(client, receiver, 1)
    return rates, seconds_after_completion(client, receiver, exports)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=3000)
    parser.add_argument("--exports", type=int, default=50)
    options = parser.parse_args()
    print(f"\n{machine()}\n")
    with stack() as client, receiving() as receiver:
        rates, seconds = measured(client, receiver, options.deliveries, options.exports)
    print("| | deliveries | a second |")
    print("|---|--:|--:|")
    for name, (count, rate) in rates.items():
        print(f"| to {name} | {count:,} | {rate:,.0f} |")
    print("\n| | times | median | p95 |")
    print("|---|--:|--:|--:|")
    print(
        f"| from an export's completion to its webhook | {len(seconds)}"
        f" | {statistics.median(seconds) * 1000:.0f} ms | {percentile_95(seconds) * 1000:.0f} ms |"
    )


if __name__ == "__main__":
    main()
