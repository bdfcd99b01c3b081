"""Base of the serializers of models."""

from typing import Any, ClassVar, TypeVar

from django.db import models
from rest_framework import ISO_8601, serializers

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
