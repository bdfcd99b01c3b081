"""Audit log of the staff's downloads in the admin."""

from ipaddress import ip_address

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from longshore.accounts.models import AuditAction, AuditEntry, Organization


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
    request: HttpRequest, action: AuditAction, organization: Organization, subject: str
) -> None:
    """Store an audit entry for the signed-in user.

    subject: public id of the object.
    Raises TypeError for an anonymous user.
    """
    if isinstance(request.user, AnonymousUser):
        raise TypeError("An audit entry needs a signed-in user.")
    AuditEntry.objects.create(
        user=request.user,
        username=request.user.get_username(),
        action=action,
        organization=organization,
        subject=subject,
        address=address(request),
    )
