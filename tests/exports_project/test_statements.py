"""The statement timeout of web processes; a statement that exceeds it gets 504."""

import os
import subprocess
import sys
from collections.abc import Iterator
from secrets import token_hex
from threading import Event, Thread

import pytest
from django.conf import settings
from django.db import connection, connections, transaction

from exports_project import embedded
from tests.conftest import KeyClient
from tests.recovery.services import PgBouncer, find, need

SHOW = """
import exports_project.wsgi
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    print(cursor.fetchone()[0])
"""


def statement_timeout(**environment: str) -> str:
    """Return the timeout of a connection of a new web process."""
    # Not the limit of the tests.
    inherited = {k: v for k, v in os.environ.items() if k != "WEB_STATEMENT_TIMEOUT_SECONDS"}
    process = subprocess.run(
        [sys.executable, "-c", SHOW],
        env=inherited | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return process.stdout.strip()


@pytest.mark.slow
@pytest.mark.parametrize(("setting", "timeout"), [(None, "30s"), ("7", "7s"), ("0", "0")])
def test_web_processes_set_a_statement_timeout(setting: str | None, timeout: str) -> None:
    own = {} if setting is None else {"WEB_STATEMENT_TIMEOUT_SECONDS": setting}
    assert statement_timeout(**own) == timeout


@pytest.mark.slow
def test_web_processes_set_no_timeout_behind_a_pooler() -> None:
    """Another client of the pooler would inherit it."""
    need("pgbouncer")
    pooler = PgBouncer(settings.LOCAL_DIR, find("pgbouncer") or "", "pool_mode = transaction")
    with pooler.running({"pool": f"host={embedded.socket_dir(settings.LOCAL_DIR)}"}):
        found = statement_timeout(
            DATABASE_URL=pooler.url("pool"),
            SECRET_KEY=token_hex(25),
            WEB_STATEMENT_TIMEOUT_SECONDS="7",
        )
    assert found == "0"


@pytest.fixture
def locked_exports() -> Iterator[None]:
    """Lock the table of exports in another session."""
    locked, done = Event(), Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE exports_export IN ACCESS EXCLUSIVE MODE")
            locked.set()
            done.wait(30)
        connections.close_all()

    holder = Thread(target=hold)
    holder.start()
    assert locked.wait(30)
    yield
    done.set()
    holder.join()


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_exceeds_the_timeout_responds_with_504(
    alice: KeyClient, locked_exports: None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '200ms'")
    try:
        response = alice.get("/v1/exports")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
    assert response.status_code == 504
    assert response.json() == {
        "error": "timeout",
        "message": "The request took too long. Request less data.",
        "details": {},
    }
