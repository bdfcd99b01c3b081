"""Base of every page of the admin: a person sees only the organizations that it is bound to."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ClassVar, NoReturn, TypeVar

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from longshore.accounts import audit, staff
from longshore.accounts.admin import history
from longshore.accounts.admin.restriction import VisibleChoices
from longshore.accounts.models import AuditAction

R = TypeVar("R", bound=Model)

# The parameter of an address that names one record. Every address of a record must use this name.
OBJECT_ID = "object_id"


# Records that Django's action deletes at once. It lists each of them, and all that depends on it.
MAX_DELETED = 100
DELETE_SELECTED = "delete_selected"


def _delete_few(
    page: "StaffModelAdmin", request: HttpRequest, records: QuerySet[Any]
) -> HttpResponse | None:
    """Delete the selected records as Django does, unless there are more than MAX_DELETED."""
    is_whole_list = request.POST.get("select_across") == "1"
    if is_whole_list or records[: MAX_DELETED + 1].count() > MAX_DELETED:
        text = f"Select at most {MAX_DELETED} {page.opts.verbose_name_plural} to delete them."
        page.message_user(request, text, messages.ERROR)
        return None
    with transaction.atomic():
        response: HttpResponse | None = delete_selected(page, request, records)
    return response


class StaffModelAdmin(VisibleChoices, ModelAdmin):
    """Pages of a model. All ModelAdmin classes derive from it.

    To a bound person, records of other organizations do not exist: they are in no list, search,
    autocomplete or choice, and each of their addresses, including those of actions and downloads,
    returns 404.

    Each change is recorded in the audit log, which the History page of a record shows.

    organization_path: lookup of the organization of a record; None if records belong to no
        organization. A bound person may see nothing of such a model.
    audits_values: whether audit entries name old and new values, not only the changed fields. Not
        for records with personal data: the log outlives them.
    restricts_rows: tells the pages of Longshore from those of a project, which the middleware
        `close_unrestricted_pages` closes to bound people.
    personal_fields: names of the fields whose values audit entries never name.
    hidden_fields: names of the fields whose values no page shows. No address may filter by them:
        a person could guess a value by its beginning.
    """

    organization_path: ClassVar[str | None] = "organization"
    audits_values: ClassVar[bool] = False
    personal_fields: ClassVar[tuple[str, ...]] = ()
    hidden_fields: ClassVar[tuple[str, ...]] = ()
    restricts_rows: ClassVar[bool] = True
    object_history_template = "admin/history.html"
    # Counting each choice of each filter would read the whole table.
    show_facets = ShowFacets.NEVER

    @property
    def urls(self) -> list[URLPattern]:
        """The URLs of the admin page. Each view first checks if the user may see the record."""
        return [self._guarded(pattern) for pattern in super().urls]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.restrict(super().get_queryset(request), request)

    def restrict(self, records: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Return those of some records of this model that the person may see."""
        if self.organization_path is None:
            return records.none() if staff.is_bound(request.user) else records
        return staff.restrict(records, request.user, self.organization_path)

    def by_key(self, records: QuerySet[R], object_id: object) -> QuerySet[R]:
        """Select the record with a primary key of an address; none if the key is malformed."""
        try:
            return records.filter(pk=object_id)
        except (ValueError, ValidationError):
            return records.none()

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        is_hidden = lookup.partition(LOOKUP_SEP)[0] in self.hidden_fields
        return not is_hidden and super().lookup_allowed(lookup, value, request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_open(request) and super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(request) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._is_open(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_open(request) and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        if DELETE_SELECTED in actions:
            actions[DELETE_SELECTED] = (_delete_few, *actions[DELETE_SELECTED][1:])
        return actions

    # --- Audit log ---------------------------------------------------------------------------

    def record(
        self, request: HttpRequest, action: str, records: Iterable[Any], message: str = ""
    ) -> None:
        """Record an action on records of this model in the audit log."""
        path = self.organization_path
        subjects = [(history.organization_id_of(each, path), each) for each in records]
        audit.record_all(request, action, subjects, message)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        text = history.text_of(message, AuditAction.ADD)
        self.record(request, AuditAction.ADD, [obj], text)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        self.log_changes(request, [obj], message)

    def log_changes(self, request: HttpRequest, records: Iterable[Any], message: Any) -> None:
        """Record a change of several records; the action is the one that the request asks for."""
        action = history.action_of(request, self.model)
        self.record(request, action, records, history.text_of(message, action))

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> None:
        self.record(request, AuditAction.DELETE, queryset)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        if self.audits_values:
            return history.changes(form, formsets, self.personal_fields)
        return super().construct_change_message(request, form, formsets, add)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        entries = audit.entries_of(self.model, unquote(object_id))
        context = history.page_of(request, entries) | (extra_context or {})
        response: HttpResponse = super().history_view(request, object_id, context)
        return response

    # --- Guard -------------------------------------------------------------------------------

    def _is_open(self, request: HttpRequest) -> bool:
        return self.organization_path is not None or not staff.is_bound(request.user)

    def _get_obj_does_not_exist_redirect(self, *args: Any) -> NoReturn:
        """Return 404. Django redirects to the home page."""
        raise Http404

    def _guarded(self, pattern: URLPattern) -> URLPattern:
        view: Callable[..., HttpResponse] = pattern.callback

        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if staff.is_bound(request.user):
                self._refuse_others(request, kwargs.get(OBJECT_ID))
            return view(request, *args, **kwargs)

        return URLPattern(pattern.pattern, guarded, pattern.default_args, pattern.name)

    def _refuse_others(self, request: HttpRequest, object_id: str | None) -> None:
        """Raise Http404 if a bound person may not see this model, or this record of it."""
        if not self._is_open(request):
            raise Http404
        if object_id is None:
            return
        own = self.restrict(self.model._default_manager.all(), request)
        if not self.by_key(own, unquote(str(object_id))).exists():
            raise Http404


class StaffTabularInline(VisibleChoices, TabularInline):
    """A table of related records on the page of a record."""


class StaffStackedInline(VisibleChoices, StackedInline):
    """Forms of related records on the page of a record."""
