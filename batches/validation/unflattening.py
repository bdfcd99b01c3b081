"""Flattened headers: SQL that puts the cells of one column's paths together again.

A node whose keys are 0, 1, 2 … without a gap is an array, any other node is an object. Members
that are null are left out of objects and of the ends of arrays.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from psycopg import sql

from batches.validation.conversion import CellForm

# Exports write empty containers inside of a value as {} and [].
_TEXT_LEAF = sql.SQL(
    "CASE {0} WHEN '{{}}' THEN '{{}}'::jsonb WHEN '[]' THEN '[]'::jsonb ELSE to_jsonb({0}) END"
)
_JSON_LEAF = sql.SQL(
    "CASE WHEN pg_input_is_valid({0}, 'jsonb') THEN nullif({0}::jsonb, 'null') END"
)
_STORED_LEAF = sql.SQL(
    "(SELECT CASE WHEN jsonb_typeof(leaf) NOT IN ('object', 'array') OR leaf IN ('{{}}', '[]')"
    " THEN leaf #>> '{{}}' END FROM (SELECT {} #> {}::text[] AS leaf OFFSET '0') AS stored)"
)
_SCALARS = sql.SQL(
    '(SELECT count(*) FROM jsonb_path_query({}, \'strict $.** ? (@.type() != "object"'
    ' && @.type() != "array" && @.type() != "null")\') AS scalar (value)'
    " WHERE {} OR value <> '\"\"')"
)
_OBJECT = sql.SQL(
    "(SELECT jsonb_object_agg(k, v) FROM (VALUES {}) AS member (k, v) WHERE v IS NOT NULL)"
)
_ARRAY = sql.SQL(
    "(SELECT to_jsonb(members[1:(SELECT max(number) FROM unnest(members) WITH ORDINALITY"
    " AS member (v, number) WHERE v IS NOT NULL)])"
    " FROM (SELECT ARRAY[{}]::jsonb[] AS members OFFSET '0') AS list)"
)


@dataclass(frozen=True)
class Leaf:
    """A cell that holds a part of a value."""

    path: tuple[str, ...]
    text: sql.Composable
    form: CellForm


@dataclass
class _Node:
    leaf: Leaf | None = None
    children: "dict[str, _Node]" = field(default_factory=dict)

    def value(self) -> sql.Composable:
        """Return SQL of the `jsonb` of the node; null if all its cells are null."""
        parts: list[sql.Composable] = []
        if self.leaf is not None:
            template = _TEXT_LEAF if self.leaf.form.is_table else _JSON_LEAF
            parts.append(template.format(self.leaf.text))
        if self.children:
            parts.append(self._container())
        return sql.SQL("coalesce({})").format(sql.SQL(", ").join(parts))

    def _container(self) -> sql.Composable:
        positions = [str(number) for number in range(len(self.children))]
        if self.children.keys() == set(positions):
            members = (self.children[position].value() for position in positions)
            return _ARRAY.format(sql.SQL(", ").join(members))
        pairs = (
            sql.SQL("({}::text, {})").format(sql.Literal(key), child.value())
            for key, child in self.children.items()
        )
        return _OBJECT.format(sql.SQL(", ").join(pairs))

    def conflicts(self) -> Iterator[sql.Composable]:
        """Yield tests whether a value and a part of it are both given."""
        if self.leaf is not None and self.children:
            parts = sql.SQL(" OR ").join(
                sql.SQL("{} IS NOT NULL").format(leaf.text)
                for child in self.children.values()
                for leaf in child.leaves()
            )
            yield sql.SQL("{} IS NOT NULL AND ({})").format(self.leaf.text, parts)
        for child in self.children.values():
            yield from child.conflicts()

    def leaves(self) -> Iterator[Leaf]:
        if self.leaf is not None:
            yield self.leaf
        for child in self.children.values():
            yield from child.leaves()


def same_leaves(
    leaves: Sequence[Leaf], stored: sql.Composable, given: sql.Composable
) -> sql.Composable:
    """Return SQL of a test whether a stored value has the cells from which a given one was made.

    Cells are texts: the stored value may have numbers, booleans and null in their place.
    """
    is_sheet = any(leaf.form is CellForm.SHEET for leaf in leaves)
    shown = [
        Leaf(
            leaf.path,
            _shown(_STORED_LEAF.format(stored, sql.Literal(list(leaf.path))), is_sheet=is_sheet),
            CellForm.TABLE,
        )
        for leaf in leaves
    ]
    value, _ = unflatten(shown)
    shows_empty = sql.Literal(not is_sheet)
    same_number = (_SCALARS.format(each, shows_empty) for each in (stored, given))
    return sql.SQL("({} IS NOT DISTINCT FROM {} AND {} = {})").format(value, given, *same_number)


def _shown(text: sql.Composable, *, is_sheet: bool) -> sql.Composable:
    return sql.SQL("nullif({}, '')").format(text) if is_sheet else text


def unflatten(leaves: Sequence[Leaf]) -> tuple[sql.Composable, sql.Composable | None]:
    """Return SQL of the `jsonb` of one column, and of a test whether cells contradict each other.

    The value is null if all cells are null. There is no test if no cells can contradict.
    """
    root = _Node()
    for leaf in leaves:
        node = root
        for step in leaf.path:
            node = node.children.setdefault(step, _Node())
        node.leaf = leaf
    conflicts = [sql.SQL("({})").format(test) for test in root.conflicts()]
    return root.value(), sql.SQL(" OR ").join(conflicts) if conflicts else None
