"""What the pages of webhooks have in common: they are looked at, and changed by buttons alone."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.forms import BaseDialogForm

from longshore.accounts.admin.paginator import EstimatingPaginator
from longshore.api.errors import ApiError


class ReadOnlyModelAdmin(ModelAdmin):
    list_fullwidth = True
    list_filter_submit = True
    list_per_page = 50
    paginator = EstimatingPaginator
    show_full_result_count = False

    class Media:
        css = {"all": ("webhooks/admin.css",)}  # noqa: RUF012

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(name for _, fieldset in self.fieldsets for name in fieldset["fields"])

    def act(
        self, request: HttpRequest, found: Model, do: Callable[[], object], done: str
    ) -> HttpResponse:
        """Do it, say so, and load the page again; a {} in what is said is what doing it gave."""
        try:
            done = done.format(do())
        except ApiError as error:
            # It has gone on since the page was loaded.
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.log_change(request, found, done)
            self.message_user(request, done)
        # The dialog asks by htmx, which follows this header with a page load.
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponse(headers={"HX-Redirect": reverse(name, args=[found.pk])})


def dialog(
    title: str, description: str, button: str, form: type[BaseDialogForm] = BaseDialogForm
) -> dict[str, object]:
    return {
        "title": title,
        "description": description,
        "form_class": form,
        "form_submit_text": button,
    }
