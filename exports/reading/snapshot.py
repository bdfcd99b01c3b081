"""Connections that all see the database as it is at one moment, and can be stopped."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from django.conf import settings
from django.db import connections


class Snapshot:
    """Read-only connections of their own, for Django's may be busy telling of the progress."""

    def __init__(self, database: str | None = None) -> None:
        """database: an alias of `DATABASES`. Default: EXPORT_DATABASE."""
        self._database = database
        self._leader: psycopg.Connection | None = None
        self._opened: list[psycopg.Connection] = []
        self._canceled = False
        self._lock = threading.Lock()

    @contextmanager
    def reader(self, shared: str | None = None) -> Iterator[psycopg.Connection]:
        """A connection in a transaction of one snapshot, which begins with its first statement.

        shared: the snapshot's name, as `share` returns it.
        """
        source = connections[self._database or settings.EXPORT_DATABASE]
        reader = source.get_new_connection(source.get_connection_params())
        try:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.read_only = True
            with self._lock:
                self._opened.append(reader)
            if shared is not None:
                self._adopt(reader, shared)
            yield reader
        finally:
            # Nothing was written: a leader that was ended after the last row does no harm.
            with suppress(psycopg.Error):
                reader.rollback()
            reader.close()

    def share(self, leader: psycopg.Connection) -> str:
        """What makes others see what a reader does, as long as its transaction lasts."""
        [(shared,)] = leader.execute("SELECT pg_export_snapshot()").fetchall()
        self._leader = leader
        return str(shared)

    def _adopt(self, reader: psycopg.Connection, shared: str) -> None:
        try:
            reader.execute(b"SET TRANSACTION SNAPSHOT '" + shared.encode() + b"'")
        except psycopg.Error:
            # The snapshot ends with the connection of the leader, whose error says why.
            if self._leader is not None:
                self._leader.execute("SELECT 1")
            raise

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
