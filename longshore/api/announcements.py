"""Requests whose large body the web server has not received yet.

The web server first calls the application without the body. A view that accepts the body responds
with 204; any other response is sent to the client, whose body is neither received nor stored.
"""

from rest_framework.request import Request

# A member of the WSGI environment. Headers of clients have other names there.
ANNOUNCED = "longshore.announced"
# The same for the request whose body was received after its announcement was accepted.
ACCEPTED = "longshore.accepted"


def is_announced(request: Request) -> bool:
    """Return whether the body of a request has not been received yet."""
    return ANNOUNCED in request.META


def was_announced(request: Request) -> bool:
    """Return whether a view has accepted the announcement of the body of a request."""
    return ACCEPTED in request.META


def announced_bytes(request: Request) -> int:
    """Return the size of the body that a client has announced; 0 if it did not."""
    return int(request.META.get("CONTENT_LENGTH") or 0)
