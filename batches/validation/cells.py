"""Cells: creates `typed` from `input` in one pass, and writes the errors of cells.

While validation runs, `typed` has two more columns than at its end: `GIVEN_KEY` and `FAILED`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from batches.context import Context
from batches.staging import TYPED_ABSENT, TYPED_ROW
from batches.validation import messages
from batches.validation.assembly import Assembly
from batches.validation.columns import CELLS, SetColumn, Source, absence
from batches.validation.conversion import Problem, first_problem
from batches.validation.refusals import FAILED, ROW, Refusals
from longshore.api.errors import MAX_SHOWN_CHARACTERS

# The primary key that the row gives, converted.
GIVEN_KEY = sql.Identifier("given key")
# Distinct refused texts of one column for which a choice is suggested.
_MAX_SUGGESTIONS = 1_000

_READ = """CREATE UNLOGGED TABLE {typed} AS
SELECT {outputs} FROM (SELECT cells.*, {values} FROM {cells} {joins} OFFSET '0') AS cells"""
_ERRORS = """SELECT cells."row", {column} AS "column", {code} AS code, {value} AS value,
 {message} AS message FROM {cells} {joins} CROSS JOIN LATERAL (SELECT {first} AS number OFFSET '0')
 AS problem"""


class Cells:
    """The cells of one attempt: `columns`, in the order of their positions in `FAILED`."""

    def __init__(self, context: Context, assembly: Assembly) -> None:
        self.context = context
        self.assembly = assembly
        self.columns = list(assembly.columns.values())
        if assembly.key is not None:
            self.columns.append(assembly.key)

    def read(self, cursor: psycopg.Cursor[Any]) -> None:
        """Create `typed` with the value of each cell: null for a refused one."""
        values = [sql.Identifier(f"value {position}") for position in range(len(self.columns))]
        selected: list[sql.Composable] = [
            sql.SQL("{} AS {}").format(column.value, value)
            for column, value in zip(self.columns, values, strict=True)
        ]
        # A row of an input without columns still counts.
        selected = selected or [sql.SQL("NULL AS unused")]
        cursor.execute(
            sql.SQL(_READ).format(
                typed=self.context.staging.typed,
                outputs=sql.SQL(", ").join(self._outputs(values)),
                values=sql.SQL(", ").join(selected),
                cells=self.of(self.columns),
                joins=joins_of(self.columns),
            )
        )
        # Without statistics, PostgreSQL expects almost no row without errors.
        cursor.execute(
            sql.SQL("ANALYZE {} ({})").format(
                self.context.staging.typed, sql.SQL(", ").join(self._identifying())
            )
        )

    def _identifying(self) -> Iterator[sql.Composable]:
        """Yield the columns of `typed` that joins and conditions of later statements use."""
        yield from (sql.Identifier(TYPED_ROW), FAILED)
        if self.assembly.key is not None:
            yield GIVEN_KEY
        for column in self.context.targets.key:
            if found := self.assembly.columns.get(column.name):
                yield sql.Identifier(found.name)

    def failed(self, cursor: psycopg.Cursor[Any]) -> list[int]:
        """Return the positions of the columns with refused cells."""
        query = sql.SQL("SELECT DISTINCT unnest({}) FROM {}")
        cursor.execute(query.format(FAILED, self.context.staging.typed))
        return sorted(position for (position,) in cursor.fetchall())

    def refuse(self, refusals: Refusals) -> None:
        """Write the errors of cells; only those of the first rows if they are too many."""
        cursor, typed = refusals.cursor, self.context.staging.typed
        last: sql.Composable = sql.SQL("true")
        if refusals.are_too_many():
            last = sql.SQL(
                "typed.longshore_row <= (SELECT max(longshore_row) FROM (SELECT longshore_row"
                " FROM {} AS failed WHERE {} IS NOT NULL AND {}"
                " ORDER BY longshore_row LIMIT {}) AS first)"
            ).format(
                typed,
                FAILED,
                refusals.is_new(sql.Identifier("failed", TYPED_ROW)),
                sql.Literal((self.context.spec.max_errors or 0) + 1),
            )
        for position in self.failed(cursor):
            is_failed = sql.SQL("{} = ANY (typed.{}) AND {}").format(
                sql.Literal(position), FAILED, last
            )
            self._refuse_column(refusals, self.columns[position], is_failed)

    def _outputs(self, values: Sequence[sql.Composable]) -> Iterator[sql.Composable]:
        yield sql.SQL("{} AS {}").format(ROW, sql.Identifier(TYPED_ROW))
        yield sql.SQL("{} AS {}").format(self._absent(), sql.Identifier(TYPED_ABSENT))
        tests = []
        is_named: sql.Composable | None = None
        if self.assembly.key is not None:
            is_named = sql.SQL(" OR ").join(each.given for each in self.assembly.key.sources)
        for position, (column, value) in enumerate(zip(self.columns, values, strict=True)):
            test = column.is_refused(value, is_named)
            tests.append((test, sql.SQL("CASE WHEN {} THEN {}::smallint END").format(
                test, sql.Literal(position))))  # fmt: skip
            name = sql.Identifier(column.name)
            if column is self.assembly.key:
                name = GIVEN_KEY
            elif column.default is not None and column.absent is not None:
                value = sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(
                    column.absent, column.default, value
                )
            yield sql.SQL("{} AS {}").format(value, name)
        failed: sql.Composable = sql.SQL("NULL::smallint[]")
        if tests:
            failed = sql.SQL("CASE WHEN {} THEN array_remove(ARRAY[{}], NULL) END").format(
                sql.SQL(" OR ").join(test for test, _ in tests),
                sql.SQL(", ").join(position for _, position in tests),
            )
        yield sql.SQL("{} AS {}").format(failed, FAILED)

    def _absent(self) -> sql.Composable:
        """Return SQL of the names of columns and relations that a row does not set."""
        tests = {column.name: column.absent for column in self.assembly.columns.values()}
        for name, cells in self.assembly.links.items():
            tests[name] = absence(cells[0].form, (cell.numbers for cell in cells))
        names = [
            sql.SQL("CASE WHEN {} THEN {} END").format(test, sql.Literal(name))
            for name, test in tests.items()
            if test is not None
        ]
        if not names:
            return sql.SQL("NULL::text[]")
        return sql.SQL(
            "CASE WHEN cells.absent IS NOT NULL THEN"
            " nullif(array_remove(ARRAY[{}]::text[], NULL), '{{}}') END"
        ).format(sql.SQL(", ").join(names))

    def of(
        self, columns: Iterable[SetColumn], where: sql.Composable | None = None
    ) -> sql.Composable:
        """Return the input with the prepared columns as a FROM item. where: on `typed`."""
        columns = list(columns)
        used = {number for column in columns for number in column.used}
        # Not all columns: those of flattened headers would exceed the limit of a SELECT list.
        cells = [
            ROW,
            sql.Identifier("absent"),
            *(sql.Identifier(f"c{each}") for each in sorted(used)),
        ]
        selected: list[sql.Composable] = [sql.SQL("input.{}").format(each) for each in cells]
        selected += [
            sql.SQL("{} AS {}").format(each.value, sql.Identifier(each.name))
            for column in columns
            for each in column.prepared
        ]
        source = sql.SQL("{} AS input").format(self.context.staging.input)
        if where is not None:
            source = sql.SQL(
                '{} JOIN {} AS typed ON typed.longshore_row = input."row" AND {}'
            ).format(source, self.context.staging.typed, where)
        return sql.SQL("(SELECT {} FROM {} OFFSET '0') AS {}").format(
            sql.SQL(", ").join(selected), source, sql.Identifier(CELLS)
        )

    def _refuse_column(
        self, refusals: Refusals, column: SetColumn, is_failed: sql.Composable
    ) -> None:
        found = column.refusals()
        first = first_problem([problem for _, problem in found])
        cells = self.of([column], is_failed)
        joins = joins_of([column])
        for number, (source, problem) in enumerate(found):
            if problem.choices:
                hinted = self._with_suggestions(
                    refusals.cursor, source, problem, number, (first, cells, joins)
                )
                found[number] = source, hinted

        def choose(values: Iterable[sql.Composable]) -> sql.Composable:
            cases = sql.SQL(" ").join(
                sql.SQL("WHEN {} THEN {}").format(sql.Literal(number), value)
                for number, value in enumerate(values)
            )
            return sql.SQL("CASE problem.number {} END").format(cases)

        refusals.add(
            sql.SQL(_ERRORS).format(
                column=choose(sql.Literal(source.name) for source, _ in found),
                code=choose(sql.Literal(problem.code) for _, problem in found),
                value=choose(messages.shortened(source.conversion.text) for source, _ in found),
                message=choose(problem.message for _, problem in found),
                cells=cells,
                joins=joins,
                first=first,
            )
        )

    def _with_suggestions(
        self,
        cursor: psycopg.Cursor[Any],
        source: Source,
        problem: Problem,
        number: int,
        refused: tuple[sql.Composable, sql.Composable, sql.Composable],
    ) -> Problem:
        """Return a problem of choices whose message suggests a choice for the refused texts."""
        first, cells, joins = refused
        text = source.conversion.text
        query = sql.SQL(
            "SELECT {0}, count(*) FROM {1} {2} WHERE {3} = {4} AND length({0}) <= {5}"
            " GROUP BY 1 ORDER BY 2 DESC LIMIT {6}"
        )
        limit = MAX_SHOWN_CHARACTERS
        cursor.execute(
            query.format(
                text, cells, joins, first, *map(sql.Literal, (number, limit, _MAX_SUGGESTIONS))
            )
        )
        hints = {
            value: messages.not_a_choice(value, source.name, problem.choices)
            for value, _ in cursor.fetchall()
        }
        general = messages.not_a_choice("", source.name, problem.choices, suggest=False)
        message = sql.SQL("{} || coalesce({}::jsonb ->> {}, {})").format(
            messages.shown(text), sql.Literal(json.dumps(hints)), text, sql.Literal(general)
        )
        return Problem(problem.fails, problem.code, message)


def joins_of(columns: Iterable[SetColumn]) -> sql.Composable:
    """Return the joins that the values of columns need beside `Cells.of`."""
    return sql.SQL(" ").join(join for column in columns for join in column.joins)
