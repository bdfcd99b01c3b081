"""Read-only connections that share one snapshot of the database and can be canceled."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg
from django.conf import settings
from django.db import connections

if TYPE_CHECKING:
    from exports.reading.arrow_reader import ArrowConnection


class Snapshot:
    """Opens the connections of one export and cancels their statements.

    They are not Django's connections: another thread uses Django's to report progress meanwhile.
    """

    def __init__(self, database: str | None = None) -> None:
        """Create it without a connection.

        database: an alias of `DATABASES`. Default: EXPORT_DATABASE.
        """
        self._database = database
        self._opened: list[psycopg.Connection | ArrowConnection] = []
        self._canceled = False
        self._lock = threading.Lock()

    @contextmanager
    def reader(self, shared: str | None = None) -> Iterator[psycopg.Connection]:
        """Open a connection in a read-only transaction; roll back and close it at the end.

        shared: the identifier that `share` returned. Default: a new snapshot, taken by the first
            statement.
        Raises QueryCanceled if `cancel` was called.
        """
        source = connections[self._database or settings.EXPORT_DATABASE]
        reader = source.get_new_connection(source.get_connection_params())
        try:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.read_only = True
            with self._lock:
                self._opened.append(reader)
            if shared is not None:
                reader.execute(b"SET TRANSACTION SNAPSHOT '" + shared.encode() + b"'")
            # `cancel` does not know a connection that was opened after it.
            self.check()
            yield reader
        finally:
            # Nothing was written, so a connection that is already lost does no harm.
            with suppress(psycopg.Error):
                reader.rollback()
            reader.close()

    @contextmanager
    def arrow_reader(
        self, leader: psycopg.Connection, shared: str, configuration: Mapping[str, str]
    ) -> Iterator["ArrowConnection"]:
        """Open a connection that reads Arrow batches in a shared snapshot; close it at the end.

        leader: the connection whose snapshot is shared.
        shared: the identifier that `share` returned.
        configuration: settings of PostgreSQL.
        Raises QueryCanceled if `cancel` was called.
        """
        # Not at the top: pyarrow takes as much memory as a whole export of CSV.
        from exports.reading.arrow_reader import ArrowConnection, connection_string

        reader = ArrowConnection(connection_string(leader), shared, self.check)
        try:
            with self._lock:
                self._opened.append(reader)
            reader.configure(configuration)
            yield reader
        finally:
            reader.close()

    def share(self, leader: psycopg.Connection) -> str:
        """Export a reader's snapshot, valid until its transaction ends. Return the identifier."""
        [(shared,)] = leader.execute("SELECT pg_export_snapshot()").fetchall()
        return str(shared)

    def check(self) -> None:
        """Raise QueryCanceled if `cancel` was called.

        To be called before each statement, while it runs, and for each block: `cancel` stops only
        the statements that run at that moment.
        """
        if self._canceled:
            raise psycopg.errors.QueryCanceled

    def cancel(self) -> None:
        """Cancel the running statements of all connections. Safe to call from any thread."""
        self._canceled = True
        with self._lock:
            opened = [reader for reader in self._opened if not reader.closed]
        for reader in opened:
            with suppress(psycopg.Error):
                reader.cancel_safe(timeout=5)
