"""Admin of exports: list, page, download, and the buttons cancel, retry and delete."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
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
from exports.admin.filters import FormatFilter, ResourceFilter
from exports.lifecycle import actions
from exports.lifecycle.storage import signed_url
from exports.lifecycle.transitions import EXPORTS
from exports.models import Export, Status
from exports.spec import ExportSpec, UnsupportedVersion
from longshore.accounts import audit
from longshore.accounts.models import AuditAction
from longshore.jobs.admin.jobs import JobAdmin, JobOperations
from longshore.jobs.admin.presentation import EMPTY, Table, chips, code, exact_time, json_block


def may_download(request: HttpRequest) -> bool:
    """Return whether the user may view exports and download their files."""
    return request.user.has_perms(("exports.view_export", "exports.download_export"))


def _interpretation(export: Export, show: Callable[[ExportSpec], str]) -> str:
    """Return a part of the validated request as text, or why it cannot be read."""
    try:
        spec = export.parsed_spec()
    except UnsupportedVersion as error:
        return f"Unknown: {error}"
    return show(spec)


@admin.register(Export)
class ExportAdmin(JobAdmin):
    operations = JobOperations(
        actions.cancel,
        actions.retry,
        actions.delete,
        cancelable=EXPORTS.unfinished,
        retryable=EXPORTS.retryable,
    )
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
    fieldsets = (
        ("Organization", {"fields": ("organization", "api_key_name")}),
        ("Request", {"fields": ("request_text",)}),
        (
            "Interpretation",
            {
                "fields": (
                    *("conditions", "date_range", "order", "limit", "datetimes", "columns"),
                    "warnings",
                )
            },
        ),
        ("Processing", {"fields": ("queued", "heartbeat", "claim_tokens")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Export]:
        exports: QuerySet[Export] = super().get_queryset(request)
        # Each of the two may be a megabyte, and the list shows neither.
        return exports.defer("request", "spec").prefetch_related("files")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download)
        url = path("<int:number>/download/", view, name="exports_export_download")
        return [url, *super().get_urls()]

    def download(self, request: HttpRequest, number: int) -> HttpResponse:
        """Record the download in the audit log and redirect to a fresh link.

        If the files are deleted by now, redirect to the export with an error message.
        """
        if not may_download(request):
            raise PermissionDenied
        export = get_object_or_404(self.get_queryset(request), pk=number)
        if export.shown_status != Status.COMPLETED:
            messages.error(request, "This export has no file to download.")
            return redirect("admin:exports_export_change", export.pk)
        files = export.files.all()
        chosen = [file for file in files if str(file.pk) == request.GET.get("file")]
        audit.record(request, AuditAction.DOWNLOAD, export.organization, export.public_id)
        return redirect(signed_url((chosen or files)[0], request)[0])

    def heading(self, job: Export) -> str:
        resource = presentation.resource_label(job.resource)
        return f"{resource}, {presentation.format_label(job)}"

    def download_url(self, request: HttpRequest, job: Export) -> str | None:
        is_ready = job.shown_status == Status.COMPLETED
        return self._download_page(job) if is_ready and may_download(request) else None

    def tables(self, request: HttpRequest, job: Export) -> list[Table]:
        files = presentation.file_table(job, self.download_url(request, job))
        return [files, *super().tables(request, job)]

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Leave out the download button for users who may not download."""
        columns = tuple(super().get_list_display(request))
        return columns if may_download(request) else columns[:-1]

    @display(description="Resource", header=True)
    def resource_and_format(self, export: Export) -> tuple[str, str]:
        return presentation.resource_label(export.resource), presentation.format_label(export)

    @display(description="Size")
    def size(self, export: Export) -> str:
        sizes = [file.bytes for file in export.files.all()]
        return filesizeformat(sum(sizes)) if sizes else EMPTY

    @display(description="")
    def download_button(self, export: Export) -> SafeString:
        if export.shown_status != Status.COMPLETED:
            return SafeString()
        context = {"url": self._download_page(export)}
        return render_to_string("admin/longshore_jobs/download_button.html", context)

    @display(description="API key")
    def api_key_name(self, export: Export) -> str:
        return str(export.api_key or "None: created by a command, or the key was deleted")

    @display(description="Request")
    def request_text(self, export: Export) -> SafeString:
        return json_block(export.request)

    @display(description="Filters")
    def conditions(self, export: Export) -> str:
        def show(spec: ExportSpec) -> str:
            texts = map(presentation.condition_text, spec.selection.conditions)
            return chips(texts) or "All rows"

        return _interpretation(export, show)

    @display(description="Date range")
    def date_range(self, export: Export) -> str:
        ends = {"from": export.date_from, "to": export.date_to}
        return " ".join(f"{name} {end}" for name, end in ends.items() if end) or EMPTY

    @display(description="Order")
    def order(self, export: Export) -> str:
        def show(spec: ExportSpec) -> str:
            texts = map(presentation.ordering_text, spec.selection.ordering)
            return chips(texts) or "Not specified"

        return _interpretation(export, show)

    @display(description="Limit")
    def limit(self, export: Export) -> str:
        def show(spec: ExportSpec) -> str:
            limit = spec.selection.limit
            return "No limit" if limit is None else f"{limit:,} rows"

        return _interpretation(export, show)

    @display(description="Datetimes")
    def datetimes(self, export: Export) -> str:
        def show(spec: ExportSpec) -> str:
            pattern = spec.datetime_format or "ISO 8601"
            return format_html("{} in {}", code(pattern), spec.timezone)

        return _interpretation(export, show)

    @display(description="Columns")
    def columns(self, export: Export) -> str:
        return _interpretation(export, lambda spec: chips(presentation.column_texts(spec)))

    @display(description="Warnings")
    def warnings(self, export: Export) -> str:
        return _interpretation(export, lambda spec: " ".join(spec.warnings) or "No warnings")

    @display(description="Last queued")
    def queued(self, export: Export) -> str:
        return exact_time(export.enqueued_at)

    @display(description="Last heartbeat")
    def heartbeat(self, export: Export) -> str:
        return exact_time(export.heartbeat_at)

    @display(description="Claim tokens")
    def claim_tokens(self, export: Export) -> str:
        return chips(export.claims) or EMPTY

    def _download_page(self, export: Export) -> str:
        return self.page_url("download", export.pk)
