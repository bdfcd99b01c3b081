"""Base of admin pages that show records and change them only by actions."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from longshore.accounts.admin.dialogs import close_dialog
from longshore.accounts.admin.permissions import ReadOnlyPermissions
from longshore.api.errors import ApiError
from longshore.database.paginator import EstimatingPaginator


class ReadOnlyModelAdmin(ReadOnlyPermissions, ModelAdmin):
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
        self, request: HttpRequest, record: Model, operation: Callable[[], object], done: str
    ) -> HttpResponse:
        """Run an operation on a record, log it, show a message, and reload the record's page.

        done: the message of success; `{}` in it stands for the result of the operation.
        If the operation raises ApiError, its message is shown: the record may have changed.
        """
        try:
            done = done.format(operation())
        except ApiError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.log_change(request, record, done)
            self.message_user(request, done)
        return close_dialog(self.page_url("change", record.pk))

    def page_url(self, page: str, *args: object) -> str:
        """Return the URL of a page of this model: `changelist`, `change`, …"""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        return reverse(name, args=args)
