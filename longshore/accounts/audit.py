"""Audit log of what the staff do in the admin."""

from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from ipaddress import ip_address
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from longshore.accounts.models import AuditAction, AuditEntry

MAX_SUBJECT_CHARACTERS = 200
# A user name may be an email address, which is longer than the names of Django's users.
MAX_USERNAME_CHARACTERS = 150
MAX_MESSAGE_CHARACTERS = 2000
# Within this time, an equal preview is a repetition, and not recorded.
_SAME_PREVIEW = timedelta(minutes=10)


def address(request: HttpRequest) -> str | None:
    """Return the client's address, or None if it is unknown, for example on a UNIX socket.

    Reads no header, because any client can send one. `exports_project.web.proxies` has already
    evaluated the headers of trusted proxies.
    """
    try:
        return str(ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None


def record(
    request: HttpRequest,
    action: str,
    organization_id: str | None,
    subject: Model | str = "",
    message: str = "",
) -> None:
    """Store an audit entry for the signed-in user.

    action: an AuditAction, or the name of a button.
    subject: the object, to which the entry links, or a text if no object is stored.
    Raises TypeError for an anonymous user.
    """
    record_all(request, action, [(organization_id, subject)], message)


def record_preview(request: HttpRequest, organization_id: str, subject: str, message: str) -> None:
    """Record a preview of data, unless the person has seen the same one a few minutes ago.

    A page that is loaded again, or a request that is repeated, leaves one entry in this time. The
    end of a long message is replaced by the checksum of the message, so that it differs from all
    others.
    subject: the resource in the plural, such as `contacts`.
    """
    if len(message) > MAX_MESSAGE_CHARACTERS:
        checksum = f"… SHA-256 {sha256(message.encode()).hexdigest()}"
        message = message[: MAX_MESSAGE_CHARACTERS - len(checksum)] + checksum
    same = AuditEntry.objects.filter(
        username=_username(request),
        organization=organization_id,
        action=AuditAction.PREVIEW,
        message=message,
        created_at__gt=timezone.now() - _SAME_PREVIEW,
    )
    if not same.exists():
        record(request, AuditAction.PREVIEW, organization_id, subject, message)


def record_all(
    request: HttpRequest,
    action: str,
    subjects: Iterable[tuple[str | None, Model | str]],
    message: str = "",
) -> None:
    """Store an audit entry for each pair of an organization's id and a subject, in one query."""
    if isinstance(request.user, AnonymousUser):
        raise TypeError("An audit entry needs a signed-in user.")
    person = _person(request)
    AuditEntry.objects.bulk_create(
        _entry(request, action, organization_id, subject, message, **person)
        for organization_id, subject in subjects
    )


def record_refusal(request: HttpRequest, action: str, subject: Model | str, message: str) -> None:
    """Record a refused password or code. Usually nobody is signed in.

    subject: the user whose password or code was refused; a text if there is no such user.
    """
    _entry(request, action, None, subject, message, **_person(request)).save(force_insert=True)


def _entry(
    request: HttpRequest,
    action: str,
    organization_id: str | None,
    subject: Model | str,
    message: str,
    **person: Any,
) -> AuditEntry:
    label, key = "", ""
    if isinstance(subject, Model):
        label, key = subject._meta.label_lower, str(subject.pk)
    return AuditEntry(
        **person,
        action=action,
        organization_id=organization_id,
        subject=str(subject)[:MAX_SUBJECT_CHARACTERS],
        model=label,
        object_id=key,
        message=message[:MAX_MESSAGE_CHARACTERS],
        address=address(request),
    )


def _person(request: HttpRequest) -> dict[str, Any]:
    return {"user_id": request.user.pk, "username": _username(request)}


def _username(request: HttpRequest) -> str:
    return request.user.get_username()[:MAX_USERNAME_CHARACTERS]


def entries_of(model: type[Model], object_id: str) -> QuerySet[AuditEntry]:
    """Return the entries of the object with a primary key, newest first."""
    entries = AuditEntry.objects.filter(model=model._meta.label_lower, object_id=object_id)
    return entries.order_by("-pk")
