"""Admin of the audit log: its entries can be read and searched, not changed."""

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    RangeDateTimeFilter,
)
from unfold.decorators import display

from longshore.accounts.admin.permissions import ReadOnlyPermissions
from longshore.accounts.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyPermissions, ModelAdmin):
    list_display = ("time", "username", "action", "organization", "subject", "address")
    fields = list_display
    readonly_fields = ("time",)
    list_select_related = ("organization",)
    list_filter = (
        ("organization", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )
    list_filter_submit = True
    search_fields = ("username", "subject", "address")
    search_help_text = "A user name, the id of an export, or an IP address"
    show_full_result_count = False

    @display(description="Time", ordering="created_at")
    def time(self, entry: AuditEntry) -> str:
        return f"{entry.created_at:%F %T} UTC"
