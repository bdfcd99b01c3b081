"""Forms of logistics records that keep untouched values unchanged."""

import json
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import JSONField
from django.forms.fields import InvalidJSONInput
from unfold.widgets import UnfoldAdminTextareaWidget

from longshore.accounts.models import Organization
from longshore.domains.logistics.models.base import Record


class JsonTextarea(UnfoldAdminTextareaWidget):
    """A textarea whose height follows its text, up to 16 rows."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": "font-mono", "spellcheck": "false", **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        rows = min(16, 1 + str(value or "").count("\n"))
        context: dict[str, Any] = super().get_context(name, value, (attrs or {}) | {"rows": rows})
        return context


class JsonFormField(forms.JSONField):
    """A JSON field with one member per line; empty for null."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


class TextsFormField(JsonFormField):
    """A list of texts as JSON, because texts may contain commas and line breaks."""

    def __init__(self, *, base_field: forms.Field, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Any:
        texts = super().to_python(value)
        if texts is None:
            return []
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ValidationError('Enter a JSON list of texts, such as ["one", "two"].')
        return texts


class UnchangedValuesForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that keeps values the user did not change, and relations within one organization."""

    # Without a prefix, a control named like a property of form elements, such as `matches`, would
    # hide that property from the scripts of the page.
    prefix = "record"

    def owner(self) -> Organization | None:
        """Return the organization of the edited record; None if the user has selected none."""
        chosen = "organization" in self.fields
        owner: Organization | None = (
            self.cleaned_data.get("organization") if chosen else self.instance.organization
        )
        return owner

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        owner = self.owner()
        for field in self._meta.model._meta.concrete_fields:
            value = cleaned.get(field.name)
            if field.name in cleaned:
                cleaned[field.name] = self._as_stored(field, value)
            if owner and isinstance(value, Record) and value.organization_id != owner.pk:
                reason = f"This belongs to {value.organization}, not to {owner}."
                self.add_error(field.name, reason)
        return cleaned

    def _as_stored(self, field: Any, value: Any) -> Any:
        """Return the stored value of a text or datetime that the user did not change."""
        if isinstance(field, JSONField) and value is None and not field.null:
            return field.get_default()
        initial = self.initial.get(field.name, field.get_default())
        if isinstance(value, str) and _one_line(value) == _one_line(initial):
            return initial
        if isinstance(value, datetime) and initial and value == initial.replace(microsecond=0):
            return initial
        return value


class InlineForm(UnchangedValuesForm):
    """The form of a row in an inline table of a record."""

    def owner(self) -> Organization:
        parents = (getattr(field, "parent_instance", None) for field in self.fields.values())
        return next(parent.organization for parent in parents if isinstance(parent, Record))


def _one_line(text: str | None) -> str:
    """Return the part of a text that browsers preserve: they change line ends and outer spaces."""
    return "".join((text or "").strip().splitlines())
