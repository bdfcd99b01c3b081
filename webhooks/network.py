"""The HTTP client of webhooks, which connects to no address that they may not reach.

A name is resolved once for each new connection, every address of it is checked, and the
connection is made to an address that was checked, not to the name: a resolver that changes its
mind changes nothing. TLS and the header Host keep the name.
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

from webhooks.addresses import Address, reachable
from webhooks.deadline import BoundedStream

_CONNECT_SECONDS = 5.0
TIMEOUT = httpx.Timeout(15, connect=_CONNECT_SECONDS)
# Servers drop what is idle, many after five seconds; what is used meanwhile goes with it.
_KEEPALIVE_SECONDS = 4
_KEPT_CONNECTIONS = 100

logger = logging.getLogger(__name__)


class ForbiddenAddress(httpx.TransportError):
    """The host has an address that webhooks may not reach; the message does not say which."""


def client() -> httpx.Client:
    """A client that keeps connections, and nothing else, from one request to the next.

    It follows no redirects and heeds neither proxies nor certificates that the environment names.
    For all threads of one process; make it after the process was forked.
    """
    return httpx.Client(
        transport=CheckedTransport(httpx.create_ssl_context(trust_env=False)),
        trust_env=False,
        follow_redirects=False,
        timeout=TIMEOUT,
        headers={"User-Agent": "Longshore", "Accept": "*/*", "Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


class CheckedTransport(httpx.BaseTransport):
    """httpx on a pool of httpcore whose connections `CheckedBackend` makes."""

    def __init__(self, ssl_context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=None,
            max_keepalive_connections=_KEPT_CONNECTIONS,
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
    """httpcore's errors as those of httpx, which have the same names."""
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
    """Makes connections to addresses that `reachable` allows, and no others."""

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
        """Within `timeout` seconds, the name's resolution included.

        Raises ForbiddenAddress if any address of the host is, or httpcore's ConnectError or
        ConnectTimeout.
        """
        seconds = _CONNECT_SECONDS if timeout is None else timeout
        end = time.monotonic() + seconds
        addresses = _resolve(host, port, seconds)
        for address in addresses:
            if not reachable(address):
                logger.warning("Webhooks may not reach %s, an address of %s.", address, host)
                raise ForbiddenAddress("The target's host leads to an address that is not public.")
        for left in range(len(addresses), 0, -1):
            # A silent address leaves time for the others.
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
    """All addresses of a host, in the order in which the system would try them.

    The system's resolver knows no timeout: it is asked in a thread, which may outlive us.
    """
    answer: Future[list[Address]] = Future()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.set_result([ipaddress.ip_address(entry[4][0]) for entry in found])
        except Exception as error:
            answer.set_exception(error)

    Thread(target=ask, name="webhooks-resolve", daemon=True).start()
    try:
        return answer.result(timeout)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout("The target's host was not resolved in time.") from error
    except (OSError, ValueError) as error:
        raise httpcore.ConnectError("The target's host has no address.") from error
