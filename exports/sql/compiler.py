"""Compiles a spec for an organization to the statements that the database runs.

Pure functions: nothing is read from the database, and the same spec gives the same text. What
was found in the rows is an argument.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from psycopg import sql

from exports.formats import formats
from exports.formats.base import FileColumn, Rows
from exports.spec import ExportSpec, Nesting
from exports.sql.expressions import Expressions
from exports.sql.flattening import Nested, Slot, flattened, unknown_rows
from exports.sql.nesting import Outline, Paths, outline
from longshore.resources.columns import primary_key
from longshore.resources.conditions import where
from longshore.resources.expressions import ROW
from longshore.resources.filters import Ordering
from longshore.resources.keysets import keys
from longshore.resources.reading import settings_of
from longshore.resources.registry import Resource, registry
from longshore.resources.relations import Relation

# A condition on the records that narrows those of a statement; None is all that are selected.
Part = sql.Composable | None
# By the path of a column, the paths that occur in it.
Found = Mapping[str, Paths]
NOTHING: Found = MappingProxyType({})
# Maximum of a value to be flattened, as JSON: reading it takes about twenty times as much memory.
MAX_FLATTENED_CHARACTERS = 8 << 20
_ITSELF: Paths = frozenset({()})


@dataclass(frozen=True)
class Statement:
    """copy: writes each row as one message, in the text of the format.

    query: selects the values of the cells, before they become the text of the format.
    settings: what the transaction that runs it must set, by name.
    columns: of the file.
    """

    copy: sql.Composable
    query: sql.Composable
    settings: dict[str, str]
    columns: tuple[FileColumn, ...]


def compile_export(
    spec: ExportSpec, organization_id: str, found: Found = NOTHING, part: Part = None
) -> Statement:
    """The COPY statement of an export. Raises LookupError for a resource that is gone."""
    file_format = formats[spec.format]
    source = _Source(spec, organization_id, part)
    expressions = source.expressions
    cells: list[sql.Composable] = []
    slots: list[Slot] = []
    for column in outlines(spec):
        if column.parted:
            cell = expressions.parted(column.path)
            # Where nothing is found, one empty column says that it was asked for.
            slots.append(Nested(column, column.node(found.get(column.path) or _ITSELF)))
        else:
            cell = expressions.cell(column.path, file_format.rows)
            slots.append(expressions.file_column(column.path, column.header, file_format.rows))
        cells.append(sql.SQL("{} AS {}").format(cell, sql.Identifier(column.header)))
    query, columns = flattened(source.select(cells), slots)
    # Workers would shuffle the rows, of which those of one record are to stand together.
    settings = settings_of(spec.timezone) | {"max_parallel_workers_per_gather": "0"}
    copy = file_format.copy(query, columns, spec)
    return Statement(copy=copy, query=query, settings=settings, columns=columns)


def compile_discovery(
    spec: ExportSpec, organization_id: str, found: Found, limit: int, part: Part = None
) -> sql.Composable:
    """The query of up to `limit` rows that hold a path that was not found yet.

    It selects the JSON text of each column that may have parts; there must be one.
    """
    columns = [column for column in outlines(spec) if column.parted]
    source = _Source(spec, organization_id, part)
    cells = [source.expressions.parted(column.path) for column in columns]
    known = [column.node(found.get(column.path, frozenset())) for column in columns]
    # One character more shows that a text is too long.
    return unknown_rows(source.select(cells), known, limit, MAX_FLATTENED_CHARACTERS + 1)


def compile_parted(
    spec: ExportSpec, organization_id: str, part: Part = None
) -> tuple[sql.Composable, list[str]]:
    """The query of the values that discovery may read, and the path of each."""
    paths = [column.path for column in outlines(spec) if column.parted]
    source = _Source(spec, organization_id, part)
    return source.select([source.expressions.parted(path) for path in paths]), paths


def compile_count(spec: ExportSpec, organization_id: str) -> sql.Composable:
    """The query that counts the rows of an export's file."""
    rows = compile_rows(spec, organization_id)
    return sql.SQL("SELECT count(*) FROM ({}) AS counted").format(rows)


def compile_rows(spec: ExportSpec, organization_id: str) -> sql.Composable:
    """The query of as many rows as an export's file has, with no cells, in any order."""
    return _Source(spec, organization_id).empty_rows()


def compile_records(spec: ExportSpec, organization_id: str, *, gathered: bool) -> sql.Composable:
    """The query of the primary keys of an export's records.

    gathered: find all that are selected before a limit takes the first. Where they are few,
    going through the table in order until they are found would take longer.
    """
    return _Source(spec, organization_id).keys(gathered=gathered)


def compile_places(spec: ExportSpec, organization_id: str) -> sql.Composable:
    """The query of where the records of an export lie in their table, in the order of the file."""
    return _Source(spec, organization_id).places()


def table_of(spec: ExportSpec) -> str:
    """The table of an export's records."""
    return _resource(spec).model._meta.db_table


def among(spec: ExportSpec, records: Sequence[str]) -> sql.Composable:
    """True of the records with these primary keys, given as texts."""
    # Bare literals take the type of the key, and so its index; nothing is no list.
    keys = sql.SQL(", ").join(map(sql.Literal, records)) if records else sql.NULL
    key = sql.Identifier(ROW, primary_key(_resource(spec).model))
    return sql.SQL("{} IN ({})").format(key, keys)


