"""Reads COPY output through libpq directly: a third of the cost of psycopg's `cursor.copy()`.

The server sends each row as one message. The reader counts the messages, collects them in blocks,
and compares their number with the row count that the server reports at the end.
"""

import logging
import select
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
from django.conf import settings
from psycopg import pq
from psycopg.errors import error_from_result

from exports.formats.base import Block, FormatLimit
from longshore.database.copying import BLOCK_BYTES

logger = logging.getLogger(__name__)

# The server sends 8 KiB at a time, and waking up for each would cost most of the time. During this
# pause the server fills the socket's buffer; it is too short to make the server wait.
_PAUSE_SECONDS = 0.0002
# After this time without data, the rows read so far become a block, however few they are.
SLOW_MILLISECONDS = 500
# Bytes of a row that the log shows.
_EXCERPT_BYTES = 100


class IncompleteExport(Exception):
    """The rows or bytes that arrived differ from those that were sent."""


def copy_blocks(
    reader: psycopg.Connection,
    statement: bytes,
    line_end: bytes = b"\n",
    rows_per_file: int | None = None,
    check: Callable[[], object] | None = None,
) -> Iterator[Block]:
    """Yield the rows of a COPY statement in blocks.

    A block has at least `BLOCK_BYTES`, and at most that and one row. Blocks are smaller at the end,
    at the end of a file, and while rows arrive slowly.

    line_end: replaces the line feed at the end of each row.
    rows_per_file: end a block each time that the number of all rows is a multiple of this.
    check: called after each `SLOW_MILLISECONDS` without data. It ends the reading by an error.
    Raises IncompleteExport if the number of rows differs from the server's, FormatLimit for a row
    of more than EXPORT_MAX_ROW_BYTES, and psycopg's errors for errors of the server.
    If the caller stops before the end, cancels the statement and closes the connection.
    """
    server = _Server(reader.pgconn, check)
    try:
        yield from _blocks(server, statement, line_end, rows_per_file)
    except BaseException:
        # Includes GeneratorExit: the server would go on, and the connection would be unusable.
        if reader.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                reader.cancel_safe(timeout=5)
            reader.close()
        raise


class _Server:
    """Waits for the server on a libpq connection.

    check: as of `copy_blocks`.
    """

    def __init__(self, connection: pq.abc.PGconn, check: Callable[[], object] | None) -> None:
        self.connection = connection
        self._check = check
        self._readable = select.poll()
        self._readable.register(connection.socket, select.POLLIN)

    def send(self, statement: bytes) -> None:
        """Send a statement completely: a socket's buffer may be smaller than the statement."""
        ready = select.poll()
        ready.register(self.connection.socket, select.POLLIN | select.POLLOUT)
        self.connection.send_query(statement)
        while self.connection.flush():
            if any(events & select.POLLIN for _, events in ready.poll()):
                self.connection.consume_input()

    def receive(self) -> bool:
        """Wait for data and read it. Return False if none arrives within `SLOW_MILLISECONDS`."""
        if not self._readable.poll(0):
            if not self._wait():
                return False
            time.sleep(_PAUSE_SECONDS)
        self.connection.consume_input()
        return True

    def result(self, expected: pq.ExecStatus) -> pq.abc.PGresult:
        """Return the next result of the statement.

        Raises psycopg's error if it is not `expected`.
        """
        while self.connection.is_busy():
            if self._wait():
                self.connection.consume_input()
        result = self.connection.get_result()
        if result is None:
            raise psycopg.OperationalError("the server sent no result")
        if result.status != pq.ExecStatus.COPY_OUT:
            while self.connection.get_result():
                pass
        if result.status != expected:
            raise error_from_result(result)
        return result

    def _wait(self) -> bool:
        """Wait for data. If none arrives within `SLOW_MILLISECONDS`, check and return False."""
        if self._readable.poll(SLOW_MILLISECONDS):
            return True
        if self._check is not None:
            self._check()
        return False


def _blocks(
    server: _Server, statement: bytes, line_end: bytes, rows_per_file: int | None
) -> Iterator[Block]:
    server.send(statement)
    server.result(pq.ExecStatus.COPY_OUT)
    get_row = server.connection.get_copy_data
    max_row_bytes = settings.EXPORT_MAX_ROW_BYTES
    replaces_line_end = line_end != b"\n"
    buffer = bytearray()
    rows = total = 0
    # From the start of the block to the end of the file; 0 if files have no maximum.
    rows_left = rows_per_file or 0
    while True:
        size, row = get_row(1)
        if size > 0:
            if size > max_row_bytes:
                raise row_too_large(bytes(row[:_EXCERPT_BYTES]), size)
            buffer += row
            rows += 1
            if replaces_line_end:
                buffer[-1:] = line_end
            if len(buffer) < BLOCK_BYTES and rows != rows_left:
                continue
        elif size < 0:
            break
        elif server.receive() or not rows:
            continue
        yield Block(rows, bytes(buffer))
        buffer.clear()
        total += rows
        rows = 0
        rows_left = rows_per_file - total % rows_per_file if rows_per_file else 0
    sent = server.result(pq.ExecStatus.COMMAND_OK).command_tuples
    if sent != total + rows:
        raise IncompleteExport(f"Received {total + rows} of {sent} rows.")
    if rows:
        yield Block(rows, bytes(buffer))


def row_too_large(start: bytes, size: int) -> FormatLimit:
    """Return the error of a row of more than EXPORT_MAX_ROW_BYTES, and log its start."""
    # Only the log: an export's error is sent to webhooks too, and rows may be confidential.
    excerpt = start[:_EXCERPT_BYTES].decode(errors="replace")
    logger.warning("A row of %s bytes is too large. It begins with %r", f"{size:,}", excerpt)
    return FormatLimit(
        f"A row has {size:,} bytes; the maximum is {settings.EXPORT_MAX_ROW_BYTES:,}. "
        "Leave out its large columns."
    )
