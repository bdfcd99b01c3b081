"""Base of the admin of an organization's limits for one kind of job."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.text import capfirst
from unfold.admin import ModelAdmin
from unfold.decorators import display

from longshore.jobs.admin.presentation import EMPTY
from longshore.jobs.models import JobLimits
from longshore.jobs.models.usage import LimitField


class JobLimitsAdmin(ModelAdmin):
    """Lists and edits all limits that the model declares."""

    model: type[JobLimits]
    list_select_related = ("organization",)
    search_fields = ("organization__name", "organization__slug")
    autocomplete_fields = ("organization",)

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        return ("organization", *map(_applied, self.model.limit_fields()))

    def get_fieldsets(self, request: HttpRequest, obj: JobLimits | None = None) -> Any:
        names = [field.name for field in self.model.limit_fields()]
        description = "Leave a limit empty to use the default of the settings."
        return [(None, {"fields": ["organization", *names], "description": description})]

    def get_readonly_fields(
        self, request: HttpRequest, obj: JobLimits | None = None
    ) -> tuple[str, ...]:
        """The organization cannot be changed later."""
        return ("organization",) if obj else ()


def _applied(field: LimitField) -> Callable[[JobLimits], str]:
    """Return the column of a limit: the own value, or else the default, or EMPTY for no limit."""

    @display(description=capfirst(field.verbose_name), ordering=field.name)
    def applied(limits: JobLimits) -> str:
        own = getattr(limits, field.name)
        if own is not None:
            return f"{own:,}"
        default = limits.default_of(field)
        return f"{default:,} (default)" if default is not None else EMPTY

    applied.__name__ = field.name
    return applied  # type: ignore[no-any-return]
