"""Entries of the audit log about sign-ins to the admin: their success, their end and refusals."""

from typing import Any

from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from longshore.accounts import audit
from longshore.accounts.models import AuditAction, AuditEntry

# What people type as their name may be their password, so it is not stored.
_UNKNOWN = "An unknown name"
# The attribute of a request that has the message of the entry about its sign-in.
_MESSAGE = "_longshore_sign_in_message"


def connect() -> None:
    """Record sign-ins from now on."""
    receivers = {
        user_logged_in: _signed_in,
        user_logged_out: _signed_out,
        user_login_failed: _refused,
        user_locked_out: _locked,
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver, dispatch_uid=__name__)


def describe(request: HttpRequest, message: str) -> None:
    """Set the message of the entry about the sign-in with which a request goes on."""
    setattr(request, _MESSAGE, message)


def _signed_in(request: HttpRequest | None, user: AbstractBaseUser, **_: Any) -> None:
    if request is not None and _is_of_admin(request):
        audit.record(request, AuditAction.SIGN_IN, None, user, getattr(request, _MESSAGE, ""))


def _signed_out(request: HttpRequest, user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None and _is_of_admin(request):
        audit.record(request, AuditAction.SIGN_OUT, None, user)


def _refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Record a wrong password, unless passwords are locked.

    A lock follows a few failures, so one address cannot fill the log.
    """
    if request is None or not _is_of_admin(request):
        return
    user = _user_of(credentials.get("username"))
    if user is None:
        _record_unknown(request)
    elif not getattr(request, "axes_locked_out", False):
        match = request.resolver_match
        is_to_turn_off = match is not None and match.url_name == "staff_second_factor_off"
        purpose = " to turn off the second factor" if is_to_turn_off else ""
        message = f"Wrong password{purpose}."
        audit.record_refusal(request, AuditAction.SIGN_IN_FAILED, user, message)


def _record_unknown(request: HttpRequest) -> None:
    """Record an unknown name once per address for a while: no lock bounds the number of names."""
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    entries = AuditEntry.objects.filter(subject=_UNKNOWN, action=AuditAction.SIGN_IN_FAILED)
    if not entries.filter(address=audit.address(request), created_at__gt=since).exists():
        audit.record_refusal(request, AuditAction.SIGN_IN_FAILED, _UNKNOWN, "Unknown name.")


def _locked(request: HttpRequest, username: str | None, **_: Any) -> None:
    """Record the wrong password that begins a lock.

    django-axes sends the signal for each refused password, but counts the failures only for those
    that it has read.
    """
    user = _user_of(username)
    begins = getattr(request, "axes_failures_since_start", None) is not None
    if user is not None and begins and _is_of_admin(request):
        message = "Too many wrong passwords."
        audit.record_refusal(request, AuditAction.SIGN_IN_LOCKED, user, message)


def _user_of(name: str | None) -> AbstractBaseUser | None:
    model: Any = get_user_model()
    found: AbstractBaseUser | None = None
    if name:
        found = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    return found


def _is_of_admin(request: HttpRequest) -> bool:
    """Return whether a request is one of the admin: a project may sign people in elsewhere, too."""
    return request.path_info.startswith(reverse("admin:index"))
