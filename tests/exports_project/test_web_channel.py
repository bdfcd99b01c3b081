"""Deadlines of a connection, with clients on real sockets."""

import errno
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import create_server
from waitress.utilities import RequestEntityTooLarge

from exports_project.web import channel, parser
from exports_project.web.channel import Channel
from exports_project.web.worker import Dispatcher
from longshore.files import signed_links
from tests.exports.conftest import wait_for

SIZE = 40_000_000


@pytest.fixture
def clock() -> SimpleNamespace:
    """The clock that decides which clients are slow."""
    return SimpleNamespace(time=time.time)


@pytest.fixture
def sockets() -> dict[int, Any]:
    """The sockets of the server's loop."""
    return {}


@pytest.fixture
def connect(
    clock: SimpleNamespace, sockets: dict[int, Any]
) -> Iterator[Callable[[], socket.socket]]:
    """Connect to a server with one large response. For /full the disk is full."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/full":
            raise OSError(errno.ENOSPC, "No space left on device")
        start_response("200 OK", [("Content-Length", str(SIZE))])
        return [bytes(SIZE)]

    dispatcher = Dispatcher(4)
    server: Any = create_server(
        application,
        map=sockets,
        _dispatcher=dispatcher,
        listen="127.0.0.1:0",
        outbuf_overflow=2**18,
        log_socket_errors=False,
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
    dispatcher.shutdown()
    wasyncore.close_all(sockets)


def channels(sockets: dict[int, Any]) -> int:
    return sum(isinstance(each, Channel) for each in [*sockets.values()])


def seconds_until_closed(client: socket.socket, letter: bytes) -> float:
    """Send a byte every 50 ms until the server closes the connection; return the duration."""
    began = time.monotonic()
    while time.monotonic() - began < 30:
        try:
            client.sendall(letter)
        except OSError:
            break
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.slow
@pytest.mark.parametrize(
    "start", [b"GET / HTTP/1.1\r\nX-Slow: ", b"POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_client_that_sends_too_slowly_is_disconnected(
    connect: Callable[[], socket.socket], monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(channel, "REQUEST_SECONDS", 1)
    client = connect()
    client.sendall(start)
    assert 0.8 < seconds_until_closed(client, b"x") < 30


@pytest.mark.slow
def test_a_client_that_receives_too_slowly_is_disconnected(
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


@pytest.mark.slow
def test_a_client_that_reads_nothing_is_disconnected(
    connect: Callable[[], socket.socket], sockets: dict[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's socket never becomes writable, so only the periodic check can disconnect it."""
    monkeypatch.setattr(channel, "INTERVAL_SECONDS", 0.5)
    connect().sendall(b"GET / HTTP/1.1\r\n\r\n")
    wait_for(lambda: channels(sockets) == 1)
    wait_for(lambda: channels(sockets) == 0)


@pytest.mark.slow
def test_the_next_request_starts_after_the_response_has_been_sent(
    connect: Callable[[], socket.socket], sockets: dict[int, Any]
) -> None:
    client = connect()
    client.sendall(b"GET / HTTP/1.1\r\n\r\n" * 3)
    time.sleep(1)
    [open_channel] = [each for each in sockets.values() if isinstance(each, Channel)]
    assert open_channel.requests == []
    assert 0 < open_channel.total_outbufs_len < SIZE + 1000
    received = 0
    while received < 3 * SIZE:
        received += len(client.recv(1_000_000))


