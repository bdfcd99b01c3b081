"""Nesting: which columns a file has where one column holds many things.

A column that may have parts is flattened to a column for each path that occurs in it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias

from exports.spec import Nesting, OutputColumn
from longshore.files.flattened_headers import escape_key
from longshore.resources.columns import ColumnType
from longshore.resources.includes import Include
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation

# From a value to one of its parts: keys of objects, indexes of arrays.
Path: TypeAlias = tuple[str | int, ...]
Paths: TypeAlias = Set[Path]

MAX_DEPTH = 100
_DIGITS = re.compile(r"([0-9]+)")


class TooDeep(Exception):
    """A value has parts in more than `MAX_DEPTH` levels."""


@dataclass(frozen=True)
class Outline:
    """A column of the file, as far as it is known without its rows.

    path: what its cells show: a column, a relation, or `<relation>.<column>`.
    header: what stands over it.
    before, after: what stands before and after the first step of a path in it.
    parted: whether it may become several columns.
    fields: of a related record, in order.
    """

    path: str
    header: str
    before: str
    parted: bool = False
    after: str = ""
    fields: tuple[str, ...] = ()

    def node(self, paths: Paths) -> "Node":
        """What its values are made of, where these paths occur in them."""
        return tree(paths, ((), self.fields) if self.fields else ())

    def may_meet(self, other: "Outline") -> bool:
        """Whether one of its columns may have the header of another's."""
        if self.after and other.after and self.before == other.before:
            return self.after == other.after
        if self.header == other.header:
            return True
        return self.parted and f"{other.before}.".startswith(f"{self.before}.")

    def of(self, path: Iterable[str]) -> str:
        """The header of a path in it."""
        names = [escape_key(name) for name in path]
        if not names:
            return self.header
        after = [self.after] if self.after else []
        return ".".join([self.before, names[0], *after, *names[1:]])


def outline(
    resource: Resource,
    columns: Iterable[OutputColumn],
    nesting: Nesting | None,
    includes: Iterable[Include] = (),
) -> Iterator[Outline]:
    """The columns of the file: a flattened or repeated relation is a column for each field.

    nesting: None where a cell shows all structure.
    includes: of the resource; one is a column for each of its own.
    """
    included = {include.relation: include for include in includes}
    for column in columns:
        if nesting is None:
            yield Outline(column.path, column.header, column.header)
            continue
        if include := included.get(column.path):
            relation, related = resource.related(column.path)
            shown = related.columns_by_name if related else relation.columns
            for field in include.columns:
                kind = shown[field].kind
                yield _outline(f"{column.path}.{field}", f"{column.header}.{field}", kind, nesting)
            continue
        head, _, name = column.path.partition(".")
        declared = resource.relations_by_name.get(head)
        if declared and not name and _splits(declared, nesting):
            for field in declared.fields:
                kind = declared.columns[field].kind
                yield _outline(f"{head}.{field}", f"{column.header}.{field}", kind, nesting)
        elif declared and declared.many and nesting is Nesting.FLATTEN:
            named = name and column.header == column.path
            before, after = (head, name) if named else (column.header, "")
            yield Outline(
                column.path, column.header, before, True, after, () if name else declared.fields
            )
        elif declared:
            kind = declared.columns[name].kind if name else ColumnType.TEXT
            yield _outline(column.path, column.header, kind, nesting)
        else:
            kind = resource.columns_by_name[column.path].kind
            yield _outline(column.path, column.header, kind, nesting)


def _splits(relation: Relation, nesting: Nesting) -> bool:
    """Whether a relation is a column for each of its fields, by whatever rows there are."""
    if nesting is Nesting.REPEAT:
        return relation.repeatable
    return nesting is Nesting.FLATTEN and not relation.many


def _outline(path: str, header: str, kind: ColumnType, nesting: Nesting) -> Outline:
    parted = nesting is Nesting.FLATTEN and kind in (ColumnType.JSON, ColumnType.LIST)
    return Outline(path, header, header, parted)


def collision(outlines: Iterable[Outline]) -> tuple[Outline, Outline] | None:
    """Two columns of which one may have the header of the other."""
    for one, other in combinations(outlines, 2):
        if one.may_meet(other) or other.may_meet(one):
            return one, other
    return None


@dataclass(frozen=True)
class Part:
    """A part of a value, under the key or the index by which it is reached.

    It has both where an object in one row is an array in another.
    """

    key: str | None
    index: int | None
    node: "Node"

    @property
    def name(self) -> str:
        return str(self.index if self.key is None else self.key)


@dataclass(frozen=True)
class Node:
    """What stands at one place of the rows' values.

    leaf: whether some row has there what has no parts: a scalar, null, `{}` or `[]`.
    """

    leaf: bool
    parts: tuple[Part, ...]

    @property
    def width(self) -> int:
        """The number of columns that it becomes."""
        return self.leaf + sum(part.node.width for part in self.parts)


def tree(paths: Paths, orders: Sequence[Sequence[str]] = ()) -> Node:
    """What stands where, from the paths that occur.

    orders: of each level the names that come first; the others follow in natural order.
    """
    groups: dict[str, set[Path]] = {}
    for path in paths:
        if path:
            groups.setdefault(str(path[0]), set()).add(path)
    first = {name: place for place, name in enumerate(orders[0])} if orders else {}
    parts = []
    for name in sorted(groups, key=lambda name: (first.get(name, len(first)), _natural(name))):
        steps = {path[0] for path in groups[name]}
        node = tree({path[1:] for path in groups[name]}, orders[1:])
        index = next((step for step in steps if isinstance(step, int)), None)
        parts.append(Part(name if name in steps else None, index, node))
    return Node(() in paths, tuple(parts))


def leaves(value: Any) -> Iterator[Path]:
    """The paths of a column's value to whatever has no parts. Raises TooDeep.

    A value that is empty itself has none: it shows nothing.
    """
    if value not in (None, {}, []):
        yield from _leaves(value, ())


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    if not isinstance(value, dict | list) or not value:
        yield path
        return
    if len(path) == MAX_DEPTH:
        raise TooDeep
    for step, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _leaves(part, (*path, step))


def _natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Orders names as people do, `x2` before `x10`."""
    pieces = _DIGITS.split(name)
    return [
        (int(piece), "") if place % 2 and len(piece) < 100 else (-1, piece.casefold())
        for place, piece in enumerate(pieces)
    ], name