def outlines(spec: ExportSpec) -> list[Outline]:
    """The columns of the file, as far as they are known without its rows. Raises LookupError."""
    return list(outline(_resource(spec), spec.columns, nesting(spec), spec.includes))


def nesting(spec: ExportSpec) -> Nesting | None:
    """How the file's rows are nested; JSON needs no way to show what has parts."""
    return None if formats[spec.format].rows is Rows.JSON else spec.nesting


class _Source:
    """The rows of an export: what stands from FROM on in the statements that read them."""

    def __init__(self, spec: ExportSpec, organization_id: str, part: Part = None) -> None:
        self.spec = spec
        self.resource = _resource(spec)
        self.expressions = Expressions(
            self.resource,
            organization_id,
            spec,
            includes=spec.includes,
            empty_as_null=spec.omit_empty,
        )
        self.repeated = self._repeated()
        self._table = sql.SQL("{} AS {}").format(
            sql.Identifier(self.resource.model._meta.db_table), sql.Identifier(ROW)
        )
        self._key = sql.Identifier(ROW, primary_key(self.resource.model))
        self._where = where(self.resource, organization_id, spec.selection.conditions, ROW)
        if part is not None:
            self._where = sql.SQL("{} AND {}").format(self._where, part)

    def select(self, cells: Iterable[sql.Composable]) -> sql.Composable:
        """The query of the rows' cells."""
        joins = self.expressions.joins(column.path for column in outlines(self.spec))
        joined = sql.SQL("").join(sql.SQL(" {}").format(join) for join in joins)
        terms = self._terms()
        if self.repeated:
            repeating = self.expressions.repeating(self.repeated)
            joined += sql.SQL("").join(sql.SQL(" {}").format(join) for join in repeating)
        if not self.repeated and not (terms and self.spec.includes):
            rest = sql.SQL("{}{} WHERE {}{}{}").format(
                self._table, joined, self._where, _order(terms), self._limit()
            )
        else:
            # Nothing is joined to records that the limit leaves out.
            related = self.expressions.turn(self.repeated) if terms else []
            records = self._records(terms)
            rest = sql.SQL("{}{}{}").format(records, joined, _order([*terms, *related]))
        return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(cells), rest)

    def keys(self, *, gathered: bool) -> sql.Composable:
        """The query of the records' primary keys, as texts."""
        rows = sql.SQL("{} WHERE {}").format(self._table, self._where)
        if gathered:
            rows = sql.SQL("(SELECT {0}.* FROM {1} OFFSET '0') AS {0}").format(
                sql.Identifier(ROW), rows
            )
        return sql.SQL("SELECT {}::text FROM {}{}{}").format(
            self._key, rows, _order(self._terms()), self._limit()
        )

    def places(self) -> sql.Composable:
        return sql.SQL("SELECT {}.ctid FROM {} WHERE {}{}{}").format(
            sql.Identifier(ROW), self._table, self._where, _order(self._terms()), self._limit()
        )

    def empty_rows(self) -> sql.Composable:
        """The query of as many rows with no cells, in any order."""
        if not self.repeated:
            query = sql.SQL("SELECT FROM {} WHERE {}{}")
            return query.format(self._table, self._where, self._limit())
        # Which records there are depends on their order where there is a limit.
        records = self._records([] if self.spec.selection.limit is None else self._terms())
        related = [self.expressions.related(relation) for relation in self.repeated]
        if len(related) == 1:
            return sql.SQL("SELECT FROM {} LEFT JOIN {} ON {}").format(records, *related[0])
        found = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT 1 FROM {} WHERE {}").format(*each) for each in related
        )
        query = sql.SQL("SELECT FROM {} LEFT JOIN LATERAL ({}) AS related ON true")
        return query.format(records, found)

    def _repeated(self) -> tuple[Relation, ...]:
        """The relations of which each record has a row, in the order of the columns."""
        if nesting(self.spec) is not Nesting.REPEAT:
            return ()
        relations = (self.expressions.resolve(column.path)[0] for column in self.spec.columns)
        return tuple(dict.fromkeys(each for each in relations if each and each.repeatable))

    def _records(self, terms: list[sql.Composable]) -> sql.Composable:
        """The selected records, each once, as a FROM item: a limit is one of records."""
        return sql.SQL("(SELECT {0}.* FROM {1} WHERE {2}{3}{4}) AS {0}").format(
            sql.Identifier(ROW), self._table, self._where, _order(terms), self._limit()
        )

    def _terms(self) -> list[sql.Composable]:
        ordering, limit = self.spec.selection.ordering, self.spec.selection.limit
        if not ordering:
            if limit is None:
                # All rows in the order of the table: a sort would be the slowest part of it.
                return []
            ordering = (Ordering(self.resource.date_field, descending=True),)
        # Down to the primary key: rows that tie stay in one order, or a limit would take others
        # every time.
        return [key.term() for key in keys(self.resource, ordering)]

    def _limit(self) -> sql.Composable:
        limit = self.spec.selection.limit
        return sql.SQL(" LIMIT {}").format(sql.Literal(limit)) if limit else sql.SQL("")


def _order(terms: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(terms)) if terms else sql.SQL("")


def _resource(spec: ExportSpec) -> Resource:
    resource = registry.get(spec.resource)
    if resource is None:
        raise LookupError(f"there is no resource {spec.resource!r} any more")
    return resource
