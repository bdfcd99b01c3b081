"""The embedded servers: private, in any folder, stopped with their block, durable."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
import pytest
import redis
from kombu import Connection
from redis.exceptions import AuthenticationError

from exports_project import embedded
from exports_project.embedded import child_processes, servers, service_user

pytestmark = pytest.mark.slow


@pytest.fixture
def local_dir() -> Iterator[Path]:
    """A folder with a space in its path, short enough for a socket."""
    with TemporaryDirectory(prefix="long shore ") as folder:
        yield Path(folder).resolve() / ".local"


def processes_in(folder: Path) -> list[str]:
    names = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder):
                names.append(process.name())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return names


def test_servers_respond_and_leave_no_process_behind(local_dir: Path) -> None:
    with servers.lock(local_dir) as owner, servers.running(local_dir, durable=False):
        assert owner
        with servers.connect(local_dir, embedded.DATABASE) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            assert connection.execute("SELECT lower('ÄΩ')").fetchone() == ("äω",)
        with redis.Redis.from_url(embedded.cache_url(local_dir)) as cache:
            assert cache.incr("count") == 1
        with Connection(embedded.broker_url(local_dir)) as broker:
            broker.SimpleQueue("letters").put({"id": 1})
            assert broker.SimpleQueue("letters").get(timeout=30).payload == {"id": 1}
        assert {"postgres", "valkey-server"} <= set(processes_in(local_dir))
    assert processes_in(local_dir) == []


def test_the_folder_of_the_sockets_is_private(local_dir: Path) -> None:
    with servers.running(local_dir, durable=False):
        folder = embedded.socket_dir(local_dir)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(embedded.postgres_socket(local_dir).stat().st_mode) == 0o700
        assert stat.S_IMODE(embedded.valkey_socket(local_dir).stat().st_mode) == 0o700


def test_logs_are_private_emptied_at_start_and_free_of_values(local_dir: Path) -> None:
    log = local_dir / "log"
    log.mkdir(parents=True)
    for path in (log / "postgres.log", log / "valkey.log", local_dir / "run.lock"):
        path.write_text("of an earlier version")
        path.chmod(0o644)
    with servers.lock(local_dir), servers.running(local_dir, durable=False):
        with servers.connect(local_dir, embedded.DATABASE) as connection:
            with pytest.raises(psycopg.errors.InvalidTextRepresentation):
                connection.execute("SELECT 'zoe@example.org'::int, 'Zoe'")
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT pg_terminate_backend(pg_backend_pid()), 'Zoe'")
        crash(local_dir, "SELECT pg_sleep(60), 'Zoe'")
        text = (log / "postgres.log").read_text()
        for value in ("zoe@example.org", "Zoe", "earlier"):
            assert value not in text
        assert stat.S_IMODE(log.stat().st_mode) == 0o700
        for path in (log / "postgres.log", log / "valkey.log", local_dir / "run.lock"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def crash(local_dir: Path, statement: str) -> None:
    """Kill a backend of PostgreSQL that executes `statement`."""
    connection = servers.connect(local_dir, embedded.DATABASE)
    connection.pgconn.send_query(statement.encode())
    time.sleep(0.5)
    psutil.Process(connection.info.backend_pid).kill()
    connection.pgconn.get_result()
    connection.close()
    log = local_dir / "log" / "postgres.log"
    assert servers.wait_until(lambda: "terminated by signal 9" in log.read_text())
    assert servers.wait_until(lambda: servers.postgres_responds(local_dir))


def test_valkey_requires_a_password(local_dir: Path) -> None:
    with servers.running(local_dir, database=False, durable=False) as children:
        socket = str(embedded.valkey_socket(local_dir))
        with redis.Redis(unix_socket_path=socket) as stranger, pytest.raises(AuthenticationError):
            stranger.get("anything")
        password = embedded.valkey_password(local_dir)
        arguments = psutil.Process(children["valkey"].process.pid).cmdline()
        assert not any(password in argument for argument in arguments)
        for file in (local_dir / "valkey_password", local_dir / "valkey" / "valkey.conf"):
            assert password in file.read_text()
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with Connection(embedded.broker_url(local_dir)) as broker:
            assert password not in broker.as_uri()


def test_data_survives_a_restart(local_dir: Path) -> None:
    with servers.running(local_dir):
        with servers.connect(local_dir, embedded.DATABASE) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
        with redis.Redis.from_url(embedded.cache_url(local_dir)) as cache:
            cache.set("kept", "42")
    with servers.running(local_dir):
        with servers.connect(local_dir, embedded.DATABASE) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (42,)
        with redis.Redis.from_url(embedded.cache_url(local_dir)) as cache:
            assert cache.get("kept") == b"42"


@pytest.mark.parametrize("name", ["x" * 100, "one, two"], ids=["too long", "with a comma"])
def test_sockets_move_to_another_folder_if_the_path_is_unusable(local_dir: Path, name: str) -> None:
    local_dir = local_dir / name
    folder = embedded.socket_dir(local_dir)
    assert not folder.is_relative_to(local_dir)
    try:
        with servers.running(local_dir, durable=False):
            servers.connect(local_dir, embedded.DATABASE).close()
            with redis.Redis.from_url(embedded.cache_url(local_dir)) as cache:
                assert cache.ping()
    finally:
        folder.rmdir()


def test_a_socket_folder_open_to_others_is_refused(local_dir: Path) -> None:
    folder = embedded.socket_dir(local_dir)
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    with (
        pytest.raises(servers.ServerError, match="others cannot enter"),
        servers.running(local_dir),
    ):
        pass


def test_a_server_that_does_not_start_gives_the_reason(local_dir: Path) -> None:
    with servers.running(local_dir, broker=False):
        pass
    (local_dir / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(servers.ServerError, match="not compatible"), servers.running(local_dir):
        pass
    assert processes_in(local_dir) == []


def test_a_server_that_ends_without_an_error_has_not_started(tmp_path: Path) -> None:
    command: list[str | Path] = [sys.executable, "-c", "print('Stopped early.')"]
    with (
        pytest.raises(servers.ServerError, match="Stopped early"),
        servers.server(command, tmp_path / "log", signal.SIGTERM, lambda: False),
    ):
        pass


@contextmanager
def sleeping(folder: Path, code: str = "pass") -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in a folder, with its id in the file `pid` there. code: what it does first."""
    code = f"import signal, time; {code}; print('ready', flush=True); time.sleep(600)"
    command = [sys.executable, "-c", code]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        (folder / "pid").write_text(f"{process.pid}\n")
        yield process
    finally:
        process.kill()
        process.communicate()


