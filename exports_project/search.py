"""The admin's search, with 404 for pages that do not exist."""

from django.contrib import admin
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse


def search(request: HttpRequest) -> HttpResponse:
    """Return 404 for a `page` that does not exist. Unfold's view returns 500."""
    view = admin.site.admin_view(admin.site.search)  # type: ignore[attr-defined]
    try:
        response: HttpResponse = view(request)
    except InvalidPage as error:
        raise Http404(f"page={request.GET.get('page')}: {error}") from None
    return response
