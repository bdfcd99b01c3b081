"""Keeps the first rows with errors of a dry run.

They can be corrected by their cells (`BatchSpec.corrections`), so the batch keeps as many as a
request may correct.
"""

from collections.abc import Sequence

import psycopg
from psycopg import sql

from batches.models import Batch, DryRunRecord
from batches.request.corrections import MAX_CORRECTED_ROWS
from batches.staging import Staging, Step
from batches.targets import Target

# Longer texts are left out: they would make the pages that show them large.
MAX_CHARACTERS = 1_000
# Maximum of all cells of a row together; further cells are left out.
MAX_ROW_CHARACTERS = 20_000

_FAILED_ROWS = (
    "(SELECT DISTINCT row FROM {errors} WHERE row IS NOT NULL ORDER BY row LIMIT {maximum})"
)
_KEEP_FAILED = (
    "INSERT INTO {table} (batch_id, step, row, values) SELECT {batch}, {step}, input.row,"
    " (SELECT coalesce(json_object_agg(header, cell), '{{}}') FROM (SELECT header, cell,"
    " sum(length(cell)) FILTER (WHERE length(cell) <= {characters}) OVER (ORDER BY number) AS total"
    " FROM unnest({headers}::text[], ARRAY[{cells}]::text[]) WITH ORDINALITY"
    " AS cells (header, cell, number)) AS cells"
    " WHERE cell IS NULL OR length(cell) <= {characters} AND total <= {row_characters})"
    " FROM {input} AS input JOIN {failed} AS failed USING (row) ORDER BY input.row"
)
# One character more than is shown tells that the text is cut.
_KEEP_UNREADABLE = (
    "INSERT INTO {table} (batch_id, step, row, values, source)"
    " SELECT DISTINCT ON (row) {batch}, {step}, row, '{{}}', left(source, {characters} + 1)"
    " FROM {malformed} AS malformed JOIN {failed} AS failed USING (row)"
    " WHERE source IS NOT NULL ORDER BY row"
)


def keep_failed(
    cursor: psycopg.Cursor,
    batch: Batch,
    staging: Staging,
    headers: Sequence[str],
    columns: Sequence[Target | None],
) -> None:
    """Store the first rows with errors: the cells of headers with a target.

    headers: of the staged columns. columns: their targets, perhaps followed by those of others.
    """
    # The rows of an input in which several rows make up one record are in `input`, too.
    rows = Staging(staging.claim)
    used = [
        number for number, (_, target) in enumerate(zip(headers, columns, strict=False)) if target
    ]
    names: dict[str, sql.Composable] = {
        "table": sql.Identifier(DryRunRecord._meta.db_table),
        "batch": sql.Literal(batch.pk),
        "step": sql.Literal(Step.REFUSED.value),
        "characters": sql.Literal(MAX_CHARACTERS),
        "row_characters": sql.Literal(MAX_ROW_CHARACTERS),
        "failed": sql.SQL(_FAILED_ROWS).format(
            errors=staging.errors, maximum=sql.Literal(MAX_CORRECTED_ROWS)
        ),
        "input": rows.input,
        "malformed": rows.malformed,
        "headers": sql.Literal([headers[number] for number in used]),
        "cells": sql.SQL(", ").join(map(rows.column, used)),
    }
    for statement in (_KEEP_FAILED, _KEEP_UNREADABLE):
        cursor.execute(sql.SQL(statement).format(**names))
