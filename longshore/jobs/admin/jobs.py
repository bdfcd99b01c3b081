"""Base of the admin of a kind of job: list, summary, live refresh and actions."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from django.contrib.auth import get_permission_codename
from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from longshore.accounts.admin.dialogs import close_dialog, confirmation
from longshore.jobs.admin import progress
from longshore.jobs.admin.pages import ReadOnlyModelAdmin
from longshore.jobs.admin.presentation import Table, code, relative_and_exact_time

_PROGRESS_TEMPLATE = "admin/longshore_jobs/progress.html"


@dataclass(frozen=True)
class JobOperations:
    """The operations of the buttons above a job. Each raises ApiError if it is not possible.

    cancelable, retryable: the statuses in which a job can be canceled or retried.
    """

    cancel: Callable[[Any], None]
    retry: Callable[[Any], None]
    delete: Callable[[Any], None]
    cancelable: Collection[str]
    retryable: Collection[str]


class JobAdmin(ReadOnlyModelAdmin):
    """Pages of one kind of job.

    Subclasses set `operations`, `list_display` and `fieldsets`, and implement `heading`.
    """

    operations: ClassVar[JobOperations]
    # The things that `processed_count` counts.
    progress_unit = "rows"

    list_select_related = ("organization",)
    search_fields = ("public_id__startswith",)
    search_help_text = "The beginning of an id"
    change_form_before_template = "admin/longshore_jobs/summary.html"
    actions_detail = ("cancel_job", "retry_job", "delete_job")

    class Media:
        js = (Script("longshore_jobs/live.js", defer=True),)

    def heading(self, job: Any) -> str:
        """Return the title of the page of a job."""
        raise NotImplementedError

    def download_url(self, request: HttpRequest, job: Any) -> str | None:
        """Return the URL of the download button, or None if there is nothing to download."""
        return None

    def tables(self, request: HttpRequest, job: Any) -> list[Table]:
        """Return the tables below the summary of a job; empty tables are not shown."""
        return [progress.history(reversed(job.events.all()))]

    def visible_jobs(self) -> QuerySet[Any]:
        """Return all jobs that are not soft-deleted."""
        jobs: QuerySet[Any] = self.model._default_manager.visible()
        return jobs

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        jobs: QuerySet[Any] = super().get_queryset(request).visible()
        return jobs

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        job = kwargs["obj"]
        context |= {
            "heading": self.heading(job),
            "status": job.shown_status.label,
            "status_color": progress.STATUS_COLORS[job.shown_status],
            "download_url": self.download_url(request, job),
            "times": progress.times(job),
            "tables": self.tables(request, job),
            **progress.progress_context(job, self.progress_unit),
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @action(
        description="Cancel",
        icon="cancel",
        variant=ActionVariant.WARNING,
        permissions=["cancel"],
        dialog=confirmation(
            "Cancel this job?",
            "A running job stops within two seconds. You can retry it later.",
            "Cancel the job",
        ),
    )
    def cancel_job(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        return self._run(request, object_id, self.operations.cancel, "The job was canceled.")

    @action(
        description="Retry",
        icon="replay",
        permissions=["retry"],
        dialog=confirmation(
            "Retry this job?",
            "The same request runs again from the beginning, on the current data.",
            "Retry the job",
        ),
    )
    def retry_job(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._run(request, object_id, self.operations.retry, "The job was queued again.")

    @action(
        description="Delete",
        icon="delete",
        variant=ActionVariant.DANGER,
        permissions=["remove"],
        dialog=confirmation(
            "Delete this job?",
            "Its files are deleted and their links stop working at once. This cannot be undone.",
            "Delete the job",
        ),
    )
    def delete_job(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        job = get_object_or_404(self.visible_jobs(), pk=object_id)
        self.log_deletions(request, self.visible_jobs().filter(pk=job.pk))
        self.operations.delete(job)
        self.message_user(request, f"{job} was deleted.")
        return close_dialog(self.page_url("changelist"))

    def has_cancel_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "change") and self._is(object_id, self.operations.cancelable)

    def has_retry_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "change") and self._is(object_id, self.operations.retryable)

    def has_remove_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "delete")

    @display(description="Id", ordering="number", header=True)
    def identifier(self, job: Any) -> tuple[SafeString, str]:
        return code(job.public_id), str(job.organization)

    @display(description="Status", label=progress.STATUS_COLORS)
    def state(self, job: Any) -> tuple[str, str]:
        return job.shown_status, str(job.shown_status.label)

    @display(description="Progress")
    def progress_bar(self, job: Any) -> SafeString:
        return render_to_string(
            _PROGRESS_TEMPLATE, progress.progress_context(job, self.progress_unit)
        )

    @display(description="Created", ordering="number", header=True)
    def created(self, job: Any) -> tuple[str, str]:
        return relative_and_exact_time(job.created_at)

    def _run(
        self, request: HttpRequest, object_id: str, operation: Callable[[Any], None], done: str
    ) -> HttpResponse:
        job = get_object_or_404(self.visible_jobs(), pk=object_id)
        return self.run_action(request, job, partial(operation, job), done)

    def _may(self, request: HttpRequest, verb: str) -> bool:
        codename = get_permission_codename(verb, self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")

    def _is(self, object_id: str | None, statuses: Collection[str]) -> bool:
        return self.visible_jobs().filter(pk=object_id or 0, status__in=statuses).exists()
