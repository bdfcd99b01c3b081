"""The admin's command palette: finds pages, jobs, organizations, API keys and webhooks.

Replaces Unfold's view, which reads all matching records of a model and stores the results in the
cache, where they outlive a permission.
"""

from collections.abc import Iterator
from time import monotonic
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django_htmx.http import trigger_client_event
from unfold.dataclasses import SearchResult

from exports_project.sidebar import icon_of, navigation
from longshore.accounts.models import ApiKey, Organization
from longshore.jobs import kinds
from webhooks.models import Subscription

MIN_CHARACTERS, MAX_CHARACTERS = 2, 100
# Records of each model.
MAX_RECORDS = 5


def search(request: HttpRequest) -> HttpResponse:
    """Return the results of a term as HTML, or an empty response if the term is too short."""
    return admin.site.admin_view(_search)(request)


def _search(request: HttpRequest) -> HttpResponse:
    began = monotonic()
    term = request.GET.get("s", "").strip()[:MAX_CHARACTERS]
    if len(term) < MIN_CHARACTERS:
        return HttpResponse()
    results = [*_pages(request, term), *_records(request, term)]
    pages = Paginator(results, max(1, len(results)))
    context = {
        "results": pages.page(1),
        "page_obj": pages,
        "page_counter": 0,
        "execution_time": monotonic() - began,
        "command_show_history": False,
    }
    template = "unfold/helpers/command_results.html"
    return trigger_client_event(TemplateResponse(request, template, context), "search")


def _pages(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """Yield the pages of the sidebar whose title contains the term."""
    for group in navigation(request):
        for item in group["items"]:
            if term.casefold() in item["title"].casefold():
                yield SearchResult(
                    title=item["title"],
                    description=group["title"] or "Page",
                    link=item["link"],
                    icon=item["icon"],
                )


def _records(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """Yield records that the search of their own page finds and that the person may view."""
    jobs = [kind.job for kind in kinds.registered() if admin.site.is_registered(kind.job)]
    models: list[type[Any]] = [*jobs, Organization, ApiKey, Subscription]
    for model in models:
        pages = admin.site.get_model_admin(model)
        if not pages.has_view_permission(request):
            continue
        found, _ = pages.get_search_results(request, pages.get_queryset(request), term)
        if model is not Organization:
            found = found.select_related("organization")
        for record in found[:MAX_RECORDS]:
            yield _result(record)


def _result(record: Model) -> SearchResult:
    options = record._meta
    organization = getattr(record, "organization", None)
    name = str(options.verbose_name)
    return SearchResult(
        title=str(record),
        description=f"{name} of {organization}" if organization else name,
        link=reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[record.pk]),
        icon=icon_of(type(record)),
    )
