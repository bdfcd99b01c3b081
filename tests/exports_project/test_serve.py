"""`make run`: starts and supervises all processes, in a folder with a space in its name."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, NamedTuple

import httpx
import psutil
import pytest

from exports_project import programs, serve
from exports_project.embedded import child_processes, servers
from exports_project.embedded.child_processes import Fork
from exports_project.processes import PROCESSES
from exports_project.supervisor import Supervisor
from tests import installations
from tests.recovery.services import free_port

SECONDS = 300
SERVERS = {"postgres": "postgres", "valkey": "valkey-server"}
# How `make run` names a program that starts, and how the program names itself.
TITLES = {name: (f"longshore: {name}", f"[celeryd: {name}@") for name in PROCESSES} | {
    "web": ("longshore: web", "gunicorn: master"),
    "beat": ("longshore: beat", "[celery beat]"),
}
pytestmark = pytest.mark.stack


class Running(NamedTuple):
    process: subprocess.Popen[bytes]
    port: int
    local_dir: Path


@pytest.fixture
def local_dir() -> Iterator[Path]:
    """A new LOCAL_DIR."""
    with new_local_dir() as folder:
        yield folder


@pytest.fixture
def used_local_dir() -> Iterator[Path]:
    """A LOCAL_DIR with tables and demo data, because the first start takes longest."""
    with new_local_dir() as folder:
        installations.copy("demo", folder)
        yield folder


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """`make run`, ready, until a test ends it."""
    port = free_port()
    with new_local_dir() as folder:
        installations.copy("demo", folder)
        with supervisor(folder, port) as process:
            wait_for("Longshore is ready", folder, process)
            yield Running(process, port, folder)


@contextmanager
def new_local_dir() -> Iterator[Path]:
    with TemporaryDirectory(prefix="long shore ") as folder:
        yield Path(folder).resolve() / ".local"


@pytest.fixture
def port() -> int:
    return free_port()


@contextmanager
def supervisor(local_dir: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run `make run`, with its output in LOCAL_DIR/output."""
    local_dir.mkdir(exist_ok=True)
    environment = os.environ | {"LOCAL_DIR": str(local_dir), "PORT": str(port)}
    with (local_dir / "output").open("wb") as output:
        process = child_processes.spawn(
            [sys.executable, "-m", "exports_project.serve"], output=output, env=environment
        )
    try:
        yield process
    finally:
        child_processes.stop(process)


