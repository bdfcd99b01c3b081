"""The columns that a batch sets, each with the cells of the input that its value comes from.

Several columns of the input may set one column of the table: an id and a label of one relation,
the flattened headers of a JSON value, or a cell and its default in `properties`. For each row, the
first one that has a value decides.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from psycopg import sql

from batches.errors import RowErrorCode
from batches.validation import messages
from batches.validation.conversion import CellForm, Conversion, Prepared, Problem, fails
from batches.validation.nested import empty_value
from batches.validation.scalars import is_text
from longshore.resources.columns import AnyField, Column, column_name

# From SQL of a stored and of a given value to SQL of a boolean.
SameCells: TypeAlias = Callable[[sql.Composable, sql.Composable], sql.Composable]
CELLS = "cells"
ABSENT = sql.Identifier(CELLS, "absent")


@dataclass(frozen=True)
class Source:
    """A cell from which a column may get its value.

    name: of the target, for errors.
    numbers: of the columns of the input; empty for a constant.
    is_composed: whether the conversion uses prepared columns only, and not those of the input.
    """

    name: str
    conversion: Conversion
    numbers: tuple[int, ...] = ()
    is_composed: bool = False

    @property
    def given(self) -> sql.Composable:
        """SQL of a test whether the cell is not null."""
        return fails("{} IS NOT NULL", self.conversion.text)

    @property
    def without_rules(self) -> "Source":
        problems = tuple(each for each in self.conversion.problems if not each.is_rule)
        return replace(self, conversion=replace(self.conversion, problems=problems))


@dataclass(frozen=True)
class SetColumn:
    """A column of the table that the batch sets.

    sources: in the order of precedence.
    nullable: whether the value may be null.
    default: SQL of the value of a created record for which the input has none; None without one.
    is_required: whether every record must have a value.
    is_key: whether the column is one of the resource's key: a row without a value may still name
        its record by the primary key.
    same_cells: from SQL of a stored and a given value to SQL of a test whether both have the same
        cells; then the stored value stays. None if cells show values exactly.
    """

    column: Column
    field: AnyField
    form: CellForm
    sources: tuple[Source, ...]
    nullable: bool
    default: sql.Composable | None = None
    is_required: bool = False
    is_key: bool = False
    same_cells: SameCells | None = None

    @property
    def name(self) -> str:
        """The name of the column in the database."""
        return column_name(self.field)

    @property
    def absent(self) -> sql.Composable | None:
        """SQL of a test whether a row does not set the column; None if every row sets it."""
        return absence(self.form, (source.numbers for source in self.sources))

    @property
    def prepared(self) -> list[Prepared]:
        return [each for source in self.sources for each in source.conversion.prepared]

    @property
    def used(self) -> list[int]:
        """The numbers of the columns of the input that the conversions use."""
        composed = (source.numbers for source in self.sources if not source.is_composed)
        return [number for numbers in composed for number in numbers]

    @property
    def joins(self) -> list[sql.Composable]:
        return [each for source in self.sources for each in source.conversion.joins]

    @property
    def value(self) -> sql.Composable:
        """SQL of the value; null if it is null or refused."""
        otherwise = self._empty
        if len(self.sources) == 1 and otherwise is None:
            return self.sources[0].conversion.value
        cases = sql.SQL(" ").join(
            sql.SQL("WHEN {} THEN {}").format(test, source.conversion.value)
            for test, source in self._cases()
        )
        return sql.SQL("CASE {} ELSE {} END").format(cases, otherwise or sql.NULL)

    @property
    def without_rules(self) -> "SetColumn | None":
        """The column without the problems that are rules of the model; None if it has none."""
        sources = tuple(each.without_rules for each in self.sources)
        return None if sources == self.sources else replace(self, sources=sources)

    def is_refused(
        self, value: sql.Composable, is_named: sql.Composable | None = None
    ) -> sql.Composable:
        """Return SQL of a test whether a row has an error in this column.

        value: SQL of the column's value.
        is_named: SQL of a test whether the row gives a primary key; None without a column of them.
        """
        is_null = fails("{} IS NULL", value)
        if self.is_key:
            # Without a primary key, an empty key is an error of the row: it names no record.
            given = sql.SQL(" OR ").join(
                fails("{} <> ''", source.conversion.text) for source in self.sources
            )
            test = fails("({} OR {})", given, is_named or sql.SQL("false"))
            is_null = fails("({} AND {})", is_null, test)
        if self.is_required:
            return is_null
        if self.nullable:
            given = sql.SQL(" OR ").join(test for test, _ in self._cases())
            is_null = fails("({} AND ({}))", is_null, given)
        if self.absent is None:
            return is_null
        return fails("({} AND NOT ({}))", is_null, self.absent)

    def refusals(self) -> list[tuple[Source, Problem]]:
        """Return all problems in the order of their tests, each with the cell that has it."""
        found = [
            (source, replace(problem, fails=fails("({}) AND ({})", test, problem.fails)))
            for test, source in self._cases()
            for problem in source.conversion.problems
        ]
        missing = Problem(
            sql.SQL("true"),
            RowErrorCode.MISSING_VALUE,
            messages.plain(messages.missing_value(self.sources[0].name)),
        )
        return [*found, (self.sources[0], missing)]

    @property
    def _empty(self) -> sql.Composable | None:
        """SQL of the value of a null cell of a table, if that is not null."""
        if self.form.is_json or self.nullable or self.is_required:
            return None
        if is_blank_text(self.column, self.field):
            return sql.Literal("")
        return empty_value(self.field, self.column.kind)

    def _cases(self) -> list[tuple[sql.Composable, Source]]:
        """Return the sources, each with a test whether it decides if no earlier one does."""
        cases = []
        for source in self.sources:
            test = source.given
            if not source.numbers and self.form.is_json and len(self.sources) > 1:
                # A null that the input gives is a value.
                numbers = (each.numbers for each in self.sources if each.numbers)
                test = absence(self.form, numbers) or test
            cases.append((test, source))
        return cases


def absence(form: CellForm, numbers: Iterable[tuple[int, ...]]) -> sql.Composable | None:
    """Return SQL of a test whether columns of the input are all absent from a row.

    None if they never are: in a table, or if one of them is a constant.
    """
    found = list(numbers)
    if form.is_table or () in found:
        return None
    tests = sql.SQL(" AND ").join(
        sql.SQL("{} = ANY ({})").format(sql.Literal(number), ABSENT)
        for each in found
        for number in each
    )
    return sql.SQL("({} IS NOT NULL AND {})").format(ABSENT, tests)


def is_blank_text(column: Column, model_field: AnyField) -> bool:
    """Return whether an empty text is a value of a column without choices, or one of them."""
    if not is_text(column, model_field):
        return False
    return bool(model_field.blank) and (not column.choices or "" in column.choices)
