"""Keys that the database assigns: taken before the records are written."""

from typing import Any

import psycopg
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from batches.context import Context
from batches.staging import Step
from longshore.database.tables import table_name
from longshore.resources.columns import primary_key


def assign_keys(cursor: "psycopg.Cursor[Any] | CursorWrapper", context: Context) -> None:
    """Let the database assign its keys now, so that each row knows the record to create.

    Keeps the keys that are assigned already.
    """
    model = context.resource.model
    table = sql.Literal(table_name(model).as_string(None))
    find = sql.SQL("SELECT pg_get_serial_sequence({}, {})")
    cursor.execute(find.format(table, sql.Literal(primary_key(model))))
    ((sequence,),) = cursor.fetchall()
    if sequence is not None:
        assign = sql.SQL("UPDATE {} SET key = nextval({}) WHERE key IS NULL AND step = {}")
        create = sql.Literal(Step.CREATE)
        cursor.execute(assign.format(context.staging.plan, sql.Literal(sequence), create))
