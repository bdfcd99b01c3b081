"""Absolute URLs of the endpoints of Longshore."""

from django.conf import settings
from django.http import HttpRequest


def absolute(path: str, request: HttpRequest | None = None) -> str:
    """Return a path as a URL on the host of the request, or on `BASE_URL` without a request."""
    if request is not None:
        return request.build_absolute_uri(path)
    return f"{settings.BASE_URL}{path}"
