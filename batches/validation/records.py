"""Records: tests the records as they would be after the write.

Tested are the check constraints and unique indexes of the table, and the rules of the resource.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import psycopg
from psycopg import sql

from batches.context import Context
from batches.errors import RowErrorCode
from batches.spec import Duplicates
from batches.staging import Step
from batches.validation import messages
from batches.validation.catalog import (
    Check,
    UniqueIndex,
    checks,
    generated_columns,
    unique_indexes,
)
from batches.validation.cells import Cells
from batches.validation.columns import SetColumn
from batches.validation.defaults import Default, Defaults
from batches.validation.refusals import FAILED, Refusals
from longshore.database.tables import table_name
from longshore.resources.columns import column_name, primary_key

_CREATE, _UPDATE = sql.Literal(Step.CREATE), sql.Literal(Step.UPDATE)
_RECORDS = """(SELECT stored_columns.*{generated} FROM (
  SELECT plan."row" AS "batch row", plan.key AS "batch key", {columns}
  FROM {plan} AS plan JOIN {typed} AS typed ON typed.longshore_row = plan.row {stored}
  WHERE plan.step IN ({create}, {update}) AND typed.{failed} IS NULL AND {where}
 ) AS stored_columns) AS record"""
_STORED = "LEFT JOIN {table} AS stored ON stored.{key} = plan.key AND plan.step = {update}"
_VIOLATIONS = """SELECT record."batch row" AS "row", found."column", found.code, NULL AS value,
 found.message FROM {records} CROSS JOIN LATERAL (VALUES {tests})
 AS found (passes, "column", code, message) WHERE NOT found.passes"""
_KEYED = """(SELECT "batch row", "batch key", {expressions} FROM {records}
 WHERE ({condition}) AND {given})"""
_TAKEN = """SELECT DISTINCT keyed."batch row" AS "row", {column} AS "column", {code} AS code,
 NULL AS value, {message} AS message
FROM {keyed} AS keyed JOIN (SELECT {key} AS "batch key", {expressions} FROM {table}
 WHERE {condition}) AS stored ON {equal}
 AND stored."batch key" IS DISTINCT FROM keyed."batch key" """
_REPEATED = """SELECT keyed."batch row" AS "row", {column} AS "column", {code} AS code,
 NULL AS value, {message} AS message
FROM {keyed} AS keyed JOIN (SELECT {names}, min("batch row") AS first, max("batch row") AS last
 FROM {keyed} AS keyed GROUP BY {names} HAVING count(*) > 1) AS stored ON {equal}