def test_the_bodies_of_all_requests_share_one_budget(
    connect: Callable[[], socket.socket], sockets: dict[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parser.bodies, "maximum", 100)
    head = b"POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n"
    first, second = connect(), connect()
    first.sendall(head + b"x" * 80)
    wait_for(lambda: parser.bodies.used == 80)
    second.sendall(head + b"x" * 80)
    response = b"".join(iter(lambda: second.recv(10_000), b""))
    assert response.startswith(b"HTTP/1.1 503 ")
    assert b'"overloaded"' in response
    first.close()
    wait_for(lambda: parser.bodies.used == 0)


@pytest.mark.parametrize(
    ("line", "headers", "is_accepted"),
    [
        ("POST /v1/batches", "Content-Type: multipart/form-data; boundary=b", True),
        ("POST /v1/batches/", "Content-Type: multipart/form-data; boundary=b", True),
        ("POST /v1/batches", "Content-Type: application/json", False),
        ("POST /v1/exports", "Content-Type: multipart/form-data; boundary=b", False),
        ("PUT /v1/batches/uploads/a.csv?signature={}", "X: y", True),
        ("POST /v1/batches", "Content-Type: Multipart/Form-Data; boundary=b", True),
        ("PUT /v1/batches/uploads/a.csv?signature={download}", "X: y", False),
        ("PUT /v1/batches/uploads/a.csv?signature=forged", "X: y", False),
        ("PUT /v1/batches/uploads/a.csv", "X: y", False),
    ],
)
def test_only_files_of_batches_may_be_large(line: str, headers: str, is_accepted: bool) -> None:
    line = line.format(signed_links.sign("upload:batch_1"), download=signed_links.sign("1"))
    size = settings.API_MAX_BODY_BYTES + 1
    request = parser.Parser(Adjustments())
    head = f"{line} HTTP/1.1\r\nContent-Length: {size}\r\n{headers}\r\n\r\n"
    request.received(head.encode())
    if is_accepted:
        request.received(b"x")
    assert (request.error is None) == is_accepted
    assert parser.uploads.used == int(is_accepted)
    assert request.extra_seconds == is_accepted / parser.MIN_UPLOAD_BYTES_PER_SECOND
    request.close()
    assert parser.uploads.used == parser.bodies.used == 0


def test_an_upload_that_pauses_is_too_slow_whatever_it_has_sent() -> None:
    request = parser.Parser(Adjustments())
    head = "POST /v1/batches HTTP/1.1\r\nContent-Length: 50000000\r\n"
    request.received(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode())
    assert not request.stalls(0, 60)
    request.received(b"x" * 10_000_000)
    assert not request.stalls(60, 60)
    assert not request.stalls(119, 60)
    assert request.stalls(120, 60)
    request.close()


def test_a_file_larger_than_the_limit_is_refused_before_it_arrives() -> None:
    request = parser.Parser(Adjustments())
    size = parser.MAX_MULTIPART_BODY_BYTES + 1
    kind = "Content-Type: multipart/form-data; boundary=b"
    request.received(
        f"POST /v1/batches HTTP/1.1\r\nContent-Length: {size}\r\n{kind}\r\n\r\n".encode()
    )
    assert isinstance(request.error, RequestEntityTooLarge)


@pytest.mark.slow
def test_the_rest_of_a_refused_request_is_discarded_within_limits(
    connect: Callable[[], socket.socket], sockets: dict[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "LINGER_SECONDS", 1)
    client = connect()
    client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
    assert client.recv(10_000).startswith(b"HTTP/1.1 413 ")
    assert 0.8 < seconds_until_closed(client, b"x") < 30
    monkeypatch.setattr(channel, "MAX_DISCARDED_BYTES", 100_000)
    client = connect()
    with pytest.raises(OSError):  # noqa: PT011
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + bytes(50_000_000))
    wait_for(lambda: channels(sockets) == 0)


@pytest.mark.parametrize(
    "request_line",
    [b"GET / HTTP/9.x", b"get / HTTP/1.1", b"GET http://[/ HTTP/1.1", b"\xff"],
)
def test_a_malformed_request_is_refused_and_others_are_served(
    connect: Callable[[], socket.socket], request_line: bytes
) -> None:
    """A request that is refused before its path is parsed has no path to select a thread by."""
    client = connect()
    client.sendall(request_line + b"\r\n\r\n")
    [status_line, *_] = client.recv(10_000).splitlines()
    assert status_line.endswith(b" 400 Bad Request")
    other = connect()
    other.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert other.recv(10_000).startswith(b"HTTP/1.1 200 ")


def test_errors_of_files_are_logged(
    connect: Callable[[], socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    client = connect()
    with caplog.at_level(logging.ERROR):
        client.sendall(b"GET /full HTTP/1.1\r\n\r\n")
        wait_for(lambda: "No space left on device" in caplog.text)


def test_shutdown_stops_every_thread() -> None:
    dispatcher = Dispatcher(2)
    every = [dispatcher, *dispatcher.own.values()]
    assert all(each.threads for each in every)
    dispatcher.shutdown(timeout=5)
    assert not any(each.threads for each in every)


def test_a_client_that_reads_continuously_receives_everything(
    connect: Callable[[], socket.socket], clock: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "INTERVAL_SECONDS", 10)
    received = 0
    # The clock advances one second per megabyte, independent of the load: four intervals.
    clock.time = lambda: received / 1_000_000
    client = connect()
    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
    while data := client.recv(1_000_000):
        received += len(data)
    assert received > SIZE
