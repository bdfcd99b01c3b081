"""Filters of the lists of jobs. Their choices need no query, and each has an index."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import get_current_timezone
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter
from unfold.utils import parse_date_str

from longshore.accounts.admin.filters import has_range
from longshore.jobs.admin.presentation import resource_label
from longshore.resources.registry import registry


class StatusFilter(DropdownFilter):
    """Selects jobs by the status that the admin shows, like the filter of the API."""

    title = "status"
    # The parameter of Django's filter of a field with choices.
    parameter_name = "status__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*model_admin.model._meta.get_field("status").choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        jobs: Any = queryset
        return jobs.shown_as([self.value()]) if self.value() else queryset


class ResourceFilter(DropdownFilter):
    title = "resource"
    parameter_name = "resource"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, resource_label(name)) for name in registry.names()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(resource=self.value()) if self.value() else queryset


class CreatedFilter(RangeDateFilter):
    """Selects jobs by the day of their creation, in the time zone of the reader.

    Both days are included.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.title = "day of creation"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (self._day(end) for end in ("from", "to"))
        if first:
            queryset = queryset.filter(created_at__gte=_midnight(first))
        if last:
            queryset = queryset.filter(created_at__lt=_midnight(last + timedelta(days=1)))
        return queryset

    def _day(self, end: str) -> date | None:
        """Return an end of the range; None if it is missing or malformed."""
        day: date | None = parse_date_str(self.used_parameters.get(f"{self.field_path}_{end}", ""))
        # `last` is followed by another day.
        return None if day == date.max else day


def is_limited_by_creation(request: HttpRequest) -> bool:
    """Return whether the list of a request has a value of `CreatedFilter`."""
    return has_range(request, "created_at")


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=get_current_timezone())
