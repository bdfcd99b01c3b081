"""The page on which people set up and turn off their second factor, linked from the user menu."""

from typing import Any

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.auth import authenticate
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminPasswordWidget

from longshore.accounts import audit, staff
from longshore.accounts import second_factor as factors
from longshore.accounts.admin.presentation import exact_time
from longshore.accounts.admin.sign_in import WRONG_CODE, CodeForm
from longshore.accounts.middleware import SECOND_FACTOR_KEY
from longshore.accounts.models import AuditAction
from longshore.accounts.sealing import Unreadable, seal, unseal

_ADDRESS = "staff_second_factor"
# The key of a session that has the encrypted secret of a setup that is not confirmed.
_SECRET_KEY = "longshore_second_factor_secret"  # noqa: S105 (a name)


class PasswordForm(forms.Form):
    password = forms.CharField(
        strip=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "current-password"}),
        help_text="The password with which you sign in.",
    )


@sensitive_post_parameters()
def second_factor(request: HttpRequest) -> HttpResponse:
    """Show the second factor of the signed-in person, or set it up.

    The response to the first correct code is the only one that shows the recovery codes.
    """
    if staff.access(request.user).second_factor is not None:
        return _page_of_existing(request, PasswordForm())
    secret = _new_secret(request)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user: Any = request.user
        with transaction.atomic():
            codes = factors.turn_on(user, secret, form.cleaned_data["code"])
            if codes is not None:
                _record(request, "Turned on the second factor.")
        if codes is not None:
            del request.session[_SECRET_KEY]
            request.session[SECOND_FACTOR_KEY] = user.second_factor.pk
            return _page(request, codes=codes)
        form.add_error("code", WRONG_CODE)
    # Tells installations apart in the app.
    account = f"{request.user.get_username()}@{request.get_host()}"
    return _page(request, form=form, secret=secret, qr_code=_qr_code(secret, account))


@sensitive_post_parameters()
@require_POST
def turn_off(request: HttpRequest) -> HttpResponse:
    """Turn off the second factor of the signed-in person, who confirms it with the password."""
    if staff.access(request.user).second_factor is None:
        return redirect(_ADDRESS)
    form = PasswordForm(request.POST)
    if form.is_valid():
        user: Any = request.user
        # django-axes counts wrong passwords as those of a sign-in.
        if authenticate(request, username=user.get_username(), **form.cleaned_data) == user:
            with transaction.atomic():
                user.second_factor.delete()
                _record(request, "Turned off the second factor.")
            messages.success(request, "The second factor is off. You sign in with the password.")
            return redirect(_ADDRESS)
        form.add_error("password", "This is not your password.")
    return _page_of_existing(request, form)


def _page_of_existing(request: HttpRequest, form: PasswordForm) -> HttpResponse:
    person: Any = request.user
    factor = person.second_factor
    since = exact_time(factor.created_at)
    return _page(request, form=form, since=since, codes_left=len(factor.recovery_codes))


def _page(request: HttpRequest, **context: Any) -> HttpResponse:
    context |= {**admin.site.each_context(request), "title": "Second factor"}
    return TemplateResponse(request, "admin/second_factor.html", context)


def _record(request: HttpRequest, message: str) -> None:
    person: Any = request.user
    audit.record(request, AuditAction.CHANGE, None, person, message)


def _new_secret(request: HttpRequest) -> str:
    """Return the secret that the person is setting up: the same one until it is confirmed."""
    try:
        return unseal(request.session[_SECRET_KEY])
    except (KeyError, Unreadable):
        secret = factors.new_secret()
        request.session[_SECRET_KEY] = seal(secret)
        return secret


def _qr_code(secret: str, account: str) -> SafeString:
    """Return an SVG element. Dark on white in both themes, because some scanners need it."""
    code = segno.make(factors.setup_url(secret, account), micro=False)
    return SafeString(code.svg_inline(border=4, light="#fff", omitsize=True))
