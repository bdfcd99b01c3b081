"""Admin of the limits of single organizations, which override the settings."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from exports.models import ExportLimits
from longshore.jobs.admin.presentation import EMPTY


@admin.register(ExportLimits)
class ExportLimitsAdmin(ModelAdmin):
    list_display = (
        "organization",
        "max_unfinished",
        "max_records",
        "max_seconds",
        "max_bytes",
        "max_daily",
        "max_stored_bytes",
    )
    list_select_related = ("organization",)
    search_fields = ("organization__name", "organization__slug")
    autocomplete_fields = ("organization",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "organization",
                    *("unfinished", "records", "seconds", "bytes", "daily", "stored_bytes"),
                ),
                "description": "Leave a limit empty to use the default of the settings.",
            },
        ),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: ExportLimits | None = None
    ) -> tuple[str, ...]:
        """Forbid changing the organization, because it identifies the limits."""
        return ("organization",) if obj else ()

    @display(description="Unfinished exports")
    def max_unfinished(self, limits: ExportLimits) -> str:
        return _text(limits.unfinished, settings.EXPORT_MAX_UNFINISHED)

    @display(description="Records")
    def max_records(self, limits: ExportLimits) -> str:
        return _text(limits.records, settings.EXPORT_MAX_RECORDS)

    @display(description="Seconds")
    def max_seconds(self, limits: ExportLimits) -> str:
        return _text(limits.seconds, settings.EXPORT_TIME_LIMIT_SECONDS)

    @display(description="Bytes")
    def max_bytes(self, limits: ExportLimits) -> str:
        return _text(limits.bytes, settings.EXPORT_MAX_BYTES)

    @display(description="Exports per day")
    def max_daily(self, limits: ExportLimits) -> str:
        return _text(limits.daily, settings.EXPORT_MAX_DAILY)

    @display(description="Stored bytes")
    def max_stored_bytes(self, limits: ExportLimits) -> str:
        return _text(limits.stored_bytes, settings.EXPORT_MAX_STORED_BYTES)


def _text(own: int | None, default: int | None) -> str:
    """Return the organization's own limit, or else the default, or EMPTY if there is no limit."""
    if own is not None:
        return f"{own:,}"
    return f"{default:,} (default)" if default is not None else EMPTY
