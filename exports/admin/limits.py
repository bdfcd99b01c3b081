"""What staff allow one organization, where it is not what the settings allow all."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from exports.models import ExportLimits
from webhooks.admin.presentation import NOTHING


@admin.register(ExportLimits)
class ExportLimitsAdmin(ModelAdmin):
    list_display = (
        "organization",
        "exports_at_once",
        "most_records",
        "most_time",
        "most_bytes",
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
                "description": "What is left empty is as the settings say.",
            },
        ),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: ExportLimits | None = None
    ) -> tuple[str, ...]:
        """Whose they are is said once."""
        return ("organization",) if obj else ()

    @display(description="Exports at once")
    def exports_at_once(self, limits: ExportLimits) -> str:
        return _shown(limits.unfinished, settings.EXPORT_MAX_UNFINISHED)

    @display(description="Records")
    def most_records(self, limits: ExportLimits) -> str:
        return _shown(limits.records, settings.EXPORT_MAX_RECORDS)

    @display(description="Seconds")
    def most_time(self, limits: ExportLimits) -> str:
        return _shown(limits.seconds, settings.EXPORT_TIME_LIMIT_SECONDS)

    @display(description="Bytes")
    def most_bytes(self, limits: ExportLimits) -> str:
        return _shown(limits.bytes, settings.EXPORT_MAX_BYTES)

    @display(description="Exports a day")
    def max_daily(self, limits: ExportLimits) -> str:
        return _shown(limits.daily, settings.EXPORT_MAX_DAILY)

    @display(description="Stored bytes")
    def max_stored_bytes(self, limits: ExportLimits) -> str:
        return _shown(limits.stored_bytes, settings.EXPORT_MAX_STORED_BYTES)


def _shown(own: int | None, usual: int | None) -> str:
    if own is not None:
        return f"{own:,}"
    return f"{usual:,} as usual" if usual is not None else NOTHING
