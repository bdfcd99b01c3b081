"""Inputs in which several rows make up one record: each row has one of the record's parts.

Consecutive rows that name the same record are one; the first of them stands for it.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import psycopg
from psycopg import sql

from batches.context import Context
from batches.errors import BatchErrorCode, RowErrorCode
from batches.parts import MAX_PARTS
from batches.targets import Target
from batches.validation import messages
from batches.validation.refusals import Refusals
from longshore.api.errors import ApiError

_GROUPS = """CREATE UNLOGGED TABLE {groups} AS
SELECT "row", max(start) OVER (ORDER BY "row") AS first FROM (
 SELECT "row", CASE WHEN {same} THEN NULL ELSE "row" END AS start FROM (
  SELECT "row", {cells} FROM {input} WINDOW rows AS (ORDER BY "row")) AS input) AS starts"""
_FIRST = """CREATE UNLOGGED TABLE {first} AS SELECT input.* FROM {input} AS input
JOIN {groups} AS groups USING ("row") WHERE groups."row" = groups.first"""
_LATER = """SELECT first."row", input."row" AS own, {column} AS "column", {code} AS code,
 {value} AS value, {message} AS message
FROM {groups} AS groups JOIN {input} AS input USING ("row")
JOIN {first} AS first ON first."row" = groups.first
WHERE groups."row" <> groups.first AND ({fails})"""


def is_repeated(target: Target | None) -> bool:
    """Return whether each row has one of several values of a target."""
    return target is not None and target.inner is not None and target.index is None


def is_grouped(context: Context, assigned: Sequence[Target | None]) -> bool:
    """Return whether several rows of an input may make up one record.

    Raises ApiError if they do, but do not name their records.
    """
    if not context.ignores_repeated and not any(map(_may_differ, assigned)):
        return False
    if any(_identity(context, assigned)):
        return True
    if not any(map(is_repeated, assigned)):
        return False
    key = [column.name for column in context.targets.key]
    names = messages.joined(key or [context.targets.primary_key.name])
    text = (
        f"The rows repeat their records, so the input needs a column for {names}, which identifies"
        f" a {context.resource.name}."
    )
    raise ApiError(BatchErrorCode.MISSING_KEY, text)


def group_rows(
    cursor: psycopg.Cursor, context: Context, assigned: Sequence[Target | None]
) -> Context:
    """Return the context in which each row of the input is a record.

    Raises ApiError if the rows do not name their records.
    """
    if not is_grouped(context, assigned):
        return context
    ids, keys = _identity(context, assigned)
    staging = context.staging
    cells = sql.SQL(", ").join(
        sql.SQL("{0}, lag({0}) OVER rows AS {1}").format(staging.column(number), _previous(number))
        for number in (*ids, *chain.from_iterable(keys))
    )
    same_key = _all_same(context, keys)
    for number in ids:
        # An empty primary key names no record.
        column, previous = (
            sql.SQL("nullif({}, '')").format(each)
            for each in (staging.column(number), _previous(number))
        )
        same_key = sql.SQL("coalesce({0} = {1}, {0} IS NULL AND {1} IS NULL AND {2})").format(
            column, previous, same_key
        )
    tables = {"groups": staging.groups, "input": staging.input, "first": staging.first.input}
    cursor.execute(sql.SQL(_GROUPS).format(**tables, same=same_key, cells=cells))
    cursor.execute(sql.SQL(_FIRST).format(**tables))
    for table in (staging.groups, staging.first.input):
        cursor.execute(sql.SQL('CREATE INDEX ON {} ("row")').format(table))
        cursor.execute(sql.SQL("ANALYZE {}").format(table))
    return replace(context, staging=staging.first)


def rows_of_records(context: Context) -> tuple[sql.Composable, sql.Composable]:
    """Return SQL of the row that stands for a record, and a FROM item of all rows as `input`."""
    staging = context.staging
    if not staging.is_grouped:
        return sql.Identifier("input", "row"), sql.SQL("{} AS input").format(staging.input)
    source = sql.SQL('{} AS input JOIN {} AS groups USING ("row")')
    return sql.Identifier("groups", "first"), source.format(staging.all_rows, staging.groups)


def refuse_contradictions(refusals: Refusals, assigned: Sequence[Target | None]) -> None:
    """Write the errors of rows that differ from the first one of their record."""
    staging = refusals.context.staging
    if not staging.is_grouped:
        return
    own, first = sql.Identifier("input", "row"), sql.Identifier("first", "row")
    span = sql.SQL("{} - {} >= {}").format(own, first, sql.Literal(MAX_PARTS))
    too_many = messages.plain(messages.too_many_parts(MAX_PARTS))
    tests: list[tuple[sql.Composable, str, sql.Composable, sql.Composable]] = [
        (span, "", sql.NULL, too_many)
    ]
    for number, target in enumerate(assigned):
        if target is not None and not _may_differ(target):
            cell, other = (sql.Identifier(each, f"c{number}") for each in ("input", "first"))
            message = messages.contradiction(first, own, target.name, other, cell)
            differs = sql.SQL("{} IS DISTINCT FROM {}").format(cell, other)
            tests.append((differs, target.name, cell, message))

    def choose(values: Sequence[sql.Composable]) -> sql.Composable:
        cases = sql.SQL(" ").join(
            sql.SQL("WHEN {} THEN {}").format(test, value)
            for (test, *_), value in zip(tests, values, strict=True)
        )
        return sql.SQL("CASE {} END").format(cases)

    refusals.add(
        sql.SQL(_LATER).format(
            column=choose([sql.Literal(name) for _, name, _, _ in tests]),
            code=sql.Literal(RowErrorCode.INVALID_VALUE),
            value=choose([messages.shortened(value) for _, _, value, _ in tests]),
            message=choose([message for *_, message in tests]),
            groups=staging.groups,
            input=staging.all_rows,
            first=staging.input,
            fails=sql.SQL(" OR ").join(test for test, *_ in tests),
        ),
        own=sql.Identifier("found", "own"),
    )


def _may_differ(target: Target | None) -> bool:
    """Return whether the rows of one record may have different values of a target."""
    if target is None or target.index is not None:
        return False
    return target.inner is not None or (target.is_many and target.by is not None)


def _identity(
    context: Context, assigned: Sequence[Target | None]
) -> tuple[list[int], list[list[int]]]:
    """Return the numbers of the columns of the primary key, and for each column of the key those
    that set it, if the input has all of the key."""
    numbers: dict[str, list[int]] = {}
    for number, target in enumerate(assigned):
        if target and not target.path:
            numbers.setdefault(target.sets, []).append(number)
    key = [numbers.get(column.name, []) for column in context.targets.key]
    return numbers.get(context.targets.primary_key.name, []), key if all(key) else []


def _previous(number: int) -> sql.Identifier:
    return sql.Identifier(f"previous {number}")


def _all_same(context: Context, keys: Sequence[Sequence[int]]) -> sql.Composable:
    """Return SQL of a test whether a row has the key of the row before it.

    keys: for each column of the key the numbers of the cells that set it.
    """
    tests: list[sql.Composable] = [sql.SQL("true" if keys else "false")]
    for numbers in keys:
        cells = sql.SQL(", ").join(map(context.staging.column, numbers))
        tests.append(sql.SQL("num_nonnulls({}) > 0").format(cells))
        tests += [
            sql.SQL("{} IS NOT DISTINCT FROM {}").format(
                context.staging.column(number), _previous(number)
            )
            for number in numbers
        ]
    return sql.SQL("({})").format(sql.SQL(" AND ").join(tests))
