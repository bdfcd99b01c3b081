"""Faults of the services of production: RabbitMQ, PgBouncer and a read replica."""

import http.cookiejar
import json
import re
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from pyarrow import parquet

from exports_project import embedded
from exports_project.embedded import servers
from tests.recovery.conftest import ROWS
from tests.recovery.invariants import await_ends
from tests.recovery.production_services import ProductionStack
from tests.recovery.services import need
from tests.recovery.stack import PROCESSING, wait_until

pytestmark = pytest.mark.stack
ERROR = "SELECT error->>'error', error->>'message' FROM exports_export WHERE public_id = %s"
REASONS = """
SELECT reason FROM exports_exportevent JOIN exports_export ON export_id = number
WHERE public_id = %s AND reason <> '' ORDER BY id"""
KEY = """
SELECT storage_key FROM exports_exportfile JOIN exports_export ON export_id = number
WHERE public_id = %s"""
STATUS = "SELECT status FROM exports_export WHERE public_id = %s"
OVER = "UPDATE exports_export SET expires_at = now() - interval '1 s' WHERE public_id = %s"
OLD = "UPDATE exports_export SET completed_at = now() - interval '60 days' WHERE public_id = %s"


@pytest.fixture(scope="module")
def running_stack() -> Iterator[ProductionStack]:
    with tempfile.TemporaryDirectory(prefix="longshore-") as folder:
        stack = ProductionStack(Path(folder), ROWS)
        with stack.running():
            yield stack


@pytest.fixture
def stack(running_stack: ProductionStack) -> ProductionStack:
    assert running_stack.died() == []
    return running_stack


def settle(stack: ProductionStack, ids: list[str]) -> tuple[int, int]:
    """Wait until exports have ended; return the numbers of completed and failed ones."""
    verdict = await_ends(stack, ids)
    assert verdict.sound, f"{verdict}\n{stack.logs()}"
    return verdict.completed, verdict.failed


# RabbitMQ


def test_beat_and_workers_continue_after_a_restart_of_rabbitmq(stack: ProductionStack) -> None:
    need("rabbitmq-server")
    ids = stack.ask(2)
    wait_until(lambda: bool(stack.query(PROCESSING)))
    stack.stop_broker()
    ids += stack.ask(2)
    stack.start_broker()
    # Only recovery enqueues the last two, and only beat sends the recovery task.
    assert settle(stack, ids) == (4, 0)


def test_no_message_is_lost_on_a_connection_that_rabbitmq_has_closed(
    stack: ProductionStack,
) -> None:
    need("rabbitmq-server")
    # Let the web processes open connections.
    settle(stack, stack.ask(4))
    stack.kill("worker")
    stack.stop_broker()
    stack.start_broker()
    ids = stack.ask(4)
    assert stack.waiting("large") == 4, stack.logs()
    stack.start("worker")
    assert settle(stack, ids) == (4, 0)


# PgBouncer


def test_exports_and_the_admin_work_through_transaction_pooling(stack: ProductionStack) -> None:
    need("pgbouncer")
    # The last one waits, because two are written at a time.
    done, restarted, canceled = stack.ask(3)
    stack.request("POST", f"/v1/exports/{canceled}/cancel")
    wait_until(lambda: bool(stack.query(PROCESSING)))
    stack.kill("worker")
    stack.start("worker")
    assert settle(stack, [done, restarted]) == (2, 0)
    assert stack.query(STATUS, canceled) == [("canceled",)]
    listed = [each["id"] for each in stack.request("GET", "/v1/exports")["results"]]
    assert {done, canceled, restarted} <= set(listed)
    for path in (
        "/admin/exports/export/",
        "/admin/webhooks/event/",
        "/admin/longshore_logistics/shipment/",
    ):
        assert "longshore" in admin_page(stack, path).lower()
    with servers.connect(stack.folder, embedded.DATABASE) as connection:
        connection.execute(OVER, [done])
    stack.send("exports.expire", "maintenance")
    wait_until(lambda: stack.query(STATUS, done) == [("expired",)])
    with servers.connect(stack.folder, embedded.DATABASE) as connection:
        connection.execute(OLD, [done])
    for task in ("exports.purge", "webhooks.purge", "api.purge_idempotency_keys"):
        stack.send(task, "maintenance")
    wait_until(lambda: stack.query(STATUS, done) == [])
    assert "InvalidCursorName" not in stack.logs()


