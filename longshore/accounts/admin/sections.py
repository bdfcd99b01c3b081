"""Sections of the page of an organization, which apps above this one register."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import admin
from django.db.models import Model
from django.forms import Media
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from longshore.accounts.admin.presentation import Table
from longshore.accounts.models import Organization


def list_url(page: str, organization: Organization, field: str = "organization") -> str:
    """Return the URL of a list of the admin, filtered by an organization.

    page: `exports_export`, for example.
    """
    query = urlencode({f"{field}__id__exact": organization.pk})
    return f"{reverse(f'admin:{page}_changelist')}?{query}"


@dataclass(frozen=True)
class Section:
    """A part of the page of an organization.

    order: position on the page; sections of this package have 0 to 9.
    model: only people who may see the pages of this model see the section.
    tables: returns the tables of an organization, in a constant number of queries.
    links: returns labels and URLs, such as that of the whole list.
    css: name of a static file with styles of the tables; "" for none.
    """

    title: str
    order: int
    model: type[Model]
    tables: Callable[[HttpRequest, Organization], list[Table]]
    links: Callable[[HttpRequest, Organization], list[tuple[str, str]]]
    css: str = ""


_registered: dict[str, Section] = {}


def register(section: Section) -> None:
    """Add a section to the page of every organization."""
    _registered[section.title] = section


def media() -> Media:
    """Return the styles of all sections."""
    return Media(css={"all": [each.css for each in _registered.values() if each.css]})


def of(request: HttpRequest, organization: Organization) -> list[dict[str, object]]:
    """Return title, tables and links of the sections that the person may see."""
    pages = [(admin.site.get_model_admin(each.model), each) for each in _registered.values()]
    seen = [section for page, section in pages if page.has_view_permission(request)]
    return [
        {
            "title": section.title,
            "tables": section.tables(request, organization),
            "links": section.links(request, organization),
        }
        for section in sorted(seen, key=lambda each: each.order)
    ]
