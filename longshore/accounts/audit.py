"""Audit log: the downloads of staff in the admin, with time and address."""

from ipaddress import ip_address

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from longshore.accounts.models import AuditAction, AuditEntry, Organization


def address(request: HttpRequest) -> str | None:
    """The client's address as the server knows it; never from a header, which anyone can send.

    None where the server knows none, on a UNIX socket for example.
    """
    try:
        return str(ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None


def record(
    request: HttpRequest, action: AuditAction, organization: Organization, subject: str
) -> None:
    """Store an entry about what the signed-in user does.

    subject: the public id of what it is done to.
    """
    if isinstance(request.user, AnonymousUser):
        raise TypeError("Only a signed-in user can be recorded.")
    AuditEntry.objects.create(
        user=request.user,
        username=request.user.get_username(),
        action=action,
        organization=organization,
        subject=subject,
        address=address(request),
    )
