"""The HTTP client of webhooks, with protection against server-side request forgery (SSRF).

A host name is resolved once for each new connection. All its addresses are checked, and the
connection is made to a checked address, not to the name: DNS rebinding has no effect. TLS and the
Host header still use the name.
"""

import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from threading import Thread

import httpcore
import httpx

from webhooks.addresses import Address, is_reachable
from webhooks.deadline import BoundedStream

# Timeout of a whole attempt: until the response has ended or its stored part is complete.
TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
TIMEOUT = httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS)
# Sent with every request, unless it has its own.
HEADERS = {"User-Agent": "Longshore", "Accept": "*/*", "Accept-Encoding": "identity"}
# Many servers close an idle connection after five seconds. A request that is sent at that moment
# fails.
_KEEPALIVE_SECONDS = 4
_MAX_IDLE_CONNECTIONS = 100

logger = logging.getLogger(__name__)


class ForbiddenAddress(httpx.TransportError):
    """The host has an address that webhooks may not reach. The message does not name it."""


def client() -> httpx.Client:
    """Return a client that keeps connections between requests, but no cookies.

    It follows no redirects and ignores proxies and certificates from the environment. All threads
    of a process may share it. Create it after the fork.
    """
    return httpx.Client(
        transport=transport(),
        trust_env=False,
        follow_redirects=False,
        timeout=TIMEOUT,
        headers=HEADERS,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def transport() -> "CheckedTransport":
    """Return the transport of `client`. It adds no headers, and takes less processor time."""
    return CheckedTransport(httpx.create_ssl_context(trust_env=False))


class CheckedTransport(httpx.BaseTransport):
    """Transport of httpx over an httpcore pool that connects through `CheckedBackend`."""

    def __init__(self, ssl_context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=None,
            max_keepalive_connections=_MAX_IDLE_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=CheckedBackend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        with _errors():
            response = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=url,
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _errors():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


@contextmanager
def _errors() -> Iterator[None]:
    """Translate errors of httpcore into those of httpx, which have the same names."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.UnsupportedProtocol,
    ) as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error


class CheckedBackend(httpcore.NetworkBackend):
    """Connects only to addresses that `is_reachable` allows."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect within `timeout` seconds, including the resolution of the name.

        Raises ForbiddenAddress if any address of the host is not reachable, or httpcore's
        ConnectError or ConnectTimeout.
        """
        seconds = CONNECT_SECONDS if timeout is None else timeout
        end = time.monotonic() + seconds
        addresses = _resolve(host, port, seconds)
        for address in addresses:
            if not is_reachable(address):
                logger.warning(
                    "Refused to connect to %s, an address of %s: it is not public.", address, host
                )
                raise ForbiddenAddress(
                    "The target's host resolves to an address that is not public."
                )
        for left in range(len(addresses), 0, -1):
            # An address that does not respond must leave time for the others.
            share = max(end - time.monotonic(), 0.001) / left
            try:
                stream = self._backend.connect_tcp(
                    str(addresses[-left]), port, share, local_address, socket_options
                )
                return BoundedStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
        raise httpcore.ConnectError("The target's host has no address.")


def _resolve(host: str, port: int, timeout: float) -> list[Address]:
    """Return all addresses of a host, in the order in which the system would try them.

    The system's resolver has no timeout, so it runs in a thread, which may outlive this call.
    """
    resolution: Future[list[Address]] = Future()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            resolution.set_result([ipaddress.ip_address(entry[4][0]) for entry in found])
        except Exception as error:
            resolution.set_exception(error)

    Thread(target=resolve, name="webhooks-resolve", daemon=True).start()
    try:
        return resolution.result(timeout)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout("The target's host was not resolved in time.") from error
    except (OSError, ValueError) as error:
        raise httpcore.ConnectError("The target's host has no address.") from error
