"""Admin of organizations."""

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from unfold.admin import ModelAdmin
from unfold.decorators import display

from longshore.accounts.models import ApiKey, KeyStatus, Organization


@admin.register(Organization)
class OrganizationAdmin(ModelAdmin):
    list_display = ("name", "slug", "active_keys", "created_at")
    search_fields = ("name", "slug", "id")
    # Django drops the ordering of the model from queries that aggregate, such as the count below.
    ordering = ("name",)
    fields = ("name", "slug", "email", "timezone", "id", "created_at")
    readonly_fields = ("id", "created_at")

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Organization | None = None
    ) -> dict[str, tuple[str]]:
        """Suggest a slug for a new organization only: scripts and files contain existing slugs."""
        return {"slug": ("name",)} if obj is None else {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        active = Q(api_keys__in=ApiKey.objects.with_status(KeyStatus.ACTIVE))
        organizations: QuerySet[Organization] = super().get_queryset(request)
        return organizations.annotate(active_keys=Count("api_keys", filter=active))

    @display(description="Active keys", ordering="active_keys")
    def active_keys(self, organization: Organization) -> str:
        query = urlencode({"organization__id__exact": organization.pk, "status": KeyStatus.ACTIVE})
        url = f"{reverse('admin:longshore_accounts_apikey_changelist')}?{query}"
        count: int = organization.active_keys  # type: ignore[attr-defined]
        return format_html('<a href="{}" class="text-primary-600 underline">{}</a>', url, count)

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """Forbid deletion, because it would delete all records of the organization."""
        return False
