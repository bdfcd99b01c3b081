"""Splits the rows of a large export into partitions that several connections read at once.

A partition is a condition on `ctid`, the physical location of a row. Locations do not change within
a snapshot. A partition is small enough to be kept in memory until its turn comes.
"""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

from exports.reading.copy_reader import copy_blocks
from exports.spec import ExportSpec
from exports.sql.compiler import RowPartition, Statement, compile_row_locations, partitioned_table
from longshore.resources.expressions import ROW

# Pages of a table in one partition: 16 MiB, and a file of about the same size.
PAGES_PER_PARTITION = 2048
_CTID = sql.Identifier(ROW, "ctid")
# Selects nothing for a partitioned or inherited table and for a view: there, `ctid` does not
# identify a row.
_PAGES_OF_TABLE = """SELECT relname, pg_relation_size(oid) / current_setting('block_size')::int
 FROM pg_class WHERE oid = %s::regclass AND relkind = 'r' AND NOT relhassubclass"""


def partition_rows(
    reader: psycopg.Connection,
    spec: ExportSpec,
    organization_id: str,
    statement: Statement,
    check: Callable[[], object],
) -> Iterator[RowPartition] | None:
    """Return the partitions of the rows, in file order, or None if one connection shall read all.

    One connection is enough for few rows, and necessary if files have a maximum of rows.

    reader: a connection in the transaction that also reads the rows of the file. Only the thread
        that iterates over the partitions may use it until their end.
    statement: the compiled statement of the spec.
    check: raises an error if the export was canceled.
    """
    if spec.max_rows_per_file:
        return None
    check()
    table = partitioned_table(spec)
    if table is None:
        return None
    explain = sql.SQL("EXPLAIN (FORMAT JSON) {}").format(statement.query)
    [(plans,)] = reader.execute(explain.as_bytes(None)).fetchall()
    if plans[0]["Plan"]["Plan Rows"] < settings.EXPORT_PARALLEL_ROWS:
        return None
    found = reader.execute(_PAGES_OF_TABLE, [table.as_string(None)]).fetchone()
    if found is None:
        return None
    name, pages = found
    selection = spec.selection
    if not selection.ordering and selection.limit is None and _scans_table(plans[0]["Plan"], name):
        return _page_ranges(pages)
    return _location_lists(reader, compile_row_locations(spec, organization_id), check)


def _scans_table(plan: dict[str, Any], table: str) -> bool:
    """Return whether the plan reads the whole table: then page ranges hold few unselected rows."""
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] == table:
        return True
    return any(_scans_table(inner, table) for inner in plan.get("Plans", ()))


def _page_ranges(pages: int) -> Iterator[RowPartition]:
    for first in range(0, max(1, pages), PAGES_PER_PARTITION):
        partition = sql.SQL("{} >= '({},0)'").format(_CTID, first)
        if first + PAGES_PER_PARTITION < pages:
            end = sql.SQL("{} < '({},0)'").format(_CTID, first + PAGES_PER_PARTITION)
            partition = sql.SQL("{} AND {}").format(partition, end)
        yield partition


def _location_lists(
    reader: psycopg.Connection, locations: sql.Composable, check: Callable[[], object]
) -> Iterator[RowPartition]:
    """Yield a partition for each block of locations that a query returns."""
    copy = sql.SQL("COPY ({}) TO STDOUT").format(locations)
    check()
    for block in copy_blocks(reader, copy.as_bytes(None), check=check):
        elements = block.data.decode().rstrip().replace("\n", '","')
        yield sql.SQL("{} = ANY({}::tid[])").format(_CTID, sql.Literal(f'{{"{elements}"}}'))
