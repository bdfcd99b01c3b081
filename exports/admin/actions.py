"""What staff may do to an export: cancel it, ask for it again, delete it."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from exports.lifecycle import actions
from exports.models import RETRYABLE, UNFINISHED, Export, Status
from webhooks.admin.pages import ReadOnlyModelAdmin, dialog


class ExportActions(ReadOnlyModelAdmin):
    """The buttons above an export; each needs the permission to change, or to delete, exports."""

    actions_detail = ("cancel_export", "retry_export", "delete_export")

    @action(
        description="Cancel",
        icon="cancel",
        variant=ActionVariant.WARNING,
        permissions=["cancel"],
        dialog=dialog(
            "Cancel this export?",
            "Its worker stops within two seconds. It can be asked for again.",
            "Cancel the export",
        ),
    )
    def cancel_export(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        return self._act(request, object_id, actions.cancel, "Canceled.")

    @action(
        description="Retry",
        icon="replay",
        permissions=["retry"],
        dialog=dialog(
            "Write this export again?",
            "The same request, of the records that there are now.",
            "Retry",
        ),
    )
    def retry_export(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        return self._act(request, object_id, actions.retry, "Asked for again.")

    @action(
        description="Delete",
        icon="delete",
        variant=ActionVariant.DANGER,
        permissions=["remove"],
        dialog=dialog(
            "Delete this export?",
            "Its files are gone at once, and links to them lead nowhere. This cannot be undone.",
            "Delete",
        ),
    )
    def delete_export(
        self, request: HttpRequest, form: BaseDialogForm, object_id: str
    ) -> HttpResponse:
        export = get_object_or_404(Export.objects.visible(), pk=object_id)
        self.log_deletions(request, Export.objects.filter(pk=export.pk))
        actions.delete(export)
        self.message_user(request, f"The export {export} is deleted.")
        return HttpResponse(headers={"HX-Redirect": reverse("admin:exports_export_changelist")})

    def has_cancel_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_change(request) and _is(object_id, *UNFINISHED)

    def has_retry_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_change(request) and _is(object_id, *RETRYABLE)

    def has_remove_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("exports.delete_export")

    def _act(
        self, request: HttpRequest, object_id: str, do: Callable[[Export], None], done: str
    ) -> HttpResponse:
        export = get_object_or_404(Export.objects.visible(), pk=object_id)
        return self.act(request, export, partial(do, export), done)


def _may_change(request: HttpRequest) -> bool:
    return request.user.has_perm("exports.change_export")


def _is(object_id: str | None, *statuses: Status) -> bool:
    return Export.objects.visible().filter(pk=object_id or 0, status__in=statuses).exists()
