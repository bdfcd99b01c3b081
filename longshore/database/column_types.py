"""The PostgreSQL types of model fields, and the range of a type."""

from typing import Any

from django.db import connection, models
from psycopg import sql

MIN_BIGINT, MAX_BIGINT = -(2**63), 2**63 - 1


def db_type(field: "models.Field[Any, Any]") -> str:
    """Return the type of the values of a field's column.

    The type of a foreign key is that of the key to which it refers. The type of a serial key is the
    integer type, without the sequence.
    """
    return str(field.rel_db_type(connection))


def sql_type(field: "models.Field[Any, Any]") -> sql.SQL:
    """Return `db_type` as SQL."""
    # The type comes from the declaration of a model, never from a request.
    return sql.SQL(db_type(field))
