"""The form field of a time zone: a list with a search box."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from unfold.widgets import UnfoldAdminSelect2Widget

# Names in the time zone database that are not places: files and a placeholder.
_NO_PLACES = {"Factory", "localtime", "posixrules"}


class TimezoneField(forms.ChoiceField):
    """A list of the IANA names of time zones.

    empty: label of the choice of no zone; None if a zone is required.
    """

    def __init__(self, *, empty: str | None = None, **options: Any) -> None:
        names = sorted(available_timezones() - _NO_PLACES)
        choices = [*([("", empty)] if empty else []), *((name, name) for name in names)]
        super().__init__(
            choices=choices, required=empty is None, widget=UnfoldAdminSelect2Widget, **options
        )


def own_timezone_field() -> TimezoneField:
    """Return the field of the zone of a person; none is UTC."""
    return TimezoneField(
        empty="UTC (default)", label="Time zone", help_text="Times in the admin are shown in it."
    )
