"""Middleware: rejected URLs, and the caching headers of every response of the API."""

from collections.abc import Callable
from urllib.parse import unquote_plus

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from longshore.api.apis import api_of
from longshore.api.exception_handler import bad_request


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    """Return 400 if the path or the query contains a NUL, which PostgreSQL's text cannot store."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "\0" in unquote_plus(request.META["QUERY_STRING"]):
            return bad_request(request, BadRequest())
        return get_response(request)

    return middleware


# Every client gets the same API description.
_PUBLIC = ("/v1/schema", "/v1/schema/")
# Headers that can carry an API key.
_KEY_HEADERS = ("PX-API-KEY", "X-API-KEY", "Authorization")


def keep_private(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    """Forbid caches to store responses of the APIs, errors included: each belongs to one tenant."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if api_of(request.path_info) and request.path_info not in _PUBLIC:
            response.headers["Cache-Control"] = "private, no-store"
            patch_vary_headers(response, _KEY_HEADERS)
        return response

    return middleware
