"""Expressions: what the columns and relations of a resource's rows hold, as SQL of JSON values."""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from resources.columns import Column, Kind, primary_key
from resources.conditions import related_scope
from resources.registry import Resource
from resources.relations import Relation

ROW = "row"
_ISO_8601 = 'YYYY-MM-DD"T"HH24:MI:SS.FF6TZH:TZM'


@dataclass(frozen=True)
class JsonExpressions:
    """The values of one statement's rows, which the statement calls `ROW`.

    A path is a column, a relation, or `<relation>.<column>`.
    """

    resource: Resource
    organization_id: str

    def json(self, path: str) -> sql.Composable:
        """A value that row_to_json writes with all its structure."""
        relation, column = self.resolve(path)
        if relation is None:
            return self._json_of(self.resource.columns_by_name[path], ROW)
        alias = related_row(relation)
        shown = self._json_of(column, alias) if column else self._object(relation)
        if relation.many:
            # As JSON, or an array among them would begin a line of its own.
            listed = sql.SQL("coalesce(json_agg(to_json({}) ORDER BY {}, {}), '[]'::json)")
            return self.of_many(relation, listed, shown)
        return shown

    def datetime(self, value: sql.Composable) -> sql.Composable:
        """Text of a `timestamptz`, in the session's TimeZone, to the microsecond."""
        return sql.SQL("to_char({}, {})").format(value, sql.Literal(_ISO_8601))

    def joins(self, paths: Iterable[str]) -> list[sql.Composable]:
        """The LEFT JOINs that values of these paths need."""
        named = dict.fromkeys(path.partition(".")[0] for path in paths)
        relations = [self.resource.relations_by_name.get(name) for name in named]
        joins: list[sql.Composable] = []
        for relation in relations:
            if relation is None or relation.many:
                continue
            joins.append(sql.SQL("LEFT JOIN {} ON {}").format(*self.related(relation)))
        return joins

    def related(self, relation: Relation) -> tuple[sql.Composable, sql.Composable]:
        """The related records of a row: a FROM item, and the condition that joins it."""
        source, condition = relation.join(ROW, related_row(relation))
        seen = related_scope(relation.target, self.organization_id, related_row(relation))
        return source, sql.SQL("{} AND {}").format(condition, seen)

    def order(self, relation: Relation) -> list[sql.Composable]:
        """The terms that order related records: by their labels."""
        label = relation.columns[relation.label].value(related_row(relation))
        return [label, related_key(relation)]

    def resolve(self, path: str) -> tuple[Relation | None, Column | None]:
        """The relation that a path goes through, and the column that it names there."""
        head, _, name = path.partition(".")
        relation = self.resource.relations_by_name.get(head)
        return relation, relation.columns[name] if relation and name else None

    def of_many(
        self, relation: Relation, aggregate: sql.SQL, shown: sql.Composable
    ) -> sql.Composable:
        """An aggregate of what is shown of each related record, by label."""
        listed = aggregate.format(shown, *self.order(relation))
        return sql.SQL("(SELECT {} FROM {} WHERE {})").format(listed, *self.related(relation))

    def _object(self, relation: Relation) -> sql.Composable:
        """A related record as an object of the fields that the relation shows."""
        fields = sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(
                self._json_of(relation.columns[name], related_row(relation)), sql.Identifier(name)
            )
            for name in relation.fields
        )
        found = sql.SQL("(SELECT row_to_json(shown) FROM (SELECT {}) AS shown)").format(fields)
        return sql.SQL("CASE WHEN {} IS NOT NULL THEN {} END").format(related_key(relation), found)

    def _json_of(self, column: Column, row: str) -> sql.Composable:
        value = column.value(row)
        return self.datetime(value) if column.kind is Kind.DATETIME else value


def related_row(relation: Relation) -> str:
    """What a statement calls the related records of its rows."""
    return f"{ROW}_{relation.name}"


def related_key(relation: Relation) -> sql.Composable:
    return sql.Identifier(related_row(relation), primary_key(relation.target))
