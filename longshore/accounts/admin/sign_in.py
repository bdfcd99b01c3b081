"""Sign-in to the admin: the password, then the code of the second factor of a person who has one.

Between the two steps the session remembers whose password was right, but nobody is signed in.
"""

from http import HTTPStatus
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import get_user_model, login
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.views import LoginView, RedirectURLMixin
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from longshore.accounts import audit, second_factor, sign_in_log
from longshore.accounts.middleware import SECOND_FACTOR_KEY
from longshore.accounts.models import AuditAction
from longshore.accounts.second_factor import Result

# How long after the password the code is accepted.
CODE_SECONDS = 300
WRONG_CODE = "This code is not valid. Enter the newest one: each code is accepted once."
_HOME = "admin:index"
# The key of a session whose password was right: user, backend, and until when.
_PENDING_KEY = "longshore_sign_in"


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "one-time-code"}),
    )


class SignIn(LoginView):
    """The password. Without a second factor, it signs the person in."""

    template_name = "admin/login.html"
    authentication_form = AuthenticationForm
    next_page = _HOME

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if admin.site.has_permission(request):
            return redirect(_HOME)
        return super().get(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        user = form.get_user()
        if not second_factor.is_on(user):
            return super().form_valid(form)
        session = self.request.session
        # An attacker who has planted the session must not continue with the code.
        session.cycle_key()
        until = timezone.now().timestamp() + CODE_SECONDS
        # As a text: a key may be a UUID, which JSON cannot store.
        session[_PENDING_KEY] = {"user": str(user.pk), "backend": user.backend, "until": until}
        query = urlencode({self.redirect_field_name: self.get_success_url()})
        return redirect(f"{reverse('staff_sign_in_code')}?{query}")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return _context(self.request, "Log in") | super().get_context_data(**kwargs)


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class EnterCode(RedirectURLMixin, FormView):  # type: ignore[type-arg]
    """The code of the authenticator app, or a recovery code. It signs the person in."""

    template_name = "admin/sign_in_code.html"
    form_class = CodeForm
    next_page = _HOME
    # With the attribute `second_factor`.
    user: Any

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = _pending_user(request)
        if user is None:
            return redirect("admin:login")
        self.user = user
        return super().dispatch(request, *args, **kwargs)

    def get_form(self, form_class: type[CodeForm] | None = None) -> Any:
        form = super().get_form(form_class)
        form.fields["code"].widget.attrs["autofocus"] = ""
        return form

    def form_valid(self, form: Any) -> HttpResponse:
        result = second_factor.accept(self.user, form.cleaned_data["code"])
        if result is Result.LAST_WRONG:
            self._record_refusal(AuditAction.SIGN_IN_LOCKED, "Too many wrong codes.")
        if result in (Result.LAST_WRONG, Result.LOCKED):
            return _locked(self.request, self.user)
        if result is Result.WRONG:
            self._record_refusal(AuditAction.SIGN_IN_FAILED, "Wrong code.")
            form.add_error("code", WRONG_CODE)
            return self.form_invalid(form)
        if result is Result.RECOVERED:
            self._report_recovery()
        login(self.request, self.user, self.request.session.pop(_PENDING_KEY)["backend"])
        self.request.session[SECOND_FACTOR_KEY] = self.user.second_factor.pk
        return redirect(self.get_success_url())

    def _record_refusal(self, action: AuditAction, message: str) -> None:
        audit.record_refusal(self.request, action, self.user, message)

    def _report_recovery(self) -> None:
        """Show how many recovery codes are left, and add it to the entry about the sign-in."""
        left = len(self.user.second_factor.recovery_codes)
        message = f"Signed in with a recovery code. Unused recovery codes: {left}."
        sign_in_log.describe(self.request, message)
        messages.warning(self.request, message)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return _context(self.request, "Enter the code") | super().get_context_data(**kwargs)


def _pending_user(request: HttpRequest) -> AbstractBaseUser | None:
    """Return the person whose password was right a short while ago, and who needs a code."""
    pending = request.session.get(_PENDING_KEY)
    if pending is None or pending["until"] < timezone.now().timestamp():
        return None
    people = get_user_model()._default_manager.filter(second_factor__isnull=False)
    person = people.filter(pk=pending["user"]).first()
    # Not a condition of the query: not every user model has this column.
    return person if person is not None and person.is_active else None


def _locked(request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
    """Return the page with which django-axes refuses a locked password."""
    context = {
        "guesses": "codes",
        "failure_limit": settings.AXES_FAILURE_LIMIT,
        "username": user.get_username(),
        "cooloff_timedelta": settings.AXES_COOLOFF_TIME,
    }
    status = HTTPStatus.TOO_MANY_REQUESTS
    return render(request, settings.AXES_LOCKOUT_TEMPLATE, context, status=status)


def _context(request: HttpRequest, title: str) -> dict[str, Any]:
    """Return what the templates of Unfold for pages without a signed-in person need."""
    path = request.get_full_path()
    return {**admin.site.each_context(request), "title": title, "app_path": path}


sign_in = SignIn.as_view()
enter_code = EnterCode.as_view()
