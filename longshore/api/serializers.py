"""Base of the serializers of models."""

import copy
from typing import Any, ClassVar, TypeVar

from django.db import models
from rest_framework import ISO_8601, serializers

AnyField = serializers.Field[Any, Any, Any, Any]
_Model = TypeVar("_Model", bound=models.Model)


class DateTimeField(serializers.DateTimeField):
    """A datetime in ISO 8601, independent of the setting REST_FRAMEWORK."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"format": ISO_8601, **kwargs})


class BigIntegerField(serializers.BigIntegerField):
    """A number as a JSON number, independent of the setting REST_FRAMEWORK."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"coerce_to_string": False, **kwargs})


class ModelSerializer(serializers.ModelSerializer[_Model]):
    """A serializer whose datetimes are in ISO 8601, and whose large integers are numbers."""

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: DateTimeField,
        models.BigAutoField: BigIntegerField,
        models.BigIntegerField: BigIntegerField,
    }
    # The fields of the class before they are bound to an object.
    _unbound: ClassVar[dict[str, AnyField]]

    def get_fields(self) -> dict[str, AnyField]:
        """Return copies of the fields of the class: building them takes longer than their use."""
        if "_unbound" not in vars(type(self)):
            type(self)._unbound = super().get_fields()
        return {name: _copied(field) for name, field in self._unbound.items()}


def _copied(field: AnyField) -> AnyField:
    """Return a field that can be bound. A field with fields of its own is built again."""
    has_fields = isinstance(field, (serializers.BaseSerializer, serializers.ManyRelatedField))
    has_fields = has_fields or hasattr(field, "child")
    return copy.deepcopy(field) if has_fields else copy.copy(field)
