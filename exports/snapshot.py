"""Connections that all see the database as it is at one moment, and can be stopped."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import psycopg
from django.conf import settings
from django.db import connections


class Snapshot:
    """Read-only connections of their own, for Django's may be busy telling of the progress."""

    def __init__(self) -> None:
        self._opened: list[psycopg.Connection] = []
        self._canceled = False
        self._lock = threading.Lock()

    @contextmanager
    def reader(self) -> Iterator[psycopg.Connection]:
        """A connection in a transaction of one snapshot, which begins with its first statement."""
        source = connections[settings.EXPORT_DATABASE]
        with source.get_new_connection(source.get_connection_params()) as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.read_only = True
            with self._lock:
                self._opened.append(reader)
            yield reader

    @contextmanager
    def readers_beside(
        self, leader: psycopg.Connection, number: int
    ) -> Iterator[list[psycopg.Connection]]:
        """More connections, which see what the leader does as long as its transaction lasts."""
        [(token,)] = leader.execute("SELECT pg_export_snapshot()").fetchall()
        with ExitStack() as stack:
            readers = [stack.enter_context(self.reader()) for _ in range(number)]
            for reader in readers:
                reader.execute(b"SET TRANSACTION SNAPSHOT '" + token.encode() + b"'")
            yield readers

    def check(self) -> None:
        """Raises QueryCanceled once canceled: between two statements there is none to stop."""
        if self._canceled:
            raise psycopg.errors.QueryCanceled

    def cancel(self) -> None:
        """Make the database stop every statement that runs. Safe from any thread."""
        self._canceled = True
        with self._lock:
            opened = [reader for reader in self._opened if not reader.closed]
        for reader in opened:
            with suppress(psycopg.Error):
                reader.cancel_safe(timeout=5)
