"""Forms of records that keep untouched values unchanged."""

import json
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import JSONField, QuerySet
from django.forms.fields import InvalidJSONInput
from unfold.widgets import UnfoldAdminTextareaWidget

from longshore.accounts.models import Organization
from longshore.domains.admin.amounts import AmountField


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
    # Name of the field with the currency of the amounts.
    currency = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        amounts = [each for each in self.fields.values() if isinstance(each, AmountField)]
        if not amounts:
            return
        stored = getattr(self.instance, self.currency)
        entered = self._entered_currency() or stored
        for field in amounts:
            field.set_currencies(stored, entered)

    def _entered_currency(self) -> str:
        """Return the currency that the form sets together with amounts; "" if it sets none."""
        field = self.fields.get(self.currency)
        try:
            return field.clean(self.data.get(self.add_prefix(self.currency))) if field else ""
        except ValidationError:
            return ""

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
            if field.name in cleaned:
                cleaned[field.name] = self._as_stored(field, cleaned[field.name])
        for name, value in [*cleaned.items()]:
            foreign = _foreign(value, owner) if owner else None
            if foreign:
                reason = f"{foreign} belongs to {foreign.organization}, not to {owner}."
                self.add_error(name, reason)
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        """Validate unique constraints of an organization's records, although no field edits it."""
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        if "organization" not in self.fields:
            excluded.discard("organization")
        return excluded

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
        found: Any = next(filter(None, parents))
        owner: Organization = found.organization
        return owner


def _foreign(value: Any, owner: Organization) -> Any:
    """Return the first record of a relation that belongs to another organization; or None."""
    records = value.select_related("organization") if isinstance(value, QuerySet) else [value]
    return next((each for each in records if _owner_id(each, owner.pk) != owner.pk), None)


def _owner_id(record: Any, default: str) -> str:
    owner_id: str = getattr(record, "organization_id", default)
    return owner_id


def _one_line(text: str | None) -> str:
    """Return the part of a text that browsers preserve: they change line ends and outer spaces."""
    return "".join((text or "").strip().splitlines())
