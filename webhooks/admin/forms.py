"""Forms of subscriptions. The parser of the API reads what they contain."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.utils import timezone
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from longshore.accounts import staff
from longshore.accounts.models import Organization
from longshore.api.errors import ApiError, InvalidInput
from longshore.jobs.admin.presentation import resource_label
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry
from webhooks import envelopes, parsing
from webhooks.events import ALL_EVENTS, EventType
from webhooks.maintenance import RETENTION
from webhooks.models import MAX_NAME_CHARACTERS, Delivery, DeliveryStatus, Subscription
from webhooks.targets import MAX_TARGET_CHARACTERS

# Failed deliveries that the dialog of a recovery counts.
_MAX_COUNTED = 10_000
# Fields of the form that the body of a request has too.
_PLAIN_FIELDS = ("name", "target", "resources", "types")
# The labels are Markdown.
_EVENTS = [(each.value, f"{each.value}: {each.label.replace('`', '')}") for each in EventType]


def _resources() -> list[tuple[str, str]]:
    return [(name, resource_label(name)) for name in registry.names()]


def _types() -> list[tuple[str, str]]:
    return [(each.code, each.name) for each in export_types.by_code.values()]


class SubscriptionForm(forms.Form):
    """The fields of a subscription that is created or changed. `values` has what was parsed."""

    name = forms.CharField(
        required=False,
        max_length=MAX_NAME_CHARACTERS,
        widget=UnfoldAdminTextInputWidget,
        help_text="For lists. Without a name, lists show the host of the target.",
    )
    target = forms.CharField(
        max_length=MAX_TARGET_CHARACTERS,
        widget=UnfoldAdminTextInputWidget({"inputmode": "url", "spellcheck": "false"}),
        help_text="The URL that receives the webhooks, such as "
        "https://receiver.example.com/longshore. Its host must be public.",
    )
    all_events = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Send all events, also those of later releases.",
    )
    events = forms.MultipleChoiceField(
        required=False,
        choices=_EVENTS,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        initial=[EventType.EXPORT_CREATED.value, EventType.EXPORT_FAILED.value],
    )
    resources = forms.MultipleChoiceField(
        required=False,
        choices=_resources,
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text="Only events of exports and batches of these. Empty: all.",
    )
    types = forms.MultipleChoiceField(
        required=False,
        choices=_types,
        label="Named exports",
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text="Only events of these named exports. Empty: all.",
    )
    headers = forms.CharField(
        required=False,
        max_length=parsing.MAX_HEADERS * 2 * parsing.MAX_HEADER_CHARACTERS,
        widget=UnfoldAdminTextareaWidget({"rows": 3, "spellcheck": "false"}),
        help_text="HTTP headers to send with every delivery, one per line, such as "
        "Authorization: Bearer 7Qm… Values are stored encrypted and never shown again.",
    )

    values: parsing.Values

    def clean(self) -> dict[str, Any]:
        """Parse the fields as the body of a request, and show each problem at its field."""
        cleaned = super().clean() or self.cleaned_data
        if not (cleaned.get("all_events") or cleaned.get("events") or "events" in self.errors):
            self.add_error("events", "Choose at least one event, or all events.")
        if self.errors:
            return cleaned
        try:
            self.values = self.parse(self.body())
        except InvalidInput as error:
            self.add_api_error(error)
        return cleaned

    def body(self) -> dict[str, Any]:
        """Return the fields as the body of a request to the API."""
        body = {name: self.cleaned_data[name] for name in _PLAIN_FIELDS}
        return body | {"events": self._events(), "headers": self._headers()}

    def parse(self, body: dict[str, Any]) -> parsing.Values:
        return parsing.parse_new(body)

    def add_api_error(self, error: ApiError) -> None:
        """Show an error of the API at the fields that it names, or above the form."""
        if not isinstance(error, InvalidInput):
            self.add_error(None, error.message)
            return
        for problem in error.problems:
            name = problem.field.partition(".")[0]
            self.add_error(name if name in self.fields else None, problem.message)

    def clean_headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in self.cleaned_data["headers"].splitlines():
            name, _, value = (part.strip() for part in line.partition(":"))
            if name in found:
                raise ValidationError(f"The header {name} is set twice.")
            if line.strip():
                found[name] = value
        return found

    def _events(self) -> list[str]:
        return [ALL_EVENTS] if self.cleaned_data["all_events"] else self.cleaned_data["events"]

    def _headers(self) -> dict[str, str | None]:
        return {**self.cleaned_data["headers"]}


class NewSubscriptionForm(SubscriptionForm):
    """Adds the organization, of those that the person may see."""

    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        widget=AutocompleteSelect(Subscription._meta.get_field("organization"), admin.site),
    )
    field_order = ("organization",)

    def __init__(self, user: staff.Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["organization"]
        field.queryset = staff.organizations(user)


class ChangedSubscriptionForm(SubscriptionForm):
    """Keeps the stored headers that it does not name, as a PATCH does.

    Refuses to overwrite what was changed since the form was opened.
    """

    opened = forms.CharField(required=False, widget=forms.HiddenInput)
    removed_headers = forms.MultipleChoiceField(
        required=False,
        label="Remove headers",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def __init__(self, subscription: Subscription, data: Any) -> None:
        initial = {name: getattr(subscription, name) for name in _PLAIN_FIELDS}
        initial["all_events"] = ALL_EVENTS in subscription.events
        initial["events"] = [name for name in subscription.events if name != ALL_EVENTS]
        initial["opened"] = subscription.updated_at.isoformat()
        super().__init__(data, initial=initial)
        fields: dict[str, Any] = self.fields
        for name in ("resources", "types"):
            fields[name].choices = _with_stored(fields[name].choices, initial[name])
        if subscription.dialect:
            # The API of the dialect may not be able to express another combination.
            events, title = fields["events"], envelopes.title_of(subscription.dialect)
            chosen = [each for each in _EVENTS if each[0] in subscription.events]
            events.choices = _with_stored(chosen, initial["events"])
            events.disabled = fields["all_events"].disabled = True
            events.help_text = f"Only a client of the API of {title} can change them."
        fields["removed_headers"].choices = [(name, name) for name in sorted(subscription.headers)]
        if not subscription.headers:
            del self.fields["removed_headers"]
        else:
            self.fields["headers"].help_text += " Headers that you do not name stay as they are."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("opened") != self.initial["opened"]:
            text = "The webhook was changed after you opened this form. Open it again to edit it."
            self.add_error(None, text)
        return cleaned

    @property
    def changed_labels(self) -> list[str]:
        """The labels of the changed fields. Their values may be secret."""
        return [str(self[name].label).lower() for name in self.changed_data]

    def body(self) -> dict[str, Any]:
        """Leave out fields that were not changed: even an equal target would reset failures."""
        changed = set(self.changed_data)
        if "all_events" in changed:
            changed.add("events")
        if "removed_headers" in changed:
            changed.add("headers")
        return {name: value for name, value in super().body().items() if name in changed}

    def parse(self, body: dict[str, Any]) -> parsing.Values:
        return parsing.parse_change(body)

    def _headers(self) -> dict[str, str | None]:
        removed = self.cleaned_data.get("removed_headers", ())
        return dict.fromkeys(removed) | super()._headers()


class SinceForm(BaseDialogForm):
    """The start of a recovery. Shows how many deliveries it would send."""

    since = forms.DateTimeField(widget=UnfoldAdminTextInputWidget({"type": "datetime-local"}))

    def __init__(self, *args: Any, object_id: str, **kwargs: Any) -> None:
        super().__init__(*args, object_id=object_id, **kwargs)
        field = self.fields["since"]
        field.label = f"Since ({timezone.get_current_timezone_name()})"
        field.initial = timezone.now() - timedelta(days=1)
        field.help_text = _failed_counts(int(object_id))

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        """Format an initial value as the browser expects it: to the minute, without a time zone."""
        value = super().get_initial_for_field(field, field_name)
        if not isinstance(value, datetime):
            return value
        return f"{timezone.localtime(value):%Y-%m-%dT%H:%M}"


def _with_stored(choices: Iterable[tuple[str, str]], stored: list[str]) -> list[tuple[str, str]]:
    """Return choices with those that are stored, but not registered any more.

    Without them, an edit would drop the stored names, and an empty list stands for all.
    """
    found = dict(choices)
    missing = [(name, f"{name} (not installed)") for name in stored if name not in found]
    return [*found.items(), *missing]


def _failed_counts(number: int) -> str:
    """Return how many deliveries of a subscription failed, as sentences. number: its key."""
    failed = Delivery.objects.filter(subscription=number, status=DeliveryStatus.FAILED)
    newest = failed.order_by("-created_at").values("created_at")[: _MAX_COUNTED + 1]
    now = timezone.now()
    spans = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
    counts = newest.aggregate(
        **{name: _count_since(now - span) for name, span in spans.items()},
        all=Count("created_at"),
    )
    texts = [f"{_count(counts[name])} of the last {name}" for name in spans]
    return (
        f"Failed deliveries: {', '.join(texts)}, {_count(counts['all'])} in all. "
        f"Events are kept for {RETENTION.days} days."
    )


def _count_since(when: datetime) -> Count:
    return Count("created_at", filter=Q(created_at__gte=when))


def _count(number: int) -> str:
    return f"{number:,}" if number <= _MAX_COUNTED else f"more than {_MAX_COUNTED:,}"
