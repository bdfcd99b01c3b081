"""Derives the serializers that describe a request in the OpenAPI schema from its declaration."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from longshore.api.body.declaration import (
    Body,
    Boolean,
    Choice,
    Custom,
    Field,
    FreeObject,
    FreeObjects,
    Integer,
    Object,
    Text,
)
from longshore.api.serializers import AnyField

# By the id of the body, which is a constant of a module and lives as long as the process.
_classes: dict[int, type[serializers.Serializer[Any]]] = {}
_QUOTE = '"'
_FREE_OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": {}}


def serializer_class(body: Body) -> type[serializers.Serializer[Any]]:
    """Return a serializer for `extend_schema`; it describes the request and validates nothing.

    Returns the same class for the same body: two classes of one name would be two components.
    """
    if id(body) not in _classes:
        _classes[id(body)] = _new_class(body)
    return _classes[id(body)]


def _new_class(body: Body) -> type[serializers.Serializer[Any]]:
    members: dict[str, Any] = {field.name: _serializer_field(field) for field in body.fields}
    for alias, name in body.aliases.items():
        # Not its enum, which would have two names.
        members[alias] = serializers.CharField(help_text=f"Same as `{name}`.", required=False)
    name = f"{body.name}Serializer"
    return type(name, (serializers.Serializer,), {"__doc__": body.help_text, **members})


def _serializer_field(field: Field) -> AnyField:
    options: dict[str, Any] = {"help_text": field.help_text, "required": field.required}
    if field.default is not None:
        # No `default` in the schema: generated clients would send it, also for formats that do not
        # have the option.
        options["help_text"] += f" Default: `{json.dumps(field.default).strip(_QUOTE)}`."
    match field:
        case Text():
            return serializers.CharField(
                allow_blank=True, max_length=field.max_characters, **options
            )
        case Boolean():
            return serializers.BooleanField(**options)
        case Integer():
            # Omit the maximum: it is only the limit of the database's type.
            return serializers.IntegerField(min_value=field.minimum, **options)
        case Choice():
            return serializers.ChoiceField(field.accepted, **options)
        case FreeObject():
            return _json(_FREE_OBJECT, options)
        case FreeObjects():
            return _json({"type": "array", "items": _FREE_OBJECT, "minItems": 1}, options)
        case Object():
            return serializer_class(field.body)(**options)
        case Custom():
            return _json(dict(field.schema), options)
    raise TypeError(f"A field of the type {type(field).__name__} has no serializer.")


def _json(schema: dict[str, Any], options: dict[str, Any]) -> AnyField:
    described = type("DescribedField", (serializers.JSONField,), {})
    field: AnyField = extend_schema_field(schema)(described)(**options)
    return field
