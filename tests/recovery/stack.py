"""A complete Longshore on its own servers, and functions that inject faults."""

import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis
from celery import Celery

from exports_project import embedded
from exports_project.embedded import child_processes, servers
from exports_project.processes import PROCESSES, worker
from tests import installations
from tests.programs import command_of
from tests.recovery.services import free_port
from tests.recovery.storage import FAULT

BASE_DIR = Path(__file__).resolve().parent.parent.parent
# As `make run` starts them, but one worker serves both lanes of exports.
COMMANDS: dict[str, Sequence[str]] = {
    "web": command_of(PROCESSES["web"]),
    "worker": command_of(worker("worker", "large", "quick", concurrency=2)),
    "maintenance": command_of(PROCESSES["maintenance"]),
    "beat": command_of(PROCESSES["beat"]),
}
# Programs that only some tests start.
FURTHER: dict[str, Sequence[str]] = {
    "webhooks": command_of(PROCESSES["webhooks"]),
    "second worker": command_of(worker("second", "large", "quick", concurrency=2)),
    "second beat": command_of(PROCESSES["beat"]),
}
BODY: dict[str, Any] = {"resource": "shipment", "format": "jsonl", "compression": "gzip"}
# Long enough for a busy machine.
START_SECONDS = 300
PROCESSING = "SELECT FROM exports_export WHERE status = 'processing'"
_EXAMPLE = BASE_DIR / ".env.example"
# Copies rows of an organization under new ids: the table only grows.
_COPY = """
INSERT INTO longshore_logistics_shipment (id, organization_id, {columns})
SELECT 'ship_' || lpad(((SELECT count(*) FROM longshore_logistics_shipment)
  + row_number() OVER ())::text, 22, '0'), %(organization)s, {columns}
FROM longshore_logistics_shipment
WHERE organization_id = %(source)s ORDER BY id LIMIT %(missing)s"""
_SOURCE = "SELECT id FROM longshore_accounts_organization WHERE slug = 'acme'"
_COUNT = "SELECT count(*) FROM longshore_logistics_shipment WHERE organization_id = %s"
_COLUMNS = """
SELECT quote_ident(column_name) FROM information_schema.columns
WHERE table_name = 'longshore_logistics_shipment'
AND column_name NOT IN ('id', 'organization_id') AND is_generated = 'NEVER'"""


