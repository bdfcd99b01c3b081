"""Writes the planned records of one table: of the rows of the input, or of their parts."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import connection
from psycopg import sql

from batches.context import Context
from batches.errors import RowErrorCode
from batches.merging import refusals
from batches.merging.chunks import Refused
from batches.merging.deletion import Deletion
from batches.merging.journal import Journal, execute
from batches.merging.links import links_of
from batches.merging.preparation import count_steps, index, make_statements
from batches.merging.refusals import Refusal
from batches.merging.rows import Rows
from batches.merging.tables import Table
from batches.parts import MAX_PARTS, record_of
from batches.staging import TYPED_ROW, Step
from batches.validation.keys import assign_keys

_LEAVE_OUT = """DELETE FROM {plan} AS part WHERE {among} AND NOT EXISTS (
 SELECT FROM {outer} AS record WHERE record.row = {record} AND record.key::text IN ({written}))"""
_REFER = """UPDATE {typed} AS typed SET {column} = record.key FROM {outer} AS record
WHERE {among} AND record.row = {record} AND typed.{column} IS DISTINCT FROM record.key"""


@dataclass(frozen=True)
class Staged:
    """The staged records of one table.

    create_only: the columns of `typed` that only created records get, such as the organization and
        the defaults of columns that the input does not have.
    relations: the many-to-many relations that the input gives. A row that has the name of one in
        `absent` keeps its links.
    computed: SQL of further columns of created records, by their names in the database.
    parts: the parts that are written with these records.
    gives_keys: whether the rows give new records their primary keys.
    """

    context: Context
    create_only: Collection[str] = ()
    relations: Collection[str] = ()
    computed: Mapping[str, sql.Composable] | None = None
    parts: "Sequence[Staged]" = ()
    gives_keys: bool = False


@dataclass
class Counts:
    """Rows by outcome. They grow while the batch runs; another thread may read them.

    total: rows to write, without the unchanged ones.
    """

    total: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: int = 0

    def set(self, others: "Counts") -> None:
        """Update in place: another thread holds a reference to this object."""
        vars(self).update(vars(others))

    @property
    def processed(self) -> int:
        """The rows of `total` whose outcome is known."""
        return self.created + self.updated + self.deleted + self.failed


class Records:
    """The writing of the records of one table, in the current transaction. Threads may share it."""

    def __init__(self, staged: Staged) -> None:
        self.context = staged.context
        self._create_only = frozenset(staged.create_only)
        self._computed = staged.computed or {}
        self._links = links_of(staged.context, tuple(staged.relations))
        self._journal = Journal(staged.context.batch)
        self._parts = [Records(each) for each in staged.parts]
        self._gives_keys = staged.gives_keys

    @property
    def contexts(self) -> Iterator[Context]:
        """The contexts of all records that are written with these, and of these."""
        yield self.context
        for part in self._parts:
            yield from part.contexts

    def prepare(self) -> None:
        """Create what the statements need, once the plan is final."""
        self._statements = make_statements(
            self.context,
            self._create_only,
            self._computed,
            [part.context.staging for part in self._parts],
            gives_keys=self._gives_keys,
        )
        for part in self._parts:
            index(part.context.staging)
            with connection.cursor() as cursor:
                assign_keys(cursor, part.context)
            part.prepare()

    def write(self, rows: Rows) -> tuple[Counts, list[Refusal]]:
        """Write records with their parts. Returns also the rows that were not written.

        Raises Refused with the rows whose parts cannot be written.
        """
        statements, written, before = self._statements, Counts(), self._journal.number
        planned = count_steps(self.context.staging, rows)
        to_write, refused = planned[Step.CREATE] + planned[Step.UPDATE], list[Refusal]()
        if planned[Step.CREATE] and statements.has_key and not statements.key_is_unique:
            execute(statements.lock_key())
            planned, refused = self._replan(rows, planned, before)
        if planned[Step.CREATE]:
            ((written.created,),) = execute(statements.insert(rows))
        if written.created < planned[Step.CREATE] and statements.has_key:
            planned, refused_later = self._replan(rows, planned, before)
            refused += refused_later
        if planned[Step.UPDATE]:
            execute(statements.lock(rows))
            ((written.updated,),) = execute(statements.update(rows))
        for links in self._links:
            for statement in links.replace(self.context, rows, before):
                execute(statement)
        written.unchanged = to_write - planned[Step.CREATE] - planned[Step.UPDATE] - len(refused)
        if written.created + written.updated < planned[Step.CREATE] + planned[Step.UPDATE]:
            refused += self._unwritten(rows, before)
        for part in self._parts:
            part.write_parts(rows, before)
        return written, refused

    def write_parts(self, outer: Rows, after: int) -> None:
        """Write the parts of records that entries of the journal after a number name.

        Raises Refused.
        """
        rows = Rows(outer.first * MAX_PARTS, (outer.last + 1) * MAX_PARTS - 1)
        self._take_over(rows, after)
        self._delete_absent(outer, after)
        _, refused = self.write(rows)
        if refused:
            raise Refused([_of_row(self.context, each) for each in refused])

    def _take_over(self, rows: Rows, after: int) -> None:
        """Leave the parts of unwritten records out, and give the others the keys of their records,
        which may have changed since the plan."""
        context, part = self.context, self.context.part
        if part is None or context.outer is None:
            raise TypeError(f"{context.resource.name} is not a part")
        named = {
            "plan": context.staging.plan,
            "typed": context.staging.typed,
            "outer": context.outer.staging.plan,
            "column": sql.Identifier(part.column),
            "written": self._journal.keys_since(Table(context.outer.resource.model), after),
        }
        for template, alias, row in ((_LEAVE_OUT, "part", "row"), (_REFER, "typed", TYPED_ROW)):
            record = record_of(sql.Identifier(alias, row))
            execute(sql.SQL(template).format(record=record, among=rows.among(alias), **named))

    def _delete_absent(self, outer: Rows, after: int) -> None:
        """Delete the stored parts that an `overwrite` does not name. Raises Refused."""
        part, context = self.context.part, self.context.outer
        if part is None or context is None or not self.context.replaces_parts:
            return
        absent = sql.SQL(
            "SELECT absent.row, absent.key FROM {} AS absent JOIN {} AS plan USING (row)"
            " WHERE {} AND plan.key::text IN ({})"
        )
        refused = Deletion(self.context).delete(
            absent.format(
                self.context.staging.absent,
                context.staging.plan,
                outer.among("absent", "plan"),
                self._journal.keys_since(Table(context.resource.model), after),
            ),
            ignore_missing=True,
        )
        if refused:
            named = (replace(each, column=part.relation.name) for each in refused)
            raise Refused([_of_row(context, each) for each in named])

    def _replan(
        self, rows: Rows, planned: Counter[str], after: int
    ) -> tuple[Counter[str], list[Refusal]]:
        """Let rows update the records that were created since the plan, with the same key.

        after: number of the journal, before the first entry of these rows.
        Returns the planned steps, and the rows that are refused because they may only create.
        """
        replanned = execute(self._statements.replan(rows, after))
        planned = planned + Counter(step for _, step in replanned)
        planned[Step.CREATE] -= len(replanned)
        message = refusals.already_exists(self.context.targets)
        return planned, [
            Refusal(row, RowErrorCode.ALREADY_EXISTS, message)
            for row, step in replanned
            if step == Step.REFUSED
        ]

    def _unwritten(self, rows: Rows, before: int) -> list[Refusal]:
        """Return the rows that are not written although the database raised no error."""
        refused = []
        for row, step, key, exists, taken in execute(self._statements.unwritten(rows, before)):
            if step == Step.CREATE:
                columns = taken or []
                message = refusals.conflict(columns)
                refused.append(Refusal(row, RowErrorCode.CONFLICT, message, ", ".join(columns)))
            elif exists:
                message = "A trigger of the database kept the record from being written."
                refused.append(Refusal(row, RowErrorCode.RULE_VIOLATED, message))
            else:
                refused.append(refusals.not_found(row, self.context.targets, key))
        return refused


def _of_row(context: Context, refusal: Refusal) -> Refusal:
    """Return the refusal of the row of the input that has a record or its part.

    context: of the record whose number the refusal has as its row.
    """
    number = sql.Literal(refusal.row)
    row, path = context.row_of(number), context.path_of(number, sql.Literal(refusal.column))
    record: sql.Composable = number
    while context.outer is not None:
        record, context = record_of(record), context.outer
    ((row, stands_for, path),) = execute(sql.SQL("SELECT {}, {}, {}").format(row, record, path))
    return replace(refusal, row=row, record=stands_for, column=path)
