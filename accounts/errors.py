"""Every error of the API: a closed list of codes and one shape.

`{"error": <code>, "message": <sentence>, "details": {…}}`, with the status that belongs to
the code. For bad input `details` holds each refused field's path and value, and `problems`,
a list of `{"error", "field", "value", "message", "accepted"}`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.db.models import TextChoices
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback


class ErrorCode(TextChoices):
    """The codes; a label is the sentence sent where nothing more exact is known."""

    INVALID_REQUEST = "invalid_request", "The request could not be understood."
    INVALID_RESOURCE = "invalid_resource", "Unsupported resource type."
    INVALID_FORMAT = "invalid_format", "Unsupported format."
    INVALID_COMPRESSION = "invalid_compression", "Unsupported compression."
    INVALID_FILTER = "invalid_filter", "Malformed filter."
    INVALID_COLUMN = "invalid_column", "Unknown column."
    INVALID_ORDERING = "invalid_ordering", "Unsupported ordering."
    INVALID_LIMIT = "invalid_limit", "Unsupported limit."
    INVALID_TIMEZONE = "invalid_timezone", "Unknown time zone."
    INVALID_DATETIME_FORMAT = "invalid_datetime_format", "Unsupported date and time format."
    INVALID_CURSOR = "invalid_cursor", "The cursor is not one that this list gave."
    UNAUTHORIZED = (
        "unauthorized",
        "Send an API key in the header PX-API-KEY, or as Authorization: Bearer <key>.",
    )
    FORBIDDEN = "forbidden", "The API key does not allow this."
    NOT_FOUND = "not_found", "There is nothing at this address."
    METHOD_NOT_ALLOWED = "method_not_allowed", "This address does not take this method."
    NOT_ACCEPTABLE = "not_acceptable", "This API answers with application/json only."
    CONFLICT = "conflict", "The request conflicts with the present state."
    EXPORT_NOT_READY = "export_not_ready", "The export is not ready yet."
    EXPORT_EXPIRED = "export_expired", "The export's files have been deleted."
    REQUEST_TOO_LARGE = "request_too_large", "The request's body is too large."
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", "Send the body as application/json."
    RATE_LIMITED = "rate_limited", "Too many requests."
    INTERNAL_ERROR = "internal_error", "Something went wrong on our side."
    TIMEOUT = "timeout", "It took too long; ask for less data."

    @property
    def status(self) -> int:
        """The HTTP status; 400 for every kind of bad input."""
        return _STATUSES.get(self, 400)


_STATUSES = {
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.NOT_ACCEPTABLE: 406,
    ErrorCode.CONFLICT: 409,
    ErrorCode.EXPORT_NOT_READY: 409,
    ErrorCode.EXPORT_EXPIRED: 410,
    ErrorCode.REQUEST_TOO_LARGE: 413,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL_ERROR: 500,
    ErrorCode.TIMEOUT: 504,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the input: where (a dotted path), what came, what would be taken."""

    code: ErrorCode
    field: str
    value: object
    message: str
    accepted: object = None

    def as_json(self) -> dict[str, object]:
        return {
            "error": self.code.value,
            "field": self.field,
            "value": self.value,
            "message": self.message,
            "accepted": self.accepted,
        }


class ApiError(Exception):
    """Raised anywhere below a view to answer with an error of the documented shape."""

    def __init__(
        self,
        code: ErrorCode,
        message: str = "",
        details: Mapping[str, object] | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message or code.label)
        self.code = code
        self.message = message or str(code.label)
        self.details = dict(details or {})
        self.status = status or code.status

    def as_json(self) -> dict[str, object]:
        return {"error": self.code.value, "message": self.message, "details": self.details}


