"""Errors in the shape of Django REST framework, on which the API of 29next is built.

`{"detail": <sentence>}`, or for bad input the sentences by field: `{"type": ["…"]}`.
"""

from collections.abc import Mapping

from django.http import HttpRequest
from rest_framework import exceptions

from longshore.api.apis import RenderedError
from longshore.api.errors import ApiError, ErrorCode, InvalidInput

# The field of errors that belong to no field.
_NO_FIELD = "non_field_errors"
# Errors without details of their own, which REST framework words itself.
_STANDARD: Mapping[str, type[exceptions.APIException]] = {
    ErrorCode.UNAUTHORIZED: exceptions.NotAuthenticated,
    ErrorCode.NOT_FOUND: exceptions.NotFound,
}


def render_error(error: ApiError, request: HttpRequest) -> RenderedError:
    """Return an error in the shape of the dialect."""
    if error.code == ErrorCode.INVALID_CURSOR:
        return RenderedError(404, {"detail": "Invalid cursor"})
    if isinstance(error, InvalidInput):
        return RenderedError(error.status, _by_field(error))
    standard = _STANDARD.get(error.code)
    if standard is not None and error.message == error.code.message:
        return RenderedError(error.status, {"detail": str(standard.default_detail)})
    return RenderedError(error.status, {"detail": error.message})


def _by_field(error: InvalidInput) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for problem in error.problems:
        # A problem of a part, such as `events.0`, belongs to the whole field.
        field = problem.field.partition(".")[0] or _NO_FIELD
        fields.setdefault(field, []).append(problem.message)
    return fields
