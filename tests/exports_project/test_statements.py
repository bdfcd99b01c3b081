"""Statements of the web processes end in time, and a statement that is stopped is a 504."""

import os
import subprocess
import sys
from collections.abc import Iterator
from threading import Event, Thread

import pytest
from django.db import connection, connections, transaction
from pytest_django import Settings

from longshore.database import statements
from tests.conftest import KeyClient

SHOW = """
import exports_project.wsgi
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    print(cursor.fetchone()[0])
"""


@pytest.mark.parametrize(("setting", "shown"), [(None, "30s"), ("7", "7s"), ("0", "0")])
def test_the_web_application_bounds_its_statements(setting: str | None, shown: str) -> None:
    own = {} if setting is None else {"WEB_STATEMENT_TIMEOUT_SECONDS": setting}
    command = [sys.executable, "-c", SHOW]
    found = subprocess.run(
        command, env=os.environ | own, check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == shown


@pytest.mark.django_db
def test_a_pooler_gets_no_setting_that_another_client_would_inherit(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pooler tells a process id of its own, which no process of PostgreSQL has."""
    settings.WEB_STATEMENT_TIMEOUT_SECONDS = 7
    pooled = statements._LIMIT.replace("pg_backend_pid()", "pg_backend_pid() + 1")
    monkeypatch.setattr(statements, "_LIMIT", pooled)
    with connection.cursor() as cursor:
        # Until the end of the test, whatever a test before has set for all connections.
        cursor.execute("SET LOCAL statement_timeout = '3s'")
        statements._limit(connection)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("3s",)


@pytest.fixture
def locked_exports() -> Iterator[None]:
    """Another session has locked the table of exports."""
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
def test_a_statement_that_is_stopped_is_a_timeout(alice: KeyClient, locked_exports: None) -> None:
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
