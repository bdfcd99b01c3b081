"""Column layouts: which columns a file has, as far as the spec alone determines them.

A column or relation of a record may hold nested values: JSON, lists, related records. With
`flatten`, such a column becomes one column for each path that occurs in the rows. The paths are
found later, by `exports.sql.discovery`; here they become a tree of `PathNode`s and headers.

Example: the values `{"a": 1}` and `{"a": {"b": 2}}` of the column `metadata` have the paths `(a,)`
and `(a, b)`. The file gets the columns `metadata.a` and `metadata.a.b`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

from django.db.models import Model

from exports.spec import Nesting, OutputColumn
from longshore.files.flattened_headers import escape_key
from longshore.resources.columns import Column, ColumnType
from longshore.resources.includes import Include
from longshore.resources.labels import column_label
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation

# From a value to a leaf inside it: keys of objects (text) and indexes of arrays (integers). A leaf
# is a scalar, null, `{}` or `[]`.
Path: TypeAlias = tuple[str | int, ...]
Paths: TypeAlias = Set[Path]

MAX_DEPTH = 100
_DIGITS = re.compile(r"([0-9]+)")


class TooDeep(Exception):
    """A value is nested in more than `MAX_DEPTH` levels."""


@dataclass(frozen=True)
class ColumnLayout:
    """A column of the file, as far as it is known before the rows are read.

    path: of the source: a column, a relation, or `<relation>.<column>`.
    header: as the request or the declaration names it.
    prefix, suffix: the header of a flattened path is the prefix, the first step of the path, the
        suffix unless it is empty, and the other steps, joined by dots. So the first tag's name is
        `tags.0.name`, with the prefix `tags` and the suffix `name`.
    is_nested: whether the column is flattened, so that it may become several columns.
    fields: if the column holds related records, the names of their fields in order.
    """

    path: str
    header: str
    prefix: str
    is_nested: bool = False
    suffix: str = ""
    fields: tuple[str, ...] = ()

    def tree(self, paths: Paths) -> "PathNode":
        """Return the tree of the paths that occur in the column."""
        return path_tree(paths, ((), self.fields) if self.fields else ())

    def may_collide(self, other: "ColumnLayout") -> bool:
        """Return whether a flattened path of this column may have a header of the other column."""
        if self.suffix and other.suffix and self.prefix == other.prefix:
            return self.suffix == other.suffix
        if self.header == other.header:
            return True
        return self.is_nested and f"{other.prefix}.".startswith(f"{self.prefix}.")

    def header_of(self, path: Iterable[str]) -> str:
        """Return the header of a flattened path; of the empty path, the column's own header."""
        names = [escape_key(name) for name in path]
        if not names:
            return self.header
        suffix = [self.suffix] if self.suffix else []
        return ".".join([self.prefix, names[0], *suffix, *names[1:]])


def layout_columns(
    resource: Resource,
    columns: Iterable[OutputColumn],
    nesting: Nesting | None,
    includes: Iterable[Include] = (),
    *,
    labels: bool = False,
) -> Iterator[ColumnLayout]:
    """Yield the layouts of a file's columns, in order.

    A relation becomes one column for each of its fields if the request includes it, if `repeat`
    repeats rows for it, or if `flatten` flattens a to-one relation.

    nesting: None if cells keep all structure (JSON).
    includes: the included relations of the resource.
    labels: whether headers of fields of relations are labels.
    """

    def field_header(header: str, model: type[Model], field: Column) -> str:
        return f"{header}: {column_label(model, field)}" if labels else f"{header}.{field.name}"

    included = {include.relation: include for include in includes}
    for column in columns:
        if nesting is None:
            yield ColumnLayout(column.path, column.header, column.header)
            continue
        if include := included.get(column.path):
            relation, related = resource.related(column.path)
            declared_columns = related.columns_by_name if related else relation.columns
            for field in include.columns:
                declared_column = declared_columns[field]
                header = field_header(column.header, relation.target, declared_column)
                path = f"{column.path}.{field}"
                yield _layout(path, header, declared_column.kind, nesting)
            continue
        head, _, name = column.path.partition(".")
        declared = resource.relations_by_name.get(head)
        if declared and not name and _has_column_per_field(declared, nesting):
            for field in declared.fields:
                declared_column = declared.columns[field]
                header = field_header(column.header, declared.target, declared_column)
                yield _layout(f"{head}.{field}", header, declared_column.kind, nesting)
        elif declared and declared.many and nesting is Nesting.FLATTEN:
            is_field = name and column.header == column.path
            prefix, suffix = (head, name) if is_field else (column.header, "")
            fields = () if name else declared.fields
            yield ColumnLayout(column.path, column.header, prefix, True, suffix, fields)
        elif declared:
            kind = declared.columns[name].kind if name else ColumnType.TEXT
            yield _layout(column.path, column.header, kind, nesting)
        else:
            kind = resource.columns_by_name[column.path].kind
            yield _layout(column.path, column.header, kind, nesting)


