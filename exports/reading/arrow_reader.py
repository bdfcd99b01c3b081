"""Reads query results as Arrow record batches: the driver parses PostgreSQL's binary COPY.

Half the processor time of parsing the text of COPY. The driver does not report how many rows the
server sent: the caller must count them by another query of the same snapshot.

Imported only for a format that reads Arrow: pyarrow takes as much memory as an export of CSV.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

# Before other modules of pyarrow: it chooses the allocator.
from longshore.files.arrow import pyarrow  # isort: skip
import adbc_driver_postgresql
import psycopg
from adbc_driver_manager import AdbcConnection, AdbcStatement, AdbcStatusCode, Error

# pyarrow's own reader of the driver's results replaces SQLSTATE by a text.
from adbc_driver_manager._reader import AdbcRecordBatchReader
from adbc_driver_postgresql import StatementOptions
from django.conf import settings
from psycopg import sql

from exports.formats.base import Block
from exports.reading.copy_reader import row_too_large

# Maximum of a batch, unless a single row is larger. At most the minimum of EXPORT_MAX_ROW_BYTES, so
# that a row that exceeds the setting is alone in its batch.
BATCH_BYTES = 1 << 20
# How often a cancellation is repeated until the call of the driver has ended.
_CANCEL_SECONDS = 0.1

Result = TypeVar("Result")


class ArrowConnection:
    """A read-only connection of the Arrow driver, in the snapshot of another connection.

    closed: whether the connection is closed.
    One thread reads; any thread may cancel.
    """

    def __init__(self, conninfo: str, shared: str, check: Callable[[], object]) -> None:
        """Open the connection.

        conninfo: a connection string of libpq.
        shared: identifier of the snapshot, as of `pg_export_snapshot`.
        check: raises an error if the export was canceled; called before each call of the driver.
        Raises psycopg's errors.
        """
        self.closed = False
        self._check = check
        self._is_idle = threading.Event()
        self._lock = threading.Lock()
        self._is_idle.set()
        self._handles = ExitStack()
        try:
            database = self._handles.enter_context(adbc_driver_postgresql.connect(conninfo))
            self._connection = self._handles.enter_context(AdbcConnection(database))
            self._connection.set_autocommit(False)
            self.execute(sql.SQL("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            self.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(shared)))
        except BaseException as error:
            self.close()
            if isinstance(error, Error):
                raise _psycopg_error(error) from error
            raise

    def configure(self, configuration: Mapping[str, str]) -> None:
        """Apply settings of PostgreSQL until the end of the transaction."""
        calls = [
            sql.SQL("set_config({}, {}, true)").format(sql.Literal(name), sql.Literal(value))
            for name, value in configuration.items()
        ]
        self.execute(sql.SQL("SELECT {}").format(sql.SQL(", ").join(calls)))

    def execute(self, statement: sql.Composable) -> None:
        """Execute a statement without a result. Raises psycopg's errors."""
        for _ in self.batches(statement):
            pass

    def batches(self, query: sql.Composable) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows of a query in batches of at most `BATCH_BYTES` or one row.

        Raises psycopg's errors: QueryCanceled after `cancel_safe`.
        If the caller stops before the end, cancels the query and closes the connection.
        """
        statement = AdbcStatement(self._connection)
        try:
            statement.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: BATCH_BYTES})
            statement.set_sql_query(query.as_string(None))
            handle, _ = self._call(statement.execute_query)
            reader = AdbcRecordBatchReader._import_from_c(handle.address)
            while (batch := self._call(lambda: _next_batch(reader))) is not None:
                yield batch
            statement.close()
        except BaseException:
            # Includes GeneratorExit: the server would go on, and the connection is unusable.
            with suppress(psycopg.Error):
                self.cancel_safe(0)
            with suppress(Error):
                statement.close()
            self.close()
            raise

    def cancel_safe(self, timeout: float) -> None:
        """Cancel the running query and wait for the end of the driver's call.

        The server ignores a cancellation that arrives before the query; therefore it is repeated.

        timeout: maximum seconds to wait.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._lock:
                if self.closed:
                    return
                try:
                    self._connection.cancel()
                except Error as error:
                    raise _psycopg_error(error) from error
            if time.monotonic() > deadline or self._is_idle.wait(_CANCEL_SECONDS):
                return

    def close(self) -> None:
        """Close the connection, which ends its transaction. Idempotent."""
        with self._lock:
            if not self.closed:
                self.closed = True
                self._handles.close()

    def _call(self, function: Callable[[], Result]) -> Result:
        """Call the driver while no cancellation is missed: see `cancel_safe`."""
        self._is_idle.clear()
        try:
            self._check()
            return function()
        except Error as error:
            raise _psycopg_error(error) from error
        finally:
            self._is_idle.set()


def _next_batch(reader: Any) -> pyarrow.RecordBatch | None:
    """Return the next batch of a reader; None at the end."""
    try:
        return reader.read_next_batch()
    except StopIteration:
        return None


def arrow_blocks(reader: ArrowConnection, query: sql.Composable) -> Iterator[Block]:
    """Yield the rows of a query in blocks of Arrow batches.

    Raises FormatLimit for a row of more than EXPORT_MAX_ROW_BYTES, and psycopg's errors.
    """
    for batch in reader.batches(query):
        if batch.num_rows == 1 and batch.nbytes > settings.EXPORT_MAX_ROW_BYTES:
            raise row_too_large(str(batch.column(0)[0]).encode(), batch.nbytes)
        yield Block(batch.num_rows, b"", batch)


def connection_string(connection: psycopg.Connection) -> str:
    """Return the connection string of an open connection, with its password."""
    parameters = connection.info.get_parameters()
    password = connection.info.password or None
    return psycopg.conninfo.make_conninfo("", **parameters, password=password)


def _psycopg_error(error: Error) -> psycopg.Error:
    """Return the error that psycopg would raise.

    Without an SQLSTATE, only errors of the connection are those of an unavailable database.
    """
    kind: type[psycopg.Error]
    try:
        kind = psycopg.errors.lookup(error.sqlstate or "")
    except KeyError:
        is_lost = error.status_code in (AdbcStatusCode.IO, AdbcStatusCode.CANCELLED)
        kind = psycopg.OperationalError if is_lost else psycopg.InternalError
    return kind(str(error))
