"""Deadlines of a connection, with clients on real sockets."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from waitress import wasyncore
from waitress.server import create_server

from exports_project.web import channel
from exports_project.web.channel import Channel

SIZE = 40_000_000


@pytest.fixture
def clock() -> SimpleNamespace:
    """The clock by which slow clients are found."""
    return SimpleNamespace(time=time.time)


@pytest.fixture
def connect(clock: SimpleNamespace) -> Iterator[Callable[[], socket.socket]]:
    """Connects to a server whose only response is large."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(SIZE))])
        return [bytes(SIZE)]

    sockets: dict[int, Any] = {}
    server: Any = create_server(
        application, map=sockets, listen="127.0.0.1:0", outbuf_overflow=2**18
    )
    server.channel_class = Channel
    ended = Event()

    def run() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=0.05, use_poll=True, map=sockets, count=1)
            for each in [*sockets.values()]:
                if isinstance(each, Channel):
                    each.drop_if_slow(clock.time())

    thread = Thread(target=run)
    thread.start()
    clients: list[socket.socket] = []

    def connect() -> socket.socket:
        client = socket.socket()
        clients.append(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect(("127.0.0.1", int(server.effective_port)))
        return client

    yield connect
    ended.set()
    thread.join()
    for client in clients:
        client.close()
    server.task_dispatcher.shutdown()
    wasyncore.close_all(sockets)


def seconds_until_closed(client: socket.socket, letter: bytes) -> float:
    """While it sends a byte every 50 milliseconds."""
    began = time.monotonic()
    while time.monotonic() - began < 30:
        try:
            client.sendall(letter)
        except OSError:
            break
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.parametrize(
    "start", [b"GET / HTTP/1.1\r\nX-Slow: ", b"POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_request_that_takes_too_long_is_ended(
    connect: Callable[[], socket.socket], monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(channel, "REQUEST_SECONDS", 1)
    client = connect()
    client.sendall(start)
    assert 0.8 < seconds_until_closed(client, b"x") < 30


def test_a_reader_that_is_too_slow_is_disconnected(
    connect: Callable[[], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "INTERVAL_SECONDS", 0.5)
    client = connect()
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    time.sleep(5)
    received = 0
    with suppress(ConnectionResetError):
        while data := client.recv(1_000_000):
            received += len(data)
    assert received < SIZE


def test_a_reader_that_goes_on_gets_everything(
    connect: Callable[[], socket.socket], clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "INTERVAL_SECONDS", 10)
    received = 0
    # A second passes with each megabyte, however busy the machine is: four intervals.
    clock.time = lambda: received / 1_000_000
    client = connect()
    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
    while data := client.recv(1_000_000):
        received += len(data)
    assert received > SIZE
