"""Exports are watched and downloaded here; only `exports.lifecycle` changes one."""

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)
from unfold.decorators import display

from exports.admin import presentation
from exports.admin.actions import ExportActions
from exports.admin.filters import FormatFilter, ResourceFilter
from exports.lifecycle.storage import signed_url
from exports.models import Export, Status
from longshore.accounts import audit
from longshore.accounts.models import AuditAction
from webhooks.admin.presentation import NOTHING, moment

PROGRESS = "admin/exports/export/progress.html"
DOWNLOAD = "admin/exports/export/download.html"


def may_download(request: HttpRequest) -> bool:
    """Whether the user may look at exports and take their files."""
    wanted = ("exports.view_export", "exports.download_export")
    return request.user.has_perms(wanted)


@admin.register(Export)
class ExportAdmin(ExportActions):
    list_display = (
        "identifier",
        "resource_and_format",
        "state",
        "progress_bar",
        "size",
        "created",
        "download_button",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ResourceFilter,
        ("organization", AutocompleteSelectFilter),
        FormatFilter,
    )
    list_select_related = ("organization",)
    search_fields = ("public_id__startswith",)
    search_help_text = "The beginning of an export's id"
    change_form_before_template = "admin/exports/export/summary.html"
    fieldsets = (
        ("Organization", {"fields": ("organization", "asked_with")}),
        ("Request", {"fields": ("request_text",)}),
        (
            "Interpretation",
            {
                "fields": (
                    *("conditions", "date_range", "order", "limit", "datetimes", "columns"),
                    "left_out",
                )
            },
        ),
        ("Processing", {"fields": ("queued", "heard_of", "attempts")}),
    )

    class Media:
        css = {"all": ("exports/admin.css",)}  # noqa: RUF012
        js = (Script("exports/live.js", defer=True),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        exports: QuerySet[Export] = super().get_queryset(request).filter(deleted_at=None)
        # The two may be a megabyte each, and a list shows neither.
        return exports.defer("request", "spec").prefetch_related("files")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download)
        url = path("<int:number>/download/", view, name="exports_export_download")
        return [url, *super().get_urls()]

    def download(self, request: HttpRequest, number: int) -> HttpResponse:
        """Records the download and redirects to a fresh link.

        A page left open may ask for a file that is gone.
        """
        if not may_download(request):
            raise PermissionDenied
        export = get_object_or_404(self.get_queryset(request), pk=number)
        if export.shown_status != Status.COMPLETED:
            messages.error(request, "This export has no file, or has none any more.")
            return redirect("admin:exports_export_change", export.pk)
        files = export.files.all()
        chosen = [file for file in files if str(file.pk) == request.GET.get("file")]
        audit.record(request, AuditAction.DOWNLOAD, export.organization, export.public_id)
        return redirect(signed_url((chosen or files)[0], request)[0])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        export: Export = kwargs["obj"]
        status, linked = export.shown_status, may_download(request)
        context |= {
            "may_download": linked,
            "resource": presentation.resource_label(export.resource),
            "format": presentation.format_label(export),
            "status": status,
            "status_color": presentation.STATUS_COLORS[status],
            "times": presentation.times(export),
            "files": presentation.file_table(export, linked=linked),
            "events": presentation.event_table(export),
            **presentation.progress(export),
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Without a button to those who may not download."""
        shown = tuple(super().get_list_display(request))
        return shown if may_download(request) else shown[:-1]

    @display(description="Export", ordering="number", header=True)
    def identifier(self, export: Export) -> tuple[SafeString, str]:
        return presentation.code(export.public_id), str(export.organization)

    @display(description="Resource", header=True)
    def resource_and_format(self, export: Export) -> tuple[str, str]:
        return presentation.resource_label(export.resource), presentation.format_label(export)

    @display(description="Status", label=presentation.STATUS_COLORS)
    def state(self, export: Export) -> tuple[str, str]:
        status = export.shown_status
        return status, str(status.label)

    @display(description="Progress")
    def progress_bar(self, export: Export) -> SafeString:
        return render_to_string(PROGRESS, presentation.progress(export))

    @display(description="Size")
    def size(self, export: Export) -> str:
        sizes = [file.bytes for file in export.files.all()]
        return filesizeformat(sum(sizes)) if sizes else NOTHING

    @display(description="Created", ordering="number", header=True)
    def created(self, export: Export) -> tuple[str, str]:
        (_, relative, absolute), *_ = presentation.times(export)
        return relative, absolute

    @display(description="")
    def download_button(self, export: Export) -> SafeString:
        ready = export.shown_status == Status.COMPLETED
        return render_to_string(DOWNLOAD, {"export": export}) if ready else SafeString()

    @display(description="API key")
    def asked_with(self, export: Export) -> str:
        return str(export.api_key or "None: a command, or a key that was deleted")

    @display(description="Request")
    def request_text(self, export: Export) -> SafeString:
        text = json.dumps(export.request, indent=2, ensure_ascii=False)
        return format_html('<pre class="export-code">{}</pre>', text)

    @display(description="Rows where")
    def conditions(self, export: Export) -> str:
        conditions = export.parsed_spec().selection.conditions
        return presentation.codes(map(presentation.condition_text, conditions)) or "All rows"

    @display(description="Date range")
    def date_range(self, export: Export) -> str:
        ends = {"from": export.date_from, "to": export.date_to}
        return " ".join(f"{name} {end}" for name, end in ends.items() if end) or NOTHING

    @display(description="Ordered by")
    def order(self, export: Export) -> str:
        ordering = export.parsed_spec().selection.ordering
        return presentation.codes(map(presentation.ordering_text, ordering)) or "Nothing"

    @display(description="Limit")
    def limit(self, export: Export) -> str:
        limit = export.parsed_spec().selection.limit
        return "No limit" if limit is None else f"{limit:,} rows"

    @display(description="Datetimes")
    def datetimes(self, export: Export) -> SafeString:
        spec = export.parsed_spec()
        pattern = spec.datetime_format or "ISO 8601"
        return format_html("{} in {}", presentation.code(pattern), spec.timezone)

    @display(description="Columns")
    def columns(self, export: Export) -> SafeString:
        return presentation.codes(presentation.column_texts(export.parsed_spec()))

    @display(description="Left out")
    def left_out(self, export: Export) -> str:
        return " ".join(export.parsed_spec().warnings) or "Nothing"

    @display(description="Last queued")
    def queued(self, export: Export) -> str:
        return moment(export.enqueued_at)

    @display(description="Worker last heard of")
    def heard_of(self, export: Export) -> str:
        return moment(export.heartbeat_at)

    @display(description="Attempts")
    def attempts(self, export: Export) -> str:
        return presentation.codes(export.claims) or NOTHING
