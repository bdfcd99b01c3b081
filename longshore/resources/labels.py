"""Names of columns and values of choices as people read them, in the language of the project.

The language is the setting LANGUAGE_CODE: a worker knows no other.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import Model
from django.utils import translation
from django.utils.text import capfirst

from longshore.database.labels import spelled
from longshore.resources.columns import Column, find_field
from longshore.resources.registry import Resource


def path_label(resource: Resource, path: str) -> str:
    """Return the label of a column, a relation or `<relation>.<column>`: `Location: Name`."""
    head, _, name = path.partition(".")
    relation = resource.relations_by_name.get(head)
    if relation is None:
        return column_label(resource.model, resource.columns_by_name[head])
    with translation.override(settings.LANGUAGE_CODE):
        label = _label(resource.model, head)
    return f"{label}: {column_label(relation.target, relation.columns[name])}" if name else label


def column_label(model: type[Model], column: Column) -> str:
    """Return the label of a column: `Tracking number`, or `Location ID` of a foreign key."""
    with translation.override(settings.LANGUAGE_CODE):
        if column.label or not column.field:
            return str(column.label) or capfirst(spelled(column.name))
        # A declaration may show a field under another name.
        label = _label(model, column.field)
        return f"{label} ID" if model._meta.get_field(column.field).is_relation else label


def choice_labels(model: type[Model], column: Column) -> Mapping[str, str]:
    """Return the labels of the values of a column with choices; nothing without choices."""
    with translation.override(settings.LANGUAGE_CODE):
        field: Any = find_field(model, column.field or "")
        declared = dict(field.flatchoices) if getattr(field, "choices", None) else {}
        labels = {str(value): str(label) for value, label in declared.items()}
        values = filter(None, column.choices)
        return {value: labels.get(value) or capfirst(spelled(value)) for value in values}


def _label(model: type[Model], name: str) -> str:
    """Return the label of a field or relation."""
    field = find_field(model, name)
    verbose = getattr(field, "verbose_name", None)
    if verbose is None and (related := getattr(field, "related_model", None)) is not None:
        # The reverse of a relation has no label of its own.
        many = getattr(field, "multiple", False)
        verbose = related._meta.verbose_name_plural if many else related._meta.verbose_name
    label = str(verbose or name)
    # Django derives a label from the name if the model declares none.
    is_declared = verbose and getattr(field, "_verbose_name", None) is not None
    return capfirst(label if is_declared else spelled(label))
