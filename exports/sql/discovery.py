"""Discovery: which paths occur in the rows of an export that is to be flattened.

PostgreSQL is asked for rows that hold something not known yet, until there are none: rows that
are alike are looked at once.
"""

import json

import psycopg
from psycopg import sql

from exports.formats.base import FormatLimit
from exports.spec import ExportSpec
from exports.sql.compiler import (
    MAX_FLATTENED_CHARACTERS,
    Found,
    Part,
    compile_discovery,
    outlines,
)
from exports.sql.nesting import MAX_DEPTH, Path, TooDeep, leaves

# PostgreSQL selects 1,664 columns at most.
MAX_COLUMNS = 1600
# What is held here before a look has ended, however many columns it would be.
_MAX_PATHS = 100_000
# Rows may be of many kinds, one after another: ever longer looks are few.
_FIRST_LOOK = 1000
_GROWTH = 10
# A look returns few rows or none, so that workers cost nothing but their start.
_WORKERS = "SET LOCAL parallel_setup_cost = {0}; SET LOCAL parallel_tuple_cost = {0}"


def discover(
    reader: psycopg.Connection, spec: ExportSpec, organization_id: str, part: Part = None
) -> Found:
    """The paths that occur in each column that may have parts.

    reader: in the transaction whose rows the file is to have.
    Raises FormatLimit where they are more columns than a file can have.
    """
    columns = outlines(spec)
    found: dict[str, set[Path]] = {column.path: set() for column in columns if column.parted}
    if not found:
        return found
    room = MAX_COLUMNS - len(columns) + len(found)
    limit = _FIRST_LOOK
    reader.execute(_WORKERS.format(0))
    while True:
        query = compile_discovery(spec, organization_id, found, limit, part)
        ended = _look(reader, query, found, limit) < limit
        _check(found, room)
        if ended:
            break
        limit *= _GROWTH
    reader.execute(_WORKERS.format("DEFAULT"))
    return found


def _look(
    reader: psycopg.Connection, query: sql.Composable, found: dict[str, set[Path]], limit: int
) -> int:
    """Learn from up to `limit` rows that hold something new; their number."""
    rows = 0
    for row in reader.cursor().stream(query.as_bytes(None)):
        rows += 1
        for (name, paths), text in zip(found.items(), row, strict=True):
            if text is None:
                continue
            if len(text) > MAX_FLATTENED_CHARACTERS:
                message = f"A value of {name} has more than {MAX_FLATTENED_CHARACTERS:,} characters"
                raise FormatLimit(f"{message}: take it merged")
            try:
                # The numbers do not matter, and Python reads some of them very slowly.
                paths.update(leaves(json.loads(text, parse_int=str, parse_float=str)))
            except (TooDeep, RecursionError):
                message = f"{name} is nested in more than {MAX_DEPTH} levels: take it merged"
                raise FormatLimit(message) from None
            if len(paths) > _MAX_PATHS:
                return limit
    return rows


def _check(found: dict[str, set[Path]], room: int) -> None:
    widths = {name: max(1, len(paths)) for name, paths in found.items()}
    if sum(widths.values()) > room:
        widest = max(widths, key=widths.__getitem__)
        raise FormatLimit(
            f"Flattened, the file has more than {MAX_COLUMNS:,} columns, of which {widest} alone"
            f" gives {widths[widest]:,} or more: leave it out, or take it merged"
        )
