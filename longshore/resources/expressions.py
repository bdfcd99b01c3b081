"""Expressions: SQL of the values of a resource's columns, relations and includes, for JSON."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from psycopg import sql

from longshore.files.date_texts import date_text, datetime_text
from longshore.resources.columns import Column, ColumnType, field_column, primary_key
from longshore.resources.conditions import related_scope
from longshore.resources.includes import Include
from longshore.resources.registry import Resource
from longshore.resources.relations import Link, Relation

ROW = "row"
# Convert empty values to null, for formats that leave out null values.
_EMPTY_AS_NULL = {
    ColumnType.TEXT: sql.SQL("nullif({}, '')"),
    ColumnType.LIST: sql.SQL("nullif({}, '{{}}')"),
    ColumnType.JSON: sql.SQL("nullif(nullif(nullif(jsonb_strip_nulls({}), '{{}}'), '[]'), '\"\"')"),
}


@dataclass(frozen=True)
class _Related:
    """SQL of included records. value: their JSON. joins: the joins that it needs."""

    value: sql.Composable
    joins: tuple[sql.Composable, ...] = ()


@dataclass(frozen=True)
class JsonExpressions:
    """SQL of the values of a statement's rows, whose table has the alias `ROW`.

    A path is a column, a relation, or `<relation>.<column>`.

    includes: relations whose records are nested with the columns of their own resource.
    empty_as_null: whether empty texts, lists and JSON values become null.
    """

    resource: Resource
    organization_id: str
    includes: tuple[Include, ...] = field(default=(), kw_only=True)
    empty_as_null: bool = field(default=False, kw_only=True)

    def json(self, path: str) -> sql.Composable:
        """Return the value of a path as SQL that `row_to_json` writes with its structure."""
        if include := self._include(path):
            return self._related(self.resource, include, ROW).value
        relation, column = self.resolve(path)
        if relation is None:
            return self._json_of(self.resource.columns_by_name[path], ROW)
        alias = related_row(relation)
        value = self._json_of(column, alias) if column else self._object(relation)
        if relation.many:
            # to_json: json_agg writes an array element on a line of its own.
            aggregate = "json_agg(to_json({}) ORDER BY {}, {})"
            if not self.empty_as_null:
                aggregate = f"coalesce({aggregate}, '[]'::json)"
            return self.of_many(relation, sql.SQL(aggregate), value)
        return value

    def datetime(self, value: sql.Composable) -> sql.Composable:
        """Return the text of a `timestamptz` in the session's TimeZone, to the microsecond."""
        return datetime_text(value)

    def joins(self, paths: Iterable[str]) -> list[sql.Composable]:
        """Return the LEFT JOINs that the values of these paths need."""
        joins: list[sql.Composable] = []
        relations: dict[Relation | None, None] = {}
        for path in paths:
            if include := self._include(path):
                joins += self._related(self.resource, include, ROW).joins
            else:
                relations[self.resolve(path)[0]] = None
        for relation in relations:
            if relation is None or relation.many:
                continue
            joins.append(sql.SQL("LEFT JOIN {} ON {}").format(*self.related(relation)))
        return joins

    def related(self, relation: Relation) -> tuple[sql.Composable, sql.Composable]:
        """Return a FROM item for the related records of a row, and its join condition."""
        source, condition = relation.join(ROW, related_row(relation))
        scope = related_scope(relation, self.organization_id, related_row(relation))
        return source, sql.SQL("{} AND {}").format(condition, scope)

    def order(self, relation: Relation) -> list[sql.Composable]:
        """Return the terms of ORDER BY for related records: label, then primary key."""
        return _order(relation, related_row(relation))

    def resolve(self, path: str) -> tuple[Relation | None, Column | None]:
        """Return the relation of a path, and its column of the related record; None for neither."""
        head, _, name = path.partition(".")
        include = self._include(head)
        if include is None:
            relation = self.resource.relations_by_name.get(head)
            return relation, relation.columns[name] if relation and name else None
        relation, related = self.resource.related(head)
        if related is None or name not in include.columns:
            return relation, relation.columns[name] if name else None
        return relation, _null_without_record(related.columns_by_name[name], related)

    def of_many(
        self, relation: Relation, aggregate: sql.SQL, value: sql.Composable
    ) -> sql.Composable:
        """Return a sub-select that aggregates a value of each related record, by label."""
        aggregated = aggregate.format(value, *self.order(relation))
        return sql.SQL("(SELECT {} FROM {} WHERE {})").format(aggregated, *self.related(relation))

    def _include(self, path: str) -> Include | None:
        return next((each for each in self.includes if each.relation == path), None)

    def _related(
        self, parent: Resource, include: Include, parent_row: str, depth: int = 1
    ) -> "_Related":
        """Return the included records of a row: an object or null, or an array ordered by label.

        Lateral sub-selects find the records of each row by an index: partitions of a table are read
        separately, and a plain join might read all related records for each partition.
        """
        relation, resource = parent.related(include.relation)
        # The depth makes the alias unique among the enclosing sub-selects.
        row = f"{ROW}{depth}_{relation.name}"
        columns = resource.columns_by_name if resource else relation.columns
        cells = [(name, self._json_of(columns[name], row)) for name in include.columns]
        inner: list[tuple[str, _Related]] = []
        if resource is not None:
            inner = [
                (each.relation, self._related(resource, each, row, depth + 1))
                for each in include.includes
            ]
        cells += [(name, related.value) for name, related in inner]
        joins = [join for _, related in inner for join in related.joins]
        link = relation.link(parent_row, row)
        if link is None:
            source, condition = relation.join(parent_row, row)
        else:
            source, condition = relation.table(row), link.far
        # If the path to the organization leads through the outer row, the outer scope checks it.
        parent_path = f"{relation.reverse_foreign_key}__{parent.organization}"
        is_part = resource is not None and resource.organization == parent_path
        scope = related_scope(relation, self.organization_id, row, is_part=is_part)
        condition = sql.SQL("{} AND {}").format(condition, scope)
        label, key = _order(relation, row)
        # Label and key are separate columns, so that the sort compares only these.
        records: sql.Composable = sql.SQL(
            "SELECT row_to_json(cells.*) AS record, {} AS label, {} AS key"
            " FROM {} CROSS JOIN LATERAL (SELECT {}) AS cells WHERE {}"
        ).format(label, key, sql.SQL(" ").join([source, *joins]), _named(cells), condition)
        if not relation.many:
            # OFFSET 0 lets PostgreSQL memoize the object of a record that many rows share.
            lateral = sql.SQL("LEFT JOIN LATERAL ({} OFFSET '0') AS {} ON true")
            joined = lateral.format(records, sql.Identifier(row))
            return _Related(sql.Identifier(row, "record"), (joined,))
        if link is not None:
            records = linked(link, row, records)
        ordered = sql.SQL("SELECT record FROM ({}) AS found ORDER BY label, key").format(records)
        if self.empty_as_null:
            return _Related(sql.SQL("(SELECT json_agg(record) FROM ({}) AS found)").format(ordered))
        return _Related(sql.SQL("array_to_json(ARRAY({}))").format(ordered))

    def _object(self, relation: Relation) -> sql.Composable:
        """Return a related record as an object of the relation's fields; null without a record."""
        row = related_row(relation)
        cells = [(name, self._json_of(relation.columns[name], row)) for name in relation.fields]
        record = sql.SQL("(SELECT row_to_json(cells.*) FROM (SELECT {}) AS cells)").format(
            _named(cells)
        )
        return sql.SQL("CASE WHEN {} IS NOT NULL THEN {} END").format(related_key(relation), record)

    def _json_of(self, column: Column, row: str) -> sql.Composable:
        value = column.value(row)
        if self.empty_as_null and (nulled := _EMPTY_AS_NULL.get(column.kind)):
            return nulled.format(value)
        match column.kind:
            case ColumnType.DATETIME:
                return self.datetime(value)
            case ColumnType.DATE:
                return date_text(value)
            case _:
                return value


