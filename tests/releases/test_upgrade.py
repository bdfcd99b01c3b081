"""The database of the release before migrates to this version without losing a row."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from exports_project import embedded
from exports_project.embedded import servers

DATABASE = "upgraded"
DUMPS = sorted(
    Path(__file__).parent.glob("*.sql"),
    key=lambda path: [int(number) for number in path.stem.split(".")],
)
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not DUMPS, reason="No release has a dump yet: make release-dump VERSION=0.1.0"
    ),
]


@pytest.fixture
def restored() -> Iterator[psycopg.Connection]:
    """A connection to a database that holds the newest dump."""
    with servers.connect(settings.LOCAL_DIR, "postgres") as server:
        server.execute(f"CREATE DATABASE {DATABASE}")
        try:
            psql: list[str | Path] = [servers.POSTGRES / "bin" / "psql", "--no-psqlrc", "--quiet"]
            psql += ["--set=ON_ERROR_STOP=1", f"--file={DUMPS[-1]}", f"--dbname={DATABASE}"]
            psql += [f"--host={embedded.socket_dir(settings.LOCAL_DIR)}"]
            psql += [f"--username={embedded.DATABASE}"]
            subprocess.run(psql, check=True, stdout=subprocess.DEVNULL)
            with servers.connect(settings.LOCAL_DIR, DATABASE) as connection:
                yield connection
        finally:
            server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def row_counts(connection: psycopg.Connection) -> dict[str, int]:
    # pg_dump leaves the search path empty in its own session only.
    counts = {}
    for (table,) in connection.execute(TABLES).fetchall():
        query = sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table))
        [(counts[table],)] = connection.execute(query).fetchall()
    return counts


def manage(*arguments: str) -> None:
    """Run a command of Django on the restored database."""
    # Not with manage.py, which waits for a lock that the tests' server does not have.
    subprocess.run(
        [sys.executable, "-W", "ignore::RuntimeWarning", "-m", "django", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE": DATABASE},
        check=True,
    )


def test_migrations_lose_no_row_of_the_release_before(restored: psycopg.Connection) -> None:
    before = row_counts(restored)
    assert min(before[name] for name in before if name.startswith("exports_")) > 0
    restored.execute("UPDATE public.exports_export SET status = 'failed', completed_at = now()")
    manage("migrate", "--verbosity=0")
    after = row_counts(restored)
    fewer = {
        name: (count, after.get(name))
        for name, count in before.items()
        if after.get(name, 0) < count
    }
    assert fewer == {}
    assert after["exports_exportsearch"] == after["exports_export"]
    hours = restored.execute("SELECT sum(jobs) FROM public.longshore_jobs_jobhour").fetchall()
    assert hours == [(after["exports_export"],)]
    manage("migrate", "--check", "--verbosity=0")
    manage("makemigrations", "--check", "--dry-run")
