"""Distinct values: calls the validators that only Python can call, once for each value."""

import json
from collections.abc import Iterator
from typing import Any

import psycopg
from django.core.exceptions import ValidationError
from psycopg import sql

from batches.errors import RowErrorCode
from batches.validation import messages
from batches.validation.cells import Cells
from batches.validation.columns import SetColumn
from batches.validation.identity import Identity
from batches.validation.refusals import Refusals
from batches.validation.validators import python_validators
from longshore.database.column_types import db_type
from longshore.resources.columns import ColumnType

# The maximum bytes of a value, and how many such values are in memory at a time: about 16 MiB.
BLOCKS = ((3 << 10, 5_000), (256 << 10, 60), ((1 << 31) - 1, 1))
# Rows of a block of other queries.
BLOCK = 5_000
_ERRORS = """SELECT DISTINCT typed.longshore_row AS "row", {column} AS "column", {code} AS code,
 {value} AS value, {message} AS message
FROM {typed} AS typed JOIN {refused} AS refused ON refused.value = typed.{name} {records}
WHERE {is_changed}"""


def blocks(
    cursor: psycopg.Cursor[Any], query: sql.Composable, size: int = BLOCK
) -> Iterator[list[Any]]:
    """Yield the rows of a query in blocks, also when every statement is a transaction.

    size: rows of a block.
    """
    name = "longshore_batch_values"
    declare = "DECLARE {} CURSOR WITH HOLD FOR {}"
    cursor.execute(sql.SQL(declare).format(sql.Identifier(name), query))
    fetch = sql.SQL("FETCH {} FROM {}").format(sql.Literal(size), sql.Identifier(name))
    while rows := cursor.execute(fetch).fetchall():
        yield rows
    cursor.execute(sql.SQL("CLOSE {}").format(sql.Identifier(name)))


def refuse_values(refusals: Refusals, cells: Cells, identity: Identity) -> None:
    """Write the errors of values that a validator in Python refuses, unless they are stored."""
    for column in cells.columns:
        # A key that creates no record names one: an unknown key is not found.
        is_set = column is not cells.assembly.key or identity.creates_by_key
        if is_set and python_validators(column.column, column.field):
            _refuse(refusals, column, identity)


def _refuse(refusals: Refusals, column: SetColumn, identity: Identity) -> None:
    cursor, staging = refusals.cursor, refusals.context.staging
    refused, name = staging.working("refused", 0), identity.typed_name(column)
    is_json = column.column.kind is ColumnType.JSON
    kind = sql.SQL("jsonb" if is_json else db_type(column.field))
    cursor.execute(
        sql.SQL("CREATE UNLOGGED TABLE {} (value {}, message text)").format(refused, kind)
    )
    distinct = sql.SQL(
        "SELECT DISTINCT {0}::{1} FROM {2} WHERE octet_length({0}::text) BETWEEN {3} AND {4}"
    )
    statement = sql.SQL("INSERT INTO {} VALUES (%s, %s)").format(refused)
    low = 0
    for high, size in BLOCKS:
        limits = sql.Literal(low), sql.Literal(high)
        values = distinct.format(name, kind, staging.typed, *limits)
        if is_json:
            values = sql.SQL("SELECT value::text FROM ({}) AS found (value)").format(values)
        for rows in blocks(cursor, values, size):
            found = [(value, _problem(column, value)) for (value,) in rows]
            cursor.executemany(statement, [pair for pair in found if pair[1] is not None])
        low = high + 1
    text = sql.SQL("refused.value::text")
    refusals.add(
        sql.SQL(_ERRORS).format(
            column=sql.Literal(column.sources[0].name),
            code=sql.Literal(RowErrorCode.INVALID_VALUE),
            value=messages.shortened(text),
            message=sql.SQL("{} || refused.message").format(messages.shown(text)),
            typed=staging.typed,
            refused=refused,
            name=name if not is_json else sql.SQL("{}::jsonb").format(name),
            records=identity.joins(),
            is_changed=identity.is_changed(column),
        )
    )
    cursor.execute(sql.SQL("DROP TABLE {}").format(refused))


def _problem(column: SetColumn, stored: Any) -> str | None:
    """Return the end of the sentence about a value that a validator refuses, else None."""
    name, found = column.sources[0].name, list[str]()
    try:
        value = json.loads(stored) if column.column.kind is ColumnType.JSON else stored
    except ValueError:
        # Python reads no number of more than 4,300 digits.
        return f" is not a valid value of {name}. It contains a number with too many digits."
    if value in column.field.empty_values:
        return None
    for validator in python_validators(column.column, column.field):
        try:
            validator(value)
        except ValidationError as error:
            found += error.messages
        except TypeError:
            # A JSON value of another type than the validator expects, such as the length of 5.
            found.append("Its type is not accepted.")
    return f" is not a valid value of {name}. {' '.join(found)}" if found else None
