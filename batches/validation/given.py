"""The targets that an input and the properties of a batch set, with their cells."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from psycopg import sql

from batches.context import Context
from batches.targets import Target
from batches.validation.columns import CELLS
from batches.validation.conversion import CellForm, fails
from batches.validation.nested import is_list_valued
from batches.validation.scalars import Cell, is_text
from batches.validation.unflattening import Leaf
from longshore.resources.columns import AnyField, Column, ColumnType

# The alias of `Staging.input` in the sub-select that computes prepared columns.
INPUT = "input"


@dataclass(frozen=True)
class Given:
    """A target with the cell that holds its value: a column of the input, or a constant."""

    target: Target
    number: int | None
    constant: str | None
    form: CellForm

    @property
    def numbers(self) -> tuple[int, ...]:
        return () if self.number is None else (self.number,)

    def cell(self, alias: str) -> sql.Composable:
        if self.number is None:
            return fails("{}::text", sql.Literal(self.constant))
        return sql.Identifier(alias, f"c{self.number}")


def given_targets(
    context: Context, assigned: Sequence[Target | None], forms: Sequence[CellForm]
) -> Iterator[Given]:
    """Yield the targets of the columns of an input, then those of the batch's properties."""
    for number, (target, form) in enumerate(zip(assigned, forms, strict=True)):
        if target is not None:
            yield Given(target, number, None, form)
    for name, value in context.spec.properties.items():
        target = context.targets.find(name)
        if target is not None and value is not None:
            yield Given(target, None, _text(target, value), CellForm.JSON)


def cell_of(context: Context, given: Given, column: Column) -> Cell:
    """Return the cell of a target as conversions of a column use it."""
    model_field = context.targets.field(column)
    raw, text = given.cell(INPUT), given.cell(CELLS)
    is_null = given.form.is_table and not _keeps_empty(column, model_field)
    # An empty primary key names no record, even if it is a text of JSON or quoted in CSV.
    if is_null or model_field.primary_key:
        raw, text = (fails("nullif({}, '')", each) for each in (raw, text))
    if _may_be_json_null(column, model_field, given.form):
        raw, text = (fails("nullif({}, 'null')", each) for each in (raw, text))
    suffix = f"p {column.name}" if given.number is None else str(given.number)
    options = given.form.options(context.spec.input)
    return Cell(given.target.name, column, model_field, raw, text, given.form, options, suffix)


def _keeps_empty(column: Column, model_field: AnyField) -> bool:
    """Return whether an empty text of a table is a value; otherwise it is null."""
    if isinstance(model_field, models.ForeignKey):
        return False
    if is_text(column, model_field):
        return not column.choices or "" in column.choices
    if column.kind is ColumnType.JSON:
        return is_list_valued(model_field)
    return column.kind is ColumnType.LIST


def _may_be_json_null(column: Column, model_field: AnyField, form: CellForm) -> bool:
    """Return whether the text `null` is JSON's null, which is a null of the database."""
    is_json = column.kind in (ColumnType.JSON, ColumnType.LIST)
    if form.is_json:
        return is_json
    return column.kind is ColumnType.JSON and not is_list_valued(model_field)


def _text(target: Target, value: Any) -> str:
    """Return the text of a property, as the parser of a JSON input would."""
    nested_kinds = (ColumnType.JSON, ColumnType.LIST)
    if target.relation or (target.column and target.column.kind in nested_kinds):
        return json.dumps(value)
    return value if isinstance(value, str) else json.dumps(value)


def leaves_of(group: Sequence[Given]) -> list[Leaf]:
    """Return the cells of flattened headers."""
    return [Leaf(given.target.path, given.cell(INPUT), given.form) for given in group]
