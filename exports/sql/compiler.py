"""Compiles a spec for an organization to the SQL statements that read the export.

Pure functions: they do not read the database, and the same arguments give the same statements.
The result of discovery is an argument.

The statement of two columns of shipments as CSV, filtered by status, ordered and limited:

    COPY (SELECT CASE … "cell 0" … END, "cell 1"                       -- Format.copy
     FROM (SELECT "row"."id" AS "id", "row_location"."name" AS "location.name"
      FROM "shipping_shipment" AS "row"
      LEFT JOIN "shipping_location" AS "row_location" ON …
      WHERE "row"."organization_id" = '…'                              -- tenant
       AND "row"."status" IN ('lost')                                  -- filters
      ORDER BY "row"."created_at" DESC, "row"."id" DESC LIMIT 10
      OFFSET '0') AS record ("cell 0", "cell 1")) TO STDOUT (FORMAT csv, …)

With `repeat`, or with includes beside an order, the records are selected in a sub-select first, so
that a limit counts records, and only the selected records are joined. With `flatten`,
`exports.sql.flattening` wraps the query in one sub-select for each level of nesting.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from psycopg import sql

from exports.formats import formats
from exports.formats.base import FileColumn, Rows
from exports.spec import ExportSpec, Nesting
from exports.sql.declared_names import registered
from exports.sql.expressions import Expressions
from exports.sql.flattening import NestedValue, Slot, flatten, select_unknown
from exports.sql.nesting import ColumnLayout, Paths, layout_columns
from longshore.database.tables import table_name
from longshore.resources.columns import primary_key
from longshore.resources.conditions import where
from longshore.resources.expressions import ROW
from longshore.resources.filters import newest_first
from longshore.resources.keysets import keys
from longshore.resources.reading import settings_of
from longshore.resources.relations import Relation
from longshore.resources.tables import from_item, inherited_fields

# SQL of a condition that restricts a statement to some of the selected records.
RowPartition: TypeAlias = sql.Composable
# For the path of each nested column, the paths that occur in its values.
DiscoveredPaths: TypeAlias = Mapping[str, Paths]
NO_PATHS: DiscoveredPaths = MappingProxyType({})
# Maximum length of a value to be flattened, as JSON: parsing it takes about 20 times its memory.
MAX_FLATTENED_CHARACTERS = 8 << 20
_ROOT_ONLY: Paths = frozenset({()})


@dataclass(frozen=True)
class Statement:
    """The compiled statement of an export.

    copy: the COPY statement, which sends each row as one message in the format's text.
    query: the SELECT inside it: the values of the cells.
    settings: PostgreSQL settings, by name, that the transaction must set before it runs the
        statement.
    columns: of the file, in the order of the query's columns.
    """

    copy: sql.Composable
    query: sql.Composable
    settings: dict[str, str]
    columns: tuple[FileColumn, ...]


def compile_export(
    spec: ExportSpec,
    organization_id: str,
    discovered: DiscoveredPaths = NO_PATHS,
    partition: RowPartition | None = None,
) -> Statement:
    """Compile the statement that reads the rows of the file.

    discovered: the result of `exports.sql.discovery.discover` for the same rows.
    partition: read only these rows.
    Raises ObsoleteSpec if the resource is not registered. The spec's other names must be declared:
    see `check_names`.
    """
    file_format = formats[spec.format]
    source = _Source(spec, organization_id, partition)
    expressions = source.expressions
    cells: list[sql.Composable] = []
    slots: list[Slot] = []
    for layout in column_layouts(spec):
        if layout.is_nested:
            cell = expressions.nested_value(layout.path)
            # A column without any value stays in the file as one empty column.
            tree = layout.tree(discovered.get(layout.path) or _ROOT_ONLY)
            slots.append(NestedValue(layout, tree, not spec.dialect.tells_numbers))
        else:
            cell = expressions.cell(layout.path, file_format.rows)
            slots.append(expressions.file_column(layout.path, layout.header, file_format.rows))
        cells.append(sql.SQL("{} AS {}").format(cell, sql.Identifier(layout.header)))
    query, columns = flatten(source.select(cells), slots)
    # Set for every export: with `repeat`, parallel workers would interleave the rows of one record.
    settings = settings_of(spec.timezone) | {"max_parallel_workers_per_gather": "0"}
    copy = file_format.copy(query, columns, spec)
    return Statement(copy=copy, query=query, settings=settings, columns=columns)


def compile_discovery(
    spec: ExportSpec,
    organization_id: str,
    discovered: DiscoveredPaths,
    limit: int,
    partition: RowPartition | None = None,
) -> sql.Composable:
    """Compile the query of at most `limit` rows that hold a path missing from `discovered`.

    It selects the JSON text of each nested column. The spec must have a nested column.
    """
    layouts = [layout for layout in column_layouts(spec) if layout.is_nested]
    source = _Source(spec, organization_id, partition)
    cells = [source.expressions.nested_value(layout.path) for layout in layouts]
    known = [layout.tree(discovered.get(layout.path, frozenset())) for layout in layouts]
    # One character above the maximum shows that a text is too long.
    return select_unknown(source.select(cells), known, limit, MAX_FLATTENED_CHARACTERS + 1)


def compile_nested_values(
    spec: ExportSpec, organization_id: str, partition: RowPartition | None = None
) -> tuple[sql.Composable, list[str]]:
    """Compile the query of the values that discovery may read. Return it with their paths."""
    paths = [layout.path for layout in column_layouts(spec) if layout.is_nested]
    source = _Source(spec, organization_id, partition)
    return source.select([source.expressions.nested_value(path) for path in paths]), paths


def compile_count(spec: ExportSpec, organization_id: str) -> sql.Composable:
    """Compile the query that counts the rows of the file."""
    rows = compile_rows(spec, organization_id)
    return sql.SQL("SELECT count(*) FROM ({}) AS counted").format(rows)


def compile_rows(spec: ExportSpec, organization_id: str) -> sql.Composable:
    """Compile a query that returns as many rows as the file has, without cells, in any order."""
    return _Source(spec, organization_id).empty_rows()


def compile_records(
    spec: ExportSpec, organization_id: str, *, select_before_limit: bool
) -> sql.Composable:
    """Compile the query of the primary keys of the selected records, as texts, in file order.

    select_before_limit: select all records that pass the filters before the limit applies. Faster
        if they are few; otherwise PostgreSQL may scan the table in order until it has found enough.
    """
    return _Source(spec, organization_id).keys(select_before_limit=select_before_limit)


def compile_row_locations(spec: ExportSpec, organization_id: str) -> sql.Composable:
    """Compile the query of the records' `ctid`s, in file order."""
    return _Source(spec, organization_id).locations()


