"""Bodies sent in chunks, through the real gunicorn."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from accounts.wsgi import measure_chunked_body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# From a request's bytes to the length announced to the application, and what it could read.
Send = Callable[[bytes], tuple[str | None, str | None]]


@measure_chunked_body
def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer in headers."""
    length = environ.get("CONTENT_LENGTH", "none")
    body = environ["wsgi.input"].read(0 if length in ("", "none") else int(length))
    start_response("200 OK", [("X-Length", length), ("X-Read", str(len(body)))])
    return []


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    """Sends a request's bytes to a gunicorn that runs `application`."""
    folder = tmp_path_factory.mktemp("g")
    address = str(folder / "s")
    gunicorn = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gunicorn",
            f"--bind=unix:{address}",
            f"{__name__}:application",
            "--no-control-socket",
            "--log-level=error",
        ],
        cwd=settings.BASE_DIR,
    )

    def send(request: bytes) -> tuple[str | None, str | None]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address)
            connection.sendall(request)
            response = HTTPResponse(connection)
            response.begin()
            return response.getheader("X-Length"), response.getheader("X-Read")

    try:
        deadline = time.monotonic() + 20
        while not Path(address).exists():
            assert time.monotonic() < deadline, "gunicorn did not start"
            time.sleep(0.05)
        yield send
    finally:
        gunicorn.terminate()
        gunicorn.wait(10)


def chunked(size: int, chunk: int, path: bytes = b"/v1/exports") -> bytes:
    """A POST of `size` bytes in chunks of `chunk`."""
    pieces = [min(chunk, size - start) for start in range(0, size, chunk)]
    body = b"".join(b"%x\r\n%s\r\n" % (piece, b"x" * piece) for piece in pieces)
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" % path
    return head + body + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [0, 1, 1000, 2**20, 2**20 + 1])
def test_a_chunked_body_gets_its_length(send: Send, size: int) -> None:
    assert send(chunked(size, 65_536)) == (str(size), str(size))


def test_of_a_chunked_body_over_the_limit_one_byte_more_is_read(send: Send) -> None:
    over = str(settings.API_MAX_BODY_BYTES + 1)
    assert send(chunked(2**20 + 5000, 3000)) == (over, over)


def test_outside_the_api_a_chunked_body_is_left_alone(send: Send) -> None:
    assert send(chunked(100, 10, b"/admin/login/")) == ("none", "0")


def test_a_body_with_a_length_is_left_alone(send: Send) -> None:
    request = b"POST /v1/exports HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
    assert send(request) == ("5", "5")


def test_a_request_without_a_body_has_none(send: Send) -> None:
    assert send(b"GET /v1/exports HTTP/1.1\r\nHost: localhost\r\n\r\n") == ("0", "0")
