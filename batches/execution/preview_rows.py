"""Reads the first rows and errors of a preview from the staging tables."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from batches.context import Context
from batches.parts import MAX_PARTS, record_of
from batches.staging import Staging, Step
from batches.validation.validation import Validated
from longshore.resources.columns import column_name

_ACTIONS = {
    Step.CREATE: "create",
    Step.UPDATE: "update",
    Step.UNCHANGED: "unchanged",
    Step.DELETE: "delete",
}
# Texts of each column that a proposal compares with targets.
_MAX_VALUES = 200
_MAX_CHARACTERS = 200
_TEXTS = sql.SQL("SELECT {} FROM {} ORDER BY row LIMIT {}")
# Django disables the decoding of `jsonb`, so the results are `json`.
_ROWS = sql.SQL(
    """SELECT input.row, plan.step, plan.key::text,
        (to_jsonb(typed.*) - coalesce(typed.longshore_absent, '{{}}'))::json,
        (SELECT json_object_agg(relation, keys) FROM (
            SELECT relation, json_agg(key) AS keys FROM {links} AS link
            WHERE link.row = input.row GROUP BY relation) AS relations)
    FROM ({rows}) AS input
    LEFT JOIN {typed} AS typed ON typed.longshore_row = input.row
    LEFT JOIN {plan} AS plan ON plan.row = input.row
    ORDER BY input.row"""
)
_FIRST = sql.SQL("SELECT row FROM {input} ORDER BY row LIMIT {limit}")
_GIVING = sql.SQL("SELECT row FROM {input} AS input WHERE row = ANY ({rows}) AND {gives_parts}")
_PARTS = sql.SQL("SELECT row FROM {input} WHERE {record} = ANY ({rows})")

_ERRORS = sql.SQL(
    """SELECT count(*) OVER (), row, "column", value, code, message
    FROM {errors} ORDER BY row, id LIMIT {limit}"""
)


def read_texts(
    cursor: psycopg.Cursor,
    staging: Staging,
    positions: Sequence[int],
    has_json: Callable[[int], bool],
) -> Mapping[int, list[str | None]]:
    """Return the first texts of each column, by the position of its header.

    has_json: whether the texts of a column are JSON. Objects and arrays stay JSON.
    """
    columns = [
        sql.SQL("left({}, {})").format(staging.column(each), _MAX_CHARACTERS) for each in positions
    ]
    cursor.execute(_TEXTS.format(sql.SQL(", ").join(columns), staging.input, _MAX_VALUES))
    rows = cursor.fetchall()
    return {
        position: [_scalar(row[index]) if has_json(position) else row[index] for row in rows]
        for index, position in enumerate(positions)
    }


def read_rows(cursor: psycopg.Cursor, validated: Validated, limit: int) -> list[dict[str, Any]]:
    """Return the first records as they would be read.

    Each has the number of its first row, what the batch would do with it (`action`), the id of its
    record (null if the database will assign it), and the values of the columns and relations that
    it sets; the parts of a record are a list of such values. Of a record with errors, all but the
    number are null.
    """
    first = _FIRST.format(input=validated.context.staging.input, limit=sql.Literal(limit))
    return [
        {
            "row": row,
            "action": _ACTIONS[step] if step else None,
            "id": key if step != Step.CREATE or validated.gives_keys else None,
            "values": values,
        }
        for row, step, key, values in read_records(cursor, validated, first)
    ]


def read_records(
    cursor: psycopg.Cursor, validated: Validated, rows: sql.Composable
) -> list[tuple[int, Step | None, str | None, dict[str, Any] | None]]:
    """Return the number, step, key and values of records, with their parts.

    rows: a query of their numbers.
    """
    context = validated.context
    staging, part = context.staging, context.part
    query = _ROWS.format(rows=rows, typed=staging.typed, links=staging.links, plan=staging.plan)
    cursor.execute(query)
    owner = part.column if part else None
    names = {
        column_name(field): field.attname
        for field in context.resource.model._meta.concrete_fields
        if column_name(field) in validated.columns and column_name(field) != owner
    }
    found = []
    for row, step, key, typed, links in cursor.fetchall():
        values = None
        if typed is not None:
            columns = {names[column]: value for column, value in typed.items() if column in names}
            values = columns | (links or {})
        found.append((row, Step(step) if step else None, key, values))
    for parts in validated.parts:
        _add_parts(
            cursor, staging, parts, {row: values for row, *_, values in found if values is not None}
        )
    return found


def _add_parts(
    cursor: psycopg.Cursor,
    staging: Staging,
    parts: Validated,
    records: Mapping[int, dict[str, Any]],
) -> None:
    """Add the parts of one relation to the values of their records, by number.

    staging: the tables of the records.
    """
    if parts.context.part is None or parts.gives_parts is None:
        raise TypeError("only records have no relation to other records")
    name, numbers = parts.context.part.relation.name, sql.Literal(list(records))
    giving = _GIVING.format(input=staging.input, rows=numbers, gives_parts=parts.gives_parts)
    cursor.execute(giving)
    for (row,) in cursor.fetchall():
        records[row][name] = []
    rows = _PARTS.format(
        input=parts.context.staging.input, record=record_of(sql.Identifier("row")), rows=numbers
    )
    for number, step, key, values in read_records(cursor, parts, rows):
        known = {} if step is Step.CREATE and not parts.gives_keys else {"id": key}
        records[number // MAX_PARTS].setdefault(name, []).append(known | (values or {}))


def read_errors(
    cursor: psycopg.Cursor, context: Context, limit: int
) -> tuple[list[dict[str, Any]], int]:
    """Return the first errors of rows, and the number of all."""
    cursor.execute(_ERRORS.format(errors=context.staging.errors, limit=sql.Literal(limit)))
    found = cursor.fetchall()
    names = ("row", "column", "value", "code", "message")
    errors = [dict(zip(names, values, strict=True)) for _, *values in found]
    return errors, found[0][0] if found else 0


def _scalar(text: str | None) -> str | None:
    """Return a JSON string without its quotes, and other JSON as it is."""
    if text is None or not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:  # The text was shortened.
        return text.strip('"')
