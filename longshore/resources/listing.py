"""Pages of a resource's records as JSON that PostgreSQL writes. Pages by cursor cost the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from longshore.resources.columns import primary_key
from longshore.resources.conditions import where
from longshore.resources.expressions import ROW, JsonExpressions
from longshore.resources.filters import Ordering, Selection, newest_first
from longshore.resources.includes import Include
from longshore.resources.keysets import Key, Position, key_ranges, keys
from longshore.resources.reading import MAX_RESPONSE_BYTES, ResponseTooLarge, reading
from longshore.resources.registry import Resource
from longshore.resources.tables import from_item

MAX_MILLISECONDS = 10_000
_PAGE = "page"
# The rows of a statement in its order. If all records together exceed the maximum, returns no
# records, but the name of the largest value of each. Rows beyond the page have no record.
_BOUNDED = """SELECT CASE WHEN total <= {maximum} THEN record END, {keys}, total,
 octet_length(record) AS size, CASE WHEN total > {maximum} THEN
  (SELECT key FROM json_each(record::json) ORDER BY octet_length(value::text) DESC LIMIT 1) END
 FROM (SELECT *, sum(octet_length(record)) OVER () AS total
  FROM (SELECT CASE WHEN number <= {size} THEN record END AS record, {keys}, number
   FROM (SELECT *, row_number() OVER () AS number
    FROM ({rows}) AS selected (record, {keys})) AS numbered) AS page) AS measured ORDER BY number"""


@dataclass(frozen=True)
class Cursor:
    """The start of a page: directly after the row at a position, or before it if `backwards`."""

    position: Position
    backwards: bool = False


@dataclass(frozen=True)
class Page:
    """A page of a list. records: JSON objects as text, in the order of the list."""

    records: list[str]
    next: Cursor | None
    previous: Cursor | None


@dataclass(frozen=True)
class Listing:
    """A list of records: selection, order and fields.

    selection: conditions and order, without a limit. Without an order, the newest come first.
    fields: paths, as in the columns of an export.
    timezone: IANA name of the time zone of all datetimes.
    includes: relations among the fields whose records are nested with all their columns.
    key: primary key of the only record of the list; None for a list of all selected records.
    expressions: writes the values of the fields, for a list with other texts of datetimes.
    """

    resource: Resource
    selection: Selection
    fields: tuple[str, ...]
    timezone: str = "UTC"
    includes: tuple[Include, ...] = ()
    key: int | str | UUID | None = None
    expressions: type[JsonExpressions] = JsonExpressions

    @property
    def ordering(self) -> tuple[Ordering, ...]:
        return self.selection.ordering or newest_first(self.resource)

    def page(self, organization_id: str, size: int, cursor: Cursor | None) -> Page:
        """Return a page of at most `size` records of an organization; the first one without cursor.

        Raises StatementTimeout, ResponseTooLarge, and InvalidInput for a time zone that PostgreSQL
        does not know.
        """
        rows = self._rows(size, self.statement(organization_id, size + 1, cursor))
        more, rows = len(rows) > size, rows[:size]
        backwards = cursor is not None and cursor.backwards
        if backwards:
            rows.reverse()
        if not rows:
            return Page([], None, None)
        records = [record for record, *_ in rows]
        first, last = (tuple(texts) for _, *texts in (rows[0], rows[-1]))
        return Page(
            records,
            next=Cursor(last) if more or backwards else None,
            previous=Cursor(first, backwards=True)
            if (more if backwards else cursor is not None)
            else None,
        )

    def window(self, organization_id: str, size: int, offset: int) -> tuple[list[str], int]:
        """Return at most `size` records after the first `offset` ones, and the number of all.

        The database reads the keys of the skipped records: the caller bounds the offset. Raises the
        errors of `page`.
        """
        rows = self._rows(size, self.statement(organization_id, size, None, offset))
        statement = sql.SQL("SELECT count(*) FROM {table} WHERE {selected}").format(
            table=from_item(self.resource.model, ROW),
            selected=where(self.resource, organization_id, self.selection.conditions, ROW),
        )
        with reading(self.timezone, MAX_MILLISECONDS, "timezone") as database:
            database.execute(statement.as_string(None))
            (total,) = database.fetchone()
        return [record for record, *_ in rows], total

    def _rows(self, size: int, rows: sql.Composable) -> list[tuple[Any, ...]]:
        """Return the JSON and the key texts of each row of a statement.

        Rows beyond `size` have no JSON. Raises ResponseTooLarge.
        """
        keys_of = [
            sql.Identifier(f"key{n}") for n, _ in enumerate(keys(self.resource, self.ordering))
        ]
        statement = sql.SQL(_BOUNDED).format(
            maximum=sql.Literal(MAX_RESPONSE_BYTES),
            size=sql.Literal(size),
            keys=sql.SQL(", ").join(keys_of),
            rows=rows,
        )
        with reading(self.timezone, MAX_MILLISECONDS, "timezone") as database:
            database.execute(statement.as_string(None))
            found = list(database.fetchall())
        if found and found[0][0] is None:
            *_, record, total, _, column = max(found[:size], key=lambda row: row[-2])
            raise ResponseTooLarge(int(total), column, record)
        return [row[:-3] for row in found]

    def statement(
        self, organization_id: str, count: int, cursor: Cursor | None, offset: int = 0
    ) -> sql.Composable:
        """Return the statement of a page: find the keys, then compute the values of these rows.

        offset: number of rows to skip after the cursor.
        """
        ordered: Sequence[Key] = keys(self.resource, self.ordering)
        if cursor is not None and cursor.backwards:
            ordered = [key.reversed() for key in ordered]
        names = [sql.Identifier(_PAGE, f"key{number}") for number in range(len(ordered))]
        texts = [sql.Identifier(_PAGE, f"text{number}") for number in range(len(ordered))]
        expressions = self.expressions(self.resource, organization_id, includes=self.includes)
        fields = sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(expressions.json(path), sql.Identifier(path))
            for path in self.fields
        )
        primary = sql.Identifier(ROW, primary_key(self.resource.model))
        return sql.SQL(
            "SELECT (SELECT row_to_json(record.*) FROM (SELECT {fields}) AS record)::text, {texts}"
            " FROM ({keys} ORDER BY {order} LIMIT {count} OFFSET {offset}) AS page"
            " JOIN {table} ON {primary} = {key}{joins} ORDER BY {order}"
        ).format(
            fields=fields,
            texts=sql.SQL(", ").join(sql.SQL("{}::text").format(text) for text in texts),
            keys=self._page_keys(organization_id, count + offset, cursor, ordered),
            order=sql.SQL(", ").join(
                key.term(name) for key, name in zip(ordered, names, strict=True)
            ),
            count=sql.Literal(count),
            offset=sql.Literal(offset),
            table=from_item(self.resource.model, ROW),
            primary=primary,
            key=names[-1],
            joins=sql.SQL("").join(
                sql.SQL(" {}").format(join) for join in expressions.joins(self.fields)
            ),
        )

    def _page_keys(
        self, organization_id: str, count: int, cursor: Cursor | None, ordered: Sequence[Key]
    ) -> sql.Composable:
        """Return a query of the keys of at most `count` rows of each range.

        A UNION ALL of ranges: no index serves their conditions joined by OR.
        """
        columns = sql.SQL(", ").join(
            sql.SQL("{} AS {}, {} AS {}").format(
                key.value,
                sql.Identifier(f"key{number}"),
                key.position,
                sql.Identifier(f"text{number}"),
            )
            for number, key in enumerate(ordered)
        )
        selected = where(self.resource, organization_id, self.selection.conditions, ROW)
        if self.key is not None:
            primary = sql.Identifier(ROW, primary_key(self.resource.model))
            selected = sql.SQL("{} AND {} = {}").format(selected, primary, sql.Literal(self.key))
        ranges = [
            sql.SQL(
                "(SELECT {columns} FROM {table} WHERE {selected} AND {condition}"
                " ORDER BY {order} LIMIT {count})"
            ).format(
                columns=columns,
                table=from_item(self.resource.model, ROW),
                selected=selected,
                condition=key_range.condition,
                order=sql.SQL(", ").join(key_range.order),
                count=sql.Literal(count),
            )
            for key_range in key_ranges(ordered, cursor.position if cursor else None)
        ]
        union = sql.SQL(" UNION ALL ").join(ranges)
        return sql.SQL("SELECT * FROM ({}) AS page").format(union)
