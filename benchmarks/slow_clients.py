"""Measures how much slow clients delay other requests, for several web servers.

    python -m benchmarks.slow_clients [--servers NAME …] [--connections 200] [--seconds 20]
    python -m benchmarks.slow_clients --url http://127.0.0.1:8000 --key KEY

A third of the connections send the headers of a request, a third its body, and a third read a
file, one byte per second each. Meanwhile this process requests /healthz and /v1/exports in turn,
each time on a new connection. Afterwards eight clients request /v1/exports without pause.

Without --url it starts its own PostgreSQL, Valkey and worker, and each web server in turn; all
except the first two need `pip install gevent granian uvicorn a2wsgi`. --url measures a running
server on this machine. Prints a table in Markdown.
"""

import argparse
import asyncio
import json
import math
import multiprocessing
import os
import shlex
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import psutil

from benchmarks import memory
from benchmarks.measuring import machine

_GUNICORN = "gunicorn -c python:exports_project.gunicorn"
_APPLICATION = "exports_project.wsgi:application"
SERVERS = {
    "gunicorn, waitress": _GUNICORN,
    "gunicorn, gthread": f"{_GUNICORN} -k gthread",
    # gevent must patch before gunicorn's configuration imports the settings.
    "gunicorn, gevent": f"gevent.monkey {Path(sys.executable).with_name('gunicorn')} "
    "-c python:exports_project.gunicorn -k gevent",
    "granian": f"granian --interface wsgi --workers 2 --blocking-threads 8 --port {{port}} "
    f"--no-ws {_APPLICATION}",
    "uvicorn, a2wsgi": "uvicorn --factory benchmarks.slow_clients:asgi --workers 2 "
    "--port {port} --no-access-log --log-level warning",
}
_START_SECONDS = 60
_TIMEOUT_SECONDS = 10
_CLIENTS = 8


def asgi() -> Any:
    """Return the application for a server that supports ASGI only."""
    from a2wsgi import WSGIMiddleware  # type: ignore[import-not-found,unused-ignore]

    from exports_project.wsgi import application

    return WSGIMiddleware(cast("Any", application), workers=8)


@dataclass(frozen=True)
class Target:
    """A running web server.

    link: path of a signed link to a file of several megabytes.
    """

    url: str
    key: str
    link: str

    @property
    def headers(self) -> dict[str, str]:
        return {"PX-API-KEY": self.key}


async def _slow_client(target: Target, kind: int) -> None:
    """Send or read a byte per second; reconnect when the server disconnects."""
    parts = urlsplit(target.url)
    key = f"Host: {parts.netloc}\r\nPX-API-KEY: {target.key}\r\n"
    at_once, slowly = {
        0: ("", f"GET /v1/exports HTTP/1.1\r\n{key}X-Padding: {'x' * 1000}\r\n\r\n"),
        1: (
            f"POST /v1/exports/preview HTTP/1.1\r\n{key}"
            "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
            json.dumps({"resource": "contact"}).rjust(1000),
        ),
        2: (f"GET {target.link} HTTP/1.1\r\n{key}\r\n", ""),
    }[kind]
    loop = asyncio.get_running_loop()
    while True:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            try:
                await loop.sock_connect(client, (parts.hostname, parts.port))
                await loop.sock_sendall(client, at_once.encode())
                for letter in slowly:
                    await loop.sock_sendall(client, letter.encode())
                    await asyncio.sleep(1)
                while await loop.sock_recv(client, 1):
                    await asyncio.sleep(1)
            except OSError:
                pass
        await asyncio.sleep(1)


@contextmanager
def slow_clients(target: Target, connections: int) -> Iterator[None]:
    """Run a process with this number of slow connections until the end of the block."""
    process = multiprocessing.Process(target=_run, args=(target, connections), daemon=True)
    process.start()
    try:
        time.sleep(3)
        yield
    finally:
        process.kill()
        process.join()


def _run(target: Target, connections: int) -> None:
    async def run() -> None:
        await asyncio.gather(*(_slow_client(target, n % 3) for n in range(connections)))

    asyncio.run(run())


def _milliseconds(target: Target, path: str) -> float:
    """Return the duration of a request on a new connection; infinite without a 200 in time."""
    began = time.perf_counter()
    try:
        response = httpx.get(
            target.url + path, headers=target.headers, timeout=_TIMEOUT_SECONDS, trust_env=False
        )
    except httpx.HTTPError:
        return math.inf
    return (time.perf_counter() - began) * 1000 if response.status_code == 200 else math.inf


