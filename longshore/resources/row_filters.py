"""Row filters: a declared condition on a model's own columns, as SQL.

A row filter is a Django `Q`. Django compiles it, so a partial index that serves queries of the
model serves these statements too.
"""

import re
from typing import Any

from django.core.exceptions import EmptyResultSet, FieldError, FullResultSet
from django.db import connection
from django.db.models import Model, Q
from django.db.models.sql import Query
from psycopg import sql

_PLACEHOLDER = re.compile(r"%[s%]")


def row_filter(model: type[Model], condition: Q, row: str) -> sql.Composable:
    """Return SQL that is true for the rows of a model that pass a condition.

    row: the alias of the model's table in the statement.
    Raises FieldError for a condition that needs another table, and Django's errors for an invalid
    condition.
    """
    query = Query(model)
    query.add_q(condition)
    if not all(
        alias == model._meta.db_table or _is_parent(join) for alias, join in query.alias_map.items()
    ):
        raise FieldError("use the model's own columns only, not columns of related records")
    try:
        text, values = query.get_compiler(connection=connection).compile(query.where)
    except FullResultSet:
        return sql.SQL("true")
    except EmptyResultSet:
        return sql.SQL("false")
    template = text.replace("{", "{{").replace("}", "}}")
    for alias in query.alias_map:
        template = template.replace(f"{connection.ops.quote_name(alias)}.", "{row}.")
    template = _PLACEHOLDER.sub(lambda found: "{}" if found[0] == "%s" else "%", template)
    return sql.SQL(template).format(*map(sql.Literal, values), row=sql.Identifier(row))


def _is_parent(join: Any) -> bool:
    """Return whether a join of a query leads to the table of a parent model."""
    return bool(getattr(join.join_field.remote_field, "parent_link", False))


def hides_rows(model: type[Model]) -> bool:
    """Return whether the model's default manager excludes rows, as a soft-delete manager does.

    True for a manager that raises an error, because it needs a request or a scope.
    """
    try:
        query = model._default_manager.get_queryset().query
    except Exception:
        return True
    return bool(query.where) or query.is_sliced
