"""Admin of exports: list, page, downloads and buttons."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models.fields.json import KT
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from exports.admin import words
from exports.admin.builder.views import builder_urls
from exports.admin.failures import FAILURES
from exports.admin.filters import FormatFilter, TypeFilter
from exports.lifecycle.storage import EXPORT_FILES
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportFile, ExportLimits, ExportSearch, Status
from exports.spec import ExportSpec
from longshore.accounts.admin.filters import RelatedFilter
from longshore.jobs.admin.buttons import Effects
from longshore.jobs.admin.facts import Fact
from longshore.jobs.admin.files import JobFilesAdmin
from longshore.jobs.admin.filters import CreatedFilter, ResourceFilter, StatusFilter
from longshore.jobs.admin.presentation import EMPTY, Table, chips, code, resource_label
from longshore.jobs.admin.search import RESOURCES, CodeSource, TextSource
from longshore.jobs.specs import UnsupportedVersion
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry
from webhooks.admin.subjects import delivery_table


@admin.register(Export)
class ExportAdmin(JobFilesAdmin):
    file_links = EXPORT_FILES
    lifecycle = export_lifecycle
    failures = FAILURES
    limits = ExportLimits
    duplicate_page = "admin:exports_export_build"
    empty_hint = (
        "Exports appear here when a client calls POST /v1/exports, when a command creates one, or "
        "when somebody builds one in the admin."
    )
    text_sources = (
        TextSource(ExportSearch, "text", "number"),
        TextSource(ExportFile, "name", "export_id"),
    )
    code_sources = (
        RESOURCES,
        CodeSource(
            KT("request__type"), lambda: {each.code: each.name for each in export_types.declared}
        ),
    )
    effects = Effects(
        cancel="Running exports stop within two seconds. You can retry them later.",
        retry="The same requests run again from the beginning, on the current data.",
        expire="Their files are deleted and their links stop working at once. The exports stay.",
        delete="Their files are deleted and their links stop working. This cannot be undone.",
    )
    list_display = (
        "identifier",
        "resource_and_format",
        "state",
        "progress_bar",
        "size",
        "created",
    )
    list_filter = (
        StatusFilter,
        ResourceFilter,
        TypeFilter,
        FormatFilter,
        ("organization", RelatedFilter),
        ("api_key", RelatedFilter),
        ("created_at", CreatedFilter),
    )

    def get_urls(self) -> list[URLPattern]:
        return [*builder_urls(self.admin_site), *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer the builder also to people who may preview rows and not add exports."""
        context = extra_context or {}
        if not self._may(request, "add") and self._may(request, "preview"):
            context = {"new_page": self.new_page(), "new_title": "Preview rows", **context}
        return super().changelist_view(request, context)

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Add the column of download buttons for people who may download files."""
        columns = super().get_list_display(request)
        return [*columns, self._download_column(request)] if self.may_download(request) else columns

    # --- Page of an export -----------------------------------------------------------------------

    def heading(self, job: Export) -> str:
        return f"{resource_label(job.resource)}, {words.format_label(job)}"

    def has_downloads(self, job: Export) -> bool:
        return job.shown_status == Status.COMPLETED

    def request_sentence(self, job: Export) -> str:
        spec = _readable_spec(job)
        return spec if isinstance(spec, str) else words.sentence(job, spec)

    def facts(self, request: HttpRequest, job: Export) -> list[Fact]:
        found: list[Fact] = []
        if named := job.request.get("type"):
            declared = export_types.by_code.get(named)
            found.append(Fact("Named export", declared.name if declared else str(named)))
        if job.date_from or job.date_to:
            ends = {"from": job.date_from, "until": job.date_to}
            text = " ".join(f"{name} {end}" for name, end in ends.items() if end)
            found.append(Fact("Date range", text))
        if metadata := job.request.get("metadata"):
            pairs = (f"{name}: {value}" for name, value in metadata.items())
            found.append(Fact("Metadata", chips(pairs)))
        spec = _readable_spec(job)
        return [
            *found,
            *(
                Fact(label, spec if isinstance(spec, str) else text(spec), is_wide=label in _WIDE)
                for label, text in _TEXTS.items()
            ),
            *(Fact("Warning", text, is_wide=True) for text in job.spec.get("warnings", ())),
        ]

    def tables(self, request: HttpRequest, job: Export) -> list[Table]:
        return [*super().tables(request, job), delivery_table(request, job.public_id)]

    # --- Columns of the list ---------------------------------------------------------------------

    @display(description="Resource", header=True)
    def resource_and_format(self, export: Export) -> tuple[str, str]:
        return resource_label(export.resource), words.format_label(export)

    @display(description="Size")
    def size(self, export: Export) -> str:
        # Not from the files: 50 exports may have 50,000.
        return filesizeformat(export.stored_bytes) if export.stored_bytes else EMPTY

    def _download_column(self, request: HttpRequest) -> Callable[[Export], SafeString]:
        """Return the column with a button for each export whose files the person may download."""

        @display(description="")
        def download_button(export: Export) -> SafeString:
            if not self.may_download_of(request, export):
                return SafeString()
            context = {"url": self.download_all_url(export), "name": str(export)}
            return render_to_string("admin/longshore_jobs/download_button.html", context)

        return download_button  # type: ignore[no-any-return]


def _readable_spec(export: Export) -> ExportSpec | str:
    """Return the validated request, or a text that says why it cannot be read."""
    try:
        return export.parsed_spec()
    except UnsupportedVersion as error:
        return f"Unknown: {error}"


def _conditions(spec: ExportSpec) -> str:
    resource = registry.get(spec.resource)
    texts = (words.condition_text(each, resource) for each in spec.selection.conditions)
    return chips(texts) or "None: all rows"


def _order(spec: ExportSpec) -> str:
    return chips(map(words.ordering_text, spec.selection.ordering)) or "Not specified"


def _limit(spec: ExportSpec) -> str:
    limit = spec.selection.limit
    return "No limit" if limit is None else f"{limit:,} rows"


def _datetimes(spec: ExportSpec) -> str:
    return format_html("{} in {}", code(spec.datetime_format or "ISO 8601"), spec.timezone)


def _columns(spec: ExportSpec) -> str:
    return format_html(
        '<div class="admin-scroll" tabindex="0" role="group" aria-label="Columns">{}</div>',
        chips(words.column_texts(spec)),
    )


# Parts of the request, and what returns them in words.
_TEXTS: Mapping[str, Callable[[ExportSpec], str]] = {
    "Filters": _conditions,
    "Order": _order,
    "Limit": _limit,
    "Format": words.layout_text,
    "Datetimes": _datetimes,
    "Columns": _columns,
}
_WIDE = ("Filters", "Columns")
