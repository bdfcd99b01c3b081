"""The tables of models as SQL."""

from django.db import connection, models
from psycopg import sql


def table_name(model: type[models.Model]) -> sql.SQL:
    """Return the quoted name of a model's table.

    The name holds a schema if `db_table` does, in Django's form: `'"legacy"."invoice"'`.
    """
    # Django quotes the names in its own statements in the same way.
    return sql.SQL(connection.ops.quote_name(model._meta.db_table))
