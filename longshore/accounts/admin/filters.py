"""Filters of lists: by related records that the person may see, by times in its time zone."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm
from unfold.utils import parse_datetime_str

from longshore.accounts.admin.restriction import visible_choices


class _RelatedForm(AutocompleteDropdownForm):
    """Shows the selected record only if the person may see it."""

    def __init__(self, request: HttpRequest, name: str, **options: Any) -> None:
        super().__init__(request=request, name=name, **options)
        site = options["model_admin"].admin_site
        choices = self.fields[name].queryset.all()
        self.fields[name].queryset = visible_choices(site, choices, request)


class RelatedFilter(AutocompleteSelectFilter):
    """A filter by a related record, which is found by typing."""

    form_class = _RelatedForm


def has_range(request: HttpRequest, name: str) -> bool:
    """Return whether the list of a request has a value of a filter by days or times of a field."""
    ends = (f"{name}_{end}" for end in ("from", "to"))
    return any(request.GET.get(end) or request.GET.get(f"{end}_0") for end in ends)


class TimeFilter(RangeDateTimeFilter):
    """A filter by a range of times, which it reads in the time zone of the person.

    The range includes the whole last second.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**self.lookups())

    def lookups(self) -> dict[str, datetime]:
        """Return the lookups of the range, such as `created_at__gte`."""
        found = {}
        ends = {
            "from": ("gte", "00:00:00", timedelta(0)),
            "to": ("lt", "23:59:59", timedelta(seconds=1)),
        }
        for end, (lookup, default_time, included) in ends.items():
            name = f"{self.parameter_name}_{end}"
            day = self.used_parameters.get(f"{name}_0")
            time = self.used_parameters.get(f"{name}_1") or default_time
            when = parse_datetime_str(f"{day} {time}")
            # No time follows the last day.
            if when and when.date() < date.max:
                found[f"{self.field_path}__{lookup}"] = make_aware(when) + included
        return found
