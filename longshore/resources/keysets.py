"""Keysets: what comes before or after a row in an ordering, said so that an index can answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from psycopg import sql

from longshore.resources.columns import ColumnType, primary_key
from longshore.resources.comparisons import literal
from longshore.resources.expressions import ROW
from longshore.resources.filters import Ordering
from longshore.resources.folding import beginning, sort_key
from longshore.resources.registry import Resource

# Of each key, the text of a row's value, which PostgreSQL reads back as the same value.
Position = tuple[str | None, ...]


@dataclass(frozen=True)
class Key:
    """One value by which rows are ordered; rows without a value come last, or first.

    kind: None where a literal takes the type of what it is compared with.
    text: of a value ordered by its sort key, the beginning of it that decides, as a position has
        it: the sort key may be many times as long.
    """

    value: sql.Composable
    descending: bool
    nullable: bool
    kind: ColumnType | None = None
    nulls_first: bool = False
    text: sql.Composable | None = None

    @property
    def position(self) -> sql.Composable:
        """What a position has of it."""
        return self.text or self.value

    def reversed(self) -> "Key":
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    def term(self, value: sql.Composable | None = None) -> sql.Composable:
        """The term of ORDER BY; `value` is what to call the value there."""
        # An index is read in its own order only: nulls are named where there may be some.
        nulls = (" NULLS FIRST" if self.nulls_first else " NULLS LAST") if self.nullable else ""
        direction = "DESC" if self.descending else "ASC"
        return sql.SQL(f"{{}} {direction}{nulls}").format(value or self.value)

    def equals(self, text: str | None) -> sql.Composable:
        if text is None:
            return sql.SQL("{} IS NULL").format(self.value)
        return sql.SQL("{} = {}").format(self.value, self._literal(text))

    def key_ranges(self) -> list["KeyRange"]:
        """All values, in order: those that there are, and none."""
        if not self.nullable:
            return [KeyRange(sql.SQL("true"), self._ordered())]
        some = KeyRange(sql.SQL("{} IS NOT NULL").format(self.value), self._ordered())
        none = KeyRange(self.equals(None), ())
        return [none, some] if self.nulls_first else [some, none]

    def key_ranges_after(self, text: str | None) -> list["KeyRange"]:
        """The values after one, in order."""
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
    """A part of the rows: its condition, and the terms by which the rows in it are ordered."""

    condition: sql.Composable
    order: tuple[sql.Composable, ...]


def keys(resource: Resource, ordering: Sequence[Ordering]) -> tuple[Key, ...]:
    """The keys of an ordering, down to the primary key, so that no two rows tie."""
    primary = primary_key(resource.model)
    found: list[Key] = []
    for order in ordering:
        column = resource.columns_by_name[order.column]
        if column.field == resource.model._meta.pk.name:
            return (*found, _primary(primary, order.descending))
        value = column.ordered(ROW)
        text = beginning(column.value(ROW)) if column.by_sort_key else None
        found.append(Key(value, order.descending, column.nullable, column.kind, text=text))
    return (*found, _primary(primary, ordering[-1].descending))


def _primary(column: str, descending: bool) -> Key:
    return Key(sql.Identifier(ROW, column), descending, nullable=False)


def key_ranges(keys: Sequence[Key], after: Position | None) -> Iterator[KeyRange]:
    """The rows after a position, or all, nearest first, as parts that share no row.

    Each is one range of one key, under equality of those before it: what an index finds at
    once, however deep it lies.
    """
    if after is None:
        yield from _under((), keys[0].key_ranges(), keys[1:])
        return
    for depth in reversed(range(len(keys))):
        equal = [key.equals(text) for key, text in zip(keys[:depth], after, strict=False)]
        yield from _under(equal, keys[depth].key_ranges_after(after[depth]), keys[depth + 1 :])


def _under(
    equal: Sequence[sql.Composable], parts: Sequence[KeyRange], rest: Sequence[Key]
) -> Iterator[KeyRange]:
    for part in parts:
        condition = sql.SQL(" AND ").join([*equal, part.condition])
        yield KeyRange(condition, (*part.order, *(key.term() for key in rest)))
