"""Expressions: the SQL of a file's cells, by the path of their column.

`longshore.resources.expressions` has the JSON values; this module adds the values of tables:
labels of related records, merged texts, arrays, and the joins that repeat a row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.db.models import Model
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
from longshore.resources.labels import choice_labels
from longshore.resources.relations import Relation

# With several repeated relations, each row holds a record of one relation. This column has the
# number of that relation.
_RELATION_NUMBER = sql.Identifier("relation_number")
# A number or boolean of JSON as it is, any other value as a string of its merged text.
_MERGED_SCALAR = sql.SQL(
    "CASE WHEN jsonb_typeof({0}) IN ('number', 'boolean') THEN {0} ELSE to_jsonb({1}) END"
)


@dataclass(frozen=True)
class Expressions(JsonExpressions):
    """Builds the cells of one export's rows, as JSON values or as values of a table."""

    spec: ExportSpec

    def cell(self, path: str, rows: Rows) -> sql.Composable:
        """Return the value that a query selects for a path."""
        if rows is Rows.JSON:
            return self.json(path)
        relation, column = self.resolve(path)
        if relation is None:
            own = self._labeled(self.resource.model, self.resource.columns_by_name[path])
            return self._typed_value(own, ROW, rows)
        if column is not None and (not relation.many or self._repeats(relation)):
            column = self._labeled(relation.target, column)
            return self._typed_value(column, related_row(relation), rows)
        shown = self._labeled(relation.target, column or relation.columns[relation.label])
        text = self._text(shown, related_row(relation))
        if column is None:
            # A record whose label is null is shown by its key.
            text = sql.SQL("coalesce(({})::text, {}::text)").format(text, related_key(relation))
        if relation.many:
            aggregate = sql.SQL("string_agg({}, ', ' ORDER BY {}, {})")
            if rows is Rows.ARRAYS:
                aggregate = sql.SQL("coalesce(array_agg(({})::text ORDER BY {}, {}), '{{}}')")
            else:
                text = sql.SQL(MEMBER).format(sql.SQL("coalesce(({})::text, '')").format(text))
            return self.of_many(relation, aggregate, text)
        return text

    def nested_value(self, path: str) -> sql.Composable:
        """Return the `jsonb` value to flatten. JSON's null becomes SQL's null."""
        relation, column = self.resolve(path)
        if relation is None:
            column = self.resource.columns_by_name[path]
        elif relation.many or column is None:
            return sql.SQL("({})::jsonb").format(self.json(path))
        value = column.value(related_row(relation) if relation else ROW)
        if column.kind is ColumnType.LIST:
            return sql.SQL("to_jsonb(({})::text[])").format(value)
        # `#>` detoasts the value once, here, and not again for each of its children.
        return sql.SQL("nullif(({}) #> '{{}}', 'null')").format(value)

    def resolve(self, path: str) -> tuple[Relation | None, Column | None]:
        relation, column = super().resolve(path)
        if relation and column and column.field is None and self._repeats(relation):
            # `repeating_joins` computes the column where it joins the record.
            column = replace(column, expression=f"{{row}}.{_computed_name(column)}")
        return relation, column

    def repeating_joins(self, relations: Sequence[Relation]) -> list[sql.Composable]:
        """Return the joins that repeat a row for each related record, ordered by label.

        With several relations, each repeated row holds a record of one relation; the columns of
        the others are null. A row without related records stays once.
        """
        joins: list[sql.Composable] = [
            sql.SQL("LEFT JOIN LATERAL ({} ORDER BY {}) AS {} ON true").format(
                self._related_records(relation, number if len(relations) > 1 else None),
                sql.SQL(", ").join(self.order(relation)),
                sql.Identifier(related_row(relation)),
            )
            for number, relation in enumerate(relations)
        ]
        if len(relations) == 1:
            return joins
        numbers = sql.SQL(", ").join(map(sql.SQL("({})").format, range(len(relations))))
        exists = (sql.SQL("{} IS NOT NULL").format(related_key(each)) for each in relations)
        return [
            sql.SQL("LEFT JOIN ((VALUES {}) AS numbers ({}) {}) ON {}").format(
                numbers, _RELATION_NUMBER, sql.SQL(" ").join(joins), sql.SQL(" OR ").join(exists)
            )
        ]

    def repeated_order(self, relations: Sequence[Relation]) -> list[sql.Composable]:
        """Return the ORDER BY terms of the rows that are repeated for one record."""
        orders = [term for relation in relations for term in self.order(relation)]
        return [_RELATION_NUMBER, *orders] if len(relations) > 1 else orders

    def _related_records(self, relation: Relation, number: int | None) -> sql.Composable:
        """Return the query of the related records of a row.

        number: select them only in rows with this `_RELATION_NUMBER`; None selects them always.
        """
        row = related_row(relation)
        cells = [sql.SQL("{}.*").format(sql.Identifier(row)), *self._computed_columns(relation)]
        link = relation.link(ROW, row)
        source, condition = self.related(relation)
        if link is not None:
            scope = related_scope(relation, self.organization_id, row)
            source, condition = relation.table(row), sql.SQL("{} AND {}").format(link.far, scope)
        records: sql.Composable = sql.SQL("SELECT {} FROM {} WHERE {}").format(
            sql.SQL(", ").join(cells), source, condition
        )
        if link is not None:
            records = linked(link, row, records)
        if number is not None:
            records = sql.SQL("{} AND {} = {}").format(records, _RELATION_NUMBER, number)
        return records

    def _computed_columns(self, relation: Relation) -> Iterator[sql.Composable]:
        """Yield the included computed columns of a relation's records, with their names."""
        include = self._include(relation.name)
        resource = self.resource.related(relation.name)[1] if include else None
        if include and resource:
            columns = (resource.columns_by_name[name] for name in include.columns)
            for column in columns:
                if column.field is None:
                    value = column.value(related_row(relation))
                    yield sql.SQL("{} AS {}").format(value, sql.SQL(_computed_name(column)))

    def file_column(self, path: str, header: str, rows: Rows) -> FileColumn:
        """Return the column of the file that holds the value of `cell`."""
        relation, column = self.resolve(path)
        if relation is None:
            column = self.resource.columns_by_name[path]
        elif relation.many and not self._repeats(relation):
            return FileColumn(header, ColumnType.LIST if rows is Rows.ARRAYS else ColumnType.TEXT)
        if column is None or column.kind is ColumnType.JSON:
            keeps_type = column is not None and self.spec.dialect.tells_numbers
            return FileColumn(header, ColumnType.JSON if keeps_type else ColumnType.TEXT, path=path)
        column = self._labeled(relation.target if relation else self.resource.model, column)
        if column.kind is ColumnType.LIST and rows is not Rows.ARRAYS:
            return FileColumn(header, ColumnType.TEXT)
        through = path.removesuffix(column.name)
        currency = f"{through}{column.currency}" if column.currency else ""
        return FileColumn(header, column.kind, column.digits, path, currency)

    def _labeled(self, model: type[Model], column: Column) -> Column:
        """Return a column that shows the labels of its choices, if the spec says so."""
        labels = choice_labels(model, column) if self.spec.labels else {}
        if not labels or column.kind is ColumnType.LIST:
            return column
        cases = " ".join(
            f"WHEN {_literal(value)} THEN {_literal(label)}" for value, label in labels.items()
        )
        text = f"({column.expression})::text"
        expression = f"CASE {text} {cases} ELSE {text} END"
        return replace(column, kind=ColumnType.TEXT, expression=expression)

    def datetime(self, value: sql.Composable) -> sql.Composable:
        if self.spec.datetime_format is None:
            return super().datetime(value)
        return pattern_sql(self.spec.datetime_format, value, self.spec.timezone)

    def _repeats(self, relation: Relation) -> bool:
        """Return whether rows are repeated for a to-many relation: each joins one record."""
        return relation.repeatable and self.spec.nesting is Nesting.REPEAT

    def _typed_value(self, column: Column, row: str, rows: Rows) -> sql.Composable:
        """Return a column's value in the representation of `rows`."""
        match column.kind:
            case ColumnType.LIST if rows is Rows.ARRAYS:
                return sql.SQL("({})::text[]").format(column.value(row))
            case ColumnType.JSON if rows is Rows.ARRAYS:
                return sql.SQL("({})::text").format(column.value(row))
            case ColumnType.JSON if self.spec.dialect.tells_numbers:
                return _MERGED_SCALAR.format(column.value(row), self._text(column, row))
            case ColumnType.LIST | ColumnType.JSON:
                return self._text(column, row)
            case _:
                return column.value(row)

    def _text(self, column: Column, row: str) -> sql.Composable:
        """Return a column's value as the text that a cell shows, or as a type that casts to it."""
        value = column.value(row)
        match column.kind:
            case ColumnType.BOOLEAN:
                return sql.SQL("({})::text").format(value)
            case ColumnType.DATETIME:
                return self.datetime(value)
            case ColumnType.DATE:
                return date_text(value)
            case ColumnType.LIST:
                return _merged(MERGED_LIST, sql.SQL("({})::text[]").format(value), column)
            case ColumnType.JSON:
                return _merged(MERGED_JSON, value, column)
            case _:
                return value


def _literal(text: str) -> str:
    """Return a text as a literal in the template of an expression."""
    quoted = text.replace("'", "''").replace("{", "{{").replace("}", "}}")
    return f"'{quoted}'"


def _merged(template: str, value: sql.Composable, column: Column) -> sql.Composable:
    """Return the text of a value with several members."""
    if column.is_stored:
        return sql.SQL(template).format(value)
    # OFFSET 0 keeps PostgreSQL from computing the value once for each of its uses.
    merged = sql.SQL(template).format(sql.Identifier("value"))
    fence = sql.SQL("(SELECT {} FROM (SELECT {} AS value OFFSET 0) AS computed)")
    return fence.format(merged, value)


def _computed_name(column: Column) -> str:
    """Return the quoted name of a computed column in a join; it differs from stored columns."""
    return f'"computed {column.name}"'