def _has_column_per_field(relation: Relation, nesting: Nesting) -> bool:
    if nesting is Nesting.REPEAT:
        return relation.repeatable
    return nesting is Nesting.FLATTEN and not relation.many


def _layout(path: str, header: str, kind: ColumnType, nesting: Nesting) -> ColumnLayout:
    is_nested = nesting is Nesting.FLATTEN and kind in (ColumnType.JSON, ColumnType.LIST)
    return ColumnLayout(path, header, header, is_nested)


def find_collision(
    layouts: Iterable[ColumnLayout],
) -> tuple[ColumnLayout, ColumnLayout] | None:
    """Return two columns that may get the same header in the file, or None."""
    for one, other in combinations(layouts, 2):
        if one.may_collide(other) or other.may_collide(one):
            return one, other
    return None


@dataclass(frozen=True)
class PathEdge:
    """The step from a node to one of its children: the key of an object or the index of an array.

    It has both if one row has an object and another row has an array, `{"0": …}` and `[…]`.
    """

    key: str | None
    index: int | None
    child: "PathNode"

    @property
    def name(self) -> str:
        return str(self.index if self.key is None else self.key)


@dataclass(frozen=True)
class PathNode:
    """All values that the rows have at one path.

    has_leaf: whether some row has a leaf there: a scalar, null, `{}` or `[]`.
    edges: to the values inside them, in the order of the file's columns.
    """

    has_leaf: bool
    edges: tuple[PathEdge, ...]


def path_tree(paths: Paths, orders: Sequence[Sequence[str]] = ()) -> PathNode:
    """Return the tree of paths.

    orders: for each level, the names that come first. Other names follow in natural order.
    """
    groups: dict[str, set[Path]] = {}
    for path in paths:
        if path:
            groups.setdefault(str(path[0]), set()).add(path)
    first = {name: position for position, name in enumerate(orders[0])} if orders else {}
    edges = []
    for name in sorted(groups, key=lambda name: (first.get(name, len(first)), _natural(name))):
        steps = {path[0] for path in groups[name]}
        child = path_tree({path[1:] for path in groups[name]}, orders[1:])
        index = next((step for step in steps if isinstance(step, int)), None)
        edges.append(PathEdge(name if name in steps else None, index, child))
    return PathNode(() in paths, tuple(edges))


def leaf_paths(value: Any) -> Iterator[Path]:
    """Yield the paths of the leaves in a column's value. Raises TooDeep.

    A value that is itself null or empty has none: its cell is empty.
    """
    if value not in (None, {}, []):
        yield from _leaf_paths(value, ())


def _leaf_paths(value: Any, path: Path) -> Iterator[Path]:
    if not isinstance(value, dict | list) or not value:
        yield path
        return
    if len(path) == MAX_DEPTH:
        raise TooDeep
    for step, child in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _leaf_paths(child, (*path, step))


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return a sort key that compares digits as numbers: `x2` before `x10`."""
    pieces = _DIGITS.split(name)
    return [
        (int(piece), "") if position % 2 and len(piece) < 100 else (-1, piece.casefold())
        for position, piece in enumerate(pieces)
    ], name
