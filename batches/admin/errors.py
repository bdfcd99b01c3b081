"""Admin of the errors of one batch: a paged list, to which the page of the batch links."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from batches.admin import presentation
from batches.admin.previewing import may_preview, record_errors
from batches.errors import RowErrorCode
from batches.models import Batch, BatchError
from longshore.accounts import staff
from longshore.jobs.admin.pages import ReadOnlyModelAdmin
from longshore.jobs.admin.presentation import EMPTY, code

# The digits of the largest number that a row can have.
_MAX_DIGITS = 19
# The parameter of the query that names the batch.
_BATCH = "batch"
# Columns of the list that have texts of cells.
_WITH_CELLS = ("refused_value", "message")


class CodeFilter(DropdownFilter):
    title = "code"
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.value, each.value) for each in RowErrorCode]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[BatchError]
    ) -> QuerySet[BatchError]:
        return queryset.filter(code=self.value()) if self.value() else queryset


@admin.register(BatchError)
class BatchErrorAdmin(ReadOnlyModelAdmin):
    """Lists the errors of the batch that the query names, and no others."""

    organization_path = "batch__organization"
    hidden_fields = ("message", "value")
    list_display = ("row_number", "column_name", "refused_value", "error_code", "message")
    list_display_links = None
    list_filter = (CodeFilter,)
    # Django shows the field of the search only if this is not empty.
    search_fields = ("row",)
    search_help_text = "The number of a row"
    empty_hint = "No row of the batch has an error."
    list_before_template = "admin/batches/errors_of.html"
    # The order of the index.
    ordering = ("row", "pk")
    sortable_by = ()

    class Media:
        css = {"all": ("batches/admin.css",)}  # noqa: RUF012

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return False: without a batch, the list is of no use in the sidebar."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("batches.view_batch")

    def get_object(self, *_: Any) -> None:
        """Return None: an error has no page of its own."""

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Leave out the texts of cells for people who may not preview the batch."""
        batch = self._batch(request)
        if batch and may_preview(request, batch):
            return self.list_display
        return tuple(name for name in self.list_display if name not in _WITH_CELLS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[BatchError]:
        errors: QuerySet[BatchError] = super().get_queryset(request)
        batch = self._batch(request)
        return errors.filter(batch=batch) if batch else errors.none()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[BatchError], search_term: str
    ) -> tuple[QuerySet[BatchError], bool]:
        """Select a row. A search of texts would read all errors of the batch."""
        text = search_term.strip().replace(",", "")
        if not text:
            return queryset, False
        is_row = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
        return (queryset.filter(row=int(text)) if is_row else queryset.none()), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        batch = self._batch(request)
        context: dict[str, Any] = {"title": "Errors of a batch"}
        if batch:
            context |= {
                "title": f"Errors of {batch}",
                "heading": presentation.title_of(batch),
                "batch_link": presentation.batch_link(batch),
                "failed": batch.failed_count,
            }
            if batch.failed_count and may_preview(request, batch):
                record_errors(request, batch)
        response: HttpResponse = super().changelist_view(request, (extra_context or {}) | context)
        return response

    @display(description="Row")
    def row_number(self, error: BatchError) -> str:
        return presentation.row_number(error)

    @display(description="Column")
    def column_name(self, error: BatchError) -> str:
        return error.column or EMPTY

    @display(description="Value")
    def refused_value(self, error: BatchError) -> SafeString:
        return presentation.refused_value(error)

    @display(description="Code")
    def error_code(self, error: BatchError) -> SafeString:
        return code(error.code)

    def _batch(self, request: HttpRequest) -> Batch | None:
        visible = staff.restrict(Batch.objects.visible(), request.user)
        return self.by_key(visible, request.GET.get(_BATCH, "")).first()
