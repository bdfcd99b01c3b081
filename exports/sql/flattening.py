"""Flattening: SQL that takes values apart into columns, and SQL that finds what they hold.

Both go level by level, each a sub-select of its own: a value is read once, however many columns
come from it. All values are `jsonb`, and those of columns are never JSON's null.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from exports.formats.base import FileColumn, fenced, place
from exports.sql.nesting import Node, Outline, Part
from longshore.resources.columns import ColumnType

# Finds what stands in the parts of a value, at less cost than asking each for its type.
_INSIDE_PARTS = sql.SQL("{} @? 'strict $.**{{2}}'")
_OWN_OF_ROOT = sql.SQL(
    "CASE WHEN jsonb_typeof({0}) NOT IN ('object', 'array') THEN {0} #>> '{{}}' END"
)
_OWN = sql.SQL(
    "CASE WHEN jsonb_typeof({0}) NOT IN ('object', 'array') OR {0} IN ('{{}}', '[]')"
    " THEN {0} #>> '{{}}' END"
)


@dataclass(frozen=True)
class Nested:
    """A value that is still to be taken apart: the column and path where it stands."""

    outline: Outline
    node: Node
    path: tuple[str, ...] = ()

    def split(self, value: sql.Composable) -> Iterator[tuple["Slot", sql.Composable]]:
        """What it becomes on the next level, and the SQL of each."""
        if self.node.leaf:
            yield self._column(self.path), _own(value, root=not self.path)
        for part in self.node.parts:
            path = (*self.path, part.name)
            if part.node.parts:
                yield Nested(self.outline, part.node, path), _step(value, self.node, part)
            else:
                yield self._column(path), _step(value, self.node, part, text=True)

    def _column(self, path: tuple[str, ...]) -> FileColumn:
        return FileColumn(self.outline.of(path), ColumnType.TEXT)


Slot = FileColumn | Nested


def flattened(
    query: sql.Composable, slots: Sequence[Slot]
) -> tuple[sql.Composable, tuple[FileColumn, ...]]:
    """A query of the slots' values as one of the columns that they become."""
    while any(isinstance(slot, Nested) for slot in slots):
        parts: list[tuple[Slot, sql.Composable]] = []
        for index, slot in enumerate(slots):
            value = place(index)
            parts += slot.split(value) if isinstance(slot, Nested) else [(slot, value)]
        query = _select((value for _, value in parts), fenced(query, slots))
        slots = [slot for slot, _ in parts]
    return query, tuple(slot for slot in slots if isinstance(slot, FileColumn))


def unknown_rows(
    query: sql.Composable, known: Sequence[Node], limit: int, characters: int
) -> sql.Composable:
    """Of a query of values, those rows that hold a path that is not known, as JSON texts.

    characters: what longer texts are cut off after.
    """
    roots: list[sql.Composable] = [place(index) for index in range(len(known))]
    flag = place(len(known))
    tests = [_unknown(root, node, root=True) for root, node in zip(roots, known, strict=True)]
    level = [(node, root) for root, node in zip(roots, known, strict=True)]
    width = len(known)
    while True:
        inner = [(part, value) for node, value in level for part, value in _inner(node, value)]
        values = [*roots, _any(tests), *(value for _, value in inner)]
        query = _select(values, fenced(query, range(width)))
        width = len(values)
        level = [(node, place(len(roots) + 1 + i)) for i, (node, _) in enumerate(inner)]
        if not level:
            break
        tests = [flag, *(_unknown(value, node) for node, value in level)]
    texts = (sql.SQL("left({}::text, {})").format(root, characters) for root in roots)
    return sql.SQL("{} WHERE {} LIMIT {}").format(
        _select(texts, fenced(query, range(width))), flag, sql.Literal(limit)
    )


def _select(values: Iterable[sql.Composable], source: sql.Composable) -> sql.Composable:
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(values), source)


def _any(tests: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))


def _step(value: sql.Composable, node: Node, part: Part, *, text: bool = False) -> sql.Composable:
    """A part of a value, as JSON or as text; null where the value has none."""
    if part.index is not None and node.leaf:
        # A scalar is its own first element, except to this operator.
        path = sql.Literal([part.name])
        return sql.SQL("{} #>> {}::text[]" if text else "{} #> {}::text[]").format(value, path)
    # A key finds nothing in an array, nor an index in an object.
    steps = [
        sql.SQL(f"{{}} {'->>' if text else '->'} {{}}::{kind}").format(value, sql.Literal(step))
        for step, kind in ((part.key, "text"), (part.index, "int"))
        if step is not None
    ]
    return steps[0] if len(steps) == 1 else sql.SQL("coalesce({}, {})").format(*steps)


def _own(value: sql.Composable, *, root: bool) -> sql.Composable:
    """What a value shows of itself where others in its place have parts."""
    return (_OWN_OF_ROOT if root else _OWN).format(value)


def _inner(node: Node, value: sql.Composable) -> Iterator[tuple[Node, sql.Composable]]:
    """The parts of a value that must be looked into one by one."""
    apart = any(part.node.parts for part in node.parts if part.index is not None)
    for part in node.parts:
        if part.node.parts or (apart and part.index is not None):
            yield part.node, _step(value, node, part)


def _unknown(value: sql.Composable, node: Node, *, root: bool = False) -> sql.Composable:
    """True of a value that is, or holds in its leaves, what the node does not know."""
    keyed = [part for part in node.parts if part.key is not None]
    deep = [part.key for part in keyed if part.node.parts]
    listed = [part for part in node.parts if part.index is not None]
    keys = sql.Literal([part.key for part in keyed])
    objects = [sql.SQL("{} - {}::text[] <> '{{}}'").format(value, keys)]
    arrays = [sql.SQL("jsonb_array_length({}) > {}").format(value, sql.Literal(len(listed)))]
    if not (node.leaf or root):
        objects.append(sql.SQL("{} = '{{}}'").format(value))
        arrays.append(sql.SQL("{} = '[]'").format(value))
    if len(deep) < len(keyed):
        leaves = sql.SQL("({} - {}::text[])").format(value, sql.Literal(deep)) if deep else value
        objects.append(_INSIDE_PARTS.format(leaves))
    if listed and not any(part.node.parts for part in listed):
        arrays.append(_INSIDE_PARTS.format(value))
    return sql.SQL(
        "CASE jsonb_typeof({0}) WHEN 'object' THEN {1} WHEN 'array' THEN {2} ELSE {3} END"
    ).format(
        value,
        _any(objects),
        _any(arrays),
        sql.SQL("false") if node.leaf else sql.SQL("{} IS NOT NULL").format(value),
    )
