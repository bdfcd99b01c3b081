"""Conversions of lists and JSON: merged texts, JSON texts, and values of flattened headers."""

from dataclasses import replace
from typing import Any, cast

from psycopg import sql

from batches.errors import RowErrorCode
from batches.validation import messages
from batches.validation.conversion import Conversion, Prepared, Problem, fails
from batches.validation.merged import split
from batches.validation.scalars import Cell
from batches.validation.storable import not_storable
from longshore.database.column_types import db_type, sql_type
from longshore.resources.columns import AnyField, ColumnType

# Deeper values could exceed the stack of PostgreSQL's parser, which would fail the whole batch.
MAX_DEPTH = 500
_TOO_DEEP = f"""(length({{0}}) > {MAX_DEPTH}
 AND length({{0}}) - length(translate({{0}}, '[{{{{', '')) > {MAX_DEPTH}
 AND (SELECT max(depth) FROM (SELECT sum(CASE WHEN sign IN ('[', '{{{{') THEN 1 ELSE -1 END)
   OVER (ORDER BY number) AS depth
  FROM regexp_matches({{0}}, '[][{{{{}}}}]', 'g') WITH ORDINALITY AS found (signs, number),
   unnest(signs) AS sign) AS depths) > {MAX_DEPTH})"""  # noqa: S608
_VALID = f"(NOT {_TOO_DEEP} AND pg_input_is_valid({{0}}, 'jsonb'))"
READ_JSON = f"CASE WHEN {_VALID} THEN {{0}}::jsonb END"
# Python reads a larger number as infinity, or not at all. The first test is cheap; PostgreSQL's
# expressions repeat at most 255 times.
_TOO_LARGE = """({0}::text ~ '[0-9]{{155}}[0-9]{{154}}' AND jsonb_path_exists({0},
 'strict $.** ? (@.type() == "number" && (@ > 1.7976931348623157e308
  || @ < -1.7976931348623157e308))'))"""
_MEMBERS = """(SELECT CASE WHEN jsonb_typeof(read.value) = 'array' AND NOT jsonb_path_exists(
  read.value, 'strict $[*] ? (@.type() == "object" || @.type() == "array")')
 THEN ARRAY(SELECT jsonb_array_elements_text(read.value)) END
 FROM (SELECT {} AS value OFFSET '0') AS read)"""

_SAME_MEMBERS = """CASE jsonb_typeof({0})
 WHEN 'array' THEN CASE WHEN NOT jsonb_path_exists({0},
   'strict $[*] ? (@.type() == "object" || @.type() == "array")')
  THEN {1} = to_jsonb(ARRAY(SELECT coalesce(member, '') FROM jsonb_array_elements_text({0})
   AS member)) END
 WHEN 'string' THEN CASE WHEN pg_input_is_valid({0} #>> '{{}}', 'jsonb')
  THEN {1} = ({0} #>> '{{}}')::jsonb END END"""


def is_list_valued(field: AnyField) -> bool:
    """Return whether a JSON field holds lists, as its default shows."""
    return field.has_default() and isinstance(field.get_default(), list)


def empty_value(field: AnyField, kind: ColumnType) -> sql.Composable | None:
    """Return the SQL of the empty value of a list or JSON column; None if it may be null."""
    if field.null or kind not in (ColumnType.LIST, ColumnType.JSON):
        return None
    if kind is ColumnType.LIST:
        return fails("'{{}}'::{}", sql_type(field))
    value = "[]" if is_list_valued(field) else "{}"
    return fails("{}::{}", sql.Literal(value), sql_type(field))


def nested(cell: Cell) -> Conversion:
    """Return the conversion of a text to a list or JSON."""
    if cell.column.kind is ColumnType.LIST:
        if cell.form.is_json:
            return _list_of_json(cell, fails(READ_JSON, cell.raw))
        members = cell.prepare(split(cell.raw))
        accepted = "texts joined by commas; one with a comma in double quotes"
        return _list(cell, members, accepted)
    value = fails(READ_JSON, cell.raw)
    accepted = "JSON"
    if cell.form.is_table and is_list_valued(cell.field):
        accepted = "a JSON list, or texts joined by commas"
        value = fails(
            "CASE WHEN {0} ~ '^\\s*[[{{]' AND {1} THEN {0}::jsonb ELSE to_jsonb({2}) END",
            cell.raw,
            fails(_VALID, cell.raw),
            split(cell.raw),
        )
    return _json(cell, cell.prepare(value), accepted)


def same_members(stored: sql.Composable, given: sql.Composable) -> sql.Composable:
    """Return SQL of a test whether a stored JSON value has the merged text of a given one.

    The text of members does not tell numbers, booleans and null from texts.
    """
    return fails(_SAME_MEMBERS, stored, given)


def same_list(stored: sql.Composable, given: sql.Composable) -> sql.Composable:
    """Return SQL of a test whether a stored list has the merged text of a given one.

    The text of members does not tell null from an empty text. That of an empty list differs from
    null.
    """
    members = "ARRAY(SELECT coalesce(member, '') FROM unnest({}::text[]) AS member)"
    return fails("{} IS NOT NULL AND {}::text[] = " + members, stored, given, stored)


