"""Editing records without changing what nobody touched."""

import json
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import JSONField
from django.forms.fields import InvalidJSONInput
from unfold.widgets import UnfoldAdminTextareaWidget

from resources.logistics.models.base import Record


class JsonTextarea(UnfoldAdminTextareaWidget):
    """As high as its text, within reason."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "font-mono", "spellcheck": "false", **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        rows = min(16, 1 + str(value or "").count("\n"))
        context: dict[str, Any] = super().get_context(name, value, (attrs or {}) | {"rows": rows})
        return context


class JsonFormField(forms.JSONField):
    """JSON with one member a line, empty for nothing."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


class TextsFormField(JsonFormField):
    """A list of texts, as JSON: they may hold commas and line breaks."""

    def __init__(self, *, base_field: forms.Field, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        texts = super().to_python(value)
        if texts is None:
            return []
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValidationError('Enter a JSON list of texts, such as ["one", "two"].')
        return texts


class RecordForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in list(cleaned.items()):
            cleaned[name] = self._as_stored(name, value)
            if isinstance(value, Record):
                self._check_organization(name, value)
        return cleaned

    def _as_stored(self, name: str, value: Any) -> Any:
        """Of a text or a time that merely passed through the browser, what it was before."""
        field, initial = self._meta.model._meta.get_field(name), self.initial.get(name)
        if isinstance(field, JSONField) and value is None and not field.null:
            return field.get_default()
        if isinstance(value, str) and _one_line(value) == _one_line(initial):
            return initial
        if isinstance(value, datetime) and initial and value == initial.replace(microsecond=0):
            return initial
        return value

    def _check_organization(self, name: str, related: Record) -> None:
        owner = self.cleaned_data.get("organization") or self.instance.organization
        if related.organization_id != owner.pk:
            self.add_error(name, f"This belongs to {related.organization}, not to {owner}.")


def _one_line(text: str | None) -> str:
    """What a browser keeps of a text for certain: it changes line ends and spaces around it."""
    return "".join((text or "").strip().splitlines())
