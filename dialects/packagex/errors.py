"""Errors in the shape of PackageX."""

from django.http import HttpRequest

from dialects.packagex.envelope import PREFIX, envelope
from longshore.api.apis import RenderedError
from longshore.api.errors import ApiError, InvalidInput

# PackageX documents errors of its exports without an envelope.
_EXPORTS = f"{PREFIX}/v1/exports"
# A message names at most this many problems; `details` has the fields of all.
_MAX_SENTENCES = 10


def render_error(error: ApiError, request: HttpRequest) -> RenderedError:
    """Return an error as `{error, message, details}`, and for most paths in the envelope, too."""
    problems = error.problems if isinstance(error, InvalidInput) else ()
    sentences = dict.fromkeys(problem.message for problem in problems)
    message = " ".join([*sentences][:_MAX_SENTENCES]) or error.message
    details = {name: value for name, value in error.details.items() if name != "problems"}
    body = {"error": error.code.value, "message": message, "details": details}
    if not f"{request.path.rstrip('/')}/".startswith(f"{_EXPORTS}/"):
        fields = tuple(dict.fromkeys(problem.field for problem in problems if problem.field))
        body |= envelope(
            request, {}, status=error.status, message=message, errors=fields, code=error.code.value
        )
    return RenderedError(error.status, body)
