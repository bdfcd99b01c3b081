"""The web server of production on the test database."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path

import httpx
from django.conf import settings
from django.db import connection

from exports_project.embedded import child_processes
from exports_project.processes import PROCESSES
from tests.programs import command_of
from tests.recovery.services import free_port

START_SECONDS = 60


class WebServer:
    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.address = ("127.0.0.1", port)
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def get(self, path: str, timeout: float = 60, **headers: str) -> httpx.Response:
        """Send a GET on a new connection. `_` in names of headers stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(self.url + path, headers=named, timeout=timeout, trust_env=False)

    def send(self, request: bytes) -> httpx.Response:
        """Send raw bytes on a new connection; return the response."""
        with socket.create_connection(self.address, timeout=60) as client:
            client.sendall(request)
            response = HTTPResponse(client)
            response.begin()
            headers = dict(response.getheaders())
            return httpx.Response(response.status, headers=headers, content=response.read())

    def wait_for_line(self, text: str) -> str:
        """Return the last log line with a text. It may be written after the response."""
        deadline = time.monotonic() + 5
        while not (found := [line for line in self.log.splitlines() if text in line]):
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)
        return found[-1]


@contextmanager
def web_server(folder: Path, **environment: str) -> Iterator[WebServer]:
    """Run a server until the end of the block; yield it once ready. Its log is in `folder`."""
    port = free_port()
    log = folder / f"web-{port}.log"
    test_environment = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE": str(connection.settings_dict["NAME"]),
        "PORT": str(port),
        "API_RATE_LIMIT": "",
    }
    with log.open("wb") as output:
        process = child_processes.spawn(
            command_of(PROCESSES["web"]),
            output=output,
            death_signal=signal.SIGKILL,
            env=os.environ | test_environment | environment,
            cwd=settings.BASE_DIR,
        )
    server = WebServer(process, port, log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                server.get("/healthz")
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, server.log
                assert process.poll() is None, server.log
                time.sleep(0.1)
        yield server
    finally:
        child_processes.stop(process, signal.SIGQUIT)
