"""Absolute links to what Longshore serves."""

from django.conf import settings
from django.http import HttpRequest


def absolute(path: str, request: HttpRequest | None = None) -> str:
    """Of the host that was asked, where somebody asks; else of `BASE_URL`."""
    if request is not None:
        return request.build_absolute_uri(path)
    return f"{settings.BASE_URL}{path}"
