"""A proxy between a client and a server that injects faults into single requests."""

import http.client
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


@dataclass
class Request:
    """A request, and the status of the server's response; 0 if it was not forwarded."""

    method: str
    path: str
    headers: dict[str, str]
    status: int = 0

    def matches(self, method: str, pattern: str) -> bool:
        path = self.path.partition("?")[0]
        return self.method == method and re.fullmatch(pattern, path) is not None


class Handler(BaseHTTPRequestHandler):
    """Forwards requests with their Host, so that the server's links lead to the proxy too."""

    protocol_version = "HTTP/1.1"
    server: "Proxy"

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.received = Request(self.command, self.path, headers)
        self.content = self.rfile.read(int(headers.get("content-length", 0)))
        self.server.requests.append(self.received)
        self.server.take_fault(self.received)(self)

    def do_POST(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def forward(self) -> tuple[http.client.HTTPResponse, bytes]:
        """Return the server's response and its body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=120)
        try:
            headers = dict(self.headers.items())
            connection.request(self.command, self.path, self.content, headers)
            response = connection.getresponse()
            self.received.status = response.status
            return response, response.read()
        finally:
            connection.close()

    def respond(self, max_bytes: int | None = None) -> None:
        """Forward the request and the response. max_bytes: of the body, then disconnect."""
        response, content = self.forward()
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[:max_bytes])
        self.close_connection = max_bytes is not None

    def log_message(self, format: str, *args: object) -> None:
        pass


Fault = Callable[[Handler], None]


class Proxy(ThreadingHTTPServer):
    """Forwards requests to a port of this machine.

    requests: all requests since the last call of `clear`.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = upstream
        self.clear()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def clear(self) -> None:
        self.requests: list[Request] = []
        self._faults: list[tuple[str, str, Fault]] = []

    def inject(self, method: str, path: str, fault: Fault) -> None:
        """Apply a fault to the next request whose path, without the query, matches a pattern."""
        self._faults.append((method, path, fault))

    def take_fault(self, request: Request) -> Fault:
        for planned in self._faults:
            if request.matches(*planned[:2]):
                self._faults.remove(planned)
                return planned[2]
        return Handler.respond

    def sent(self, method: str, path: str) -> list[Request]:
        """Return the requests of a method whose path, without the query, matches a pattern."""
        return [each for each in self.requests if each.matches(method, path)]


@contextmanager
def proxying(upstream: int) -> Iterator[Proxy]:
    """Run a proxy in a thread until the end of the block."""
    with Proxy(upstream) as proxy:
        thread = Thread(target=proxy.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


def cut(after: int) -> Fault:
    """Close the connection after a given number of bytes of the body."""
    return lambda handler: handler.respond(after)


def delay(seconds: float) -> Fault:
    def fault(handler: Handler) -> None:
        time.sleep(seconds)
        handler.respond()

    return fault


def lose_response(handler: Handler) -> None:
    """Let the server process the request, and close the connection without a response."""
    handler.forward()
    handler.close_connection = True


def refuse(status: int, retry_after: str) -> Fault:
    """Respond without the server, as a load balancer does."""

    def fault(handler: Handler) -> None:
        handler.send_response_only(status)
        handler.send_header("Retry-After", retry_after)
        handler.send_header("Content-Length", "4")
        handler.end_headers()
        handler.wfile.write(b"busy")

    return fault
