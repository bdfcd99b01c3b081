"""The statements that write a chunk of rows: INSERT, lock and UPDATE.

Each statement writes its journal entries itself, so no key passes through Python.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from django.db.models import DateField, TimeField
from psycopg import sql

from batches.context import Context
from batches.merging.journal import Journal
from batches.merging.rows import Rows
from batches.merging.tables import Table, names
from batches.parts import MAX_PARTS, number_of
from batches.spec import Only
from batches.staging import Step
from longshore.resources.columns import column_name
from longshore.resources.conditions import scope

_ROW = "record"
_OLD = "old"
_row = sql.Identifier(_ROW)
# The time of the transaction; PostgreSQL converts it to the type of the column.
_NOW = sql.SQL("CURRENT_TIMESTAMP")


@dataclass(frozen=True)
class Statements:
    """The statements of one attempt.

    typed: the columns of `Staging.typed` that are columns of the table.
    create_only: those of them that only a created record gets.
    absent: those of them that at least one row does not set.
    computed: SQL of further columns of created records, by name. It may use `typed.longshore_row`.
    parts: the plans of their parts.
    gives_keys: whether the rows give new records their primary keys.
    """

    context: Context
    typed: tuple[str, ...]
    create_only: frozenset[str]
    absent: frozenset[str]
    computed: Mapping[str, sql.Composable]
    parts: tuple[sql.Composable, ...] = ()
    gives_keys: bool = False

    @cached_property
    def table(self) -> Table:
        return Table(self.context.resource.model)

    @property
    def _journal(self) -> Journal:
        return Journal(self.context.batch)

    def insert(self, rows: Rows) -> sql.Composable:
        """Return an INSERT of the new records, except those that conflict with others.

        Two batches insert in the order of the key, so that neither waits for the other in turn.
        Returns the number of records.
        """
        moments = self._moments("auto_now", "auto_now_add")
        typed = [each for each in self.typed if each not in moments]
        computed = {name: each for name, each in self.computed.items() if name not in moments}
        columns = [self.table.key, *typed, *computed]
        values: list[sql.Composable] = [sql.Identifier("plan", "key")]
        values += [sql.Identifier("typed", name) for name in typed]
        values += [*computed.values(), *(_NOW for _ in moments)]
        order = [sql.Identifier("typed", name) for name in self.key_columns]
        return sql.SQL(
            "WITH created AS (INSERT INTO {table} ({columns}) SELECT {values} FROM {plan} AS plan"
            " JOIN {typed} AS typed ON typed.longshore_row = plan.row"
            " WHERE {among} AND plan.step = {step}"
            " ORDER BY {order} ON CONFLICT DO NOTHING RETURNING {key} AS key),"
            " entries AS ({entries}) SELECT count(*) FROM created"
        ).format(
            table=self.table.name,
            columns=names([*columns, *moments]),
            values=sql.SQL(", ").join(values),
            plan=self.context.staging.plan,
            typed=self.context.staging.typed,
            among=rows.among("plan", "typed"),
            step=sql.Literal(Step.CREATE),
            order=sql.SQL(", ").join([*order, sql.Identifier("plan", "key")]),
            key=sql.Identifier(self.table.key),
            entries=self._journal.insert(
                self.table,
                Step.CREATE,
                sql.SQL(
                    "SELECT {}, plan.key::text AS key, NULL::jsonb AS before, {} AS is_own"
                    " FROM created JOIN {} AS plan USING (key) WHERE {}"
                ).format(self._named, self._is_own, self.context.staging.plan, rows.among("plan")),
            ),
        )

    def lock_key(self) -> sql.Composable:
        """Return a SELECT that lets no other batch create records of the organization meanwhile.

        For a key that is not unique in the database.
        """
        name = f"{self.table.label} {self.context.organization_id}"
        return sql.SQL("SELECT pg_advisory_xact_lock(hashtextextended({}, 0))").format(
            sql.Literal(name)
        )

    def replan(self, rows: Rows, after: int) -> sql.Composable:
        """Return an UPDATE of the plan: rows whose record exists by now update it.

        The record was created since the plan, with the same key. If it has the values of its row
        already, it stays as it is. If the batch may only create, its row is refused.
        after: number of the journal. Later entries name the records that the rows have created.
        Returns the row and the new step of each.
        """
        same = [
            sql.SQL("{} = {}").format(sql.Identifier(_ROW, name), sql.Identifier("typed", name))
            for name in self.key_columns
        ]
        if self.gives_keys:
            key = sql.Identifier(_ROW, self.table.key)
            same = [sql.SQL("{} = {}").format(key, sql.Identifier("plan", "key"))]
        only_create = self.context.spec.only is Only.CREATE
        values, stored = self._values(), [sql.Identifier(_ROW, name) for name in self.updated]
        return sql.SQL(
            "UPDATE {plan} AS plan SET key = {record}.{key}, step = CASE WHEN"
            " to_jsonb(ROW({stored})) = to_jsonb(ROW({values})) AND NOT EXISTS ("
            "SELECT FROM {links} AS link WHERE link.row = plan.row) AND {has_no_parts}"
            " THEN {unchanged}"
            " ELSE {update} END"
            " FROM {typed} AS typed, {table} AS {record}"
            " WHERE typed.longshore_row = plan.row AND {among}"
            " AND plan.step = {create} AND {same} AND {scope} AND {within}"
            " AND plan.key::text NOT IN ({written})"
            " RETURNING plan.row, plan.step"
        ).format(
            plan=self.context.staging.plan,
            record=sql.Identifier(_ROW),
            key=sql.Identifier(self.table.key),
            stored=sql.SQL(", ").join(stored),
            values=sql.SQL(", ").join(values),
            links=self.context.staging.links,
            has_no_parts=sql.SQL(" AND ").join([sql.SQL("true"), *self._without_parts()]),
            unchanged=sql.Literal(Step.REFUSED if only_create else Step.UNCHANGED),
            update=sql.Literal(Step.REFUSED if only_create else Step.UPDATE),
            create=sql.Literal(Step.CREATE),
            typed=self.context.staging.typed,
            table=self.table.name,
            among=rows.among("plan", "typed"),
            same=sql.SQL(" AND ").join(same),
            # Found by the resource's key, whose index may begin with the organization.
            scope=scope(self.context.resource, self.context.organization_id, _ROW),
            within=self._within,
            written=self._journal.keys_since(self.table, after),
        )

    def lock(self, rows: Rows) -> sql.Composable:
        """Return a SELECT that locks the records to update, in the order of their keys."""
        return sql.SQL(
            "SELECT count(*) FROM (SELECT FROM {plan} AS plan JOIN {table} AS {record}"
            " ON {record}.{key} = plan.key WHERE {among} AND plan.step = {step} AND {scope}"
            " ORDER BY {record}.{key} FOR NO KEY UPDATE OF {record}) AS locked"
        ).format(
            plan=self.context.staging.plan,
            table=self.table.name,
            record=sql.Identifier(_ROW),
            key=sql.Identifier(self.table.key),
            among=rows.among("plan"),
            step=sql.Literal(Step.UPDATE),
            scope=self.context.owns(_ROW),
        )

    def update(self, rows: Rows) -> sql.Composable:
        """Return an UPDATE of the existing records, which are locked. Returns their number."""
        columns, moments = self.updated, self._moments("auto_now")
        values = [*self._values(), *(_NOW for _ in moments)]
        changes = [
            sql.SQL("{} = {}").format(sql.Identifier(name), value)
            for name, value in zip([*columns, *moments], values, strict=True)
        ]
        # Without a column to set, a row only replaces links.
        changes = changes or [sql.SQL("{0} = {1}.{0}").format(sql.Identifier(self.table.key), _row)]
        return sql.SQL(
            "WITH updated AS (UPDATE {table} AS {record} SET {changes} FROM {plan} AS plan"
            " JOIN {typed} AS typed ON typed.longshore_row = plan.row"
            " JOIN {table} AS {old} ON {old}.{key} = plan.key"
            " WHERE {record}.{key} = plan.key AND {among} AND plan.step = {step} AND {scope}"
            " AND {within} RETURNING {named}, plan.key::text AS key, {image} AS before),"
            " entries AS ({entries}) SELECT count(*) FROM updated"
        ).format(
            table=self.table.name,
            record=_row,
            old=sql.Identifier(_OLD),
            named=self._named,
            changes=sql.SQL(", ").join(changes),
            plan=self.context.staging.plan,
            typed=self.context.staging.typed,
            key=sql.Identifier(self.table.key),
            among=rows.among("plan", "typed"),
            step=sql.Literal(Step.UPDATE),
            scope=self.context.owns(_ROW),
            within=self._within,
            image=self.table.image(_OLD),
            entries=self._journal.insert(
                self.table,
                Step.UPDATE,
                sql.SQL("SELECT row, key, before, {} AS is_own FROM updated").format(self._is_own),
            ),
        )

    def unwritten(self, rows: Rows, after: int) -> sql.Composable:
        """Return a query of the rows that were not written, with the state of their records now.

        after: number of the journal. A row was not written if no later entry names it.
        The query returns the row, its step, its key, whether the organization has the record, and
        the columns whose unique values another record has.
        """
        return sql.SQL(
            "SELECT plan.row, plan.step, plan.key::text, EXISTS (SELECT FROM {table} AS {record}"
            " WHERE {record}.{key} = plan.key AND {scope} AND {within}), {taken}"
            " FROM {plan} AS plan"
            " LEFT JOIN {typed} AS typed ON typed.longshore_row = plan.row"
            " WHERE {among} AND plan.step IN ({create}, {update})"
            " AND plan.key::text NOT IN ({written})"
            " ORDER BY plan.row"
        ).format(
            table=self.table.name,
            record=_row,
            key=sql.Identifier(self.table.key),
            scope=self.context.owns(_ROW),
            within=self._within,
            taken=self._taken(),
            plan=self.context.staging.plan,
            typed=self.context.staging.typed,
            among=rows.among("plan"),
            create=sql.Literal(Step.CREATE),
            update=sql.Literal(Step.UPDATE),
            written=self._journal.keys_since(self.table, after),
        )

    def _without_parts(self) -> Iterator[sql.Composable]:
        """Yield tests that a planned row has no parts of one relation."""
        row = sql.Identifier("plan", "row")
        first, last = number_of(row, sql.Literal(0)), number_of(row, sql.Literal(MAX_PARTS - 1))
        for each in self.parts:
            test = "NOT EXISTS (SELECT FROM {} AS part WHERE part.row BETWEEN {} AND {})"
            yield sql.SQL(test).format(each, first, last)

    @property
    def _named(self) -> sql.Composable:
        """The row of the journal's entries: null for parts, which no row of the input names."""
        return sql.SQL("NULL::bigint AS row" if self.context.part else "plan.row")

    @property
    def _is_own(self) -> sql.Composable:
        return sql.Literal(self.context.part is None)

    @property
    def _within(self) -> sql.Composable:
        """SQL of a test whether a part still belongs to its record."""
        part = self.context.part
        return part.is_within(_ROW, "typed") if part else sql.SQL("true")

    @property
    def key_columns(self) -> list[str]:
        """The stored columns of the resource's key; empty if the input does not have them all."""
        targets = self.context.targets
        columns = [column_name(targets.field(column)) for column in targets.key]
        return columns if {*columns} <= {*self.typed} else []

    @property
    def has_key(self) -> bool:
        """Whether the rows give a key by which a record may be found that others create."""
        return self.gives_keys or bool(self.key_columns)

    @cached_property
    def key_is_unique(self) -> bool:
        """Whether the database lets an organization have one record only with a key."""
        if self.gives_keys:
            return True
        path = (self.context.resource.organization or "").partition("__")[0]
        owner = column_name(self.table.model._meta.get_field(path))
        return any({*each} <= {*self.key_columns, owner} for each in self.table.unique)

    @cached_property
    def updated(self) -> list[str]:
        """The columns that a row with an existing record sets."""
        others = {*self.create_only, *self._moments("auto_now")}
        return [name for name in self.typed if name not in others]

    def _values(self) -> list[sql.Composable]:
        """Return the new values of `updated`: the typed ones, or the stored ones where absent."""
        return [
            sql.SQL("CASE WHEN {} = ANY (typed.longshore_absent) THEN {} ELSE {} END").format(
                sql.Literal(name), sql.Identifier(_ROW, name), sql.Identifier("typed", name)
            )
            if name in self.absent
            else sql.Identifier("typed", name)
            for name in self.updated
        ]

    def _taken(self) -> sql.Composable:
        """Return the first set of columns whose values another record has, as an array."""
        given: dict[str, sql.Composable] = {
            **self.computed,
            **{name: sql.Identifier("typed", name) for name in self.typed},
        }
        cases = [
            sql.SQL("WHEN EXISTS (SELECT FROM {} AS {} WHERE {}) THEN {}::text[]").format(
                self.table.name,
                _row,
                sql.SQL(" AND ").join(
                    sql.SQL("{} = {}").format(sql.Identifier(_ROW, name), given[name])
                    for name in columns
                ),
                sql.Literal([name for name in columns if name in self.updated]),
            )
            for columns in self.table.unique
            if given.keys() >= {*columns}
        ]
        if not cases:
            return sql.Literal([])
        return sql.SQL("CASE {} END").format(sql.SQL(" ").join(cases))

    def _moments(self, *kinds: str) -> list[str]:
        """Return the columns that Django sets to the current time."""
        return [
            name
            for name, field in self.table.fields.items()
            if isinstance(field, DateField | TimeField)
            and any(getattr(field, kind) for kind in kinds)
        ]