class Stack:
    """Web server, workers, beat and servers.

    rows: number of shipments of the organization; every export contains all of them.
    settings: name of the settings module.
    body: body of the requests that create exports.
    """

    body = BODY

    def __init__(self, folder: Path, rows: int, settings: str = "tests.recovery.settings") -> None:
        self.folder = folder
        self.rows = rows
        self._servers: dict[str, tuple[child_processes.Child, ExitStack]] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self.port = free_port()
        unset = re.findall(r"^#([A-Z0-9_]+)=", _EXAMPLE.read_text(), re.MULTILINE)
        self._environment = {k: v for k, v in os.environ.items() if k not in unset} | {
            "ENV_FILE": os.devnull,
            "LOCAL_DIR": str(folder),
            "PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": settings,
            "API_RATE_LIMIT": "",
            "API_MAX_EXPENSIVE_REQUESTS": "0",
            "EXPORT_MAX_UNFINISHED": "1000",
            "BATCH_MAX_UNFINISHED": "1000",
            # Low, so that several connections read an export.
            "EXPORT_PARALLEL_ROWS": str(min(rows // 2, 100_000)),
        }

    @contextmanager
    def running(self) -> Iterator["Stack"]:
        """Run everything until the end of the block, which kills the processes."""
        installations.copy("demo", self.folder)
        with servers.running(self.folder, database=False, broker=False):
            try:
                self.start_servers()
                # WhiteNoise looks for collected static files, if only to find none.
                (self.folder / "static").mkdir()
                demo = json.loads((self.folder / "demo.json").read_text())
                self._headers = {"PX-API-KEY": demo["api_key"], "Content-Type": "application/json"}
                self.fill()
                for name in COMMANDS:
                    self.start(name)
                self.await_web()
                yield self
            finally:
                for name in list(self._children):
                    self.kill(name)
                for _, block in self._servers.values():
                    block.close()

    # Processes

    def start(self, name: str) -> None:
        with (self.folder / "log" / f"{name}.log").open("ab") as output:
            self._children[name] = child_processes.spawn(
                (COMMANDS | FURTHER)[name],
                output=output,
                death_signal=signal.SIGKILL,
                env=self._environment,
                cwd=BASE_DIR,
            )

    def kill(self, name: str) -> None:
        """Send SIGKILL to a process and its children, like a power failure."""
        child = self._children.pop(name)
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def kill_tasks(self, name: str) -> None:
        """Send SIGKILL to the processes of a worker that execute tasks; it starts new ones."""
        for process in self.processes(name)[1:]:
            process.kill()

    def processes(self, name: str) -> list[psutil.Process]:
        """Return the main process of a program, followed by the processes that it has started."""
        main = psutil.Process(self._children[name].pid)
        return [main, *main.children(recursive=True)]

    def died(self) -> list[str]:
        """Return the processes that ended by themselves."""
        return [name for name, child in self._children.items() if child.poll() is not None]

    # Servers

    def start_servers(self) -> None:
        self.start_database()
        self.start_broker()

    def start_database(self) -> None:
        self._start("database", servers.postgres(self.folder, durable=True))

    def stop_database(self, stop_signal: signal.Signals = signal.SIGINT) -> None:
        """Stop the database: SIGINT is a fast shutdown, SIGQUIT a crash."""
        self._stop("database", stop_signal)

    def start_broker(self) -> None:
        self._start("broker", servers.valkey(self.folder, durable=True))

    def stop_broker(self, stop_signal: signal.Signals = signal.SIGTERM) -> None:
        self._stop("broker", stop_signal)

    def flush_broker(self) -> None:
        with redis.Redis.from_url(embedded.valkey_url(self.folder, database=0)) as client:
            client.flushall()

    def _start(self, name: str, server: AbstractContextManager[child_processes.Child]) -> None:
        block = ExitStack()
        self._servers[name] = block.enter_context(server), block

    def _stop(self, name: str, stop_signal: signal.Signals) -> None:
        child, block = self._servers.pop(name)
        child_processes.stop(child.process, stop_signal)
        block.close()

    # The storage

    @property
    def storage(self) -> Path:
        return self.folder / "exports"

    @contextmanager
    def storage_fault(self, name: str) -> Iterator[None]:
        """Make the storage fail until the end of the block. name: EIO, ENOSPC or SLOW."""
        marker = self.folder / FAULT
        marker.write_text(name)
        try:
            yield
        finally:
            marker.unlink()

    # Requests and messages

    def ask(self, number: int = 1) -> list[str]:
        """Create exports of all rows; return their ids."""
        return [self.request("POST", "/v1/exports", self.body)["id"] for _ in range(number)]

    def deliver(self, ids: list[str]) -> None:
        """Send the message of each export again."""
        numbers = dict(self.query("SELECT public_id, number FROM exports_export"))
        for public_id in ids:
            self.send("exports.run", "large", numbers[public_id])

    def send(self, task: str, queue: str, *arguments: int) -> None:
        with self._celery() as app:
            app.send_task(task, arguments, queue=queue)

    def waiting(self, queue: str) -> int:
        """Return the number of messages of a queue that no worker has taken."""
        with self._celery() as app, app.connection_for_read() as broker:
            channel: Any = broker.default_channel
            return int(channel.queue_declare(queue, passive=True).message_count)

    def _celery(self) -> Celery:
        broker = self._environment.get("BROKER_URL", embedded.broker_url(self.folder))
        return Celery(broker=broker, set_as_current=False)

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with servers.connect(self.folder, embedded.DATABASE) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def logs(self) -> str:
        """Return the last lines of every log."""
        texts = [(path.name, path.read_text()) for path in (self.folder / "log").glob("*.log")]
        return "\n".join(f"--- {name}\n{text[-9000:]}" for name, text in texts)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to the API; return its JSON. The response must be a success."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, json.dumps(body), self._headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        assert response.status < 300, text
        return json.loads(text)

    def await_web(self) -> None:
        """Wait until the web server responds. Raises TimeoutError."""
        wait_until(self._web_responds, START_SECONDS)

    def _web_responds(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def fill(self, *organizations: str) -> None:
        """Give organizations copies of the demo data's shipments, until each has `rows`."""
        with servers.connect(self.folder, embedded.DATABASE) as connection:
            [(source,)] = connection.execute(_SOURCE).fetchall()
            columns = ", ".join(name for (name,) in connection.execute(_COLUMNS))
            copy = _COPY.format(columns=columns).encode()
            for organization in organizations or (source,):
                present = 0
                while present < self.rows:
                    [(present,)] = connection.execute(_COUNT, [organization]).fetchall()
                    values = {"organization": organization, "source": source}
                    connection.execute(copy, values | {"missing": max(0, self.rows - present)})
            connection.execute("VACUUM (FREEZE, ANALYZE) longshore_logistics_shipment")


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until a condition is met. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.02)
