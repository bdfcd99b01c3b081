"""Reads inputs from memory into staging tables of the test's database."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg import sql

from batches.parsing.base import Input, Parsed
from batches.parsing.opening import open_input
from batches.spec import InputOptions
from batches.staging import Staging
from batches.targets import Target


def reader(content: bytes, block: int = 1 << 16) -> Callable[[int, int], Iterator[bytes]]:
    """Return a function that reads ranges of a stored file in blocks."""

    def read(start: int, end: int) -> Iterator[bytes]:
        for position in range(start, end, block):
            yield content[position : min(end, position + block)]

    return read


def opened(content: bytes, name: str = "", **options: Any) -> Input:
    return open_input(reader(content), len(content), InputOptions(**options), name)


@dataclass(frozen=True)
class Staged:
    """The staged rows by number, and the malformed ones: (row, column, code, message)."""

    parsed: Parsed
    rows: dict[int, list[str | None]]
    absent: dict[int, list[int]]
    malformed: list[tuple[int, str, str, str]]
    sources: dict[int, str | None]


def staged(
    source: Input,
    assigned: Sequence[Target | None] | None = None,
    *,
    limit: int | None = None,
) -> Staged:
    """Stage an input in the connection of the test."""
    connection.ensure_connection()
    staging = Staging("claim_test")
    with connection.connection.cursor() as cursor:
        headers = source.headers()
        given = [None] * len(headers) if assigned is None else assigned
        parsed = source.stage(cursor, staging, given, limit=limit)
        cursor.execute(sql.SQL("SELECT * FROM {} ORDER BY row").format(staging.input))
        rows, absent = {}, {}
        for number, *cells, missing in cursor.fetchall():
            assert number not in rows
            rows[number] = cells
            if missing is not None:
                absent[number] = missing
        cursor.execute(
            sql.SQL('SELECT row, "column", code, message, source FROM {} ORDER BY 1, 2').format(
                staging.malformed
            )
        )
        found = cursor.fetchall()
    malformed = [(row, column, code, message) for row, column, code, message, _ in found]
    return Staged(parsed, rows, absent, malformed, {row: text for row, *_, text in found})
