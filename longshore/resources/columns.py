"""Columns of resources: name, type and SQL expression.

Derives the columns of a model from its fields, and detects fields that hold secrets.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.functional import Promise
from psycopg import sql

from longshore.resources.column_types import ColumnType
from longshore.resources.declared_types import convert_lists
from longshore.resources.field_sql import (
    NATIVE_TEXT,
    AnyField,
    is_importable,
    kind_of,
    value_sql,
    valued_field,
)
from longshore.resources.folding import sort_key

__all__ = [
    "AnyField",
    "Column",
    "ColumnType",
    "column_name",
    "editable_columns",
    "field_column",
    "find_field",
    "has_column",
    "has_composite_key",
    "has_table",
    "is_assigned",
    "is_editable",
    "model_columns",
    "primary_key",
    "secret_fields",
    "text_to_search",
    "unassigned_key",
    "valued_field",
]
# Stands for the stored value until its name is quoted.
_REFERENCE = "$stored$"


@dataclass(frozen=True)
class Column:
    """A column of a resource.

    expression: SQL of the value, with the PostgreSQL type that `kind` names. `{row}` stands for
        the alias of the row's table; other braces are doubled.
    field: name of the model field behind the column; None for a computed column.
    nullable: whether the value may be null.
    digits: precision and scale of a decimal.
    description: help text for people.
    label: the header of files with `labels`; by default the label of the field, else the name in
        words. A lazy translation is translated when the file is written.
    currency: of an amount, the name of the column with its currency code; "" for other values.
    choices: the possible values, if the field declares choices.
    alphabetical: whether a text column sorts like a dictionary. Identifiers and columns with
        choices sort byte by byte.
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
    currency: str = ""
    label: str | Promise = ""

    def __post_init__(self) -> None:
        convert_lists(self)

    def value(self, row: str) -> sql.Composable:
        """Return the SQL of the value in the table with the alias `row`."""
        # A developer wrote the template; no part of it comes from a request.
        return sql.SQL(self.expression).format(row=sql.Identifier(row))

    def ordered(self, row: str) -> sql.Composable:
        """Return the SQL that rows are sorted by, with the same result on every server."""
        return self.order(self.value(row))

    def order(self, value: sql.Composable) -> sql.Composable:
        """Return the SQL that decides whether a value of this column is greater than another."""
        if self.kind is not ColumnType.TEXT:
            return value
        if self.by_sort_key:
            return sort_key(value)
        return sql.SQL('{} COLLATE "C"').format(value)

    @property
    def is_date(self) -> bool:
        return self.kind in (ColumnType.DATE, ColumnType.DATETIME)

    @property
    def is_stored(self) -> bool:
        """Whether the value is the stored one, so that it costs nothing to repeat it."""
        return self.field is not None and self.expression.startswith("{row}.")

    @property
    def by_sort_key(self) -> bool:
        """Whether rows are sorted by the column's sort key instead of its value."""
        return self.kind is ColumnType.TEXT and self.alphabetical and not self.choices


# Patterns in the names of fields that hold secrets: substrings of the name without underscores,
# words, ends of words (`inspectdb` writes `accesstoken` for `accessToken`), and ends of the name. A
# hash is a secret only together with a credential: `hashed_key`.
_SECRET_PARTS = (
    *("password", "passwd", "passphrase", "passcode", "passhash", "pwhash", "secret"),
    *("credential", "privatekey", "apikey"),
)
_SECRET_WORDS = {"otp", "totp", "pin", "pwd", "jwt"}
_SECRET_ENDS = ("token", "tokens")
_SECRET_PAIRS = tuple(
    f"{word}{ending}"
    for words, endings in (
        (("access", "auth", "encryption", "session", "signing", "ssh"), ("key", "keys")),
        (("backup", "recovery"), ("code", "codes")),
    )
    for word in words
    for ending in endings
)
_CAPITAL = re.compile(r"([a-z0-9])([A-Z])")
_HASHES = {"hash", "hashed", "digest"}
_CREDENTIALS = {"key", "code"}


def model_columns(model: type[models.Model], hidden: Collection[str] = ()) -> Iterator[Column]:
    """Yield the columns of the model's own table in field order. A foreign key is `<name>_id`."""
    for model_field in model._meta.concrete_fields:
        if model_field.name not in hidden and model_field.attname not in hidden:
            yield field_column(model, model_field.name)


def secret_fields(model: type[models.Model]) -> frozenset[str]:
    """Return the names of fields whose names suggest that they hold secrets.

    Examples: `password`, `client_secret`, `accessToken`, `hashed_key`, `api_key2`. Numbers,
    booleans and dates are never secrets. A foreign key is one if the field that it refers to is.
    """
    return frozenset(field.name for field in model._meta.concrete_fields if _is_secret(field))