def _json(cell: Cell, prepared: Prepared, accepted: str) -> Conversion:
    value = cell.prepared(prepared)
    return Conversion(
        fails("nullif({}, 'null')::{}", value, cell.type),
        (_unreadable(cell, value, accepted), _too_large(cell, value)),
        (prepared,),
        text=cell.text,
    )


def unflattened(cell: Cell, value: sql.Composable, conflict: sql.Composable | None) -> Conversion:
    """Return the conversion of a value that the flattened headers of a column make up.

    value: SQL of the `jsonb`, or null if all cells are null.
    conflict: SQL of a test whether the cells contradict each other.
    """
    if cell.column.kind is ColumnType.LIST:
        converted = _list_of_json(cell, value)
    else:
        prepared = cell.prepare(value)
        result = fails("{}::{}", cell.prepared(prepared), cell.type)
        problem = _too_large(cell, cell.prepared(prepared))
        converted = Conversion(result, (problem,), (prepared,), text=cell.text)
    if conflict is None:
        return converted
    clash = Prepared(f"conflict {cell.suffix}", conflict)
    sentence = f"Cells of {cell.name} contradict each other: a value and a part of it."
    problem = Problem(cell.prepared(clash), RowErrorCode.INVALID_VALUE, messages.plain(sentence))
    return replace(
        converted,
        problems=(problem, *converted.problems),
        prepared=(clash, *converted.prepared),
    )


def _list_of_json(cell: Cell, value: sql.Composable) -> Conversion:
    members = cell.prepare(
        fails(
            _MEMBERS,
            value,
        )
    )
    return _list(cell, members, "a list of scalars")


def _list(cell: Cell, members: Prepared, accepted: str) -> Conversion:
    base = cast("Any", cell.field).base_field
    value = cell.prepared(members)
    problems = [_unreadable(cell, value, accepted)]
    if not base.null:
        sentence = messages.plain(f"{cell.name} must not contain null.")
        has_null = fails("array_position({}, NULL) IS NOT NULL", value)
        problems.append(Problem(has_null, RowErrorCode.MISSING_VALUE, sentence, is_rule=True))
    if maximum := base.max_length:
        problems.append(
            _any_member(
                value,
                fails("length(member) > {}", sql.Literal(maximum)),
                RowErrorCode.TOO_LONG,
                messages.sentence(
                    cell.text, f" has a member with more than {maximum:,} characters."
                ),
            )
        )
    if base.choices:
        choices = [str(choice) for choice, _ in base.flatchoices]
        listed = ", ".join(choices)
        problems.append(
            _any_member(
                value,
                fails("member <> ALL ({}::text[])", sql.Literal(choices)),
                RowErrorCode.INVALID_CHOICE,
                messages.sentence(
                    cell.text,
                    f" has a member that is not a value of {cell.name}. Values: {listed}.",
                ),
                is_rule=True,
            )
        )
    if size := cast("Any", cell.field).size:
        problems.append(
            Problem(
                fails("cardinality({}) > {}", value, sql.Literal(size)),
                RowErrorCode.TOO_LONG,
                messages.sentence(cell.text, f" has more than {size:,} members."),
                is_rule=True,
            )
        )
    result = fails("{}::{}", value, cell.type)
    if db_type(base) != "text":
        accepted = f"a list of values of the type {db_type(base)}"
        refused = messages.not_accepted(cell.text, cell.name, accepted)
        invalid = fails("NOT pg_input_is_valid({}::text, {})", value, _literal_type(cell))
        problems.append(Problem(invalid, RowErrorCode.INVALID_TYPE, refused))
        if (test := not_storable(base, sql.Identifier("member"))) is not None:
            problems.append(_any_member(result, test, RowErrorCode.INVALID_TYPE, refused))
    return Conversion(result, tuple(problems), (members,), text=cell.text)


def _too_large(cell: Cell, value: sql.Composable) -> Problem:
    sentence = messages.sentence(cell.text, f" has a number that is too large for {cell.name}.")
    return Problem(fails(_TOO_LARGE, value), RowErrorCode.OUT_OF_RANGE, sentence)


def _literal_type(cell: Cell) -> sql.Literal:
    return sql.Literal(db_type(cell.field))


def _any_member(
    value: sql.Composable,
    test: sql.Composable,
    code: RowErrorCode,
    message: sql.Composable,
    *,
    is_rule: bool = False,
) -> Problem:
    exists = fails("EXISTS (SELECT FROM unnest({}) AS member WHERE {})", value, test)
    return Problem(exists, code, message, is_rule=is_rule)


def _unreadable(cell: Cell, value: sql.Composable, accepted: str) -> Problem:
    return Problem(
        fails("{} IS NOT NULL AND {} IS NULL", cell.text, value),
        RowErrorCode.INVALID_VALUE,
        messages.not_accepted(cell.text, cell.name, accepted),
    )