def partitioned_table(spec: ExportSpec) -> sql.Composable | None:
    """Return the name of the table whose `ctid` locates the export's records.

    None if a record has rows in several tables, as in multi-table inheritance.
    """
    model = registered(spec).model
    return None if inherited_fields(model) else table_name(model)


def compile_key_partition(spec: ExportSpec, records: Sequence[str]) -> RowPartition:
    """Compile the partition of the records with these primary keys, given as texts."""
    # Literals without a cast take the type of the key, so PostgreSQL uses its index. `IN ()` is a
    # syntax error, `IN (NULL)` selects nothing.
    keys = sql.SQL(", ").join(map(sql.Literal, records)) if records else sql.NULL
    key = sql.Identifier(ROW, primary_key(registered(spec).model))
    return sql.SQL("{} IN ({})").format(key, keys)


def column_layouts(spec: ExportSpec) -> list[ColumnLayout]:
    """Return the layouts of the file's columns.

    Raises ObsoleteSpec if the resource is not registered.
    """
    resource, nesting = registered(spec), _nesting(spec)
    layouts = layout_columns(resource, spec.columns, nesting, spec.includes, labels=spec.labels)
    return list(layouts)


def _nesting(spec: ExportSpec) -> Nesting | None:
    """Return how cells show nested values; None in JSON, which keeps all structure."""
    return None if formats[spec.format].rows is Rows.JSON else spec.nesting