def _is_secret(model_field: AnyField) -> bool:
    if isinstance(model_field, models.ForeignKey):
        return _is_secret(model_field.target_field)
    if kind_of(model_field) not in (ColumnType.TEXT, ColumnType.LIST, ColumnType.JSON):
        return False
    spaced = _CAPITAL.sub(r"\1_\2", model_field.name).lower()
    words = [word.rstrip("0123456789") for word in spaced.split("_")]
    words = [word for word in words if word]
    joined, single = "".join(words), set(words)
    return bool(
        any(part in joined for part in _SECRET_PARTS)
        or single & _SECRET_WORDS
        or any(word.endswith(_SECRET_ENDS) for word in words)
        or joined.endswith(_SECRET_PAIRS)
        or (single & _HASHES and single & _CREDENTIALS)
    )


def field_column(model: type[models.Model], name: str, *, called: str | None = None) -> Column:
    """Return the column of a field. `called` replaces the name of the column.

    Raises django.core.exceptions.FieldDoesNotExist for an unknown name and for a relation without
    a column.
    """
    model_field = model._meta.get_field(name)
    if not isinstance(model_field, models.Field):
        raise FieldDoesNotExist(f"{model.__name__}.{name} is a relation without a column")
    valued = valued_field(model_field)
    kind = kind_of(valued)
    quoted = (
        '"'
        + column_name(model_field).replace('"', '""').replace("{", "{{").replace("}", "}}")
        + '"'
    )
    # The SQL of values has no placeholders but that of the row.
    expression = value_sql(valued, _REFERENCE).replace("{", "{{").replace("}", "}}")
    expression = expression.replace(_REFERENCE, "{row}." + quoted)
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
        alphabetical=isinstance(model_field, NATIVE_TEXT) and not model_field.primary_key,
    )


def _choices(model_field: AnyField) -> tuple[str, ...]:
    values = [str(value) for value, _ in model_field.flatchoices if value is not None]
    # If null is not allowed, a form stores an empty string for no choice.
    if values and model_field.blank and not model_field.null:
        values.append("")
    return tuple(dict.fromkeys(values))


def find_field(model: type[models.Model], name: str) -> Any:
    """Return a field or relation of a model; None without one."""
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def has_column(model: type[models.Model], name: str) -> bool:
    """Return whether a name is a field with a column, which a many-to-many field is not."""
    field = find_field(model, name)
    return isinstance(field, models.Field) and field.concrete and not field.many_to_many


def column_name(model_field: Any) -> str:
    """Return the name of a concrete field's database column."""
    return cast("str", model_field.column)


def is_editable(model: type[models.Model], column: Column) -> bool:
    """Return whether a batch can set the column.

    It can if the column belongs to an editable field, other than the primary key, whose values it
    can store.
    """
    if column.field is None:
        return False
    model_field = model._meta.get_field(column.field)
    if not isinstance(model_field, models.Field) or column.field == model._meta.pk.name:
        return False
    return bool(model_field.editable) and is_importable(valued_field(model_field))


def editable_columns(model: type[models.Model], hidden: Collection[str]) -> dict[str, Column]:
    """Return the columns that a batch can set and that are not hidden, by name, in field order."""
    shown = model_columns(model, hidden)
    return {column.name: column for column in shown if is_editable(model, column)}


def unassigned_key(model: type[models.Model]) -> Column | None:
    """Return the primary key if each new record must be given one; None if the model assigns it.

    None for a foreign key, too: it decides to which other record a record belongs.
    """
    key = model._meta.pk
    if has_composite_key(model) or key.is_relation or is_assigned(key):
        return None
    is_given = key.editable and is_importable(valued_field(key))
    return field_column(model, key.name) if is_given else None


def text_to_search(
    model: type[models.Model], name: str, shown: Collection[str | None]
) -> Column | None:
    """Return the column of a text that a search may read; None if it would disclose the text.

    shown: names of the fields that are shown. Another field may be searched only if it is
        generated, and holds no secret.
    """
    if not has_column(model, name):
        return None
    column = field_column(model, name)
    is_generated = isinstance(model._meta.get_field(name), models.GeneratedField)
    may_search = column.field in shown or (is_generated and name not in secret_fields(model))
    return column if may_search and column.kind is ColumnType.TEXT else None


def primary_key(model: type[models.Model]) -> str:
    """Return the name of the primary key's database column."""
    return column_name(model._meta.pk)


def has_table(model: type[models.Model]) -> bool:
    """Return whether a model is neither abstract nor replaced by another, as `auth.User` may be."""
    options = getattr(model, "_meta", None)
    return options is not None and not options.abstract and not options.swapped


def is_assigned(key: AnyField) -> bool:
    """Return whether the model declares that new records get their primary keys by themselves."""
    return isinstance(key, models.AutoField) or key.has_default() or key.has_db_default()


def has_composite_key(model: type[models.Model]) -> bool:
    """Return whether several columns together are the primary key."""
    return isinstance(model._meta.pk, models.CompositePrimaryKey)
