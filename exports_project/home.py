"""The admin's home: puts the sections of jobs, webhooks and API keys together."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.http import HttpRequest
from django.urls import reverse

from longshore.accounts import staff
from longshore.accounts.admin.home import HomeScope, expiring_keys
from longshore.accounts.models import ApiKey, Organization
from longshore.jobs.admin.charts import PERIODS
from longshore.jobs.admin.home import has_jobs, job_section
from webhooks.admin.home import webhook_section

DEFAULT_PERIOD = "24h"


class OrganizationSelect(AutocompleteSelect):
    """A field that finds an organization by typing."""

    def __init__(self) -> None:
        # The field only tells the autocomplete which model to search.
        super().__init__(ApiKey._meta.get_field("organization"), admin.site)

    def build_attrs(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return super().build_attrs(*args, **kwargs) | {"data-placeholder": "All organizations"}


class HomeForm(forms.Form):
    """The query of the page: an organization, or all that the person may see, and a period."""

    organization = forms.ModelChoiceField(
        Organization.objects.none(), required=False, widget=OrganizationSelect
    )
    period = forms.ChoiceField(choices=[(name, name) for name in PERIODS], required=False)

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request.GET)
        choices: Any = self.fields["organization"]
        choices.queryset = staff.organizations(request.user)


def home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the sections to the context of the admin's index. Wrong values of the query are ignored.

    The callback DASHBOARD_CALLBACK of Unfold.
    """
    form = HomeForm(request)
    form.is_valid()
    chosen: Organization | None = form.cleaned_data.get("organization")
    period = PERIODS[form.cleaned_data.get("period") or DEFAULT_PERIOD]
    allowed = staff.access(request.user).organizations
    scope = HomeScope(frozenset([chosen.pk]) if chosen else allowed)
    jobs = job_section(request, scope, period)
    return context | {
        "title": "Home",
        "form": form,
        "period": period,
        "periods": [_tab(request, each.name, each.label, period.name) for each in PERIODS.values()],
        "may_choose": request.user.has_perm("longshore_accounts.view_organization"),
        "jobs": jobs,
        "webhooks": webhook_section(request, scope),
        "keys": expiring_keys(request, scope),
        "first_steps": _first_steps(request) if jobs and jobs["is_empty"] else [],
    }


def _tab(request: HttpRequest, name: str, label: str, current: str) -> dict[str, Any]:
    """Return the link to a period, as Unfold's navigation component expects it."""
    query = request.GET.copy()
    query["period"] = name
    return {"title": label, "link": f"?{query.urlencode()}", "active": name == current}


def _first_steps(request: HttpRequest) -> list[dict[str, Any]]:
    """Return what to do first on a new installation; nothing if any job exists."""
    if has_jobs():
        return []
    steps = [
        (
            "Create an organization",
            "Each record, export and API key belongs to an organization.",
            "longshore_accounts.add_organization",
            reverse("admin:longshore_accounts_organization_add"),
            Organization.objects.exists(),
        ),
        (
            "Issue an API key",
            "Programs authenticate with the key. The key is shown once.",
            "longshore_accounts.add_apikey",
            reverse("admin:longshore_accounts_apikey_add"),
            ApiKey.objects.exists(),
        ),
        (
            "Build an export",
            "Choose records and columns. The page shows the first rows and the request to the API.",
            "exports.add_export",
            reverse("admin:exports_export_build"),
            False,
        ),
    ]
    return [
        {"title": title, "text": text, "url": url, "is_done": is_done}
        for title, text, permission, url, is_done in steps
        if request.user.has_perm(permission)
    ]
