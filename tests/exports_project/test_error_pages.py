"""Pages for errors outside of the API: styled, safe, and independent of the database."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.test import RequestFactory
from django.urls import get_resolver
from django.views.csrf import csrf_failure

PAGES: dict[int | str, tuple[str, tuple[Any, ...]]] = {
    400: ("The request was not understood", (ValueError(),)),
    403: ("You may not open this page", (PermissionDenied("secret"),)),
    404: ("This page does not exist", (Http404("secret"),)),
    500: ("Something went wrong", ()),
    "csrf": ("The form has expired", ()),
}


def handler(status: int | str) -> Callable[..., Any]:
    if isinstance(status, str):
        return csrf_failure
    return get_resolver().resolve_error_handler(status)


# No marker django_db: a query would fail the test.
@pytest.mark.parametrize("status", PAGES)
def test_an_error_page_has_a_heading_and_links_without_a_query(status: int | str) -> None:
    heading, arguments = PAGES[status]
    request: HttpRequest = RequestFactory().get("/<b>nothing")
    response = handler(status)(request, *arguments)
    page = response.content.decode()
    assert response.status_code == (403 if status == "csrf" else status)
    assert f"<h1>{heading}</h1>" in page
    assert 'href="/admin/"' in page
    assert 'href="/docs"' in page
    assert "<main>" in page
    assert "<b>" not in page
    assert "secret" not in page
    assert "<script" not in page
