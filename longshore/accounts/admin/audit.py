"""The audit log in the admin: read and searched, never changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    RangeDateTimeFilter,
)
from unfold.decorators import display

from longshore.accounts.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(ModelAdmin):
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
    search_help_text = "A user name, an export's id or an address"
    show_full_result_count = False

    @display(description="Time", ordering="created_at")
    def time(self, entry: AuditEntry) -> str:
        return f"{entry.created_at:%F %T} UTC"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
