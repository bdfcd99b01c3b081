"""The types and SQL of the values of model fields, by the type of their database column."""

import re
from typing import Any, TypeAlias, cast

from django.contrib.postgres.fields import ArrayField, HStoreField
from django.db import connection, models
from psycopg import sql

from longshore.files.date_texts import date_text, datetime_text
from longshore.resources.column_types import ColumnType

AnyField: TypeAlias = "models.Field[Any, Any]"

# The first matching class wins, so a subclass precedes its parent.
_TYPES: tuple[tuple[type[AnyField], ColumnType], ...] = (
    (models.BooleanField, ColumnType.BOOLEAN),
    (models.IntegerField, ColumnType.INTEGER),
    (models.DecimalField, ColumnType.DECIMAL),
    (models.FloatField, ColumnType.FLOAT),
    (models.DateTimeField, ColumnType.DATETIME),
    (models.DateField, ColumnType.DATE),
    (models.JSONField, ColumnType.JSON),
    (HStoreField, ColumnType.JSON),
    (ArrayField, ColumnType.LIST),
)
NATIVE_TEXT = (models.CharField, models.TextField, models.FileField)
# The names of the types that text functions accept. A custom field may have another type, such as a
# native enum called chart_type.
_TEXT_TYPES = {"character", "varchar", "char", "bpchar", "text", "citext"}


def valued_field(model_field: AnyField) -> AnyField:
    """Return the field whose class determines the type of a field's values."""
    if isinstance(model_field, models.ForeignKey):
        return valued_field(model_field.target_field)
    if isinstance(model_field, models.GeneratedField):
        return cast("AnyField", model_field.output_field)
    return model_field


def kind_of(valued: AnyField) -> ColumnType:
    """Return the type of the column of a field, which `valued_field` returned.

    The elements of an array have no types of their own in a list, so an array of arrays, of JSON or
    of hstore is JSON.
    """
    kind = next((kind for cls, kind in _TYPES if isinstance(valued, cls)), ColumnType.TEXT)
    if isinstance(valued, ArrayField):
        inner = kind_of(valued.base_field)
        return ColumnType.JSON if inner in (ColumnType.LIST, ColumnType.JSON) else kind
    return kind


def value_sql(valued: AnyField, reference: str) -> str:
    """Return SQL of a field's value, with the PostgreSQL type that `kind_of` names.

    reference: SQL of the stored value.
    """
    if isinstance(valued, ArrayField):
        return _array(valued.base_field, reference, kind_of(valued))
    if isinstance(valued, HStoreField):
        return f"{reference}::jsonb"
    if isinstance(valued, models.BinaryField):
        # PostgreSQL breaks lines of base64 after 76 characters.
        return f"translate(encode({reference}, 'base64'), chr(10), '')"
    if isinstance(valued, models.GenericIPAddressField):
        return f"host({reference})"
    if isinstance(valued, models.DateTimeField) and is_zoneless(valued):
        # Django writes and reads such a column in the time zone of its connection.
        zone = sql.Literal(connection.timezone_name).as_string(None)
        return f"({reference} AT TIME ZONE {zone})"
    if kind_of(valued) is ColumnType.TEXT and not is_native_text(valued):
        return f"{reference}::text"
    return reference


def is_zoneless(valued: AnyField) -> bool:
    """Return whether a field's column has the type `timestamp without time zone`."""
    db_type = (valued.db_type(connection) or "").lower()
    return _type_name(db_type) == "timestamp" and "with time zone" not in db_type


def is_importable(valued: AnyField) -> bool:
    """Return whether a batch can store the value that a file shows.

    It cannot for hstore, and for arrays whose elements are not the texts that PostgreSQL reads.
    """
    if isinstance(valued, HStoreField):
        return False
    if not isinstance(valued, ArrayField):
        return True
    base = valued.base_field
    is_plain = kind_of(valued) is ColumnType.LIST and not isinstance(base, models.BinaryField)
    return is_plain and not (isinstance(base, models.DateTimeField) and is_zoneless(base))


def is_native_text(valued: AnyField) -> bool:
    """Return whether a field's column has a type of texts, and not one that only looks like it."""
    if not isinstance(valued, NATIVE_TEXT):
        return False
    return _type_name(valued.db_type(connection) or "") in _TEXT_TYPES


def _type_name(db_type: str) -> str:
    """Return the first word of a type: `character` for `character varying(40)`."""
    return re.split(r"[ (\[]", db_type.lower(), maxsplit=1)[0]


def _array(base: AnyField, reference: str, kind: ColumnType) -> str:
    if kind is ColumnType.JSON:
        return f"to_jsonb({reference})"
    element = value_sql(base, "element.value")
    match kind_of(base):
        case ColumnType.DATETIME:
            element = datetime_text(sql.SQL(element)).as_string(None)
        case ColumnType.DATE:
            element = date_text(sql.SQL(element)).as_string(None)
    if element == "element.value":
        return reference
    if element == "element.value::text":
        return f"{reference}::text[]"
    elements = f"unnest({reference}) WITH ORDINALITY AS element (value, number)"
    # The definition of a model; no part of it comes from a request.
    array = f"ARRAY(SELECT {element} FROM {elements} ORDER BY element.number)"  # noqa: S608
    return f"CASE WHEN {reference} IS NOT NULL THEN {array} END"