def related_row(relation: Relation) -> str:
    """Return the alias of a relation's table in a statement."""
    return f"{ROW}_{relation.name}"


def related_key(relation: Relation) -> sql.Composable:
    """Return the primary key of a related record as SQL."""
    return sql.Identifier(related_row(relation), primary_key(relation.target))


def linked(link: Link, row: str, records: sql.Composable) -> sql.Composable:
    """Return a query of the records at the far end of a link, which memoizes each record.

    records: query of the record at the far end.
    """
    # With `=`, PostgreSQL estimates few links with different records, and does not use Memoize.
    # BETWEEN with two equal bounds raises the estimate, and PostgreSQL uses Memoize.
    return sql.SQL(
        "SELECT {0}.* FROM {1} CROSS JOIN LATERAL ({2} OFFSET '0') AS {0}"
        " WHERE {3} BETWEEN {4} AND {4}"
    ).format(sql.Identifier(row), link.source, records, link.near, link.parent)


def _order(relation: Relation, row: str) -> list[sql.Composable]:
    label = relation.columns[relation.label].ordered(row)
    return [label, sql.Identifier(row, primary_key(relation.target))]


def _named(cells: Iterable[tuple[str, sql.Composable]]) -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(value, sql.Identifier(name)) for name, value in cells
    )


def _null_without_record(column: Column, resource: Resource) -> Column:
    """Return a column of a joined record that is null if there is no record.

    A computed column may have a value even without a record.
    """
    if column.field is not None:
        return column
    key = field_column(resource.model, resource.model._meta.pk.name).expression
    return replace(column, expression=f"CASE WHEN {key} IS NOT NULL THEN {column.expression} END")
