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


def record_failure(request: HttpRequest, user: AbstractBaseUser, message: str) -> None:
    """Record a wrong password or code of a user, unless the address is locked for the user.

    A lock follows a few failures, so attempts cannot fill the log.
    """
    if not _is_recorded(request, AuditAction.SIGN_IN_LOCKED, user):
        audit.record_refusal(request, AuditAction.SIGN_IN_FAILED, user, message)


def record_lock(request: HttpRequest, user: AbstractBaseUser) -> None:
    """Record a lock of a user once, however often the address tries to sign in meanwhile."""
    if not _is_recorded(request, AuditAction.SIGN_IN_LOCKED, user):
        message = "Too many wrong passwords or codes."
        audit.record_refusal(request, AuditAction.SIGN_IN_LOCKED, user, message)


def _signed_in(request: HttpRequest | None, user: AbstractBaseUser, **_: Any) -> None:
    if request is not None and _is_of_admin(request):
        audit.record(request, AuditAction.SIGN_IN, None, user)


def _signed_out(request: HttpRequest, user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None and _is_of_admin(request):
        audit.record(request, AuditAction.SIGN_OUT, None, user)


def _refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is None or not _is_of_admin(request):
        return
    if user := _user_of(credentials.get("username")):
        record_failure(request, user, "Wrong password.")
    elif not _is_recorded(request, AuditAction.SIGN_IN_FAILED, _UNKNOWN):
        # Once per address for a while: no lock bounds the number of unknown names.
        audit.record_refusal(request, AuditAction.SIGN_IN_FAILED, _UNKNOWN, "Unknown name.")


def _locked(request: HttpRequest, username: str | None, **_: Any) -> None:
    user = _user_of(username)
    if user is not None and _is_of_admin(request):
        record_lock(request, user)


def _is_recorded(request: HttpRequest, action: str, subject: AbstractBaseUser | str) -> bool:
    """Return whether the log has such an entry of the same address since a lock could begin."""
    if isinstance(subject, str):
        entries = AuditEntry.objects.filter(subject=subject)
    else:
        entries = audit.entries_of(type(subject), str(subject.pk))
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    address = audit.address(request)
    return entries.filter(action=action, address=address, created_at__gt=since).exists()


def _user_of(name: str | None) -> AbstractBaseUser | None:
    model: Any = get_user_model()
    found: AbstractBaseUser | None = None
    if name:
        found = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    return found


def _is_of_admin(request: HttpRequest) -> bool:
    """Return whether a request is one of the admin: a project may sign people in elsewhere, too."""
    return request.path_info.startswith(reverse("admin:index"))
