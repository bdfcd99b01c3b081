"""What is refused before any view sees it."""

from collections.abc import Callable
from urllib.parse import unquote_plus

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from accounts.handlers import bad_request


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    """Answer 400 to an address whose path or query holds a NUL, which PostgreSQL's text cannot."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info or "\0" in unquote_plus(request.META["QUERY_STRING"]):
            return bad_request(request, BadRequest())
        return get_response(request)

    return middleware
