"""Records of any model, for tests that cover all models or need many records."""

from itertools import count
from typing import Any, cast

from django.db import connection
from django.db.models import NOT_PROVIDED, CharField, Model, TextField
from psycopg import sql

from longshore.accounts.models import Organization
from longshore.domains.commerce.models.payments import Payment

_numbers = count(1)


def a_record(model: type[Model], organization: Organization, **values: Any) -> Any:
    """Create a record of an organization with all required fields and related records."""
    number = next(_numbers)
    if issubclass(model, Payment) and not model._meta.managed:
        # A view of transactions of one kind.
        values.setdefault("kind", model._meta.model_name)
    for field in model._meta.concrete_fields:
        given = field.name in values or field.null or field.default is not NOT_PROVIDED
        if field.related_model is Organization:
            values.setdefault(field.name, organization)
        elif given or field.generated or field.primary_key:
            continue
        elif field.many_to_one:
            values[field.name] = a_record(cast("type[Model]", field.related_model), organization)
        elif field.choices:
            values[field.name] = field.choices[0][0]
        elif isinstance(field, CharField | TextField):
            values[field.name] = f"{field.name} {number}"[-(field.max_length or 99) :]
    return model._default_manager.create(**values)


def copies(record: Model, number: int, /, **columns: str) -> None:
    """Copy a record many times by one INSERT … SELECT.

    columns: SQL expressions for columns whose values differ, where `n` counts from 1.
    """
    key = record._meta.pk.attname
    columns.setdefault(key, "id || n")
    stored = [field.attname for field in record._meta.concrete_fields if not field.generated]
    own = {name: sql.SQL(expression) for name, expression in columns.items()}
    names = {name: sql.Identifier(name) for name in stored}
    statement = sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {values}"
        " FROM {table}, generate_series(1, {number}) AS n WHERE {key} = {id}"
    ).format(
        table=sql.Identifier(record._meta.db_table),
        names=sql.SQL(", ").join(names.values()),
        values=sql.SQL(", ").join((names | own).values()),
        number=number,
        key=sql.Identifier(key),
        id=record.pk,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None))
