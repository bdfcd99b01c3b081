"""Base of admin pages that show records and change them only by actions."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from longshore.accounts.admin.base import StaffModelAdmin
from longshore.accounts.admin.permissions import ReadOnlyPermissions
from longshore.api.errors import ApiError
from longshore.database.paginator import EstimatingPaginator


class ReadOnlyModelAdmin(ReadOnlyPermissions, StaffModelAdmin):
    """Lists and pages of records that no form changes.

    Subclasses set `fieldsets`, whose fields are all read-only, and change records by actions that
    call `run_action`.
    """

    list_fullwidth = True
    list_filter_submit = True
    list_per_page = 50
    paginator = EstimatingPaginator
    show_full_result_count = False

    class Media:
        css = {"all": ("longshore_jobs/admin.css",)}  # noqa: RUF012

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(name for _, fieldset in self.fieldsets for name in fieldset["fields"])

    def run_action(
        self,
        request: HttpRequest,
        record: Model,
        operation: Callable[..., object],
        done: str,
        *,
        deletes_files: bool = False,
    ) -> HttpResponse:
        """Run an operation on a record, log it, show a message, and reload the record's page.

        done: the message of success; `{}` in it stands for the result of the operation.
        deletes_files: whether the operation may wait for the storage. It gets a function that
            stores the audit entry, and calls it in its own transaction. All others run in one
            transaction with their audit entry.
        If the operation raises ApiError, shows the message of the error and reloads the page,
        because the record may have changed.
        """
        try:
            if deletes_files:
                operation(partial(self.log_change, request, record, done))
            else:
                with transaction.atomic():
                    done = done.format(operation())
                    self.log_change(request, record, done)
        except ApiError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.message_user(request, done)
        return HttpResponseClientRedirect(self.page_url("change", record.pk))

    def page_url(self, page: str, *args: object) -> str:
        """Return the URL of a page of this model: `changelist`, `change`, …"""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=args)
