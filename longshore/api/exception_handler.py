"""Error responses: turns exceptions, in a view or before one, into the documented shape."""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    SuspiciousOperation,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from psycopg.errors import QueryCanceled
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from longshore.accounts.throttling import DenialThrottle
from longshore.api.errors import ApiError, BaseErrorCode, ErrorCode, InvalidInput, Problem

_DENIED = (401, 403)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Return the error response of an exception.

    Returns None for an unexpected exception: Django then logs it, sends its signal and returns
    through `server_error`.
    """
    headers: dict[str, str] = {}
    if isinstance(exc, ApiError):
        error = exc
        if wait := error.details.get("retry_after"):
            headers["Retry-After"] = str(wait)
    elif isinstance(exc, Http404):
        error = ApiError(ErrorCode.NOT_FOUND)
    elif isinstance(exc, PermissionDenied):
        error = ApiError(ErrorCode.FORBIDDEN)
    elif isinstance(exc, BadRequest | SuspiciousOperation):
        error = ApiError(ErrorCode.INVALID_REQUEST)
    elif isinstance(getattr(exc, "__cause__", None) or exc, QueryCanceled):
        error = ApiError(ErrorCode.TIMEOUT)
    elif isinstance(exc, exceptions.APIException):
        error = _from_rest_framework(exc, context)
        if auth_header := getattr(exc, "auth_header", None):
            headers["WWW-Authenticate"] = auth_header
        if wait := getattr(exc, "wait", None):
            headers["Retry-After"] = str(wait)
    else:
        return None
    if error.status in _DENIED:
        throttle = DenialThrottle()
        if not throttle.allow_request(context["request"], context["view"]):
            error = denied_too_often(throttle.wait())
            headers = {"Retry-After": str(error.details["retry_after"])}
    set_rollback()
    return Response(error.as_json(), status=error.status, headers=headers)


def denied_too_often(seconds: float) -> ApiError:
    wait = ceil(seconds)
    text = f"Too many requests from this IP address were denied. Try again in {wait} s."
    return ApiError(ErrorCode.RATE_LIMITED, text, {"retry_after": wait})


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
            accepted = [name for name in view.allowed_methods if name != request.method]
            return ApiError(
                ErrorCode.METHOD_NOT_ALLOWED,
                f"This endpoint does not support {request.method}.",
                {"method": request.method, "accepted": accepted},
            )
        case exceptions.NotAcceptable():
            return not_acceptable([renderer.media_type for renderer in view.renderer_classes])
        case exceptions.UnsupportedMediaType():
            accepted = [parser.media_type for parser in view.parser_classes]
            return unsupported_media_type(request.content_type, accepted)
        case exceptions.Throttled():
            return rate_limited(getattr(exc, "wait", None))
    return ApiError(ErrorCode.INTERNAL_ERROR, status=exc.status_code)


def not_acceptable(accepted: Sequence[str]) -> ApiError:
    """Return the error for an Accept header without a supported media type.

    accepted: media types of responses.
    """
    return ApiError(ErrorCode.NOT_ACCEPTABLE, details={"accepted": [*accepted]})


def unsupported_media_type(content_type: str, accepted: Sequence[str]) -> ApiError:
    """Return the error for a body of another media type.

    accepted: media types of bodies.
    """
    text = f"Send the body as {' or '.join(accepted)}."
    details = {"content_type": content_type, "accepted": [*accepted]}
    return ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, text, details)


def rate_limited(seconds: float | None) -> ApiError:
    text = f"Too many requests with this API key. Try again in {seconds} s."
    return ApiError(ErrorCode.RATE_LIMITED, text, {"retry_after": seconds})


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


def is_api(request: HttpRequest) -> bool:
    """Return whether a path belongs to the API, even if no view serves it."""
    return request.path_info.startswith("/v1/") or request.path_info == "/v1"


def _response(code: BaseErrorCode, **details: object) -> JsonResponse:
    return JsonResponse(ApiError(code, details=details).as_json(), status=code.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handle what Django rejects before a view is called, such as a forbidden host."""
    if is_api(request):
        return _response(ErrorCode.INVALID_REQUEST)
    return defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return _response(ErrorCode.NOT_FOUND, path=request.path)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Handle an unexpected exception. The response hides the cause; Django has logged it."""
    if is_api(request):
        return _response(ErrorCode.INTERNAL_ERROR)
    return defaults.server_error(request)
