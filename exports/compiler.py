"""Compiles a spec for an organization to the one statement that the database runs.

A pure function: nothing is read from the database, and the same spec gives the same text.
"""

from dataclasses import dataclass

from psycopg import sql

from exports.expressions import Expressions
from exports.formats import formats
from exports.formats.base import FileColumn
from exports.spec import ExportSpec
from resources.conditions import where
from resources.expressions import ROW
from resources.filters import Ordering
from resources.keysets import keys
from resources.registry import Resource, registry


@dataclass(frozen=True)
class Statement:
    """copy: writes each row as one message, in the text of the format.

    settings: what the transaction that runs it must set, by name.
    columns: of the file.
    """

    copy: sql.Composable
    settings: dict[str, str]
    columns: tuple[FileColumn, ...]


def compile_export(spec: ExportSpec, organization_id: str) -> Statement:
    """The COPY statement of an export. Raises LookupError for a resource that is gone."""
    resource = _resource(spec)
    file_format = formats[spec.format]
    expressions = Expressions(resource, organization_id, spec)
    joins = expressions.joins(column.path for column in spec.columns)
    cells = [expressions.cell(column.path, file_format.rows) for column in spec.columns]
    columns = tuple(
        expressions.file_column(column.path, column.header, file_format.rows)
        for column in spec.columns
    )
    query = sql.SQL(
        "SELECT {columns} FROM {table} AS {row}{joins} WHERE {where}{order}{limit}"
    ).format(
        columns=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(cell, sql.Identifier(column.header))
            for cell, column in zip(cells, columns, strict=True)
        ),
        table=sql.Identifier(resource.model._meta.db_table),
        row=sql.Identifier(ROW),
        joins=sql.SQL("").join(sql.SQL(" {}").format(join) for join in joins),
        where=where(resource, organization_id, spec.selection.conditions, ROW),
        order=_order(resource, spec),
        limit=_limit(spec),
    )
    return Statement(
        copy=file_format.copy(query, columns, spec),
        settings={"TimeZone": spec.timezone, "DateStyle": "ISO, YMD", "IntervalStyle": "iso_8601"},
        columns=columns,
    )


def compile_count(spec: ExportSpec, organization_id: str) -> sql.Composable:
    """The query that counts an export's rows."""
    resource = _resource(spec)
    rows = sql.SQL("SELECT FROM {table} AS {row} WHERE {where}{limit}").format(
        table=sql.Identifier(resource.model._meta.db_table),
        row=sql.Identifier(ROW),
        where=where(resource, organization_id, spec.selection.conditions, ROW),
        limit=_limit(spec),
    )
    return sql.SQL("SELECT count(*) FROM ({}) AS counted").format(rows)


def _resource(spec: ExportSpec) -> Resource:
    resource = registry.get(spec.resource)
    if resource is None:
        raise LookupError(f"there is no resource {spec.resource!r} any more")
    return resource


def _order(resource: Resource, spec: ExportSpec) -> sql.Composable:
    ordering = spec.selection.ordering
    if not ordering:
        if spec.selection.limit is None:
            # All rows in the order of the table: a sort would be the slowest part of it.
            return sql.SQL("")
        ordering = (Ordering(resource.date_field, descending=True),)
    # Down to the primary key: rows that tie stay in one order, or a limit would take others
    # every time.
    terms = [key.term() for key in keys(resource, ordering)]
    return sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(terms))


def _limit(spec: ExportSpec) -> sql.Composable:
    if spec.selection.limit is None:
        return sql.SQL("")
    return sql.SQL(" LIMIT {}").format(sql.Literal(spec.selection.limit))
