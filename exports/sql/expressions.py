"""Expressions: what a column's cell holds, as SQL."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from exports.formats.base import FileColumn, Rows
from exports.spec import ExportSpec, Nesting
from exports.sql.merging import MEMBER, MERGED_JSON, MERGED_LIST
from longshore.files.date_texts import date_text
from longshore.files.datetime_patterns import pattern_sql
from longshore.resources.columns import Column, ColumnType
from longshore.resources.conditions import related_scope
from longshore.resources.expressions import (
    ROW,
    JsonExpressions,
    linked,
    related_key,
    related_row,
)
from longshore.resources.relations import Relation

# The relation, by its number, for whose records a row is repeated now.
_TURN = sql.Identifier("turn")


@dataclass(frozen=True)
class Expressions(JsonExpressions):
    """The cells of one export's rows, as JSON values and as texts."""

    spec: ExportSpec

    def cell(self, path: str, rows: Rows) -> sql.Composable:
        """What a statement of a kind of rows selects for a path."""
        if rows is Rows.JSON:
            return self.json(path)
        relation, column = self.resolve(path)
        if relation is None:
            return self._value_of(self.resource.columns_by_name[path], ROW, rows)
        if column is not None and (not relation.many or self._repeats(relation)):
            return self._value_of(column, related_row(relation), rows)
        shown = self._text_of(column or relation.columns[relation.label], related_row(relation))
        if column is None:
            # A record without a label is not a missing one.
            shown = sql.SQL("coalesce(({})::text, {}::text)").format(shown, related_key(relation))
        if relation.many:
            joined = sql.SQL("string_agg({}, ', ' ORDER BY {}, {})")
            if rows is Rows.ARRAYS:
                joined = sql.SQL("coalesce(array_agg(({})::text ORDER BY {}, {}), '{{}}')")
            else:
                shown = sql.SQL(MEMBER).format(sql.SQL("coalesce(({})::text, '')").format(shown))
            return self.of_many(relation, joined, shown)
        return shown

    def parted(self, path: str) -> sql.Composable:
        """What is to be taken apart, as `jsonb`, null where it is JSON's null."""
        relation, column = self.resolve(path)
        if relation is None:
            column = self.resource.columns_by_name[path]
        elif relation.many or column is None:
            return sql.SQL("({})::jsonb").format(self.json(path))
        value = column.value(related_row(relation) if relation else ROW)
        if column.kind is ColumnType.LIST:
            return sql.SQL("to_jsonb(({})::text[])").format(value)
        # Unpacked here once, not for each of its parts.
        return sql.SQL("nullif(({}) #> '{{}}', 'null')").format(value)

    def resolve(self, path: str) -> tuple[Relation | None, Column | None]:
        relation, column = super().resolve(path)
        if relation and column and column.field is None and self._repeats(relation):
            # Computed already where the related record is joined.
            column = replace(column, expression=f"{{row}}.{_computed(column)}")
        return relation, column

    def repeating(self, relations: Sequence[Relation]) -> list[sql.Composable]:
        """The joins that repeat a row for each record of each relation in turn, by label."""
        joins: list[sql.Composable] = [
            sql.SQL("LEFT JOIN LATERAL ({} ORDER BY {}) AS {} ON true").format(
                self._records_of(relation, turn if len(relations) > 1 else None),
                sql.SQL(", ").join(self.order(relation)),
                sql.Identifier(related_row(relation)),
            )
            for turn, relation in enumerate(relations)
        ]
        if len(relations) == 1:
            return joins
        # A row without related records has no turn, and so stays once.
        turns = sql.SQL(", ").join(sql.SQL("({})").format(each) for each in range(len(relations)))
        found = (sql.SQL("{} IS NOT NULL").format(related_key(each)) for each in relations)
        return [
            sql.SQL("LEFT JOIN ((VALUES {}) AS turns ({}) {}) ON {}").format(
                turns, _TURN, sql.SQL(" ").join(joins), sql.SQL(" OR ").join(found)
            )
        ]

    def turn(self, relations: Sequence[Relation]) -> list[sql.Composable]:
        """The terms that order the rows of one record."""
        orders = [term for relation in relations for term in self.order(relation)]
        return [_TURN, *orders] if len(relations) > 1 else orders

    def _records_of(self, relation: Relation, turn: int | None) -> sql.Composable:
        """Query for the related records of a row; empty while another relation repeats the row."""
        row = related_row(relation)
        cells = [sql.SQL("{}.*").format(sql.Identifier(row)), *self._computed_of(relation)]
        link = relation.link(ROW, row)
        source, condition = self.related(relation)
        if link is not None:
            seen = related_scope(relation, self.organization_id, row)
            source, condition = relation.table(row), sql.SQL("{} AND {}").format(link.far, seen)
        records: sql.Composable = sql.SQL("SELECT {} FROM {} WHERE {}").format(
            sql.SQL(", ").join(cells), source, condition
        )
        if link is not None:
            records = linked(link, row, records)
        if turn is not None:
            records = sql.SQL("{} AND {} = {}").format(records, _TURN, turn)
        return records

    def _computed_of(self, relation: Relation) -> Iterator[sql.Composable]:
        """The computed columns that are shown of a relation's records."""
        include = self._include(relation.name)
        resource = self.resource.related(relation.name)[1] if include else None
        if include and resource:
            columns = (resource.columns_by_name[name] for name in include.columns)
            for column in columns:
                if column.field is None:
                    value = column.value(related_row(relation))
                    yield sql.SQL("{} AS {}").format(value, sql.SQL(_computed(column)))

    def file_column(self, path: str, header: str, rows: Rows) -> FileColumn:
        """What `cell` gives for a path."""
        relation, column = self.resolve(path)
        if relation is None:
            column = self.resource.columns_by_name[path]
        elif relation.many and not self._repeats(relation):
            return FileColumn(header, ColumnType.LIST if rows is Rows.ARRAYS else ColumnType.TEXT)
        if column is None or column.kind is ColumnType.JSON:
            return FileColumn(header, ColumnType.TEXT)
        if column.kind is ColumnType.LIST and rows is not Rows.ARRAYS:
            return FileColumn(header, ColumnType.TEXT)
        return FileColumn(header, column.kind, column.digits)

    def datetime(self, value: sql.Composable) -> sql.Composable:
        if self.spec.datetime_format is None:
            return super().datetime(value)
        return pattern_sql(self.spec.datetime_format, value, self.spec.timezone)

    def _repeats(self, relation: Relation) -> bool:
        """Whether a row has one record of a relation to many, which then is joined."""
        return relation.repeatable and self.spec.nesting is Nesting.REPEAT

    def _value_of(self, column: Column, row: str, rows: Rows) -> sql.Composable:
        """A number, boolean, date or datetime as it is; else as the rows are."""
        match column.kind:
            case ColumnType.LIST if rows is Rows.ARRAYS:
                return sql.SQL("({})::text[]").format(column.value(row))
            case ColumnType.JSON if rows is Rows.ARRAYS:
                return sql.SQL("({})::text").format(column.value(row))
            case ColumnType.LIST | ColumnType.JSON:
                return self._text_of(column, row)
            case _:
                return column.value(row)

    def _text_of(self, column: Column, row: str) -> sql.Composable:
        value = column.value(row)
        match column.kind:
            case ColumnType.BOOLEAN:
                return sql.SQL("({})::text").format(value)
            case ColumnType.DATETIME:
                return self.datetime(value)
            case ColumnType.DATE:
                return date_text(value)
            case ColumnType.LIST:
                return sql.SQL(MERGED_LIST).format(value)
            case ColumnType.JSON:
                if column.field is not None:
                    return sql.SQL(MERGED_JSON).format(value)
                # Fenced, or it would be computed once for each of its uses.
                merged = sql.SQL(MERGED_JSON).format(sql.Identifier("value"))
                fence = sql.SQL("(SELECT {} FROM (SELECT {} AS value OFFSET 0) AS computed)")
                return fence.format(merged, value)
            case _:
                return value


def _computed(column: Column) -> str:
    """What a computed column of a joined record is called, beside the columns of its table."""
    return f'"computed {column.name}"'
