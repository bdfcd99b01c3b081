"""RabbitMQ, PgBouncer and a streaming replica on free ports and private sockets."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from exports_project import embedded
from exports_project.embedded import child_processes, servers, service_user

# Not Debian's wrapper on the PATH, which requires the user `rabbitmq` and the system's data folder.
_RABBITMQ = "/usr/lib/rabbitmq/bin"


def find(program: str) -> str | None:
    """Return the path of a program, or None if it is not installed."""
    return shutil.which(program, path=f"{_RABBITMQ}:{os.environ['PATH']}:/usr/sbin")


def need(package: str, program: str | Path | None = None) -> None:
    """Skip the test if Debian's package is not installed. In CI, which installs it, fail.

    program: name or path of a program of the package; by default the name of the package.
    """
    if find(str(program or package)) is None:
        missing = f"{package} is not installed"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that no process uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


class RabbitMQ:
    """A node with its own name, cookie, data folder and ports. Its data survives a restart."""

    def __init__(self, local_dir: Path, program: str) -> None:
        self._program = program
        self._local_dir = local_dir
        self._folder = local_dir / "rabbitmq"
        self._port, self._distribution, self._names = (free_port() for _ in range(3))
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}//"

    @contextmanager
    def running(self) -> Iterator[child_processes.Child]:
        self._folder.mkdir(exist_ok=True)
        settings = self._folder / "rabbitmq.conf"
        settings.write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self._port}\nlog.console = true\nlog.file = false\n"
        )
        folder, log = str(self._folder), self._local_dir / "log"
        environment = os.environ | {
            "HOME": folder,
            "ERL_EPMD_PORT": str(self._names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"longshore-{self._port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution),
            "RABBITMQ_CONFIG_FILE": str(settings),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": folder,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1"
            ),
        }
        # Start epmd here: Erlang would start one that survives the test.
        names = ["-port", str(self._names), "-address", "127.0.0.1"]
        with (
            servers.server(
                ["epmd", *names],
                log / "epmd.log",
                signal.SIGTERM,
                lambda: _listens(self._names),
            ),
            servers.server(
                [self._program],
                log / "rabbitmq.log",
                signal.SIGTERM,
                lambda: _listens(self._port),
                env=environment,
            ) as child,
        ):
            yield child


class PgBouncer:
    """Transaction pooling for PostgreSQL servers."""

    def __init__(self, local_dir: Path, program: str, configuration: str) -> None:
        """configuration: further lines of the section [pgbouncer]."""
        self._program = program
        self._local_dir = local_dir
        self._configuration = configuration
        self._port = free_port()

    def url(self, database: str) -> str:
        return f"postgres://{embedded.DATABASE}@127.0.0.1:{self._port}/{database}"

    @contextmanager
    def running(self, databases: dict[str, str]) -> Iterator[child_processes.Child]:
        """Run PgBouncer. databases: connection parameters of the servers, by name of the pool."""
        folder = _private_folder(self._local_dir / "pgbouncer")
        lines = [
            "[databases]",
            *(
                f"{name} = {server} dbname={embedded.DATABASE} user={embedded.DATABASE}"
                for name, server in databases.items()
            ),
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {self._port}",
            "unix_socket_dir =",
            "auth_type = trust",
            f"auth_file = {folder}/users.txt",
            self._configuration,
        ]
        (folder / "users.txt").write_text(f'"{embedded.DATABASE}" ""\n')
        (folder / "pgbouncer.ini").write_text("\n".join(lines) + "\n")
        with servers.server(
            [self._program, folder / "pgbouncer.ini"],
            self._local_dir / "log" / "pgbouncer.log",
            signal.SIGINT,
            lambda: _listens(self._port),
            **service_user.options(),
        ) as child:
            yield child


class Replica:
    """A streaming replica of the embedded server, created by pg_basebackup."""

    def __init__(self, local_dir: Path) -> None:
        self._local_dir = local_dir
        self._port = free_port()
        self.server = f"host=127.0.0.1 port={self._port}"
        self.url = f"postgres://{embedded.DATABASE}@127.0.0.1:{self._port}/{embedded.DATABASE}"

    @contextmanager
    def running(self) -> Iterator[child_processes.Child]:
        data = self._local_dir / "replica"
        if not data.exists():
            _private_folder(data)
            primary = f"host={embedded.socket_dir(self._local_dir)} user={embedded.DATABASE}"
            program = servers.POSTGRES / "bin" / "pg_basebackup"
            options = ["-R", "-X", "stream", "-c", "fast", "--no-sync"]
            subprocess.run(
                [program, "-d", primary, "-D", data, *options],
                check=True,
                cwd="/",
                **service_user.options(),
            )
        settings = servers.POSTGRES_OPTIONS | servers.POSTGRES_NOT_DURABLE
        settings |= {"listen_addresses": "127.0.0.1", "port": str(self._port)}
        settings |= {"unix_socket_directories": ""}
        command: list[str | Path] = [servers.POSTGRES / "bin" / "postgres", "-D", data]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with servers.server(
            command,
            self._local_dir / "log" / "replica.log",
            signal.SIGINT,
            self._responds,
            **service_user.options(),
        ) as child:
            yield child

    def set(self, name: str, value: str) -> None:
        """Change a setting of the running server."""
        self.query(f"ALTER SYSTEM SET {name} = '{value}'")
        self.query("SELECT pg_reload_conf()")

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _responds(self) -> bool:
        try:
            self.query("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def _private_folder(path: Path) -> Path:
    """Create a folder that only the service user can enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(path, service_user.NAME, service_user.NAME)
    return path


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
