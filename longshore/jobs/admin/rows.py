"""Rows of a list that open: a part of the record's page, which is loaded when the row is opened."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_htmx.middleware import HtmxDetails
from unfold.sections import BaseSection

from longshore.jobs.admin.pages import ReadOnlyModelAdmin

# Alpine.js knows whether the row is open, htmx loads the part each time that it opens.
_PLACE = (
    '<div class="admin-opened" x-cloak x-effect="rowOpen &amp;&amp; htmx.trigger($el, \'open\')" '
    'hx-get="{}" hx-trigger="open">Loading…</div>'
)


class _Opened(BaseSection):
    """The place of the part. A list of 50 rows needs no query for them."""

    def render(self) -> SafeString:
        options = self.instance._meta
        name = f"admin:{options.app_label}_{options.model_name}_row"
        return format_html(_PLACE, reverse(name, args=[self.instance.pk]))


class OpeningRows(ReadOnlyModelAdmin):
    """Base of lists with such rows. Subclasses set `row_template` and implement `row_context`."""

    list_sections: Sequence[type[BaseSection]] = (_Opened,)
    row_template: ClassVar[str]

    def row_context(self, request: HttpRequest, record: Any) -> dict[str, Any]:
        """Return the context of the template for a record."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.row)
        name = f"{self.opts.app_label}_{self.opts.model_name}_row"
        return [path("<int:object_id>/row/", view, name=name), *super().get_urls()]

    def row(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Return the part of a record; without htmx, redirect to its page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record = get_object_or_404(self.get_queryset(request), pk=object_id)
        if not HtmxDetails(request):
            return redirect(self.page_url("change", record.pk))
        context = {"original": record, **self.row_context(request, record)}
        return TemplateResponse(request, self.row_template, context)
