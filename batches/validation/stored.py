"""Stored values that the model refuses today, such as those from before a validator was declared.

A row that leaves such a value as it is has no error: only changes are validated.
"""

from collections.abc import Collection

from psycopg import sql

from batches.validation.cells import Cells, joins_of
from batches.validation.identity import Identity
from batches.validation.refusals import FAILED, Refusals

# The values of refused cells, without the rules of the model.
_FILL = """UPDATE {typed} AS typed SET {name} = given.value
FROM (SELECT cells."row", {value} AS value FROM {cells} {joins}) AS given
WHERE given."row" = typed.longshore_row"""
_KEEP = """UPDATE {typed} AS kept
SET {name} = same.value, {failed} = nullif(array_remove(kept.{failed}, {position}), '{{}}')
FROM (SELECT typed.longshore_row AS "row", record.{stored} AS value FROM {typed} AS typed {records}
 WHERE {is_failed} AND typed.{name} IS NOT NULL AND NOT {is_changed}) AS same
WHERE same."row" = kept.longshore_row"""
_CLEAR = "UPDATE {typed} AS typed SET {name} = NULL WHERE {is_failed}"


def keep_stored(
    refusals: Refusals, cells: Cells, identity: Identity, failed: Collection[int]
) -> None:
    """Accept the refused cells that are the stored values of their records.

    failed: the positions of columns with refused cells.
    """
    if not identity.names_records:
        return
    columns = [
        (number, column, column.without_rules)
        for number, column in enumerate(cells.columns)
        if number in failed
    ]
    values = {"typed": refusals.context.staging.typed, "failed": FAILED}
    # All keys are filled before a record is looked for.
    for template in (_FILL, _KEEP, _CLEAR):
        for number, column, accepted in columns:
            if accepted is None:
                continue
            is_failed = sql.SQL("{} = ANY (typed.{})").format(sql.Literal(number), FAILED)
            refusals.cursor.execute(
                sql.SQL(template).format(
                    **values,
                    name=identity.typed_name(column),
                    stored=sql.Identifier(column.name),
                    value=accepted.value,
                    cells=cells.of([accepted], is_failed),
                    joins=joins_of([accepted]),
                    position=sql.Literal(number),
                    records=identity.joins(),
                    is_failed=is_failed,
                    is_changed=identity.is_changed(column),
                )
            )
