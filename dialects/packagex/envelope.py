"""The envelope of responses, as PackageX documents it for every endpoint."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from dialects.base.pages import PageRequest

PREFIX = "/packagex"
# Of messages without a more exact sentence. PackageX shows messages to people.
SUCCESS = "Success"


def envelope(
    request: HttpRequest,
    data: object,
    *,
    status: int = 200,
    message: str = SUCCESS,
    errors: tuple[str, ...] = (),
    code: str | None = None,
    pagination: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the body of a response.

    data: an object, or a list of objects with `pagination`; an empty object in an error.
    errors, code: names of the refused fields, and the code of an error.
    """
    return {
        "message": message,
        "data": data,
        "status": status,
        "errors": list(errors),
        "code": code,
        "pagination": pagination,
        "endpoint": request.path.removeprefix(PREFIX),
    }


def around_object(request: HttpRequest, shown: Mapping[str, Any], status: int) -> dict[str, Any]:
    """Return the body of a response with one export or batch.

    PackageX documents these objects without an envelope, and an envelope around every response. The
    body has both, so that `body.id` and `body.data.id` work. Its `status` is that of the object.
    """
    return {**envelope(request, shown, status=status), **shown}


def pagination(page: PageRequest, shown: int, total: int) -> dict[str, Any]:
    """Return the pagination object of a list.

    shown, total: the number of objects on the page, and of all objects that match.
    """
    return {
        "limit": page.size,
        "page": page.number,
        "has_more": page.offset + shown < total,
        "total_count": total,
    }
