"""The validators of model fields: as SQL where that is exact, otherwise called from Python."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core import validators
from django.core.exceptions import ValidationError
from django.db import models
from psycopg import sql

from batches.errors import RowErrorCode
from batches.validation import messages
from batches.validation.conversion import Conversion, Problem, fails
from batches.validation.scalars import Cell, is_text
from longshore.resources.columns import AnyField, Column

# Their rules are those of the column's type.
_IN_THE_TYPE = (validators.DecimalValidator, validators.ProhibitNullCharactersValidator)
_LENGTHS = (validators.MaxLengthValidator, validators.MinLengthValidator)
# Errors of the members of one list.
_MAX_ERRORS = 5
_BOUNDS: dict[type[validators.BaseValidator], tuple[str, str]] = {
    validators.MinValueValidator: ("<", "at least"),
    validators.MaxValueValidator: (">", "at most"),
}


def with_validators(cell: Cell, conversion: Conversion) -> Conversion:
    """Return a conversion with the tests of choices and of validators that SQL performs."""
    if isinstance(cell.field, models.ForeignKey):
        return conversion
    problems = list(_problems(cell, conversion.result))
    return conversion.with_problems(*problems)


def python_validators(column: Column, field: AnyField) -> list[Callable[[Any], None]]:
    """Return the validators of a field that only Python can call."""
    if isinstance(field, models.ForeignKey | models.GenericIPAddressField):
        return []
    found = [each for each in _validators(field) if not _is_sql(each, column, field)]
    if isinstance(field, ArrayField) and (validators_of_members := _validators_of_members(field)):
        found.append(partial(_validate_members, validators_of_members))
    return found


def _validators_of_members(field: "ArrayField[Any, Any]") -> list[Any]:
    """Return the validators of the members of a list, except those of the column's type."""
    base: Any = field.base_field
    # The property `validators` of a number adds the range of its type.
    declared = (*base.default_validators, *base._validators)
    is_length = validators.MaxLengthValidator
    return [
        each
        for each in declared
        if not isinstance(each, _IN_THE_TYPE)
        and not (type(each) is is_length and each.limit_value == base.max_length)
    ]


def _validate_members(members: Sequence[Callable[[Any], None]], value: Sequence[Any]) -> None:
    errors: list[str] = []
    for number, member in enumerate(value, 1):
        if member in validators.EMPTY_VALUES:
            continue
        for validator in members:
            try:
                validator(member)
            except ValidationError as error:
                errors += [f"Member {number:,}: {message}" for message in error.messages]
    if errors:
        raise ValidationError(errors[:_MAX_ERRORS])


def _validators(field: AnyField) -> Sequence[Any]:
    found: Sequence[Any] = field.validators
    return [each for each in found if not isinstance(each, _IN_THE_TYPE)]


def _is_sql(validator: object, column: Column, field: AnyField) -> bool:
    # A subclass may override the comparison.
    kind = type(validator)
    return kind in _BOUNDS or (kind in _LENGTHS and is_text(column, field))


def _problems(cell: Cell, result: sql.Composable) -> Iterator[Problem]:
    for validator in _validators(cell.field):
        if not _is_sql(validator, cell.column, cell.field):
            continue
        limit = validator.limit_value
        limit = limit() if callable(limit) else limit
        if type(validator) in _BOUNDS:
            operator, words = _BOUNDS[type(validator)]
            test = fails(f"{{}} {operator} {{}}", result, sql.Literal(limit))
            shown = f"{limit:,}" if isinstance(limit, int) else str(limit)
            message = messages.out_of_range(cell.text, cell.name, f"{words} {shown}")
            yield Problem(test, RowErrorCode.OUT_OF_RANGE, message, is_rule=True)
        elif type(validator) is validators.MaxLengthValidator:
            test = fails("length({}) > {}", result, sql.Literal(limit))
            message = messages.too_long(cell.text, cell.name, limit)
            yield Problem(test, RowErrorCode.TOO_LONG, message, is_rule=True)
        else:
            test = fails("length({}) BETWEEN 1 AND {}", result, sql.Literal(limit - 1))
            message = messages.sentence(
                cell.text, f" is too short for {cell.name}; the minimum is {limit:,} characters."
            )
            yield Problem(test, RowErrorCode.INVALID_VALUE, message, is_rule=True)
    if choices := cell.column.choices:
        listed = sql.Literal(list(choices))
        test = fails("({})::text <> ALL ({}::text[])", result, listed)
        message = messages.sentence(
            cell.text, messages.not_a_choice("", cell.name, choices, suggest=False)
        )
        yield Problem(test, RowErrorCode.INVALID_CHOICE, message, choices, is_rule=True)
