"""Discovery: finds the paths that occur in the nested columns of an export with `flatten`.

PostgreSQL returns only rows that hold a path not known yet, until there are none. So rows of the
same structure are read once, however many there are.
"""

import json
from collections.abc import Callable

import psycopg
from psycopg import sql

from exports.formats.base import FormatLimit
from exports.spec import PROPERTIES_FIELD, ExportSpec
from exports.sql.compiler import (
    MAX_FLATTENED_CHARACTERS,
    DiscoveredPaths,
    RowPartition,
    column_layouts,
    compile_discovery,
)
from exports.sql.nesting import MAX_DEPTH, Path, TooDeep, leaf_paths

# A SELECT list of PostgreSQL ends at 1,664 columns.
MAX_COLUMNS = 1600
# Bounds the memory of one query's paths, before the number of columns is checked.
_MAX_PATHS = 100_000
# Rows of the first query. Each later query may return `GROWTH` times as many, so that a table of
# many different structures needs few queries.
FIRST_LIMIT = 1000
GROWTH = 10
# The queries return few rows, so the costs per row that keep the planner from parallel workers are
# set to 0.
_WORKER_COSTS = "SET LOCAL parallel_setup_cost = {0}; SET LOCAL parallel_tuple_cost = {0}"


def discover(
    reader: psycopg.Connection,
    spec: ExportSpec,
    organization_id: str,
    partition: RowPartition | None = None,
    check: Callable[[], object] | None = None,
) -> DiscoveredPaths:
    """Return the paths that occur in each nested column; empty if no column is nested.

    reader: a connection in the transaction that also reads the rows of the file.
    partition: consider only these rows.
    check: called before each query. It ends the discovery by an error.
    Raises FormatLimit if the file would have too many columns, or a value is too large or too deep.
    """
    layouts = column_layouts(spec)
    discovered: dict[str, set[Path]] = {
        layout.path: set() for layout in layouts if layout.is_nested
    }
    if not discovered:
        return discovered
    max_paths = MAX_COLUMNS - len(layouts) + len(discovered)
    limit = FIRST_LIMIT
    reader.execute(_WORKER_COSTS.format(0))
    while True:
        if check is not None:
            check()
        query = compile_discovery(spec, organization_id, discovered, limit, partition)
        is_last = _read_paths(reader, query, discovered, limit) < limit
        _check(discovered, max_paths)
        if is_last:
            break
        limit *= GROWTH
    reader.execute(_WORKER_COSTS.format("DEFAULT"))
    return discovered


def _read_paths(
    reader: psycopg.Connection, query: sql.Composable, discovered: dict[str, set[Path]], limit: int
) -> int:
    """Add the paths in the rows of a query to `discovered`. Return the number of rows.

    limit: the maximum of the query's rows.
    Stops early, and returns `limit`, once a column has more paths than any file has columns.
    """
    rows = 0
    for row in reader.cursor().stream(query.as_bytes(None)):
        rows += 1
        for (name, paths), text in zip(discovered.items(), row, strict=True):
            if text is None:
                continue
            if len(text) > MAX_FLATTENED_CHARACTERS:
                raise FormatLimit(
                    f"A value of {name} has more than {MAX_FLATTENED_CHARACTERS:,} characters, the "
                    "maximum for flatten. Leave the column out, or set "
                    f"{PROPERTIES_FIELD} to merge."
                )
            try:
                # Only the paths matter, and Python parses some numbers very slowly.
                paths.update(leaf_paths(json.loads(text, parse_int=str, parse_float=str)))
            except (TooDeep, RecursionError):
                raise FormatLimit(
                    f"{name} is nested in more than {MAX_DEPTH} levels, the maximum for flatten. "
                    f"Leave the column out, or set {PROPERTIES_FIELD} to merge."
                ) from None
            if len(paths) > _MAX_PATHS:
                return limit
    return rows


def _check(discovered: dict[str, set[Path]], max_paths: int) -> None:
    """Raise FormatLimit if the paths are more columns than the file can have."""
    widths = {name: max(1, len(paths)) for name, paths in discovered.items()}
    if sum(widths.values()) > max_paths:
        widest = max(widths, key=widths.__getitem__)
        raise too_many_columns(widest, widths[widest])


def too_many_columns(widest: str, width: int) -> FormatLimit:
    """Return the error for a file of more than `MAX_COLUMNS`.

    widest: the column that becomes the most columns.
    width: their number, as far as it is known.
    """
    return FormatLimit(
        f"Flattened, the file would have more than {MAX_COLUMNS:,} columns; {widest} alone needs "
        f"{width:,} or more. Leave the column out, or set {PROPERTIES_FIELD} to merge."
    )
