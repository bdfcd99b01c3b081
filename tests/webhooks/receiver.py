"""A local receiver of webhooks with a configurable behavior for each path."""

import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Message:
    """A received request. at: time of arrival by the monotonic clock."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """Return the parsed body. Raise WebhookVerificationError unless the secret signed it."""
        return Webhook(secret).verify(self.body, self.headers)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Receiver"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.messages.append(Message(self.path, headers, body, time.monotonic()))
        self.server.behaviors.get(self.path, respond(204))(self)

    def log_message(self, format: str, *args: object) -> None:
        pass


Behavior = Callable[[Handler], None]


class Receiver(ThreadingHTTPServer):
    """Responds with 204, except on paths that have another behavior in `behaviors`."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.messages: list[Message] = []
        self.behaviors: dict[str, Behavior] = {}
        self.connections = 0

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def ids(self, path: str = "/") -> list[str]:
        return [message.id for message in self.messages if message.path == path]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors: clients close the connections of behaviors that hang."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver in a thread until the end of the block."""
    with Receiver() as receiver:
        thread = Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


def respond(status: int, body: bytes = b"", **headers: str) -> Behavior:
    """Respond with a status; an underscore in the name of a header stands for a hyphen."""

    def behave(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if status != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if body:
            handler.wfile.write(body)

    return behave


def in_turn(*behaviors: Behavior) -> Behavior:
    """Apply each behavior once, in order; repeat the last one."""
    remaining = list(behaviors)

    def behave(handler: Handler) -> None:
        (remaining.pop(0) if len(remaining) > 1 else remaining[0])(handler)

    return behave


def slowly(seconds: float) -> Behavior:
    """Respond with 204 after a delay."""

    def behave(handler: Handler) -> None:
        time.sleep(seconds)
        with suppress(OSError):
            respond(204)(handler)

    return behave


def drip_headers(handler: Handler) -> None:
    """Send headers for a minute, one byte every 50 ms."""
    _drip(handler, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1200)


def drip_body(handler: Handler) -> None:
    """Send a body for 50 seconds, one byte every 50 ms."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    _drip(handler, b"x" * 1000)


def _drip(handler: Handler, text: bytes) -> None:
    handler.close_connection = True
    with suppress(OSError):
        for byte in text:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)


def reset(handler: Handler) -> None:
    """Reset the connection (RST) without a response."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
    # Detached, because the file objects of the handler would keep the socket open.
    os.close(handler.connection.detach())


class Flood:
    """Respond with ten megabytes. `sent` counts the bytes that the client accepted."""

    SIZE = 10_000_000

    def __init__(self) -> None:
        self.sent = 0

    def __call__(self, handler: Handler) -> None:
        handler.close_connection = True
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {self.SIZE}\r\n\r\n"
        with suppress(OSError):
            handler.wfile.write(head.encode())
            while self.sent < self.SIZE:
                self.sent += handler.connection.send(b"x" * 10_000)
