"""Base of the admin of an organization's limits for one kind of job."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from unfold.decorators import display

from longshore.accounts.admin.base import StaffModelAdmin
from longshore.jobs.admin.presentation import EMPTY, duration
from longshore.jobs.models import JobLimits
from longshore.jobs.models.usage import LimitField


def limit_text(field: LimitField, value: int | None) -> str:
    """Return a limit, or a used amount, with its unit: `1.0 TB`, `1 h 0 min` or `10,000`."""
    if value is None:
        return "No limit"
    match field.unit:
        case "bytes":
            return filesizeformat(value)
        case "seconds":
            return duration(timedelta(seconds=value))
    return f"{value:,}"


def limits_url(request: HttpRequest, limits: type[JobLimits], organization_id: str) -> str | None:
    """Return the page that changes an organization's limits; None if the person may not.

    Limits that have no row yet are added.
    """
    options = limits._meta
    permission = f"{options.app_label}.{{}}_{options.model_name}"
    page = f"admin:{options.app_label}_{options.model_name}_{{}}"
    if limits._default_manager.filter(pk=organization_id).exists():
        if request.user.has_perm(permission.format("change")):
            return reverse(page.format("change"), args=[organization_id])
    elif request.user.has_perm(permission.format("add")):
        return f"{reverse(page.format('add'))}?{urlencode({'organization': organization_id})}"
    return None


class JobLimitsAdmin(StaffModelAdmin):
    """Lists and edits all limits that the model declares."""

    audits_values = True
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

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Show the default of a limit; its name says the unit."""
        formfield = super().formfield_for_dbfield(db_field, request, **kwargs)
        if not isinstance(db_field, LimitField):
            return formfield
        default = self.model.default_of(db_field)
        formfield.widget.attrs["placeholder"] = EMPTY if default is None else str(default)
        formfield.help_text = f"{db_field.help_text} Default: {_exact(db_field, default)}.".strip()
        return formfield


def _exact(field: LimitField, value: int | None) -> str:
    """Return a limit as people read it and as the field takes it."""
    text = limit_text(field, value)
    return f"{value:,} {field.unit} ({text})" if field.unit and value is not None else text.lower()


def _applied(field: LimitField) -> Callable[[JobLimits], str]:
    """Return the column of a limit: the own value, or else the default, or EMPTY for no limit."""

    @display(description=capfirst(field.verbose_name), ordering=field.name)
    def applied(limits: JobLimits) -> str:
        own = getattr(limits, field.name)
        if own is not None:
            return limit_text(field, own)
        default = limits.default_of(field)
        return f"{limit_text(field, default)} (default)" if default is not None else EMPTY

    applied.__name__ = field.name
    return applied  # type: ignore[no-any-return]
