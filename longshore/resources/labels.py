"""Names of columns and values of choices as people read them, in the language of the project.

The language is the setting LANGUAGE_CODE: a worker knows no other.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils import translation
from django.utils.text import capfirst

from longshore.resources.columns import Column
from longshore.resources.registry import Resource


def path_label(resource: Resource, path: str) -> str:
    """Return the label of a column, a relation or `<relation>.<column>`: `Location: Name`."""
    with translation.override(settings.LANGUAGE_CODE):
        head, _, name = path.partition(".")
        relation = resource.relations_by_name.get(head)
        if relation is None:
            return column_label(resource.model, resource.columns_by_name[head])
        label = _label(resource.model, head)
        return (
            f"{label}: {column_label(relation.target, relation.columns[name])}" if name else label
        )


def column_label(model: type[Model], column: Column) -> str:
    """Return the label of a column, such as `Tracking number`."""
    with translation.override(settings.LANGUAGE_CODE):
        # A declaration may show a field under another name.
        return _label(model, column.field or "", column.name)


def choice_labels(model: type[Model], column: Column) -> Mapping[str, str]:
    """Return the labels of the values of a column with choices; nothing without choices."""
    with translation.override(settings.LANGUAGE_CODE):
        field: Any = _field(model, column.field or "")
        declared = dict(field.flatchoices) if getattr(field, "choices", None) else {}
        labels = {str(value): str(label) for value, label in declared.items()}
        return {value: labels.get(value) or _words(value) for value in column.choices if value}


def _label(model: type[Model], name: str, words: str = "") -> str:
    """Return the label of a field or relation. words: a name for a column without a field."""
    field = _field(model, name)
    verbose = getattr(field, "verbose_name", None)
    if verbose is None and (related := getattr(field, "related_model", None)) is not None:
        # The reverse of a relation has no label of its own.
        many = getattr(field, "multiple", False)
        verbose = related._meta.verbose_name_plural if many else related._meta.verbose_name
    return capfirst(str(verbose)) if verbose else _words(words or name)


def _field(model: type[Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _words(name: str) -> str:
    return capfirst(name.replace("_", " ").strip())
