"""Conversions: SQL that reads the value of a column from a text, and the tests for its errors.

A conversion tests the text step by step and casts it only when every test has passed, so a cast
never raises an error. A statement that writes errors repeats the tests for refused texts only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from psycopg import sql

from batches.errors import RowErrorCode
from batches.spec import InputOptions


class CellForm(StrEnum):
    """How the input writes cells.

    TABLE: as text: an empty cell is null, a list is merged into one text.
    SHEET: as TABLE, except that an empty text is null, and datetimes have milliseconds.
    TYPED: as TABLE, from a column that is not text: datetimes are ISO 8601, numbers have a decimal
        point.
    JSON: scalars as text; lists, objects and related records as JSON.
    TYPED_JSON: as JSON, from lists and objects whose members have types, as TYPED.
    """

    TABLE = "table"
    SHEET = "sheet"
    TYPED = "typed"
    JSON = "json"
    TYPED_JSON = "typed_json"

    @property
    def is_json(self) -> bool:
        return self in (CellForm.JSON, CellForm.TYPED_JSON)

    @property
    def is_table(self) -> bool:
        return not self.is_json

    def options(self, options: InputOptions) -> InputOptions:
        """Return the options of a batch without those that do not apply to cells of this form."""
        if self not in (CellForm.TYPED, CellForm.TYPED_JSON):
            return options
        return replace(options, datetime_format=None, decimal_separator=".")


@dataclass(frozen=True)
class Problem:
    """A mistake that a text may have.

    fails: SQL of a boolean: true if the text has the mistake. It may rely on the conversion's
        earlier problems being false, and is null or false for a null text.
    message: SQL of the sentence.
    choices: the accepted texts; the error message suggests the closest one.
    is_rule: whether the text is a value of the column's type that a rule of the model refuses. A
        record may have it since before the rule (`batches.validation.stored`).
    """

    fails: sql.Composable
    code: RowErrorCode
    message: sql.Composable
    choices: tuple[str, ...] = ()
    is_rule: bool = False


@dataclass(frozen=True)
class Prepared:
    """A column that a sub-select computes first, because a conversion uses it several times."""

    name: str
    value: sql.Composable


@dataclass(frozen=True)
class Conversion:
    """How one text becomes a value.

    result: SQL of the value of a text without problems.
    problems: in the order in which they are tested.
    prepared: columns that `result` and `problems` use.
    joins: joins that they need.
    text: SQL of the text that errors show.
    """

    result: sql.Composable
    problems: tuple[Problem, ...] = ()
    prepared: tuple[Prepared, ...] = ()
    joins: tuple[sql.Composable, ...] = ()
    text: sql.Composable = field(kw_only=True)

    @property
    def value(self) -> sql.Composable:
        """SQL of the value; null for a text with a problem."""
        if not self.problems:
            return self.result
        tests = sql.SQL(" ").join(
            sql.SQL("WHEN {} THEN NULL").format(each.fails) for each in self.problems
        )
        return sql.SQL("CASE {} ELSE {} END").format(tests, self.result)

    def with_problems(self, *problems: Problem) -> "Conversion":
        """Return the conversion with further tests after its own."""
        return replace(self, problems=(*self.problems, *problems))


def fails(template: str, *values: sql.Composable, **named: sql.Composable) -> sql.Composed:
    """Return SQL of a test: a template of this source code with its values."""
    return sql.SQL(template).format(*values, **named)


def first_problem(problems: Sequence[Problem]) -> sql.Composable:
    """Return SQL of the position of the first problem that a text has; null without one."""
    tests = sql.SQL(" ").join(
        sql.SQL("WHEN {} THEN {}").format(each.fails, sql.Literal(position))
        for position, each in enumerate(problems)
    )
    return sql.SQL("CASE {} END").format(tests)