class _Source:
    """Builds the queries of an export's rows: everything from FROM on.

    repeated: the to-many relations for which `repeat` repeats rows.
    """

    def __init__(
        self, spec: ExportSpec, organization_id: str, partition: RowPartition | None = None
    ) -> None:
        self.spec = spec
        self.resource = registered(spec)
        self.expressions = Expressions(
            self.resource,
            organization_id,
            spec,
            includes=spec.includes,
            empty_as_null=spec.omit_empty,
        )
        self.repeated = self._repeated_relations()
        self._table = from_item(self.resource.model, ROW)
        self._key = sql.Identifier(ROW, primary_key(self.resource.model))
        self._where = where(self.resource, organization_id, spec.selection.conditions, ROW)
        if partition is not None:
            self._where = sql.SQL("{} AND {}").format(self._where, partition)

    def select(self, cells: Iterable[sql.Composable]) -> sql.Composable:
        """Return the query of the cells of each row, in file order."""
        joins = self.expressions.joins(layout.path for layout in column_layouts(self.spec))
        joined = sql.SQL("").join(sql.SQL(" {}").format(join) for join in joins)
        terms = self._terms()
        if self.repeated:
            repeating_joins = self.expressions.repeating_joins(self.repeated)
            joined += sql.SQL("").join(sql.SQL(" {}").format(join) for join in repeating_joins)
        if not self.repeated and not (terms and self.spec.includes):
            rest = sql.SQL("{}{} WHERE {}{}{}").format(
                self._table, joined, self._where, _order(terms), self._limit()
            )
        else:
            # Select the records before the joins: a limit counts records, not joined rows.
            related = self.expressions.repeated_order(self.repeated) if terms else []
            records = self._records(terms)
            rest = sql.SQL("{}{}{}").format(records, joined, _order([*terms, *related]))
        return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(cells), rest)

    def keys(self, *, select_before_limit: bool) -> sql.Composable:
        """Return the query of `compile_records`."""
        rows = sql.SQL("{} WHERE {}").format(self._table, self._where)
        if select_before_limit:
            rows = sql.SQL("(SELECT {0}.* FROM {1} OFFSET '0') AS {0}").format(
                sql.Identifier(ROW), rows
            )
        return sql.SQL("SELECT {}::text FROM {}{}{}").format(
            self._key, rows, _order(self._terms()), self._limit()
        )

    def locations(self) -> sql.Composable:
        """Return the query of `compile_row_locations`."""
        return sql.SQL("SELECT {}.ctid FROM {} WHERE {}{}{}").format(
            sql.Identifier(ROW), self._table, self._where, _order(self._terms()), self._limit()
        )

    def empty_rows(self) -> sql.Composable:
        """Return the query of `compile_rows`."""
        if not self.repeated:
            query = sql.SQL("SELECT FROM {} WHERE {}{}")
            return query.format(self._table, self._where, self._limit())
        # Without a limit, the order does not decide which records are selected.
        records = self._records([] if self.spec.selection.limit is None else self._terms())
        related = [self.expressions.related(relation) for relation in self.repeated]
        if len(related) == 1:
            return sql.SQL("SELECT FROM {} LEFT JOIN {} ON {}").format(records, *related[0])
        all_related = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT 1 FROM {} WHERE {}").format(*join) for join in related
        )
        query = sql.SQL("SELECT FROM {} LEFT JOIN LATERAL ({}) AS related ON true")
        return query.format(records, all_related)

    def _repeated_relations(self) -> tuple[Relation, ...]:
        """Return the relations for which rows are repeated, in the order of the columns."""
        if _nesting(self.spec) is not Nesting.REPEAT:
            return ()
        resolved = (self.expressions.resolve(column.path)[0] for column in self.spec.columns)
        return tuple(
            dict.fromkeys(relation for relation in resolved if relation and relation.repeatable)
        )

    def _records(self, terms: list[sql.Composable]) -> sql.Composable:
        """Return the selected records, each once, as a FROM item."""
        return sql.SQL("(SELECT {0}.* FROM {1} WHERE {2}{3}{4}) AS {0}").format(
            sql.Identifier(ROW), self._table, self._where, _order(terms), self._limit()
        )

    def _terms(self) -> list[sql.Composable]:
        """Return the ORDER BY terms of the records; none if their order does not matter."""
        ordering, limit = self.spec.selection.ordering, self.spec.selection.limit
        if not ordering:
            if limit is None:
                # The order of the table: a sort would be the slowest part of an export.
                return []
            ordering = newest_first(self.resource)
        # The primary key breaks ties: without it, a limit would select other rows each time.
        return [key.term() for key in keys(self.resource, ordering)]

    def _limit(self) -> sql.Composable:
        limit = self.spec.selection.limit
        return sql.SQL(" LIMIT {}").format(sql.Literal(limit)) if limit else sql.SQL("")


def _order(terms: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(terms)) if terms else sql.SQL("")
