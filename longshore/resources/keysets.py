"""Keysets: conditions for the rows before or after a position, in a form that an index serves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from longshore.resources.columns import ColumnType, primary_key
from longshore.resources.comparisons import literal
from longshore.resources.expressions import ROW
from longshore.resources.filters import Ordering
from longshore.resources.folding import beginning, sort_key
from longshore.resources.registry import Resource

# The position of a row: the text of its value for each key; PostgreSQL parses it to the same value.
Position = tuple[str | None, ...]


@dataclass(frozen=True)
class Key:
    """One term of the sort order. Null values come last, or first if `nulls_first`.

    value: SQL to sort by.
    kind: type of literals; None if the literal takes the type of the other operand.
    text: for a value that is a sort key, the beginning of the text that determines it. A position
        stores this text, because the sort key may be many times longer.
    """

    value: sql.Composable
    descending: bool
    nullable: bool
    kind: ColumnType | None = None
    nulls_first: bool = False
    text: sql.Composable | None = None

    @property
    def position(self) -> sql.Composable:
        """The SQL of the value that a position stores."""
        return self.text or self.value

    def reversed(self) -> "Key":
        """Return the key for the opposite direction."""
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    def term(self, value: sql.Composable | None = None) -> sql.Composable:
        """Return the term of ORDER BY. value: replaces the SQL to sort by."""
        # PostgreSQL uses an index only if the order of nulls matches: name it for nullable values.
        nulls = (" NULLS FIRST" if self.nulls_first else " NULLS LAST") if self.nullable else ""
        direction = "DESC" if self.descending else "ASC"
        return sql.SQL(f"{{}} {direction}{nulls}").format(value or self.value)

    def equals(self, text: str | None) -> sql.Composable:
        """Return the condition for rows with the value of a position."""
        if text is None:
            return sql.SQL("{} IS NULL").format(self.value)
        return sql.SQL("{} = {}").format(self.value, self._literal(text))

    def key_ranges(self) -> list["KeyRange"]:
        """Return the ranges of all rows, in order: rows with a value and rows with null."""
        if not self.nullable:
            return [KeyRange(sql.SQL("true"), self._ordered())]
        some = KeyRange(sql.SQL("{} IS NOT NULL").format(self.value), self._ordered())
        none = KeyRange(self.equals(None), ())
        return [none, some] if self.nulls_first else [some, none]

    def key_ranges_after(self, text: str | None) -> list["KeyRange"]:
        """Return the ranges of the rows after a value, in order."""
        if text is None:
            return self.key_ranges()[1:] if self.nulls_first else []
        comparison = sql.SQL("{} < {}" if self.descending else "{} > {}")
        beyond = KeyRange(comparison.format(self.value, self._literal(text)), self._ordered())
        none = self.nullable and not self.nulls_first
        return [beyond, KeyRange(self.equals(None), ())] if none else [beyond]

    def _ordered(self) -> tuple[sql.Composable, ...]:
        return (replace(self, nullable=False).term(),)

    def _literal(self, text: str) -> sql.Composable:
        if self.text is not None:
            return sort_key(sql.Literal(text))
        return literal(self.kind, text) if self.kind else sql.Literal(text)


@dataclass(frozen=True)
class KeyRange:
    """A contiguous range of rows in one index.

    condition: selects the rows. order: the terms of ORDER BY inside the range.
    """

    condition: sql.Composable
    order: tuple[sql.Composable, ...]


def keys(resource: Resource, ordering: Sequence[Ordering]) -> tuple[Key, ...]:
    """Return the keys of an ordering, with the primary key last, so that the order is total.

    An empty ordering begins with the greatest primary key.
    """
    primary = primary_key(resource.model)
    ordered: list[Key] = []
    for order in ordering:
        column = resource.columns_by_name[order.column]
        if column.field == resource.model._meta.pk.name:
            return (*ordered, _primary(primary, order.descending))
        value = column.ordered(ROW)
        text = beginning(column.value(ROW)) if column.by_sort_key else None
        ordered.append(Key(value, order.descending, column.nullable, column.kind, text=text))
    descending = ordering[-1].descending if ordering else True
    return (*ordered, _primary(primary, descending))


def _primary(column: str, descending: bool) -> Key:
    return Key(sql.Identifier(ROW, column), descending, nullable=False)


def key_ranges(keys: Sequence[Key], after: Position | None) -> Iterator[KeyRange]:
    """Yield disjoint ranges of the rows after a position, nearest first; of all rows without one.

    Each range bounds one key and fixes the keys before it, so that an index finds its first row
    directly at any depth.
    """
    if after is None:
        yield from _under((), keys[0].key_ranges(), keys[1:])
        return
    for depth in reversed(range(len(keys))):
        equal = [key.equals(text) for key, text in zip(keys[:depth], after, strict=False)]
        yield from _under(equal, keys[depth].key_ranges_after(after[depth]), keys[depth + 1 :])


def _under(
    equal: Sequence[sql.Composable], ranges: Sequence[KeyRange], rest: Sequence[Key]
) -> Iterator[KeyRange]:
    """Yield the ranges with their first keys fixed and further keys in their order."""
    for key_range in ranges:
        condition = sql.SQL(" AND ").join([*equal, key_range.condition])
        yield KeyRange(condition, (*key_range.order, *(key.term() for key in rest)))
