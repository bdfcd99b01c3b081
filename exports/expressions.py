"""Expressions: what a column's cell holds, as SQL."""

from dataclasses import dataclass

from psycopg import sql

from exports.datetime_patterns import pattern_sql
from exports.spec import ExportSpec
from resources.columns import Column, Kind
from resources.expressions import ROW, JsonExpressions, related_key, related_row

# An array of scalars is its members joined; anything with structure stays JSON.
_MERGED_JSON = """CASE jsonb_typeof({0})
 WHEN 'object' THEN {0}::text
 WHEN 'array' THEN CASE
  WHEN jsonb_path_exists({0}, 'strict $[*] ? (@.type() == "object" || @.type() == "array")')
  THEN {0}::text
  ELSE (SELECT string_agg(coalesce(member, ''), ', ')
   FROM jsonb_array_elements_text({0}) AS member) END
 ELSE {0} #>> '{{}}' END"""


@dataclass(frozen=True)
class Expressions(JsonExpressions):
    """The cells of one export's rows, as JSON values and as texts."""

    spec: ExportSpec

    def text(self, path: str) -> sql.Composable:
        """A cell of a text format: its type is any that COPY writes as it should stand."""
        relation, column = self.resolve(path)
        if relation is None:
            return self._text_of(self.resource.columns_by_name[path], ROW)
        shown = self._text_of(column or relation.columns[relation.label], related_row(relation))
        if column is None:
            # A record without a label is not a missing one.
            shown = sql.SQL("coalesce(({})::text, {}::text)").format(shown, related_key(relation))
        if relation.many:
            joined = sql.SQL("string_agg(coalesce(({})::text, ''), ', ' ORDER BY {}, {})")
            return self.of_many(relation, joined, shown)
        return shown

    def datetime(self, value: sql.Composable) -> sql.Composable:
        if self.spec.datetime_format is None:
            return super().datetime(value)
        return pattern_sql(self.spec.datetime_format, value, self.spec.timezone)

    def _text_of(self, column: Column, row: str) -> sql.Composable:
        value = column.value(row)
        match column.kind:
            case Kind.BOOLEAN:
                return sql.SQL("({})::text").format(value)
            case Kind.DATETIME:
                return self.datetime(value)
            case Kind.LIST:
                return sql.SQL("array_to_string({}, ', ', '')").format(value)
            case Kind.JSON:
                if column.field is not None:
                    return sql.SQL(_MERGED_JSON).format(value)
                # Fenced, or it would be computed once for each of its uses.
                merged = sql.SQL(_MERGED_JSON).format(sql.Identifier("value"))
                fence = sql.SQL("(SELECT {} FROM (SELECT {} AS value OFFSET 0) AS computed)")
                return fence.format(merged, value)
            case _:
                return value
