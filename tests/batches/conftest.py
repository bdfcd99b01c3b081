"""Fixtures of the tests of batches."""

from collections.abc import Iterator

import pytest
from django.db import connection
from psycopg import sql

_STAGED = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'longshore\\_batch\\_%'"
)


@pytest.fixture(autouse=True)
def dropped_staging_tables(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop the staging tables that a committing test leaves, such as those of a dead attempt."""
    marker = request.node.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction", False)
    if not commits and "transactional_db" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    with connection.cursor() as cursor:
        cursor.execute(_STAGED)
        for (name,) in cursor.fetchall():
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)).as_string(None))
