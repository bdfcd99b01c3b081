"""Expressions: what a column's cell holds, as SQL."""

from dataclasses import dataclass

from psycopg import sql

from exports.datetime_patterns import pattern_sql
from exports.spec import ExportSpec
from resources.columns import Column, Kind, primary_key
from resources.conditions import related_scope
from resources.registry import Resource
from resources.relations import Relation

ROW = "row"
_ISO_8601 = "yyyy-MM-dd'T'HH:mm:ss.SSSSSSxxx"

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
class Expressions:
    """The cells of one export's rows."""

    spec: ExportSpec
    resource: Resource
    organization_id: str

    def text(self, path: str) -> sql.Composable:
        """A cell of a text format: its type is any that COPY writes as it should stand."""
        relation, column = self._resolve(path)
        if relation is None:
            return self._text_of(self.resource.columns_by_name[path], ROW)
        alias = _alias(relation)
        shown = self._text_of(column or relation.columns[relation.label], alias)
        if column is None:
            # A record without a label is not a missing one.
            shown = sql.SQL("coalesce(({})::text, {}::text)").format(shown, _key(relation))
        if relation.many:
            joined = sql.SQL("string_agg(coalesce(({})::text, ''), ', ' ORDER BY {}, {})")
            return self._of_many(relation, joined, shown)
        return shown

    def json(self, path: str) -> sql.Composable:
        """A value of a JSON format: row_to_json writes it with all its structure."""
        relation, column = self._resolve(path)
        if relation is None:
            return self._json_of(self.resource.columns_by_name[path], ROW)
        alias = _alias(relation)
        shown = self._json_of(column, alias) if column else self._object(relation)
        if relation.many:
            # As JSON, or an array among them would begin a line of its own.
            listed = sql.SQL("coalesce(json_agg(to_json({}) ORDER BY {}, {}), '[]'::json)")
            return self._of_many(relation, listed, shown)
        return shown

    def joins(self) -> list[sql.Composable]:
        """The LEFT JOINs that the columns need."""
        named = dict.fromkeys(column.path.partition(".")[0] for column in self.spec.columns)
        relations = [self.resource.relations_by_name.get(name) for name in named]
        joins: list[sql.Composable] = []
        for relation in relations:
            if relation is None or relation.many:
                continue
            source, condition = relation.join(ROW, _alias(relation))
            seen = related_scope(relation.target, self.organization_id, _alias(relation))
            joins.append(sql.SQL("LEFT JOIN {} ON {} AND {}").format(source, condition, seen))
        return joins

    def _resolve(self, path: str) -> tuple[Relation | None, Column | None]:
        """The relation that a path goes through, and the column that it names there."""
        head, _, name = path.partition(".")
        relation = self.resource.relations_by_name.get(head)
        return relation, relation.columns[name] if relation and name else None

    def _of_many(
        self, relation: Relation, aggregate: sql.SQL, shown: sql.Composable
    ) -> sql.Composable:
        """An aggregate of what is shown of each related record, by label."""
        source, condition = relation.join(ROW, _alias(relation))
        seen = related_scope(relation.target, self.organization_id, _alias(relation))
        label = relation.columns[relation.label].value(_alias(relation))
        return sql.SQL("(SELECT {} FROM {} WHERE {} AND {})").format(
            aggregate.format(shown, label, _key(relation)), source, condition, seen
        )

    def _object(self, relation: Relation) -> sql.Composable:
        """A related record as an object of the fields that the relation shows."""
        fields = sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(
                self._json_of(relation.columns[name], _alias(relation)), sql.Identifier(name)
            )
            for name in relation.fields
        )
        found = sql.SQL("(SELECT row_to_json(shown) FROM (SELECT {}) AS shown)").format(fields)
        return sql.SQL("CASE WHEN {} IS NOT NULL THEN {} END").format(_key(relation), found)

    def _text_of(self, column: Column, row: str) -> sql.Composable:
        value = column.value(row)
        match column.kind:
            case Kind.BOOLEAN:
                return sql.SQL("({})::text").format(value)
            case Kind.DATETIME:
                return self._datetime(value)
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

    def _json_of(self, column: Column, row: str) -> sql.Composable:
        value = column.value(row)
        return self._datetime(value) if column.kind is Kind.DATETIME else value

    def _datetime(self, value: sql.Composable) -> sql.Composable:
        pattern = self.spec.datetime_format or _ISO_8601
        return pattern_sql(pattern, value, self.spec.timezone)


def _alias(relation: Relation) -> str:
    return f"{ROW}_{relation.name}"


def _key(relation: Relation) -> sql.Composable:
    return sql.Identifier(_alias(relation), primary_key(relation.target))
