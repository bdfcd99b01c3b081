"""Columns and read-only values of records whose stored value is not the text that people read.

Each function returns a callable for `list_display`, `fieldsets` and `readonly_fields`. The callable
of a field is always the same object, because Django compares them.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from unfold.decorators import display

from longshore.accounts.admin.presentation import EMPTY, link
from longshore.files.currencies import amount_text
from longshore.jobs.admin.presentation import json_block

Display = Callable[[Any], Any]


@cache
def amount_display(model: type[Model], name: str, currency: str) -> Display:
    """Show an amount in minor units as text. currency: name of the field with its currency."""

    def show(record: Any) -> str:
        minor = getattr(record, name)
        return EMPTY if minor is None else amount_text(minor, getattr(record, currency))

    return _named(show, name, model._meta.get_field(name))


@cache
def json_display(model: type[Model], name: str) -> Display:
    """Show JSON with one member per line."""

    def show(record: Any) -> SafeString | str:
        value = getattr(record, name)
        return EMPTY if value is None else json_block(value)

    return _named(show, name, model._meta.get_field(name))


@cache
def status_display(model: type[Model], name: str) -> Display:
    """Show a choice as a badge; its color comes from STATUS_COLORS."""

    def show(record: Any) -> tuple[str, str] | None:
        value = getattr(record, name)
        return (value, getattr(record, f"get_{name}_display")()) if value else None

    return _named(show, name, model._meta.get_field(name), label=STATUS_COLORS)


def record_display(model: type[Model], detail: str) -> Display:
    """Show the name of a record, and a field below it. detail: name of the field; "" for none."""

    def show(record: Any) -> tuple[str, str]:
        below = getattr(record, detail) if detail else None
        return str(record) or str(record.pk), str(below or "")

    return _named(show, "record", model._meta, header=True)


def page_display(model: type[Model]) -> Display:
    """Link the name of a record to its page."""

    def show(record: Any) -> SafeString:
        page = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        return link(reverse(page, args=[record.pk]), str(record) or str(record.pk))

    return _named(show, "record", model._meta)


def _named(show: Display, name: str, labeled: Any, **options: Any) -> Display:
    """Return a display with a name and a label. labeled: has the label as `verbose_name`."""
    show.__name__ = name
    # Apps correct their labels after they have registered their pages.
    label: Callable[[], str] = lazy(lambda: capfirst(str(labeled.verbose_name)), str)
    shown: Display = display(description=label(), **options)(show)
    return shown


_VALUES_BY_COLOR = {
    "success": """acquired active approved captured completed delivered free fulfilled paid placed
        redeemed refunded repeat resolved shipped submitted success""",
    "primary": """authorized in_progress in_transit notified out_for_delivery packing picking
        placing processing ready_to_ship received running tracking_added""",
    "warning": """attempted_delivery delayed editing expiring incomplete on_hold open
        partially_authorized partially_paid partially_refunded partially_voided past_due paused
        requested retrying""",
    "danger": "canceled cancelled expired failed_delivery rejected voided",
    "info": "draft inactive new not_required pending prospect unfulfilled unpaid upcoming",
}
# Colors of Unfold's badges, by the value of a status.
STATUS_COLORS = {
    value: color for color, values in _VALUES_BY_COLOR.items() for value in values.split()
}