def latencies(target: Target, seconds: float) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"/healthz": [], "/v1/exports": []}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for path, times in found.items():
            times.append(_milliseconds(target, path))
            time.sleep(0.05)
    return found


def _rate(target: Target, seconds: float) -> float:
    """Return the requests per second of eight clients with one connection each."""

    def ask(deadline: float) -> int:
        with httpx.Client(base_url=target.url, headers=target.headers, trust_env=False) as client:
            count = 0
            while time.monotonic() < deadline:
                client.get("/v1/exports").raise_for_status()
                count += 1
            return count

    with ThreadPoolExecutor(_CLIENTS) as pool:
        deadline = time.monotonic() + seconds
        return sum(pool.map(ask, [deadline] * _CLIENTS)) / seconds


def _megabytes(web: psutil.Process | None) -> str:
    if web is None:
        return "?"
    return f"{memory.megabytes([web, *web.children(recursive=True)]):.0f} MB"


def p95(times: list[float]) -> str:
    value = sorted(times)[math.ceil(len(times) * 0.95) - 1]
    return "none" if value == math.inf else f"{value:.0f} ms"


def report(name: str, target: Target, web: psutil.Process | None, options: Any) -> None:
    """Measure one server and print its row."""
    with slow_clients(target, options.connections):
        found = latencies(target, options.seconds)
        memory = _megabytes(web)
    time.sleep(2)
    responded = [time for times in found.values() for time in times if time < math.inf]
    failed = sum(map(len, found.values())) - len(responded)
    median = f"{statistics.median(responded):.0f} ms" if responded else "none"
    columns = [p95(times) for times in found.values()]
    columns += [median, str(failed), memory, f"{_rate(target, 5):.0f}"]
    print(f"| {name} | {' | '.join(columns)} |", flush=True)


def link(url: str, key: str) -> str:
    """Create an export; return the path of a signed link to its file."""
    with httpx.Client(base_url=url, headers={"PX-API-KEY": key}, trust_env=False) as client:
        body = {"resource": "shipment", "format": "jsonl"}
        address = client.post("/v1/exports", json=body).raise_for_status().json()["url"]
        while (export := client.get(address).json())["status"] in ("queued", "processing"):
            time.sleep(0.2)
        link = urlsplit(export["download_url"])
        return f"{link.path}?{link.query}"


def _command(text: str) -> list[str]:
    return [sys.executable, "-m", *shlex.split(text)]


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[psutil.Process]:
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/healthz", trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not respond.")


def compare(options: Any) -> None:
    """Start the stack, then each web server in turn."""
    with tempfile.TemporaryDirectory(prefix="longshore-") as name, ExitStack() as stack:
        folder = Path(name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        os.environ |= {"LOCAL_DIR": name, "ENV_FILE": os.devnull, "PORT": str(port)}
        os.environ |= {"API_RATE_LIMIT": "", "LOG_LEVEL": "WARNING"}
        # Imported late: the settings read the environment.
        from exports_project.embedded import servers
        from exports_project.processes import PROCESSES

        stack.enter_context(servers.lock(folder))
        stack.enter_context(servers.running(folder))
        for arguments in (
            "migrate --verbosity=0",
            "collectstatic --no-input --verbosity=0",
            "demo",
        ):
            command = [sys.executable, "manage.py", *arguments.split()]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        key = json.loads((folder / "demo.json").read_text())["api_key"]
        environment = dict(os.environ)
        quick = [sys.executable, "-m", *PROCESSES["quick"].local]
        stack.enter_context(_running(quick, environment))
        url = f"http://127.0.0.1:{port}"
        for server in options.servers or SERVERS:
            command = _command(SERVERS[server].format(port=port))
            with _running(command, environment) as web:
                _wait_for(url)
                report(server, Target(url, key, link(url, key)), web, options)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--servers", nargs="+", choices=SERVERS)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--url")
    parser.add_argument("--key")
    options = parser.parse_args()
    print(f"\n{machine()} {options.connections} connections, a byte a second.\n")
    print(
        "| web server | /healthz, p95 | /v1/exports, p95 | both, median | no response in 10 s",
        end="",
    )
    print(" | memory | requests/s |\n|---|--:|--:|--:|--:|--:|--:|", flush=True)
    if options.url:
        target = Target(options.url, options.key, link(options.url, options.key))
        report(options.url, target, None, options)
    else:
        compare(options)


if __name__ == "__main__":
    main()
