"""Sections of the page of an organization, which apps above this one register.

A section with a list of records is a tab: one of Unfold's datasets, and tables below it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.paginator import EmptyPage, PageNotAnInteger
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from unfold.datasets import BaseDataset

from longshore.accounts.admin.base import StaffModelAdmin
from longshore.accounts.admin.presentation import Table
from longshore.accounts.models import Organization
from longshore.database.paginator import EstimatingPaginator


def list_url(page: str, organization: Organization, field: str = "organization") -> str:
    """Return the URL of a list of the admin, filtered by an organization.

    page: `exports_export`, for example.
    """
    query = urlencode({f"{field}__id__exact": organization.pk})
    return f"{reverse(f'admin:{page}_changelist')}?{query}"


@dataclass(frozen=True)
class RecordList:
    """The records of an organization, as the list of their own page shows them.

    page: the pages of their model.
    columns: as in `list_display`.
    """

    page: type[StaffModelAdmin]
    columns: tuple[str, ...]

    def dataset(self, section: "Section") -> type[BaseDataset]:
        """Return the list as Unfold expects it."""
        bases = (_OfOrganization, self.page)
        page = type(self.page.__name__, bases, {"list_display": self.columns})
        own = {"model": section.model, "model_admin": page, "title": section.title, "tab": True}
        return type(section.title, (BaseDataset,), own)


@dataclass(frozen=True)
class Section:
    """A part of the page of an organization.

    order: position on the page; sections of this package have 0 to 9.
    model: only people who may see the pages of this model see the section.
    tables: returns tables of an organization, in a constant number of queries. A table may have
        the text `empty`, which takes its place if it has no rows, and a `note` below it.
    links: returns labels and URLs, such as that of the whole list.
    records: the list of the section; None for a section of the first tab.
    """

    title: str
    order: int
    model: type[Model]
    tables: Callable[[HttpRequest, Organization], list[Table]]
    links: Callable[[HttpRequest, Organization], list[tuple[str, str]]]
    records: RecordList | None = None

    @property
    def tab(self) -> str:
        """Return the name of the tab, as Unfold's scripts know it."""
        return tab_of(self.model) if self.records else "general"


def tab_of(model: type[Model]) -> str:
    """Return the name of the tab with the list of a model, which is a fragment of the address."""
    return f"dataset-{model._meta.model_name}"


_registered: dict[str, Section] = {}


def register(section: Section) -> None:
    """Add a section to the page of every organization."""
    _registered[section.title] = section


def of(request: HttpRequest, organization: Organization) -> list[dict[str, object]]:
    """Return title, tab, tables and links of the sections that the person may see."""
    return [
        {
            "title": section.title,
            "tab": section.tab,
            "tables": section.tables(request, organization),
            "links": section.links(request, organization),
        }
        for section in _seen(request)
    ]


def datasets(request: HttpRequest) -> list[type[BaseDataset]]:
    """Return the lists of the sections that the person may see."""
    return [each.records.dataset(each) for each in _seen(request) if each.records]


def _seen(request: HttpRequest) -> list[Section]:
    pages = [(admin.site.get_model_admin(each.model), each) for each in _registered.values()]
    seen = [section for page, section in pages if page.has_view_permission(request)]
    return sorted(seen, key=lambda each: each.order)


class _NearestPage(EstimatingPaginator):
    """Returns the nearest page for one that does not exist: a dataset cannot redirect."""

    def validate_number(self, number: Any) -> int:
        try:
            return super().validate_number(number)
        except PageNotAnInteger:
            return 1
        except EmptyPage:
            return self.num_pages


class _OfOrganization:
    """Mixin of a ModelAdmin: its list on the page of an organization, without search and actions.

    Unfold sets `extra_context`.
    """

    actions = ()
    list_per_page = 10
    paginator = _NearestPage
    search_fields = ()
    sortable_by = ()
    organization_path: ClassVar[str]
    list_select_related: ClassVar[Any]
    extra_context: dict[str, Any]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        records: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        own = records.filter(**{self.organization_path: unquote(self.extra_context["object"])})
        # Unfold does not pass this setting on to the lists of its datasets.
        return own.select_related(*self.list_select_related) if self.list_select_related else own

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}
