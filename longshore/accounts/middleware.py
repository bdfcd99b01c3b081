"""Middleware of the admin: end of sessions, second factor, closed pages, time zone of a person."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from longshore.accounts import staff

# The key of a session that has the id of the second factor with which it was signed in.
SECOND_FACTOR_KEY = "longshore_second_factor"
_GetResponse = Callable[[HttpRequest], HttpResponse]


def answer_scripts(get_response: _GetResponse) -> _GetResponse:
    """Return 401 to scripts in place of a redirect to the sign-in page.

    A browser follows the redirect, and the script would show the sign-in page as a part of its own.
    htmx and jQuery name themselves in a header, and so do our own scripts.
    """
    sign_in_path = reverse("admin:login")

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_script = HtmxDetails(request) or "X-Requested-With" in request.headers
        if is_script and urlsplit(response.headers.get("Location", "")).path == sign_in_path:
            return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
        return response

    return middleware


def require_second_factor(get_response: _GetResponse) -> _GetResponse:
    """End sessions without the person's second factor, such as those from before it was set up.

    With the setting ADMIN_SECOND_FACTOR, lead a person who has none to the page that sets it up.
    """
    admin_path = reverse("admin:index")

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(admin_path) or not request.user.is_authenticated:
            return get_response(request)
        factor = staff.access(request.user).second_factor
        if factor is not None and request.session.get(SECOND_FACTOR_KEY) != factor:
            logout(request)
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if factor is None and settings.ADMIN_SECOND_FACTOR == "required":
            setup_path = reverse("staff_second_factor")
            if request.path_info not in (setup_path, reverse("admin:logout")):
                return redirect(setup_path)
        return get_response(request)

    return middleware


def close_unrestricted_pages(get_response: _GetResponse) -> _GetResponse:
    """Return 404 to bound people for pages of a project that show the rows of all organizations.

    Such a page does not derive from `StaffModelAdmin`. The autocomplete of the whole admin shows
    rows of the page that the query names.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(request: HttpRequest, view: Any, *_: Any) -> None:
        # Django sets one of the attributes on every view of the admin.
        page, site = getattr(view, "model_admin", None), getattr(view, "admin_site", None)
        match = request.resolver_match
        if site and match and match.url_name == "autocomplete" and staff.is_bound(request.user):
            page = AutocompleteJsonView(admin_site=site).process_request(request)[1]
        if page is not None and not is_open(page, request):
            raise Http404

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def is_open(page: Any, request: HttpRequest) -> bool:
    """Return whether a person may use a ModelAdmin: a bound one only if it restricts its rows."""
    return getattr(page, "restricts_rows", False) or not staff.is_bound(request.user)


def use_own_timezone(get_response: _GetResponse) -> _GetResponse:
    """Show and read times of the admin in the time zone that the person has chosen, or else UTC."""
    admin_path = reverse("admin:index")

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(admin_path):
            return get_response(request)
        zone = staff.access(request.user).timezone or settings.TIME_ZONE
        with timezone.override(ZoneInfo(zone)):
            return get_response(request)

    return middleware