def test_a_pooled_connection_keeps_no_statement_timeout(stack: ProductionStack) -> None:
    need("pgbouncer")
    settle(stack, stack.ask(2))
    for _ in range(8):
        stack.request("GET", "/v1/exports")
    with ExitStack() as opened:
        # Concurrent transactions use different connections of the server.
        pooled = [opened.enter_context(psycopg.connect(stack.pool_url)) for _ in range(8)]
        shown = [each.execute("SHOW statement_timeout").fetchone() for each in pooled]
        backends = {each.execute("SELECT pg_backend_pid()").fetchone() for each in pooled}
    assert shown == [("0",)] * len(pooled)
    assert len(backends) == len(pooled)


def test_exports_survive_a_restart_of_pgbouncer(stack: ProductionStack) -> None:
    need("pgbouncer")
    ids = stack.ask(3)
    wait_until(lambda: bool(stack.query(PROCESSING)))
    stack.stop_pooler()
    time.sleep(1)
    stack.start_pooler()
    assert settle(stack, ids) == (3, 0)


def test_a_large_parquet_export_is_read_through_pools_of_a_replica(stack: ProductionStack) -> None:
    """Its connections belong to another driver than all others."""
    need("pgbouncer")
    body = {"resource": "shipment", "format": "parquet"}
    public_id = stack.request("POST", "/v1/exports", body)["id"]
    wait_until(lambda: stack.query(STATUS, public_id) == [("completed",)])
    assert stack.query(REASONS, public_id) == []
    [(key,)] = stack.query(KEY, public_id)
    ids = parquet.read_table(stack.storage / key, columns=["id"])["id"]
    assert len(ids) == len(set(ids.to_pylist())) == stack.rows


def admin_page(stack: ProductionStack, path: str) -> str:
    """Sign in to the admin; return the HTML of a page."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    base = f"http://127.0.0.1:{stack.port}"
    login = opener.open(f"{base}/admin/login/").read().decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', login)
    assert found
    demo = json.loads((stack.folder / "demo.json").read_text())
    form = {
        "csrfmiddlewaretoken": found.group(1),
        "username": demo["admin_username"],
        "password": demo["admin_password"],
        "next": path,
    }
    text: bytes = opener.open(f"{base}/admin/login/", urllib.parse.urlencode(form).encode()).read()
    return text.decode()


# A replica that removes rows which exports still read


@contextmanager
def vacuuming(stack: ProductionStack) -> Iterator[None]:
    """Update rows and VACUUM on the primary, which removes old row versions on the replica."""
    stopped = Event()

    def churn() -> None:
        with servers.connect(stack.folder, embedded.DATABASE) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS churn AS SELECT generate_series(1, 99)")
            while not stopped.wait(0.05):
                connection.execute("UPDATE churn SET generate_series = 1")
                connection.execute("VACUUM churn")

    thread = Thread(target=churn)
    stack.let_conflict(True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
        stack.let_conflict(False)


def test_an_export_that_the_replica_cancels_falls_back_to_the_primary(
    stack: ProductionStack,
) -> None:
    with vacuuming(stack):
        [public_id] = stack.ask()
        assert settle(stack, [public_id]) == (1, 0)
    reasons = [reason for (reason,) in stack.query(REASONS, public_id)]
    assert len(reasons) == 2
    assert all("conflict with recovery" in reason for reason in reasons)


def test_without_a_fallback_the_error_names_the_setting(stack: ProductionStack) -> None:
    try:
        with vacuuming(stack):
            stack.set_fallback(False)
            [public_id] = stack.ask()
            assert settle(stack, [public_id]) == (0, 1)
    finally:
        stack.set_fallback(True)
    [(code, message)] = stack.query(ERROR, public_id)
    assert code == "replica_unavailable"
    assert message.startswith("The export failed after 3 attempts. The read replica canceled")
    assert "Set hot_standby_feedback = on" in message
    log = (stack.folder / "log" / "worker.log").read_text()
    assert "has hot_standby_feedback = off and cancels an export" in log