def test_an_orphan_that_ignores_the_signal_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_processes, "STOP_SECONDS", 0.2)
    folder = tmp_path.resolve()
    with sleeping(folder, "signal.signal(signal.SIGTERM, signal.SIG_IGN)") as process:
        child_processes.stop_orphan(folder / "pid", folder, signal.SIGTERM)
        assert not psutil.pid_exists(process.pid)


def test_a_process_of_another_user_with_the_id_of_an_orphan_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(process: psutil.Process) -> str:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "cwd", refuse)
    with sleeping(tmp_path) as process:
        child_processes.stop_orphan(tmp_path / "pid", tmp_path, signal.SIGTERM)
        assert process.poll() is None


def test_only_one_process_holds_the_lock(local_dir: Path) -> None:
    with servers.lock(local_dir) as first, servers.lock(local_dir) as second:
        assert (first, second) == (True, False)
    with servers.lock(local_dir) as again:
        assert again


def test_a_command_uses_the_running_database(local_dir: Path) -> None:
    with servers.database_for_command(local_dir):
        with servers.database_for_command(local_dir):
            servers.connect(local_dir, embedded.DATABASE).close()
        servers.connect(local_dir, embedded.DATABASE).close()
    assert processes_in(local_dir) == []


def test_the_secret_key_is_random_stored_and_private(local_dir: Path) -> None:
    key = embedded.secret_key(local_dir)
    assert len(key) >= 50
    assert embedded.secret_key(local_dir) == key
    assert embedded.secret_key(local_dir / "other") != key
    assert stat.S_IMODE((local_dir / "secret_key").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root runs PostgreSQL as another user.")
def test_as_root_the_server_runs_as_the_service_user(local_dir: Path) -> None:
    with servers.running(local_dir, broker=False) as children:
        process = psutil.Process(children["postgres"].process.pid)
        assert process.username() == service_user.NAME


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root runs PostgreSQL as another user.")
def test_as_root_folders_are_enterable_only_while_the_server_runs(
    local_dir: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Servers of other tests run as the same user and would keep the folders enterable.
    monkeypatch.setattr(service_user, "runs", lambda: False)
    parent = local_dir.parent
    parent.chmod(0o700)
    with servers.running(local_dir, broker=False):
        assert stat.S_IMODE(parent.stat().st_mode) == 0o701
        assert f"all users, including {service_user.NAME}, can enter" in capfd.readouterr().out
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700
