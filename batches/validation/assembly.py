"""Assembly: from the targets of the input's columns to the columns that the batch sets."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from django.db import models
from psycopg import sql

from batches.context import Context
from batches.errors import RowErrorCode
from batches.spec import Action
from batches.targets import Target
from batches.validation import messages
from batches.validation.columns import CELLS, SameCells, SetColumn, Source
from batches.validation.conversion import CellForm, Conversion, Prepared, Problem, fails
from batches.validation.datetimes import date, datetime, same_moments
from batches.validation.foreign_keys import ForeignKeyCells, Lookup
from batches.validation.given import Given, cell_of, given_targets, leaves_of
from batches.validation.nested import nested, same_list, same_members, unflattened
from batches.validation.scalars import Cell, is_text, same_blanks, scalar
from batches.validation.unflattening import same_leaves, unflatten
from batches.validation.validators import with_validators
from longshore.database.column_types import db_type
from longshore.resources.columns import AnyField, Column, ColumnType, valued_field
from longshore.resources.field_sql import is_zoneless


@dataclass
class Assembly:
    """What the input sets.

    key: the column of the input with primary keys, which only new records may get.
    columns: by the name of the column on the resource, such as `location_id`.
    links: the cells of each many-to-many relation, by name.
    parts: the cells of each relation whose records are parts, by name.
    """

    key: SetColumn | None = None
    columns: dict[str, SetColumn] = field(default_factory=dict)
    links: dict[str, list[Given]] = field(default_factory=dict)
    parts: dict[str, list[Given]] = field(default_factory=dict)
    lookups: list[Lookup] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def assemble(
    context: Context, assigned: Sequence[Target | None], forms: Sequence[CellForm]
) -> Assembly:
    """Return what the columns of an input, and the batch's properties, set."""
    assembly = Assembly()
    groups: dict[str, list[Given]] = {}
    key = context.targets.primary_key
    for given in given_targets(context, assigned, forms):
        target = given.target
        if target.column == key and target.relation is None:
            if assembly.key is None:
                as_key = _source if context.resource.writable_key else _key_source
                source = as_key(context, given, key)
                model_field = context.targets.field(key)
                assembly.key = SetColumn(key, model_field, given.form, (source,), nullable=True)
        elif target.sets in context.targets.parts:
            assembly.parts.setdefault(target.sets, []).append(given)
        elif target.column is None:
            assembly.links.setdefault(target.sets, []).append(given)
        else:
            groups.setdefault(target.column.name, []).append(given)
    if context.spec.action is Action.DELETE:
        _keep_keys(context, assembly, groups)
    for name, group in groups.items():
        assembly.columns[name] = _column(context, assembly, group)
    return assembly


def _keep_keys(context: Context, assembly: Assembly, groups: dict[str, list[Given]]) -> None:
    """Drop everything that does not identify a record."""
    keys = {column.name for column in context.targets.key}
    ignored = [name for name in (*groups, *assembly.links, *assembly.parts) if name not in keys]
    for name in ignored:
        groups.pop(name, None)
        assembly.links.pop(name, None)
        assembly.parts.pop(name, None)
    if ignored:
        assembly.warnings.append(messages.not_used(ignored))


