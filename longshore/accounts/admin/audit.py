"""Admin of the audit log: its entries can be read and searched, not changed."""

from ipaddress import ip_address
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import DropdownFilter, TextFilter
from unfold.decorators import display

from longshore.accounts.admin.base import StaffModelAdmin
from longshore.accounts.admin.filters import RelatedFilter, TimeFilter, has_range
from longshore.accounts.admin.history import label
from longshore.accounts.admin.permissions import ReadOnlyPermissions
from longshore.accounts.admin.presentation import (
    EMPTY,
    exact_time,
    link,
    nowrap,
    relative_and_exact_time,
)
from longshore.accounts.models import NOBODY, AuditAction, AuditEntry
from longshore.database.paginator import EstimatingPaginator

_MAX_LISTED_CHARACTERS = 160


class PersonFilter(TextFilter):
    title = "person"
    parameter_name = "person"

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        return queryset.filter(username=self.value()) if self.value() else queryset


class ActionFilter(DropdownFilter):
    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return all actions of all pages. Needs no query."""
        names = {name for page in admin.site._registry.values() for name in _buttons(page)}
        return [*AuditAction.choices, *((name, label(name)) for name in sorted(names))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry]
    ) -> QuerySet[AuditEntry]:
        return queryset.filter(action=self.value()) if self.value() else queryset


def _buttons(page: Any) -> set[str]:
    """Return the names of the actions of a ModelAdmin: those of a record and those of the list."""
    if not isinstance(page, ModelAdmin):
        # A page of the project in Django's style has actions of the list only.
        return {name for name in page.actions or () if isinstance(name, str)}
    groups = (page.actions_detail, page.actions_list, page.actions_row)
    names = {name for group in groups for name in page._extract_action_names(group)}
    return names | {name for name in page.actions if isinstance(name, str)}


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyPermissions, StaffModelAdmin):
    list_display = ("time", "person", "what", "target", "organization", "address")
    fields = ("exact", "person", "name", "link", "message", "organization", "address")
    readonly_fields = ("exact", "person", "name", "link")
    list_select_related = ("organization",)
    plural = "audit entries"
    empty_hint = "Sign-ins, changes, downloads and previews in the admin appear here."
    list_filter = (
        PersonFilter,
        ActionFilter,
        ("organization", RelatedFilter),
        ("created_at", TimeFilter),
    )
    list_filter_submit = True
    list_fullwidth = True
    list_per_page = 50
    paginator = EstimatingPaginator
    # Django shows the field of the search only if this is not empty; `get_search_results` searches.
    search_fields = ("subject",)
    search_help_text = (
        "A user name, an address, a resource, or the beginning of an object's id or name"
    )
    show_full_result_count = False
    sortable_by = ()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order by the column that a range of times selects, so that its index is used."""
        return ("-created_at", "-pk") if has_range(request, "created_at") else ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Search for the whole term: names contain spaces, at which Django would divide it.

        Search for an address only if the term is one: PostgreSQL refuses other texts.
        """
        term = search_term.strip()
        if not term:
            return queryset, False
        try:
            return queryset.filter(address=str(ip_address(term))), False
        except ValueError:
            subjects = Q(subject__startswith=term) | Q(subject__startswith=term.lower())
            return queryset.filter(Q(username=term) | subjects), False

    @display(description="Time", header=True)
    def time(self, entry: AuditEntry) -> tuple[str, str]:
        return relative_and_exact_time(entry.created_at)

    @display(description="Time")
    def exact(self, entry: AuditEntry) -> SafeString:
        return nowrap(exact_time(entry.created_at))

    @display(description="Person")
    def person(self, entry: AuditEntry) -> str:
        return entry.username or NOBODY

    @display(description="Action", header=True)
    def what(self, entry: AuditEntry) -> tuple[str, str]:
        return label(entry.action), Truncator(entry.message).chars(_MAX_LISTED_CHARACTERS)

    @display(description="Action")
    def name(self, entry: AuditEntry) -> str:
        return label(entry.action)

    @display(description="Object", header=True)
    def target(self, entry: AuditEntry) -> tuple[SafeString | str, str]:
        return self.link(entry), _model_name(entry)

    @display(description="Object")
    def link(self, entry: AuditEntry) -> SafeString | str:
        """Return the object, with a link unless it was deleted."""
        if not entry.model or entry.action == AuditAction.DELETE:
            return entry.subject or EMPTY
        try:
            url = reverse(f"admin:{entry.model.replace('.', '_')}_change", args=[entry.object_id])
        except NoReverseMatch:
            return entry.subject
        return link(url, entry.subject)


def _model_name(entry: AuditEntry) -> str:
    """Return the name of the model of an entry's object; "" if it has none."""
    try:
        return str(apps.get_model(entry.model)._meta.verbose_name) if entry.model else ""
    except LookupError:
        return entry.model
