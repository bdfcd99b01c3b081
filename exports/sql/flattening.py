"""Flattening: SQL that splits nested values into columns, and SQL that finds unknown paths.

Both work level by level, one fenced sub-select for each level of nesting, so each value is read
once for all of its columns. For the paths `(a,)` and `(b, 0)` of a column `metadata`:

    SELECT "cell 0", "cell 1" ->> 0                          -- level 2
     FROM (SELECT "cell 0" ->> 'a', "cell 0" -> 'b'          -- level 1
      FROM (SELECT … FROM contact AS row OFFSET '0') AS record ("cell 0")
      OFFSET '0') AS record ("cell 0", "cell 1")

All values are `jsonb`. The value of a column is never JSON's null: that is SQL's null already.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from psycopg import sql

from exports.formats.base import FileColumn, cell_identifier, fenced
from exports.sql.nesting import ColumnLayout, PathEdge, PathNode
from longshore.resources.columns import ColumnType

# True if a child of the value has children itself. Cheaper than the type of each child.
_HAS_GRANDCHILDREN = sql.SQL("{} @? 'strict $.**{{2}}'")
_IS_ROOT_LEAF = sql.SQL("jsonb_typeof({0}) NOT IN ('object', 'array')")
_IS_LEAF = sql.SQL("jsonb_typeof({0}) NOT IN ('object', 'array') OR {0} IN ('{{}}', '[]')")


@dataclass(frozen=True)
class NestedValue:
    """A value that is still to be split: the column, and the node at the path inside it.

    as_text: whether the leaves become texts; otherwise they stay `jsonb`.
    """

    layout: ColumnLayout
    node: PathNode
    as_text: bool
    path: tuple[str, ...] = ()

    def split(self, value: sql.Composable) -> Iterator[tuple["Slot", sql.Composable]]:
        """Yield the slots of the next level that the value becomes, each with its SQL."""
        if self.node.has_leaf:
            yield self._column(self.path), self._leaf(value)
        for edge in self.node.edges:
            path = (*self.path, edge.name)
            if edge.child.edges:
                child = NestedValue(self.layout, edge.child, self.as_text, path)
                yield child, _child(value, self.node, edge)
            else:
                yield self._column(path), _child(value, self.node, edge, text=self.as_text)

    def _column(self, path: tuple[str, ...]) -> FileColumn:
        kind = ColumnType.TEXT if self.as_text else ColumnType.JSON
        return FileColumn(self.layout.header_of(path), kind)

    def _leaf(self, value: sql.Composable) -> sql.Composable:
        """Return SQL of a value if it is a leaf, else null.

        If it is the whole value of a column, an empty object or list becomes an empty cell.
        """
        condition = (_IS_LEAF if self.path else _IS_ROOT_LEAF).format(value)
        leaf = sql.SQL("{} #>> '{{}}'").format(value) if self.as_text else value
        return sql.SQL("CASE WHEN {} THEN {} END").format(condition, leaf)


# A cell of a query: a finished column of the file, or a value that is still to be split.
Slot = FileColumn | NestedValue


def flatten(
    query: sql.Composable, slots: Sequence[Slot]
) -> tuple[sql.Composable, tuple[FileColumn, ...]]:
    """Split all nested values of a query. Return the new query and its columns.

    slots: what the cells of the query are, in order.
    """
    while any(isinstance(slot, NestedValue) for slot in slots):
        next_level: list[tuple[Slot, sql.Composable]] = []
        for index, slot in enumerate(slots):
            value = cell_identifier(index)
            next_level += slot.split(value) if isinstance(slot, NestedValue) else [(slot, value)]
        query = _select((value for _, value in next_level), fenced(query, slots))
        slots = [slot for slot, _ in next_level]
    return query, tuple(slot for slot in slots if isinstance(slot, FileColumn))


def select_unknown(
    query: sql.Composable, known: Sequence[PathNode], limit: int, max_characters: int
) -> sql.Composable:
    """Return a query of the rows that hold a path that is not known yet, as JSON texts.

    query: selects one nested value for each tree in `known`.
    known: the paths found so far, for each value.
    limit: maximum number of rows.
    max_characters: longer texts are cut off.
    """
    roots: list[sql.Composable] = [cell_identifier(index) for index in range(len(known))]
    # Beside the roots, each level selects whether an outer level found an unknown path.
    flag = cell_identifier(len(known))
    tests = [_unknown(root, node, root=True) for root, node in zip(roots, known, strict=True)]
    level = [(node, root) for root, node in zip(roots, known, strict=True)]
    width = len(known)
    while True:
        children = [pair for node, value in level for pair in _nested_children(node, value)]
        values = [*roots, _any(tests), *(value for _, value in children)]
        query = _select(values, fenced(query, range(width)))
        width = len(values)
        level = [
            (node, cell_identifier(len(roots) + 1 + index))
            for index, (node, _) in enumerate(children)
        ]
        if not level:
            break
        tests = [flag, *(_unknown(value, node) for node, value in level)]
    texts = (sql.SQL("left({}::text, {})").format(root, max_characters) for root in roots)
    return sql.SQL("{} WHERE {} LIMIT {}").format(
        _select(texts, fenced(query, range(width))), flag, sql.Literal(limit)
    )


def _select(values: Iterable[sql.Composable], source: sql.Composable) -> sql.Composable:
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(values), source)


def _any(tests: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))


def _child(
    value: sql.Composable, node: PathNode, edge: PathEdge, *, text: bool = False
) -> sql.Composable:
    """Return SQL of a child of a value, as JSON or as text; null if the value has no such child."""
    if edge.index is not None and node.has_leaf:
        # Other operators treat a scalar as an array of one element.
        path = sql.Literal([edge.name])
        return sql.SQL("{} #>> {}::text[]" if text else "{} #> {}::text[]").format(value, path)
    # The operator with a key returns null for an array, the one with an index for an object.
    steps = [
        sql.SQL(f"{{}} {'->>' if text else '->'} {{}}::{kind}").format(value, sql.Literal(step))
        for step, kind in ((edge.key, "text"), (edge.index, "int"))
        if step is not None
    ]
    return steps[0] if len(steps) == 1 else sql.SQL("coalesce({}, {})").format(*steps)


def _nested_children(
    node: PathNode, value: sql.Composable
) -> Iterator[tuple[PathNode, sql.Composable]]:
    """Yield the children of a value that the next level must test one by one."""
    has_nested_element = any(edge.child.edges for edge in node.edges if edge.index is not None)
    for edge in node.edges:
        if edge.child.edges or (has_nested_element and edge.index is not None):
            yield edge.child, _child(value, node, edge)


def _unknown(value: sql.Composable, node: PathNode, *, root: bool = False) -> sql.Composable:
    """Return SQL that is true if the value has an unknown path.

    It is a leaf and the node has none, or it has a child for which the node has no edge. Children
    that have edges are left to the next level.
    """
    keyed = [edge for edge in node.edges if edge.key is not None]
    nested_keys = [edge.key for edge in keyed if edge.child.edges]
    elements = [edge for edge in node.edges if edge.index is not None]
    keys = sql.Literal([edge.key for edge in keyed])
    objects = [sql.SQL("{} - {}::text[] <> '{{}}'").format(value, keys)]
    arrays = [sql.SQL("jsonb_array_length({}) > {}").format(value, sql.Literal(len(elements)))]
    if not (node.has_leaf or root):
        objects.append(sql.SQL("{} = '{{}}'").format(value))
        arrays.append(sql.SQL("{} = '[]'").format(value))
    if len(nested_keys) < len(keyed):
        leaves = value
        if nested_keys:
            leaves = sql.SQL("({} - {}::text[])").format(value, sql.Literal(nested_keys))
        objects.append(_HAS_GRANDCHILDREN.format(leaves))
    if elements and not any(edge.child.edges for edge in elements):
        arrays.append(_HAS_GRANDCHILDREN.format(value))
    return sql.SQL(
        "CASE jsonb_typeof({0}) WHEN 'object' THEN {1} WHEN 'array' THEN {2} ELSE {3} END"
    ).format(
        value,
        _any(objects),
        _any(arrays),
        sql.SQL("false") if node.has_leaf else sql.SQL("{} IS NOT NULL").format(value),
    )
