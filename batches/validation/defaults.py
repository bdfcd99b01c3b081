"""Defaults: the values of created records for the columns that the input does not set."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any

import psycopg
from django.db import connection, models
from django.utils import timezone
from psycopg import sql

from batches.context import Context
from batches.validation.catalog import quoted_table
from longshore.database.column_types import sql_type
from longshore.database.ids import new_id, new_id_sql
from longshore.resources.columns import AnyField, column_name

_TYPED_ROW = sql.Identifier("typed", "longshore_row")
_CATALOG = """SELECT attname, pg_get_expr(adbin, adrelid) FROM pg_attrdef
JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
WHERE adrelid = to_regclass(%s) AND attgenerated = ''"""


@dataclass(frozen=True)
class Default:
    """The value of a column of created records.

    value: SQL, which may use `typed.longshore_row`; None if there is no default, or Python must be
        called for each record.
    call: what Python calls for each record.
    """

    value: sql.Composable | None = None
    call: Callable[[], Any] | None = None

    @property
    def is_missing(self) -> bool:
        return self.value is None and self.call is None


class Defaults:
    """The defaults of one resource's table.

    by_column: of all stored columns except the primary key, by the name of the column in the
        database.
    now: the timestamp of all records of the attempt.
    """

    def __init__(self, cursor: psycopg.Cursor[Any], context: Context) -> None:
        self.now: datetime = timezone.now()
        self._model = context.resource.model
        cursor.execute(_CATALOG, [quoted_table(self._model)])
        self._catalog: Mapping[str, str] = dict(cursor.fetchall())
        table, key = quoted_table(self._model), column_name(self._model._meta.pk)
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s) IS NOT NULL", [table, key])
        ((self._has_sequence,),) = cursor.fetchall()
        self._owner = context.resource.organization
        self._organization_id = context.organization_id

    @cached_property
    def by_column(self) -> dict[str, Default]:
        return {column_name(each): self._default(each) for each in self._fields()}

    @cached_property
    def key(self) -> Default:
        """The primary key of created records, unless a sequence of the database assigns it."""
        field: Any = self._model._meta.pk
        if field.has_default() or field.has_db_default():
            return self._default(field)
        text = None if self._has_sequence else self._catalog.get(column_name(field))
        # The definition of the table; no part of it comes from a request.
        return Default(sql.SQL(text)) if text else Default()

    @property
    def assigns_keys(self) -> bool:
        """Whether created records get a primary key that no row gives."""
        return self._has_sequence or not self.key.is_missing

    def _fields(self) -> list[AnyField]:
        """Return the stored fields of the table except the primary key."""
        return [
            each
            for each in self._model._meta.concrete_fields
            if not each.primary_key and not isinstance(each, models.GeneratedField)
        ]

    def _default(self, field: AnyField) -> Default:
        if field.name == self._owner:
            return Default(sql.Literal(self._organization_id))
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            return Default(self._moment(field))
        if field.has_db_default() and (text := self._catalog.get(column_name(field))):
            # The definition of the table; no part of it comes from a request.
            return Default(sql.SQL(text))
        if field.has_default():
            return self._declared(field)
        if field.null:
            return Default(sql.SQL("NULL::{}").format(sql_type(field)))
        if field.blank and field.empty_strings_allowed and not field.is_relation:
            return Default(sql.Literal(""))
        return Default()

    def _declared(self, field: AnyField) -> Default:
        default = field.default
        if default is timezone.now:
            return Default(self._moment(field))
        if default is uuid.uuid4:
            return Default(sql.SQL("gen_random_uuid()"))
        if isinstance(default, partial) and default.func is new_id and not default.keywords:
            return Default(new_id_sql(default.args[0], self.now, _TYPED_ROW))
        if callable(default) and default not in (dict, list):
            return Default(call=partial(_prepared, field, default))
        return Default(self._literal(field, _prepared(field, field.get_default)))

    def _moment(self, field: AnyField) -> sql.Composable:
        now: Any = self.now
        if isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField):
            now = timezone.localdate(self.now)
        elif isinstance(field, models.TimeField):
            now = timezone.localtime(self.now).time()
        return self._literal(field, now)

    def _literal(self, field: AnyField, value: Any) -> sql.Composable:
        return sql.SQL("{}::{}").format(sql.Literal(value), sql_type(field))


def _prepared(field: AnyField, default: Callable[[], Any]) -> Any:
    """Return a default as psycopg writes it."""
    return field.get_db_prep_save(default(), connection)
