"""Splits the rows of a large export into slices that several connections or workers read.

A slice is a condition on `ctid`, the physical location of a row. Locations do not change within a
snapshot. A slice is small enough to be kept in memory until its turn comes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

from exports.reading.copy_reader import copy_blocks
from exports.spec import ExportSpec
from exports.sql.compiler import RowPartition, Statement, compile_row_locations, partitioned_table
from longshore.resources.expressions import ROW

# Pages of a table in one slice: 16 MiB, and a file of about the same size.
PAGES_PER_SLICE = 2048
# Samples of a table: the number of places, and the pages at each.
_SAMPLES = 3
_PAGES_PER_SAMPLE = 8
_CTID = sql.Identifier(ROW, "ctid")
# Selects nothing for a partitioned or inherited table and for a view: there, `ctid` does not
# identify a row.
_PAGES_OF_TABLE = """SELECT relname, pg_relation_size(oid) / current_setting('block_size')::int
 FROM pg_class WHERE oid = %s::regclass AND relkind = 'r' AND NOT relhassubclass"""


@dataclass(frozen=True)
class Slice:
    """Some consecutive rows of the file, by their locations: a range of pages, or a list.

    bytes: the expected size of their text.
    first_page, end_page: the first page, and the page after the last one; 0 for a list.
    is_open: whether the range has no end: it is the last one of the table.
    locations: the text of a PostgreSQL array of `ctid`s; empty for a range.
    """

    bytes: int
    first_page: int = 0
    end_page: int = 0
    is_open: bool = False
    locations: str = ""

    def condition(self) -> RowPartition:
        """Return the condition that selects the rows."""
        if self.locations:
            return sql.SQL("{} = ANY({}::tid[])").format(_CTID, sql.Literal(self.locations))
        first = sql.SQL("{} >= '({},0)'").format(_CTID, self.first_page)
        if self.is_open:
            return first
        return sql.SQL("{} AND {} < '({},0)'").format(first, _CTID, self.end_page)

    def split(self, size: int) -> "tuple[Slice, Slice | None]":
        """Divide the rows after about `size` bytes of text. The second slice is None if empty."""
        if size >= self.bytes:
            return self, None
        if not self.locations:
            pages = self.end_page - self.first_page
            cut = self.first_page + max(1, pages * size // self.bytes)
            if cut >= self.end_page:
                return self, None
            head = replace(self, bytes=size, end_page=cut, is_open=False)
            return head, replace(self, bytes=self.bytes - size, first_page=cut)
        elements = self.locations[2:-2].split('","')
        cut = max(1, len(elements) * size // self.bytes)
        head = replace(self, bytes=size, locations=_array(elements[:cut]))
        if cut == len(elements):
            return self, None
        return head, replace(self, bytes=self.bytes - size, locations=_array(elements[cut:]))


@dataclass(frozen=True)
class Plan:
    """How the rows of a large export can be divided.

    bytes: the expected size of the text of all rows. PostgreSQL's estimate: a sample is better.
    row_bytes: the expected size of a row.
    is_listed: whether each slice lists the locations of its rows.
    samples: slices of a few rows from the whole table, in no order. They can be read first.
    slices: returns an iterator over the slices in file order; together they are all rows. Only the
        thread that iterates over them may use the reader of `plan_slices` until their end.
    """

    bytes: int
    row_bytes: int
    is_listed: bool
    samples: tuple[Slice, ...]
    slices: Callable[[], Iterator[Slice]]


def plan_slices(
    reader: psycopg.Connection,
    spec: ExportSpec,
    organization_id: str,
    statement: Statement,
    check: Callable[[], object],
) -> Plan | None:
    """Return the plan of the rows, or None if one connection shall read all: if there are few.

    If files have a maximum of rows, the slices are lists, because these can be split anywhere.

    reader: a connection in the transaction that also reads the rows of the file.
    statement: the compiled statement of the spec.
    check: raises an error if the export was canceled.
    """
    check()
    table = partitioned_table(spec)
    if table is None:
        return None
    explain = sql.SQL("EXPLAIN (FORMAT JSON) {}").format(statement.query)
    [(plans,)] = reader.execute(explain.as_bytes(None)).fetchall()
    plan = plans[0]["Plan"]
    if plan["Plan Rows"] < settings.EXPORT_PARALLEL_ROWS:
        return None
    found = reader.execute(_PAGES_OF_TABLE, [table.as_string(None)]).fetchone()
    if found is None:
        return None
    name, pages = found
    width = max(1, plan["Plan Width"])
    samples = tuple(
        Slice(0, first, first + _PAGES_PER_SAMPLE)
        for first in range(0, pages, max(_PAGES_PER_SAMPLE, pages // _SAMPLES))
    )
    expected = plan["Plan Rows"] * width
    selection = spec.selection
    is_whole = not (selection.ordering or selection.limit or spec.max_rows_per_file)
    if is_whole and _scans_table(plan, name):
        slices = partial(_page_ranges, pages, expected)
        return Plan(expected, width, False, samples, slices)
    locations = compile_row_locations(spec, organization_id)
    return Plan(
        expected,
        width,
        True,
        samples,
        partial(_location_lists, reader, locations, width, check),
    )


def _scans_table(plan: dict[str, Any], table: str) -> bool:
    """Return whether the plan reads the whole table: then page ranges hold few unselected rows."""
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] == table:
        return True
    return any(_scans_table(inner, table) for inner in plan.get("Plans", ()))


def _page_ranges(pages: int, expected: int) -> Iterator[Slice]:
    pages = max(1, pages)
    for first in range(0, pages, PAGES_PER_SLICE):
        end = min(first + PAGES_PER_SLICE, pages)
        yield Slice(expected * (end - first) // pages, first, end, is_open=end == pages)


def _location_lists(
    reader: psycopg.Connection,
    locations: sql.Composable,
    width: int,
    check: Callable[[], object],
) -> Iterator[Slice]:
    """Yield a slice for each block of locations that a query returns."""
    copy = sql.SQL("COPY ({}) TO STDOUT").format(locations)
    check()
    for block in copy_blocks(reader, copy.as_bytes(None), check=check):
        elements = block.data.decode().rstrip().split("\n")
        yield Slice(block.rows * width, locations=_array(elements))


def _array(locations: Sequence[str]) -> str:
    """Return the text of a PostgreSQL array of locations."""
    return f"""{{"{'","'.join(locations)}"}}"""
