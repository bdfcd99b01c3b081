"""Connections that all see the database as it is at one moment, and can be stopped."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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
    def reader(self, shared: str | None = None) -> Iterator[psycopg.Connection]:
        """A connection in a transaction of one snapshot, which begins with its first statement.

        shared: the snapshot's name, as `share` returns it.
        """
        source = connections[settings.EXPORT_DATABASE]
        with source.get_new_connection(source.get_connection_params()) as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.read_only = True
            with self._lock:
                self._opened.append(reader)
            if shared is not None:
                reader.execute(b"SET TRANSACTION SNAPSHOT '" + shared.encode() + b"'")
            yield reader

    def share(self, leader: psycopg.Connection) -> str:
        """What makes others see what a reader does, as long as its transaction lasts."""
        [(shared,)] = leader.execute("SELECT pg_export_snapshot()").fetchall()
        return str(shared)

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
