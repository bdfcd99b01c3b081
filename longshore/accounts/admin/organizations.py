"""Admin of organizations: one page with everything about an organization."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.datasets import BaseDataset
from unfold.decorators import display

from longshore.accounts import staff
from longshore.accounts.admin import sections
from longshore.accounts.admin.base import OBJECT_ID, StaffModelAdmin
from longshore.accounts.admin.timezones import TimezoneField
from longshore.accounts.models import ApiKey, KeyStatus, Organization


class OrganizationForm(forms.ModelForm):  # type: ignore[type-arg]
    timezone = TimezoneField(
        label="Time zone",
        initial="UTC",
        help_text="The default of datetimes and of days in filters.",
    )


@admin.register(Organization)
class OrganizationAdmin(StaffModelAdmin):
    organization_path = "pk"
    audits_values = True
    form = OrganizationForm
    list_display = ("name", "slug", "active_keys", "created_at")
    search_fields = ("name", "slug", "id")
    # Django drops the ordering of the model from queries that aggregate, such as the count below.
    ordering = ("name",)
    fields = (("name", "slug"), ("email", "timezone"), ("id", "created_at"))
    readonly_fields = ("id", "created_at")
    change_form_outer_before_template = "admin/longshore_accounts/organization/links.html"
    change_form_outer_after_template = "admin/longshore_accounts/organization/sections.html"

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Organization | None = None
    ) -> dict[str, tuple[str]]:
        """Suggest a slug for a new organization only: scripts and files contain existing slugs."""
        return {"slug": ("name",)} if obj is None else {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        active = Q(api_keys__in=ApiKey.objects.with_status(KeyStatus.ACTIVE))
        organizations: QuerySet[Organization] = super().get_queryset(request)
        return organizations.annotate(active_keys=Count("api_keys", filter=active))

    def get_changeform_datasets(self, request: HttpRequest) -> list[type[BaseDataset]]:
        """Return the lists of the sections; none for a new organization."""
        match = request.resolver_match
        return sections.datasets(request) if match and OBJECT_ID in match.kwargs else []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        organization = kwargs.get("obj")
        context["sections"] = sections.of(request, organization) if organization else []
        for dataset in context["datasets"]:
            context["media"] += dataset.model_admin_instance.media
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @display(description="Active keys", ordering="active_keys")
    def active_keys(self, organization: Organization) -> str:
        query = urlencode({"organization__id__exact": organization.pk, "status": KeyStatus.ACTIVE})
        url = f"{reverse('admin:longshore_accounts_apikey_changelist')}?{query}"
        count: int = organization.active_keys  # type: ignore[attr-defined]
        return format_html('<a href="{}" class="text-primary-600 underline">{}</a>', url, count)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse bound people, who could not see the new organization."""
        return not staff.is_bound(request.user) and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """Forbid deletion, because it would delete all records of the organization."""
        return False