def wait_for(text: str, local_dir: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while text not in (output := (local_dir / "output").read_text()):
        assert process.poll() is None, output
        assert time.monotonic() < deadline, output
        time.sleep(0.05)


def assert_ends_on(number: signal.Signals, process: subprocess.Popen[bytes], code: int) -> None:
    """Send a signal; assert that the process ends with the code, and that its children end."""
    family = family_of(process)
    process.send_signal(number)
    assert process.wait(SECONDS) == code
    assert_all_gone(family)


def assert_all_gone(family: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []


def family_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def credentials(local_dir: Path) -> tuple[str, str]:
    demo = json.loads((local_dir / "demo.json").read_text())
    return demo["api_key"], demo["admin_password"]


def test_every_process_starts(running: Running) -> None:
    for name in (*PROCESSES, *SERVERS):
        assert find_child(running.process, name), name
    assert credentials(running.local_dir) == credentials(installations.SHARED / "demo")


def find_child(process: subprocess.Popen[bytes], name: str) -> psutil.Process | None:
    """Return the child of this name, or None."""
    for member in psutil.Process(process.pid).children():
        if name in SERVERS:
            found = member.name() == SERVERS[name]
        else:
            title = " ".join(member.cmdline())
            found = any(each in title for each in TITLES[name])
        if found:
            return member
    return None


def test_every_killed_process_is_restarted_and_exports_complete(running: Running) -> None:
    process, port, local_dir = running
    url = f"http://127.0.0.1:{port}/v1/exports"
    headers = {"PX-API-KEY": credentials(local_dir)[0]}

    def request_until_success(method: str, address: str, **body: Any) -> Any:
        """Repeat a request until it succeeds; return its JSON."""
        deadline = time.monotonic() + 60
        while True:
            with suppress(httpx.HTTPError):
                response = httpx.request(method, address, headers=headers, timeout=60, **body)
                if response.is_success:
                    return response.json()
            assert time.monotonic() < deadline, (local_dir / "output").read_text()
            time.sleep(0.2)

    export_ids = []
    for name in (*PROCESSES, *SERVERS):
        export_ids.append(request_until_success("POST", url, json={"resource": "shipment"})["id"])
        before = find_child(process, name)
        assert before, name
        before.kill()
        wait_for(f"{name} ended by SIGKILL; starting it again in 1 s.", local_dir, process)
        deadline = time.monotonic() + 30
        while (now := find_child(process, name)) is None or now == before:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    deadline = time.monotonic() + 120
    for export_id in export_ids:
        while request_until_success("GET", f"{url}/{export_id}")["status"] != "completed":
            assert time.monotonic() < deadline, (local_dir / "output").read_text()
            time.sleep(0.5)


def test_everything_ends_on_a_signal(running: Running) -> None:
    assert_ends_on(signal.SIGINT, running.process, 0)
    _, _, last = (running.local_dir / "output").read_text().partition("Stopping …")
    # Celery would print "worker: Cold shutdown (MainProcess)" and more.
    assert "worker: " not in last


@pytest.mark.parametrize("moment", ["Starting the embedded", "Preparing"])
def test_a_signal_at_the_first_start_ends_everything(
    local_dir: Path, port: int, moment: str
) -> None:
    with supervisor(local_dir, port) as process:
        wait_for(moment, local_dir, process)
        assert_ends_on(signal.SIGTERM, process, 128 + signal.SIGTERM)


def test_a_signal_while_processes_start_ends_everything(used_local_dir: Path, port: int) -> None:
    with supervisor(used_local_dir, port) as process:
        wait_for("Starting web", used_local_dir, process)
        assert_ends_on(signal.SIGTERM, process, 128 + signal.SIGTERM)


def test_repeated_deaths_of_a_process_end_everything(used_local_dir: Path, port: int) -> None:
    with supervisor(used_local_dir, port) as process:
        wait_for("Longshore is ready", used_local_dir, process)
        family = family_of(process)
        for delay in (1, 2, 4, 8, None):
            while not (child := find_child(process, "beat")):
                time.sleep(0.05)
            child.kill()
            if delay:
                wait_for(
                    f"ended by SIGKILL; starting it again in {delay} s.", used_local_dir, process
                )
        assert process.wait(SECONDS) == 1
        output = (used_local_dir / "output").read_text()
        assert "Longshore: beat ended 5 times within 60 seconds, the last time by SIGKILL" in output
        assert_all_gone(family)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has parent-death signals.")
def test_a_killed_supervisor_leaves_no_process_and_the_next_start_works(
    used_local_dir: Path, port: int
) -> None:
    with supervisor(used_local_dir, port) as process:
        wait_for("Longshore is ready", used_local_dir, process)
        family = family_of(process)
        process.kill()
        process.wait()
    with servers.lock(used_local_dir) as owner, servers.running(used_local_dir):
        assert owner
    assert_all_gone(family)


def test_a_port_in_use_is_reported_before_anything_starts(local_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with supervisor(local_dir, port) as process:
            assert process.wait(SECONDS) == 1
    assert f"port {port} is not free" in (local_dir / "output").read_text()
    assert not (local_dir / "postgres").exists()


@pytest.mark.parametrize("status", [500, None])
def test_the_start_fails_if_the_web_server_does_not_become_ready(
    port: int, monkeypatch: pytest.MonkeyPatch, status: int | None
) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status or 200)

    monkeypatch.setattr(serve, "PORT", port)
    monkeypatch.setattr(serve, "READY_SECONDS", 1)
    with ExitStack() as stack:
        if status:
            server = stack.enter_context(HTTPServer(("127.0.0.1", port), Handler))
            Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        with pytest.raises(serve.StartError, match="did not return 200 within 1 seconds"):
            serve.await_web(Supervisor({}, print))


def test_a_command_that_is_killed_is_reported_with_its_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def command(*arguments: str) -> Fork:
        return Fork(lambda: os.kill(os.getpid(), signal.SIGKILL))

    monkeypatch.setattr(programs, "command", command)
    with pytest.raises(serve.StartError, match=r"manage\.py migrate failed \(SIGKILL\)"):
        serve.manage("migrate")


def test_a_second_start_in_the_same_folder_is_refused(local_dir: Path, port: int) -> None:
    with servers.lock(local_dir), supervisor(local_dir, port) as process:
        assert process.wait(SECONDS) == 1
    assert "already runs here" in (local_dir / "output").read_text()
