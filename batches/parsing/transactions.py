"""Transactions of the code that stages rows."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg


@contextmanager
def atomic(cursor: psycopg.Cursor) -> Iterator[None]:
    """Begin a transaction, or a savepoint in the caller's transaction."""
    if not cursor.connection.autocommit:
        # The caller's transaction begins with its first statement. Without one, psycopg would
        # commit it at the end of the block.
        cursor.execute("SELECT")
    with cursor.connection.transaction():
        yield
