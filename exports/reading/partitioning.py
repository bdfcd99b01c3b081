"""Parts of an export's rows, each small enough that one can be kept while another is written.

A part is a condition on where rows lie in their table: of those that a snapshot sees, none moves.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

from exports.reading.copy_reader import copy_blocks
from exports.spec import ExportSpec
from exports.sql.compiler import Part, Statement, compile_places, table_of
from longshore.resources.expressions import ROW

# 16 MiB, of which the file is about as large.
_PAGES = 2048
_CTID = sql.Identifier(ROW, "ctid")
# Rows of a partitioned table, or of a view, are not told apart by their place.
_TABLE = """SELECT pg_relation_size(oid) / current_setting('block_size')::int FROM pg_class
 WHERE oid = %s::regclass AND relkind = 'r' AND NOT relhassubclass"""


def parts(
    reader: psycopg.Connection, spec: ExportSpec, organization_id: str, statement: Statement
) -> Iterator[Part] | None:
    """The parts of a statement's rows in the order of the file; None where one read will do.

    reader: in the transaction whose rows the file is to have.
    """
    if spec.max_rows_per_file:
        return None
    table = table_of(spec)
    explain = sql.SQL("EXPLAIN (FORMAT JSON) {}").format(statement.query)
    [(plans,)] = reader.execute(explain.as_bytes(None)).fetchall()
    if plans[0]["Plan"]["Plan Rows"] < settings.EXPORT_PARALLEL_ROWS:
        return None
    pages = reader.execute(_TABLE, [sql.Identifier(table).as_string(None)]).fetchone()
    if pages is None:
        return None
    selection = spec.selection
    if not selection.ordering and selection.limit is None and _scans(plans[0]["Plan"], table):
        return _ranges(pages[0])
    return _lists(reader, compile_places(spec, organization_id))


def _scans(plan: dict[str, Any], table: str) -> bool:
    """Whether all of a table is read; else most of its pages hold nothing that is wanted."""
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] == table:
        return True
    return any(_scans(inner, table) for inner in plan.get("Plans", ()))


def _ranges(pages: int) -> Iterator[Part]:
    for first in range(0, max(1, pages), _PAGES):
        part = sql.SQL("{} >= '({},0)'").format(_CTID, first)
        if first + _PAGES < pages:
            part = sql.SQL("{} AND {} < '({},0)'").format(part, _CTID, first + _PAGES)
        yield part


def _lists(reader: psycopg.Connection, places: sql.Composable) -> Iterator[Part]:
    copy = sql.SQL("COPY ({}) TO STDOUT").format(places)
    for block in copy_blocks(reader, copy.as_bytes(None)):
        listed = block.data.decode().rstrip().replace("\n", '","')
        yield sql.SQL("{} = ANY({}::tid[])").format(_CTID, sql.Literal(f'{{"{listed}"}}'))