def _column(context: Context, assembly: Assembly, group: Sequence[Given]) -> SetColumn:
    column = group[0].target.column
    if column is None:
        raise TypeError(f"{group[0].target.name} sets no column")
    model_field = context.targets.field(column)
    # The input comes before the properties, and writes all cells of one column in one form.
    group = sorted(group, key=lambda given: given.number is None)
    form = group[0].form
    sources: list[Source]
    if any(given.target.path for given in group):
        sources = [_unflattened(context, column, model_field, group, form)]
    elif isinstance(model_field, models.ForeignKey):
        foreign_key = ForeignKeyCells(context, column, group, len(assembly.lookups))
        sources = foreign_key.sources()
        assembly.lookups += foreign_key.lookups
        assembly.warnings += foreign_key.warnings()
    else:
        sources = [_source(context, given, column) for given in group]
    # A row that deletes a record may name it by its primary key instead.
    is_deletion = context.spec.action is Action.DELETE
    is_required = column.name in context.resource.required and not is_deletion
    is_never_blank = is_text(column, model_field) and (is_required or not model_field.blank)
    is_key = any(column.name == each.name for each in context.targets.key)
    if is_never_blank and not is_deletion:
        # A record may have an empty text since before the model forbade it, but no key is empty.
        is_rule = not (is_key or is_required)
        sources = [_never_blank(source, is_rule=is_rule) for source in sources]
    nullable = model_field.null or is_deletion
    return SetColumn(
        column,
        model_field,
        form,
        tuple(sources),
        nullable,
        is_required=is_required,
        is_key=is_key,
        same_cells=_same_cells(context, column, group, form),
    )


def _same_cells(
    context: Context, column: Column, group: Sequence[Given], form: CellForm
) -> SameCells | None:
    if not form.is_table:
        return None
    model_field = context.targets.field(column)
    if column.kind is ColumnType.DATETIME:
        zoneless = is_zoneless(valued_field(model_field))
        return same_moments(form.options(context.spec.input), form, zoneless=zoneless)
    if column.kind is ColumnType.LIST:
        return same_list
    if db_type(model_field) != "jsonb":
        is_blank = form is CellForm.SHEET and is_text(column, model_field) and model_field.null
        return same_blanks if is_blank else None
    if any(given.target.path for given in group):
        return partial(same_leaves, leaves_of(group))
    return same_members


def _key_source(context: Context, given: Given, column: Column) -> Source:
    """Return the source of a primary key: a text of another type names no record."""
    conversion = _scalar(cell_of(context, given, column))
    noun = str(context.resource.model._meta.verbose_name)
    unknown = messages.no_such_record(conversion.text, noun, column.name)
    problems = tuple(
        replace(each, code=RowErrorCode.NOT_FOUND, message=unknown) for each in conversion.problems
    )
    return Source(given.target.name, replace(conversion, problems=problems), given.numbers)


def _source(context: Context, given: Given, column: Column) -> Source:
    cell = cell_of(context, given, column)
    return Source(given.target.name, with_validators(cell, _scalar(cell)), given.numbers)


def _scalar(cell: Cell) -> Conversion:
    match cell.column.kind:
        case ColumnType.LIST | ColumnType.JSON:
            return nested(cell)
        case ColumnType.DATE:
            return date(cell)
        case ColumnType.DATETIME:
            return datetime(cell)
        case _:
            return scalar(cell)


def _never_blank(source: Source, *, is_rule: bool) -> Source:
    blank = Problem(
        fails("{} = ''", source.conversion.text),
        RowErrorCode.MISSING_VALUE,
        messages.plain(messages.missing_value(source.name)),
        is_rule=is_rule,
    )
    problems = (blank, *source.conversion.problems)
    return replace(source, conversion=replace(source.conversion, problems=problems))


def _unflattened(
    context: Context,
    column: Column,
    model_field: AnyField,
    group: Sequence[Given],
    form: CellForm,
) -> Source:
    """Return the source of a JSON or list column whose parts are in several cells."""
    leaves = leaves_of(group)
    value, conflict = unflatten(leaves)
    texts = sql.SQL(", ").join(leaf.text for leaf in leaves)
    first = Prepared(f"text {column.name}", fails("coalesce({})", texts))
    text, options = sql.Identifier(CELLS, first.name), context.spec.input
    cell = Cell(column.name, column, model_field, sql.NULL, text, form, options, column.name)
    conversion = unflattened(cell, value, conflict)
    conversion = replace(conversion, prepared=(first, *conversion.prepared))
    numbers = tuple(number for given in group for number in given.numbers)
    return Source(column.name, conversion, numbers, is_composed=True)
