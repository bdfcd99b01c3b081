"""Columns: what a row holds, with its kind and its SQL."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeAlias, cast

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from psycopg import sql

from longshore.resources.folding import sort_key

AnyField: TypeAlias = "models.Field[Any, Any]"


class ColumnType(StrEnum):
    """What a column holds; decides its operators, its JSON type and its text."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    LIST = "list"
    JSON = "json"

    @property
    def sortable(self) -> bool:
        return self not in (ColumnType.LIST, ColumnType.JSON)

    @property
    def numeric(self) -> bool:
        return self in (ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.FLOAT)


@dataclass(frozen=True)
class Column:
    """A column of a resource.

    expression: the SQL of its value, of the PostgreSQL type that `kind` names; `{row}` stands
        for the row's table, other braces are doubled.
    field: the model field under it, where there is one.
    nullable: whether it may hold no value.
    digits: of a decimal, as many as there may be, and how many of them after the point.
    description: what a person should know of it.
    choices: the only values that it takes, where the field declares them.
    alphabetical: of a text, whether people read it: rows are ordered by it as by a dictionary,
        by identifiers and choices byte by byte.
    """

    name: str
    kind: ColumnType
    expression: str
    field: str | None = None
    nullable: bool = True
    digits: tuple[int, int] | None = None
    description: str = ""
    choices: tuple[str, ...] = ()
    alphabetical: bool = True

    def value(self, row: str) -> sql.Composable:
        """The SQL of this column's value in the table that the statement calls `row`."""
        # The template is written by a developer, never by a request.
        return sql.SQL(self.expression).format(row=sql.Identifier(row))

    def ordered(self, row: str) -> sql.Composable:
        """The SQL by which rows are ordered by this column, alike on every server."""
        return self.order(self.value(row))

    def order(self, value: sql.Composable) -> sql.Composable:
        """The SQL by which a value of this column is greater or less than another one."""
        if self.kind is not ColumnType.TEXT:
            return value
        if self.by_sort_key:
            return sort_key(value)
        return sql.SQL('{} COLLATE "C"').format(value)

    @property
    def by_sort_key(self) -> bool:
        return self.kind is ColumnType.TEXT and self.alphabetical and not self.choices


# The first class that fits decides, so a subclass stands before its parent.
_KINDS: tuple[tuple[type[AnyField], ColumnType], ...] = (
    (models.BooleanField, ColumnType.BOOLEAN),
    (models.IntegerField, ColumnType.INTEGER),
    (models.DecimalField, ColumnType.DECIMAL),
    (models.FloatField, ColumnType.FLOAT),
    (models.DateTimeField, ColumnType.DATETIME),
    (models.DateField, ColumnType.DATE),
    (models.JSONField, ColumnType.JSON),
    (ArrayField, ColumnType.LIST),
)
_NATIVE_TEXT = (models.CharField, models.TextField)
# What the names of fields that hold secrets have in them: parts of the name without underscores,
# words, and pairs of words; of hashes only those of credentials are secrets.
_SECRET_PARTS = ("password", "passwd", "passphrase", "passcode", "secret", "privatekey", "apikey")
_SECRET_WORDS = {"token", "tokens", "otp", "pin", "pwd"}
_SECRET_PAIRS = {
    *((word, key) for word in ("access", "signing", "session") for key in ("key", "keys")),
    *((word, code) for word in ("recovery", "backup") for code in ("code", "codes")),
}
_HASHES = {"hash", "hashed", "digest"}
_CREDENTIALS = {"key", "code"}


def model_columns(model: type[models.Model], hidden: Collection[str] = ()) -> Iterator[Column]:
    """The columns of a model's own table, in field order; a foreign key is `<name>_id`."""
    for model_field in model._meta.concrete_fields:
        if model_field.name not in hidden and model_field.attname not in hidden:
            yield field_column(model, model_field.name)


def secret_fields(model: type[models.Model]) -> frozenset[str]:
    """The names of the fields that, by their names, hold passwords and other secrets.

    `password`, `client_secret`, `access_token`, `hashed_key`, `api_key2`; numbers, booleans, dates
    and foreign keys are none.
    """
    return frozenset(field.name for field in model._meta.concrete_fields if _is_secret(field))


def _is_secret(model_field: AnyField) -> bool:
    if model_field.is_relation or _kind(model_field) not in (
        ColumnType.TEXT,
        ColumnType.LIST,
        ColumnType.JSON,
    ):
        return False
    words = [word.rstrip("0123456789") for word in model_field.name.lower().split("_")]
    words = [word for word in words if word]
    joined, single = "".join(words), set(words)
    return bool(
        any(part in joined for part in _SECRET_PARTS)
        or single & _SECRET_WORDS
        or _SECRET_PAIRS.intersection(pairwise(words))
        or (single & _HASHES and single & _CREDENTIALS)
    )


def _kind(valued: AnyField) -> ColumnType:
    return next((kind for cls, kind in _KINDS if isinstance(valued, cls)), ColumnType.TEXT)


def field_column(model: type[models.Model], name: str, *, called: str | None = None) -> Column:
    """The column of one field; `called` gives it another name.

    Raises django.core.exceptions.FieldDoesNotExist.
    """
    model_field = model._meta.get_field(name)
    if not isinstance(model_field, models.Field):
        raise FieldDoesNotExist(f"{model.__name__}.{name} is a relation without a column")
    valued = _valued(model_field)
    kind = _kind(valued)
    quoted = (
        '"'
        + column_name(model_field).replace('"', '""').replace("{", "{{").replace("}", "}}")
        + '"'
    )
    expression = "{row}." + quoted
    if isinstance(valued, models.BinaryField):
        expression = f"encode({expression}, 'base64')"
    elif isinstance(valued, models.GenericIPAddressField):
        expression = f"host({expression})"
    elif kind is ColumnType.TEXT and not isinstance(valued, _NATIVE_TEXT):
        expression = f"{expression}::text"
    digits = None
    if isinstance(valued, models.DecimalField) and valued.max_digits is not None:
        digits = valued.max_digits, valued.decimal_places or 0
    return Column(
        called or model_field.attname,
        kind,
        expression,
        field=model_field.name,
        nullable=model_field.null,
        digits=digits,
        description=str(model_field.help_text),
        choices=_choices(model_field),
        alphabetical=isinstance(model_field, _NATIVE_TEXT) and not model_field.primary_key,
    )


def _choices(model_field: AnyField) -> tuple[str, ...]:
    values = [str(value) for value, _ in model_field.flatchoices if value is not None]
    # A form stores an empty text where nothing is chosen and null is not allowed.
    if values and model_field.blank and not model_field.null:
        values.append("")
    return tuple(dict.fromkeys(values))


def column_name(model_field: Any) -> str:
    """The name of a concrete field's column."""
    return cast("str", model_field.column)


def is_editable(model: type[models.Model], column: Column) -> bool:
    """Whether a column is of a field whose value comes from people, not from the database."""
    if column.field is None:
        return False
    model_field = model._meta.get_field(column.field)
    return bool(getattr(model_field, "editable", False)) and column.field != model._meta.pk.name


def primary_key(model: type[models.Model]) -> str:
    """The name of the primary key's column."""
    return column_name(model._meta.pk)


def _valued(model_field: AnyField) -> AnyField:
    """The field whose class says what the column holds."""
    if isinstance(model_field, models.ForeignKey):
        return _valued(model_field.target_field)
    if isinstance(model_field, models.GeneratedField):
        return cast("AnyField", model_field.output_field)
    return model_field