class InvalidInput(ApiError):
    """An ApiError made of everything that is wrong with the input; the first names it."""

    def __init__(self, *problems: Problem) -> None:
        details = {problem.field: problem.value for problem in problems if problem.field}
        details["problems"] = [problem.as_json() for problem in problems]
        super().__init__(problems[0].code, problems[0].message, details)
        self.problems = problems


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer in the documented shape.

    None for what nobody foresaw: the framework then logs it, tells its signals' receivers
    and answers through `server_error`.
    """
    headers: dict[str, str] = {}
    if isinstance(exc, ApiError):
        error = exc
    elif isinstance(exc, Http404):
        error = ApiError(ErrorCode.NOT_FOUND)
    elif isinstance(exc, PermissionDenied):
        error = ApiError(ErrorCode.FORBIDDEN)
    elif isinstance(exc, BadRequest | SuspiciousOperation):
        error = ApiError(ErrorCode.INVALID_REQUEST)
    elif isinstance(exc, exceptions.APIException):
        error = _from_rest_framework(exc, context)
        if auth_header := getattr(exc, "auth_header", None):
            headers["WWW-Authenticate"] = auth_header
        if wait := getattr(exc, "wait", None):
            headers["Retry-After"] = str(wait)
    else:
        return None
    set_rollback()
    return Response(error.as_json(), status=error.status, headers=headers)


def _from_rest_framework(exc: exceptions.APIException, context: dict[str, Any]) -> ApiError:
    request, view = context["request"], context["view"]
    match exc:
        case exceptions.ValidationError():
            return InvalidInput(*_problems(exc.detail))
        case exceptions.ParseError():
            return ApiError(ErrorCode.INVALID_REQUEST, str(exc.detail))
        case exceptions.AuthenticationFailed():
            return ApiError(ErrorCode.UNAUTHORIZED, str(exc.detail))
        case exceptions.NotAuthenticated():
            return ApiError(ErrorCode.UNAUTHORIZED)
        case exceptions.PermissionDenied():
            return ApiError(ErrorCode.FORBIDDEN)
        case exceptions.NotFound():
            return ApiError(ErrorCode.NOT_FOUND)
        case exceptions.MethodNotAllowed():
            return ApiError(
                ErrorCode.METHOD_NOT_ALLOWED,
                f"This address does not take {request.method}.",
                {"method": request.method, "accepted": view.allowed_methods},
            )
        case exceptions.NotAcceptable():
            accepted = [renderer.media_type for renderer in view.renderer_classes]
            return ApiError(ErrorCode.NOT_ACCEPTABLE, details={"accepted": accepted})
        case exceptions.UnsupportedMediaType():
            accepted = [parser.media_type for parser in view.parser_classes]
            return ApiError(
                ErrorCode.UNSUPPORTED_MEDIA_TYPE,
                f"Send the body as {' or '.join(accepted)}.",
                {"content_type": request.content_type, "accepted": accepted},
            )
        case exceptions.Throttled():
            return ApiError(
                ErrorCode.RATE_LIMITED,
                f"Too many requests with this key; try again in {exc.wait} s.",
                {"retry_after": exc.wait},
            )
    return ApiError(ErrorCode.INTERNAL_ERROR, status=exc.status_code)


def _problems(detail: object, path: str = "") -> Iterator[Problem]:
    """Flatten a serializer's errors: `{"options": {"limit": ["…"]}}` is `options.limit`."""
    if isinstance(detail, dict):
        for key, value in detail.items():
            inner = "" if key == "non_field_errors" else f".{key}"
            yield from _problems(value, f"{path}{inner}".lstrip("."))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            yield from _problems(value, path if isinstance(value, str) else f"{path}.{index}")
    else:
        yield Problem(ErrorCode.INVALID_REQUEST, path, None, str(detail))


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/v1/") or request.path_info == "/v1"


def _answer(code: ErrorCode, **details: object) -> JsonResponse:
    return JsonResponse(ApiError(code, details=details).as_json(), status=code.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django answers before any view is reached: a forbidden host, too many fields."""
    if _is_api(request):
        return _answer(ErrorCode.INVALID_REQUEST)
    return defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return _answer(ErrorCode.NOT_FOUND, path=request.path)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Says nothing about the cause; Django has logged it."""
    if _is_api(request):
        return _answer(ErrorCode.INTERNAL_ERROR)
    return defaults.server_error(request)