WHERE {is_refused}"""
_ALL = sql.SQL("true")
_TOO_LARGE = "The numbers of the record are too large for the constraints of its table."


@dataclass
class Records:
    """Tests the records of one attempt.

    creates: whether the plan has rows that create records. updates: … that update them.
    """

    refusals: Refusals
    cells: Cells
    defaults: Defaults
    creates: bool
    updates: bool

    @property
    def context(self) -> Context:
        return self.refusals.context

    @cached_property
    def _generated(self) -> dict[str, sql.Composable]:
        return generated_columns(self.refusals.cursor, self.context.resource.model)

    def check(self) -> None:
        """Write the errors of records that violate a constraint or a rule."""
        tests = list(self._tests())
        if tests:
            self._add_safely(lambda where: self._violations(tests, where))
        for index in unique_indexes(self.refusals.cursor, self.context.resource.model):
            if self._concerns(index.columns) and not self._identifies(index):
                self.refusals.add(self._taken(index))
                self.refusals.add(self._repeated(index))

    def _tests(self) -> Iterator[sql.Composable]:
        found = checks(self.refusals.cursor, self.context.resource.model)
        for check in found:
            if self._concerns(check.columns):
                yield self._test(check.condition, self._column(check), check.message)
        for rule in self.context.resource.rules:
            condition = sql.SQL(rule.condition).format(row=sql.Identifier("record"))
            yield self._test(condition, rule.column, rule.message)

    def _test(self, condition: sql.Composable, column: str, message: str) -> sql.Composable:
        code = RowErrorCode.RULE_VIOLATED
        values = sql.SQL(", ").join(map(sql.Literal, (column, code, message)))
        return sql.SQL("(({})::boolean, {})").format(condition, values)

    def _column(self, check: Check) -> str:
        """Return the column that a violation names: that of a constraint of one column."""
        return self._name(check.columns[0]) if len(check.columns) == 1 else ""

    def _name(self, column: str) -> str:
        """Return the name on the resource of a column of the table."""
        fields = self.context.resource.model._meta.concrete_fields
        return next(each.attname for each in fields if column_name(each) == column)

    def _concerns(self, columns: Collection[str]) -> bool:
        """Return whether the batch may change the result of a test of these columns."""
        # Any column may change a generated one.
        changed = {*self._set, *self._generated}
        return self.creates or not changed.isdisjoint(columns)

    @property
    def _set(self) -> dict[str, SetColumn]:
        """The columns that the batch sets, by their names in the database."""
        return {each.name: each for each in self.cells.assembly.columns.values()}

    def _add_safely(
        self, build: Callable[[sql.Composable], sql.Composable], low: int = 0, high: int = -1
    ) -> None:
        """Write the errors of a query that may overflow, which then is divided until it does not.

        low, high: the rows, half-open; all without `high`.
        """
        cursor, row = self.refusals.cursor, sql.Identifier("plan", "row")
        where: sql.Composable = sql.SQL("true")
        if high >= 0:
            where = sql.SQL("{0} >= {1} AND {0} < {2}").format(row, low, high)
        try:
            with cursor.connection.transaction():
                self.refusals.add(build(where))
            return
        except psycopg.DataError:
            if high - low == 1:
                self.refusals.add(
                    sql.SQL(
                        'SELECT {}::bigint AS "row", {} AS "column", {} AS code, NULL AS value,'
                        " {} AS message"
                    ).format(*map(sql.Literal, (low, "", RowErrorCode.OUT_OF_RANGE, _TOO_LARGE)))
                )
                return
        if high < 0:
            cursor.execute(
                sql.SQL('SELECT min("row"), max("row") + 1 FROM {}').format(
                    self.context.staging.plan
                )
            )
            low, high = cursor.fetchone() or (0, 0)
        middle = (low + high) // 2
        self._add_safely(build, low, middle)
        self._add_safely(build, middle, high)

    def _violations(self, tests: Sequence[sql.Composable], where: sql.Composable) -> sql.Composable:
        return sql.SQL(_VIOLATIONS).format(
            records=self._records(where), tests=sql.SQL(", ").join(tests)
        )

    def _records(self, where: sql.Composable = _ALL) -> sql.Composable:
        """Return the records as a FROM item with the alias `record`. where: on `plan`."""
        model, staging = self.context.resource.model, self.context.staging
        stored: sql.Composable = sql.SQL("")
        key = sql.Identifier(primary_key(model))
        if self.updates:
            stored = sql.SQL(_STORED).format(table=table_name(model), key=key, update=_UPDATE)
        columns = [sql.SQL("plan.key AS {}").format(key)]
        columns += [
            sql.SQL("{} AS {}").format(self._value(name, default), sql.Identifier(name))
            for name, default in self.defaults.by_column.items()
        ]
        is_new = self.refusals.is_new(sql.Identifier("plan", "row"))
        generated = (
            sql.SQL(", {} AS {}").format(expression, sql.Identifier(name))
            for name, expression in self._generated.items()
        )
        return sql.SQL(_RECORDS).format(
            generated=sql.SQL("").join(generated),
            columns=sql.SQL(", ").join(columns),
            plan=staging.plan,
            typed=staging.typed,
            stored=stored,
            create=_CREATE,
            update=_UPDATE,
            failed=FAILED,
            where=sql.SQL("{} AND {}").format(where, is_new),
        )

    def _value(self, name: str, default: Default) -> sql.Composable:
        """Return SQL of a column's value after the write."""
        typed, stored = sql.Identifier("typed", name), sql.Identifier("stored", name)
        column = self._set.get(name)
        if column is None and default.call is None:
            created: sql.Composable = default.value or sql.NULL
        else:
            created = typed
        if not self.updates:
            return created
        if column is None:
            updated: sql.Composable = stored
        elif column.absent is None:
            updated = typed
        else:
            updated = sql.SQL(
                "CASE WHEN {} = ANY (typed.longshore_absent) THEN {} ELSE {} END"
            ).format(sql.Literal(column.name), stored, typed)
        if updated == created:
            return created
        return sql.SQL("CASE WHEN plan.step = {} THEN {} ELSE {} END").format(
            _CREATE, created, updated
        )

    def _identifies(self, index: UniqueIndex) -> bool:
        """Return whether rows were found by the columns of an index, so that it cannot fail."""
        key = {column_name(self.context.targets.field(each)) for each in self.context.targets.key}
        owner = self.context.resource.organization
        fields = self.context.resource.model._meta.concrete_fields
        key |= {column_name(each) for each in fields if each.name == owner}
        return self.cells.assembly.key is None and index.plain_columns == frozenset(key)

    def _keyed(self, index: UniqueIndex) -> sql.Composable:
        """Return a sub-select of the values of an index in the records."""
        given = [sql.SQL("({}) IS NOT NULL").format(expression) for expression in index.expressions]
        if index.nulls_are_equal:
            given = []
        return sql.SQL(_KEYED).format(
            expressions=_named(index.expressions),
            records=self._records(),
            condition=index.condition,
            given=sql.SQL(" AND ").join([*given, sql.SQL("true")]),
        )

    def _names(self, index: UniqueIndex) -> list[str]:
        """Return the names of the columns of an index, without the organization."""
        owner = self.context.resource.organization
        fields = self.context.resource.model._meta.concrete_fields
        return [
            each.attname
            for each in fields
            if column_name(each) in index.columns and each.name != owner
        ]

    def _taken(self, index: UniqueIndex) -> sql.Composable:
        model = self.context.resource.model
        names = self._names(index)
        message = index.message or messages.not_unique(names, str(model._meta.verbose_name))
        return sql.SQL(_TAKEN).format(
            column=sql.Literal(names[0] if len(names) == 1 else ""),
            code=sql.Literal(RowErrorCode.NOT_UNIQUE),
            message=sql.Literal(message),
            keyed=self._keyed(index),
            key=sql.Identifier(primary_key(model)),
            expressions=_named(index.expressions),
            table=table_name(model),
            condition=index.condition,
            equal=_equal(index),
        )

    def _repeated(self, index: UniqueIndex) -> sql.Composable:
        names = self._names(index)
        other = sql.SQL(
            '(CASE WHEN keyed."batch row" = stored.first THEN stored.last ELSE stored.first END)'
        )
        is_refused = sql.SQL("true")
        if self.context.spec.duplicates is Duplicates.USE_FIRST:
            is_refused = sql.SQL('keyed."batch row" <> stored.first')
        return sql.SQL(_REPEATED).format(
            column=sql.Literal(names[0] if len(names) == 1 else ""),
            code=sql.Literal(RowErrorCode.NOT_UNIQUE),
            message=messages.not_unique_in_input(self.context.place_of(other), names),
            keyed=self._keyed(index),
            names=sql.SQL(", ").join(_name(number) for number in range(len(index.expressions))),
            equal=_equal(index),
            is_refused=is_refused,
        )


def _name(number: int) -> sql.Identifier:
    return sql.Identifier(f"key {number}")


def _named(expressions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("({}) AS {}").format(expression, _name(number))
        for number, expression in enumerate(expressions)
    )


def _equal(index: UniqueIndex) -> sql.Composable:
    operator = sql.SQL("IS NOT DISTINCT FROM" if index.nulls_are_equal else "=")
    return sql.SQL(" AND ").join(
        sql.SQL("keyed.{0} {1} stored.{0}").format(_name(number), operator)
        for number in range(len(index.expressions))
    )
