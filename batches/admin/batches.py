"""Admin of batches: list, page, downloads and buttons."""

from types import MappingProxyType
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from batches.admin import presentation
from batches.admin.failures import FAILURES
from batches.admin.filters import FormatFilter
from batches.admin.previewing import may_preview, record_errors, record_preview
from batches.admin.wizard.views import wizard_url, wizard_urls
from batches.lifecycle import undo
from batches.lifecycle.deadlines import undo_deadline
from batches.lifecycle.storage import BATCH_FILES
from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch, BatchFile, BatchLimits, BatchSearch
from longshore.accounts.admin.dialogs import confirmation
from longshore.accounts.admin.filters import RelatedFilter
from longshore.jobs.admin.buttons import (
    Effects,
    cancel_as_staff,
    cancel_button,
    delete_button,
    expire_button,
    retry_button,
)
from longshore.jobs.admin.facts import Fact
from longshore.jobs.admin.files import JobFilesAdmin
from longshore.jobs.admin.filters import CreatedFilter, ResourceFilter, StatusFilter
from longshore.jobs.admin.presentation import EMPTY, Table, resource_label
from longshore.jobs.admin.search import TextSource
from webhooks.admin.subjects import delivery_table

_MAX_LISTED_ERRORS = 5


class UndoForm(BaseDialogForm):
    """Says what an undo reverses."""

    form_before_template = "admin/batches/undo.html"

    def get_before_template_context(
        self, request: HttpRequest, object_id: int | str | None = None
    ) -> dict[str, Any]:
        batch = get_object_or_404(Batch.objects.visible(), pk=object_id)
        return {"reversals": presentation.reversal_texts(batch)}


def _is_undone(batch: Batch) -> bool:
    """Return whether the newest undo of a batch is unfinished or completed."""
    newest = batch.reversals.filter(deleted_at=None).order_by("-number").first()
    return newest is not None and newest.status not in batch_lifecycle.kind.retryable


