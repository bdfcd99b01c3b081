"""Applies the corrections of a request to the staged rows of an input, whatever its format is."""

import json
from collections.abc import Collection, Mapping, Sequence

import psycopg
from psycopg import sql

from batches.parsing.errors import InputError
from batches.staging import Staging
from longshore.api.errors import ErrorCode, display_value
from longshore.api.suggestions import did_you_mean

_CREATE = (
    "CREATE UNLOGGED TABLE {corrected} AS SELECT key::bigint AS row, value AS cells"
    " FROM jsonb_each({corrections}::jsonb)"
)
_UNKNOWN_HEADER = (
    "SELECT row, header FROM {corrected}, jsonb_object_keys(cells) AS header"
    " WHERE header <> ALL ({headers}) ORDER BY row, header LIMIT 1"
)
_UNKNOWN_ROW = "SELECT row FROM {corrected} AS corrected WHERE {is_unknown} ORDER BY row LIMIT 1"
_IS_UNKNOWN = "NOT EXISTS (SELECT FROM {input} AS input WHERE input.row = corrected.row)"
# A row that could not be read begins without values; in JSON they are absent, not null.
_RESTORE = (
    "WITH readable AS (DELETE FROM {malformed} WHERE row IN (SELECT row FROM {corrected})"
    " RETURNING row) INSERT INTO {input} (row, absent)"
    " SELECT DISTINCT row, {absent}::int[] FROM readable"
)
_RESTORE_DOCUMENTS = (
    "WITH unknown AS MATERIALIZED (SELECT row FROM {corrected} AS corrected WHERE {is_unknown}),"
    " unread AS (DELETE FROM {raw} WHERE row IN (SELECT row FROM unknown))"
    " INSERT INTO {raw} (row, doc, is_flat) SELECT row, '{{}}', true FROM unknown"
)
_CORRECT = (
    "UPDATE {input} AS input SET {values}, absent = nullif(ARRAY("
    "SELECT number FROM unnest(input.absent) AS number WHERE number <> ALL ({given})), '{{}}')"
    " FROM {corrected} AS corrected WHERE input.row = corrected.row"
)
_VALUE = "{column} = CASE WHEN cells ? {header} THEN {text} ELSE input.{column} END"
_TEXT = "cells ->> {0}"
# A text that is not JSON stands for the string of its characters.
_JSON = (
    "CASE WHEN pg_input_is_valid(cells ->> {0}, 'jsonb') THEN nullif(cells ->> {0}, 'null')"
    " ELSE (cells -> {0})::text END"
)
_CORRECT_DOCUMENTS = (
    "UPDATE {raw} AS raw SET doc = (raw.doc::jsonb || (SELECT jsonb_object_agg(key,"
    " CASE WHEN key = ANY ({json}) AND pg_input_is_valid(value #>> '{{}}', 'jsonb')"
    " THEN (value #>> '{{}}')::jsonb ELSE value END) FROM jsonb_each(cells)))::text"
    " FROM {corrected} AS corrected WHERE raw.row = corrected.row AND cells <> '{{}}'"
)


def correct(
    cursor: psycopg.Cursor,
    staging: Staging,
    headers: Sequence[str],
    columns: int,
    corrections: Mapping[str, Mapping[str, str | None]],
    json_headers: Collection[str],
    *,
    has_documents: bool,
) -> int:
    """Replace cells of `input`, and documents of `raw`, by the corrections of a request.

    columns: how many of the headers, from the first, have a column of `input`. The others are
        ignored, so their corrections change documents only.
    json_headers: those whose cells are staged as JSON.
    has_documents: whether the input has a table `raw`.
    Returns the number of rows that could not be read before. Raises InputError if the input lacks a
    row or a header that a correction names.
    """
    used = {header for cells in corrections.values() for header in cells}
    numbers = {header: number for number, header in enumerate(headers[:columns]) if header in used}
    names: dict[str, sql.Composable] = {
        "corrected": staging.working("corrected", 0),
        "input": staging.input,
        "is_unknown": sql.SQL(_IS_UNKNOWN).format(input=staging.input),
        "malformed": staging.malformed,
        "raw": staging.raw,
        "headers": sql.Literal(list(headers)),
        "json": sql.Literal(sorted(json_headers)),
    }
    document = sql.Literal(json.dumps(corrections, ensure_ascii=False))
    cursor.execute(sql.SQL(_CREATE).format(**names, corrections=document))
    _refuse_unknown_header(cursor, headers, names)
    if has_documents:
        cursor.execute(sql.SQL(_RESTORE_DOCUMENTS).format(**names))
    absent = sql.Literal(list(range(columns)) if has_documents else None)
    restored = cursor.execute(sql.SQL(_RESTORE).format(**names, absent=absent)).rowcount
    _refuse_unknown_row(cursor, names)
    if numbers:
        values = [
            sql.SQL(_VALUE).format(
                column=staging.column(number),
                header=sql.Literal(header),
                text=sql.SQL(_JSON if header in json_headers else _TEXT).format(
                    sql.Literal(header)
                ),
            )
            for header, number in numbers.items()
        ]
        given = [
            sql.SQL("CASE WHEN cells ? {} THEN {} ELSE -1 END").format(header, number)
            for header, number in numbers.items()
        ]
        cursor.execute(
            sql.SQL(_CORRECT).format(
                **names,
                values=sql.SQL(", ").join(values),
                given=sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(given)),
            )
        )
    if has_documents:
        cursor.execute(sql.SQL(_CORRECT_DOCUMENTS).format(**names))
    cursor.execute(sql.SQL("DROP TABLE {corrected}").format(**names))
    return restored


def _refuse_unknown_header(
    cursor: psycopg.Cursor, headers: Sequence[str], names: Mapping[str, sql.Composable]
) -> None:
    found = cursor.execute(sql.SQL(_UNKNOWN_HEADER).format(**names)).fetchone()
    if found:
        row, header = found
        hint = did_you_mean(header, headers)
        text = f"The correction of row {row:,} names {display_value(header)}, which the input does"
        raise InputError(f"{text} not have{hint}", ErrorCode.INVALID_REQUEST)


def _refuse_unknown_row(cursor: psycopg.Cursor, names: Mapping[str, sql.Composable]) -> None:
    found = cursor.execute(sql.SQL(_UNKNOWN_ROW).format(**names)).fetchone()
    if found:
        text = f"The corrections name row {found[0]:,}, which the input does not have."
        raise InputError(text, ErrorCode.INVALID_REQUEST)
