"""Reads COPY output through libpq directly: a third of the cost of psycopg's cursor.copy().

Each message is a row. They are looked at one by one, to be counted, and kept in blocks.
"""

import select
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
from django.conf import settings
from psycopg import pq
from psycopg.errors import error_from_result

from exports.formats.base import BLOCK_BYTES, Block, FormatLimit

# Woken for every 8 KiB that the server sends, both sides would do little else. In this time it
# fills what a socket holds; it never has to wait for it.
_NAP_SECONDS = 0.0002
# Rows of a slow query are passed on before they fill a block.
_SLOW_MILLISECONDS = 500
# Characters of a row that an error shows.
_BEGINNING_BYTES = 100


class IncompleteExport(Exception):
    """What was written is not what the database said that it sent."""


def copy_blocks(
    reader: psycopg.Connection,
    statement: bytes,
    line_end: bytes = b"\n",
    divisor: int | None = None,
) -> Iterator[Block]:
    """The rows of a COPY statement, in blocks of `BLOCK_BYTES` or a row more.

    Rows that come slowly are given out in blocks of fewer, and so are the last ones.

    divisor: a block ends wherever the number of rows can be divided by it.
    line_end: what takes the place of the line feed that ends a row.
    Raises IncompleteExport if the number of rows differs from the server's, FormatLimit for a row
    of more than EXPORT_MAX_ROW_BYTES, and psycopg's errors for those of the server.
    Not read to its end, it ends the connection.
    """
    try:
        yield from _blocks(reader.pgconn, statement, line_end, divisor)
    except BaseException:
        # Also where nobody wants the rest: the server would go on, and the connection be unusable.
        if reader.pgconn.transaction_status == pq.TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                reader.cancel_safe(timeout=5)
            reader.close()
        raise


def _blocks(
    server: pq.abc.PGconn, statement: bytes, line_end: bytes, divisor: int | None
) -> Iterator[Block]:
    arrival = select.poll()
    arrival.register(server.socket, select.POLLIN)
    _send(server, statement)
    _result(server, arrival, pq.ExecStatus.COPY_OUT)
    message = server.get_copy_data
    longest = settings.EXPORT_MAX_ROW_BYTES
    replaced = line_end != b"\n"
    buffer = bytearray()
    rows = total = 0
    last = divisor or 0
    while True:
        size, row = message(1)
        if size > 0:
            if size > longest:
                raise _too_long(row, size, longest)
            buffer += row
            rows += 1
            if replaced:
                buffer[-1:] = line_end
            if len(buffer) < BLOCK_BYTES and rows != last:
                continue
        elif size < 0:
            break
        elif _received(server, arrival) or not rows:
            continue
        yield Block(rows, bytes(buffer))
        buffer.clear()
        total += rows
        rows = 0
        last = divisor - total % divisor if divisor else 0
    sent = _result(server, arrival, pq.ExecStatus.COMMAND_OK).command_tuples
    if sent != total + rows:
        raise IncompleteExport(f"{total + rows} rows of {sent} arrived")
    if rows:
        yield Block(rows, bytes(buffer))


def _too_long(row: memoryview, size: int, longest: int) -> FormatLimit:
    beginning = bytes(row[:_BEGINNING_BYTES]).decode(errors="replace")
    return FormatLimit(
        f"A row has {size:,} bytes, and {longest:,} are allowed: leave out its large columns. It "
        f"begins with {beginning!r}"
    )


def _send(server: pq.abc.PGconn, statement: bytes) -> None:
    """All of it: one of a megabyte does not fit into a socket at once."""
    ready = select.poll()
    ready.register(server.socket, select.POLLIN | select.POLLOUT)
    server.send_query(statement)
    while server.flush():
        if any(events & select.POLLIN for _, events in ready.poll()):
            server.consume_input()


def _received(server: pq.abc.PGconn, arrival: select.poll) -> bool:
    """Wait for what the server sends, and take it in; false where that is nothing for a while."""
    if not arrival.poll(0):
        if not arrival.poll(_SLOW_MILLISECONDS):
            return False
        time.sleep(_NAP_SECONDS)
    server.consume_input()
    return True


def _result(
    server: pq.abc.PGconn, arrival: select.poll, expected: pq.ExecStatus
) -> pq.abc.PGresult:
    """The next result of what was sent. Raises psycopg's error where it is another."""
    while server.is_busy():
        arrival.poll()
        server.consume_input()
    result = server.get_result()
    if result is None:
        raise psycopg.OperationalError("the server has sent no result")
    if result.status != pq.ExecStatus.COPY_OUT:
        while server.get_result():
            pass
    if result.status != expected:
        raise error_from_result(result)
    return result
