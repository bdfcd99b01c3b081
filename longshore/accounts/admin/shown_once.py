"""The page that shows a new secret, such as an API key, once."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers


def shown_once(
    request: HttpRequest, context: dict[str, Any], secret: str, warning: str, change_url: str
) -> HttpResponse:
    """Show a secret in this response only: no message, session or cache contains it.

    context: of the site, with `title`, `heading` and `usage_template`: how to use the secret.
    warning: why to copy it now.
    change_url: the page of the record that the secret belongs to.
    """
    shown = {**context, "secret": secret, "warning": warning, "change_url": change_url}
    response = TemplateResponse(request, "admin/longshore_accounts/shown_once.html", shown)
    add_never_cache_headers(response)
    return response
