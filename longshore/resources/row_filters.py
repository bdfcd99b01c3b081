"""Row filters: the declared condition on a model's own columns, as SQL.

A filter is a `Q` as Django's managers take it. Django compiles it, so a partial index that serves
the model's queries serves these too.
"""

import re

from django.core.exceptions import EmptyResultSet, FieldError, FullResultSet
from django.db import connection
from django.db.models import Model, Q
from django.db.models.sql import Query
from psycopg import sql

_PLACEHOLDER = re.compile(r"%[s%]")


def row_filter(model: type[Model], condition: Q, row: str) -> sql.Composable:
    """SQL that is true for the rows of a model that pass a condition.

    row: the alias of the model's table in the statement.
    Raises FieldError for a condition that needs another table, and what Django raises for one
    that it does not understand.
    """
    query = Query(model)
    query.add_q(condition)
    if len(query.alias_map) > 1:
        raise FieldError("it may name the model's own columns only, not those of related records")
    try:
        text, values = query.get_compiler(connection=connection).compile(query.where)
    except FullResultSet:
        return sql.SQL("true")
    except EmptyResultSet:
        return sql.SQL("false")
    table = connection.ops.quote_name(model._meta.db_table)
    template = text.replace("{", "{{").replace("}", "}}").replace(f"{table}.", "{row}.")
    template = _PLACEHOLDER.sub(lambda found: "{}" if found[0] == "%s" else "%", template)
    return sql.SQL(template).format(*map(sql.Literal, values), row=sql.Identifier(row))


def hides_rows(model: type[Model]) -> bool:
    """Return whether the model's default manager excludes rows, as a soft-delete manager does."""
    query = model._default_manager.get_queryset().query
    return bool(query.where) or query.is_sliced
