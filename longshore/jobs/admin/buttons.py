"""The buttons of a job, and the actions on the selected jobs of a list."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeAlias

from django.contrib import messages
from django.contrib.auth import get_permission_codename
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from longshore.accounts.admin.dialogs import confirmation
from longshore.accounts.staff import Person
from longshore.api.errors import ApiError
from longshore.jobs import actions as job_actions
from longshore.jobs.admin.facts import address_of
from longshore.jobs.admin.selected import Bulk, SelectedActions
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.statuses import Status
from longshore.resources.readers import check_job, may_read_job

# Clients see the reason; the audit log has the name of the person.
STAFF_CANCELED = "Canceled by the staff."


# Raises ApiError if it is not possible.
_Operation: TypeAlias = Callable[..., object]


def cancel_as_staff(lifecycle: Lifecycle[Any], job: Any) -> None:
    job_actions.cancel(lifecycle, job, STAFF_CANCELED)


def retry_as(person: Person, lifecycle: Lifecycle[Any], job: Any, log: Callable[[], None]) -> None:
    """Retry a job for a member of staff. Raises ApiError if the person may not read its records."""
    check_job(job, person)
    job_actions.retry(lifecycle, job, log)


@dataclass(frozen=True)
class Effects:
    """What the dialogs of the buttons say about one kind of job, as sentences."""

    cancel: str
    retry: str
    expire: str
    delete: str


def cancel_button(effect: str) -> Any:
    """Return the decorator of a button that cancels a job. effect: what the dialog says."""
    return action(
        description="Cancel",
        icon="cancel",
        variant=ActionVariant.WARNING,
        permissions=["cancel"],
        dialog=confirmation("Cancel this job?", effect, "Cancel the job"),
    )


def retry_button(effect: str) -> Any:
    """Return the decorator of a button that retries a job. effect: what the dialog says."""
    return action(
        description="Retry",
        icon="replay",
        permissions=["retry"],
        dialog=confirmation("Retry this job?", effect, "Retry the job"),
    )


def expire_button(effect: str) -> Any:
    """Return the decorator of a button that expires a job. effect: what the dialog says."""
    return action(
        description="Expire now",
        icon="auto_delete",
        permissions=["expire"],
        dialog=confirmation("Delete the files of this job now?", effect, "Delete the files"),
    )


def delete_button(effect: str) -> Any:
    """Return the decorator of a button that deletes a job. effect: what the dialog says."""
    return action(
        description="Delete",
        icon="delete",
        variant=ActionVariant.DANGER,
        permissions=["remove"],
        dialog=confirmation("Delete this job?", effect, "Delete the job"),
    )


class JobButtons(SelectedActions):
    """The buttons of one kind of job.

    Subclasses set `lifecycle` and `effects`, and may set `duplicate_page`: the name of the page
    whose parameter `from` is the public id of the job to repeat.
    """

    lifecycle: ClassVar[Lifecycle[Any]]
    effects: ClassVar[Effects]
    duplicate_page: ClassVar[str] = ""

    actions: Sequence[str] = ("cancel_selected", "retry_selected", "expire_selected", "delete_jobs")
    actions_detail: Sequence[str] = (
        *("cancel_job", "retry_job", "duplicate_job", "expire_job", "delete_job"),
    )

    def describe(self, record: Any) -> str:
        return f"{record.organization}, {record.shown_status.label.lower()}"

    def visible_jobs(self) -> QuerySet[Any]:
        """Return all jobs that are not soft-deleted."""
        jobs: QuerySet[Any] = self.model._default_manager.visible()
        return jobs

    # --- One job -----------------------------------------------------------------------------

    @cancel_button("A running job stops within two seconds. You can retry it later.")
    def cancel_job(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        return self._run(request, object_id, cancel_as_staff, "canceled")

    @retry_button("The same request runs again from the beginning, on the current data.")
    def retry_job(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._retry(request, object_id)

    @expire_button("Its files are deleted and their links stop working at once. The job stays.")
    def expire_job(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        return self._expire(request, object_id)

    @delete_button("Its files are deleted and their links stop working. This cannot be undone.")
    def delete_job(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        return self._delete(request, object_id)

    @action(description="Duplicate", icon="content_copy", permissions=["duplicate"])
    def duplicate_job(self, request: HttpRequest, object_id: str) -> HttpResponse:
        job = get_object_or_404(self._jobs(object_id))
        return redirect(self.duplicate_url(request, job) or self.page_url("change", job.pk))

    def duplicate_url(self, request: HttpRequest, job: Any) -> str | None:
        """Return the page that repeats the request of a job; None if there is none."""
        if not (self.has_duplicate_permission(request) and self._may_read(request, job)):
            return None
        return f"{self.new_page()}?{urlencode({'from': job.public_id})}"

    def new_page(self) -> str | None:
        """Return the page that creates a job; None if there is none."""
        return address_of(self.duplicate_page) if self.duplicate_page else None

    # --- The selected jobs of a list ---------------------------------------------------------

    @action(description="Cancel", icon="cancel", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, jobs: QuerySet[Any]) -> HttpResponse | None:
        return self._run_selected(request, "cancel", "canceled", cancel_as_staff)

    @action(description="Retry", icon="replay", permissions=["retry"])
    def retry_selected(self, request: HttpRequest, jobs: QuerySet[Any]) -> HttpResponse | None:
        retry = partial(retry_as, request.user)
        return self._run_selected(request, "retry", "queued again", retry, deletes_files=True)

    @action(description="Expire now", icon="auto_delete", permissions=["expire"])
    def expire_selected(self, request: HttpRequest, jobs: QuerySet[Any]) -> HttpResponse | None:
        return self._run_selected(
            request, "expire", "expired", job_actions.expire, deletes_files=True
        )

    @action(description="Delete", icon="delete", permissions=["remove"])
    def delete_jobs(self, request: HttpRequest, jobs: QuerySet[Any]) -> HttpResponse | None:
        return self._run_selected(request, "delete", "deleted", job_actions.delete)

    # --- Permissions -------------------------------------------------------------------------

    def has_cancel_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "change") and self._is(object_id, self.lifecycle.kind.unfinished)

    def has_retry_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Return whether the person may retry jobs, and can retry a given one.

        A retry reads the records of the job again: it needs the roles of their resources.
        """
        if not self._may(request, "change"):
            return False
        if object_id is None:
            return True
        job = self._jobs(object_id).shown_as(self.lifecycle.kind.retryable).first()
        return self._may_read(request, job)

    def has_expire_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "change") and self._is(object_id, (Status.COMPLETED,))

    def has_remove_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, "delete")

    def has_duplicate_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Return whether the person may create jobs like a given one, whose records they read."""
        if not self._may(request, "add") or self.new_page() is None:
            return False
        return object_id is None or self._may_read(request, self._jobs(object_id).first())

    def _may(self, request: HttpRequest, verb: str) -> bool:
        codename = get_permission_codename(verb, self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")

    def _may_read(self, request: HttpRequest, job: Any) -> bool:
        """Return whether the person may read all resources of a job; False for no job."""
        return job is not None and may_read_job(job, request.user)

    def _is(self, object_id: str | None, statuses: Collection[str]) -> bool:
        """Return whether a job has one of the statuses; True for no single job."""
        if object_id is None:
            return True
        exists: bool = self._jobs(object_id).shown_as(statuses).exists()
        return exists

    def _jobs(self, object_id: str | None) -> Any:
        """Return the query of the visible job with a primary key."""
        return self.by_key(self.visible_jobs(), object_id)

    def _run(
        self,
        request: HttpRequest,
        object_id: str,
        operation: _Operation,
        done: str,
        *,
        deletes_files: bool = False,
    ) -> HttpResponse:
        job = get_object_or_404(self._jobs(object_id))
        name = self.opts.verbose_name
        return self.run_action(
            request,
            job,
            partial(operation, self.lifecycle, job),
            f"The {name} was {done}.",
            deletes_files=deletes_files,
        )

    def _retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        retry = partial(retry_as, request.user)
        return self._run(request, object_id, retry, "queued again", deletes_files=True)

    def _expire(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._run(request, object_id, job_actions.expire, "expired", deletes_files=True)

    def _delete(self, request: HttpRequest, object_id: str) -> HttpResponse:
        job = get_object_or_404(self._jobs(object_id))
        try:
            with transaction.atomic():
                job_actions.delete(self.lifecycle, job)
                self.log_deletions(request, [job])
        except ApiError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseClientRedirect(self.page_url("change", job.pk))
        self.message_user(request, f"{job} was deleted.")
        return HttpResponseClientRedirect(self.page_url("changelist"))

    def _run_selected(
        self,
        request: HttpRequest,
        name: str,
        done: str,
        operation: _Operation,
        *,
        deletes_files: bool = False,
    ) -> HttpResponse | None:
        """Run an operation on each of the selected jobs. name: that of its effect in `Effects`."""
        effect, run = getattr(self.effects, name), partial(operation, self.lifecycle)
        bulk = Bulk(
            name,
            done,
            effect,
            run,
            deletes_records=name == "delete",
            deletes_files=deletes_files,
        )
        return self.run_selected(request, bulk)