@admin.register(Batch)
class BatchAdmin(JobFilesAdmin):
    file_links = BATCH_FILES
    file_columns = MappingProxyType({"Kind": lambda file: file.get_kind_display()})
    lifecycle = batch_lifecycle
    failures = FAILURES
    limits = BatchLimits
    duplicate_page = "admin:batches_batch_wizard"
    new_title = "Upload a batch"
    empty_hint = (
        "Batches appear here when a client calls POST /v1/batches, when a command imports a file, "
        "or when somebody uploads one in the admin."
    )
    text_sources = (
        TextSource(BatchSearch, "text", "number"),
        TextSource(BatchFile, "name", "batch_id"),
    )
    effects = Effects(
        cancel="Running batches stop within two seconds. Rows that they have written stay.",
        retry="The same inputs are read again. Rows that are written are not written again.",
        expire="Their inputs and files are deleted. The batches stay, and can still be undone.",
        delete="Their inputs and files are deleted. The records stay, and cannot be undone.",
    )
    list_display = (
        "identifier",
        "resource_and_action",
        "state",
        "progress_bar",
        "requester",
        "created",
    )
    list_filter = (
        StatusFilter,
        ResourceFilter,
        FormatFilter,
        ("organization", RelatedFilter),
        ("api_key", RelatedFilter),
        ("action", ChoicesDropdownFilter),
        ("created_at", CreatedFilter),
    )
    list_select_related = ("organization", "api_key")
    actions_detail = (
        *("cancel_job", "retry_job", "undo_batch", "duplicate_job", "expire_job", "delete_job"),
    )

    class Media:
        css = {"all": ("batches/admin.css",)}  # noqa: RUF012

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        batches: QuerySet[Batch] = super().get_queryset(request)
        # The list shows neither; a mapping may have more than a thousand headers.
        return batches.defer("request", "detected", "warnings")

    def get_urls(self) -> list[URLPattern]:
        return [*wizard_urls(self.admin_site), *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        batch: Batch = kwargs["obj"]
        context |= {
            "details_template": "admin/batches/details.html",
            "outcomes": presentation.outcomes(batch),
            "phases": presentation.phases(batch),
            "wizard_url": wizard_url(request, batch),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def heading(self, job: Batch) -> str:
        return presentation.title_of(job)

    def request_sentence(self, job: Batch) -> str:
        return presentation.sentence(job)

    def facts(self, request: HttpRequest, job: Batch) -> list[Fact]:
        return presentation.facts(job)

    def shown_request(self, request: HttpRequest, job: Batch) -> Any:
        """Record that the person has seen the corrected cells.

        People who may not see cells get their number in place of them.
        """
        if not (corrected := presentation.corrected_text(job)):
            return job.request
        if not may_preview(request, job):
            return job.request | {"corrections": corrected}
        record_preview(request, job, f"Previewed the corrected cells of {job}.")
        return job.request

    def has_downloads(self, job: Batch) -> bool:
        return job.has_files and not job.expired

    def progress_of(self, job: Batch) -> dict[str, Any]:
        """Name the phase: `processed_count` counts the rows of one phase."""
        context = super().progress_of(job)
        return context | {"text": presentation.progress_text(job) or context["text"]}

    def errors_url(self, request: HttpRequest, job: Batch) -> str | None:
        return presentation.errors_url(job)

    def tables(self, request: HttpRequest, job: Batch) -> list[Table]:
        found = list(job.row_errors.all()[:_MAX_LISTED_ERRORS])
        has_cells = may_preview(request, job)
        if found and has_cells:
            record_errors(request, job)
        errors = presentation.error_table(job, found, has_cells=has_cells)
        deliveries = delivery_table(request, job.public_id)
        return [errors, *super().tables(request, job), deliveries]

    # --- Buttons -----------------------------------------------------------------------------

    @cancel_button(
        "A running batch stops within two seconds. Rows that it has written stay; you can undo it."
    )
    def cancel_job(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        return self._run(request, object_id, cancel_as_staff, "canceled")

    @retry_button(
        "The same input is read again, on the current data. Rows that the batch has written are "
        "not written again."
    )
    def retry_job(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._retry(request, object_id)

    @expire_button(
        "Its input and files are deleted and their links stop working at once. The batch stays, "
        "and can still be undone; it can no longer be retried."
    )
    def expire_job(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        return self._expire(request, object_id)

    @action(
        description="Undo",
        icon="undo",
        variant=ActionVariant.WARNING,
        permissions=["undo"],
        dialog=confirmation(
            "Undo this batch?",
            "Another batch reverses what this one has written. Records that were changed since are "
            "kept as they are.",
            "Undo the batch",
            UndoForm,
        ),
    )
    def undo_batch(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        batch = get_object_or_404(self._jobs(object_id))

        def create() -> Batch:
            with transaction.atomic():
                reversal, is_new = undo.create(batch, None)
                if is_new:
                    self.log_addition(request, reversal, f"Undo of {batch}.")
            return reversal

        return self.run_action(request, batch, create, "The batch is undone by {}.")

    @delete_button(
        "Its input and files are deleted, and their links stop working at once. The records that "
        "it has written stay, and it can no longer be undone."
    )
    def delete_job(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        return self._delete(request, object_id)

    def has_undo_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Return whether the person may change batches and read the records of this one.

        It has no undo, or only one that can be retried, and its deadline is not over.
        """
        if not self._may(request, "change"):
            return False
        batch = self._jobs(object_id).first()
        if not self._may_read(request, batch) or _is_undone(batch):
            return False
        deadline = undo_deadline(batch)
        return deadline is not None and deadline > timezone.now()

    # --- Columns of the list -----------------------------------------------------------------

    @display(description="Resource", header=True)
    def resource_and_action(self, batch: Batch) -> tuple[str, str]:
        return resource_label(batch.resource), presentation.kind_label(batch)

    @display(description="Outcome")
    def progress_bar(self, job: Batch) -> SafeString:
        return format_html("{}{}", super().progress_bar(job), presentation.outcome_chips(job))

    @display(description="API key")
    def requester(self, batch: Batch) -> str:
        return str(batch.api_key or EMPTY)
