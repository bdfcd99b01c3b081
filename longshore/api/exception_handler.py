"""Error responses: turns exceptions, in a view or before one, into the shape of their API."""

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
from longshore.api.apis import NATIVE, api_of
from longshore.api.errors import ApiError, ErrorCode, InvalidInput, Problem

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
    request = context["request"]
    shown = (api_of(request.path_info) or NATIVE).render_error(error, request._request)
    return Response(shown.body, status=shown.status, headers=headers)


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
            # The stubs of REST framework do not know the attribute.
            return rate_limited(ceil(getattr(exc, "wait", None) or 1))
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


def rate_limited(seconds: int) -> ApiError:
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


def _response(request: HttpRequest, error: ApiError) -> HttpResponse | None:
    """Return the response to a request that no view of an API has answered; None for a page."""
    api = api_of(request.path_info)
    if api is None:
        return None
    shown = api.render_error(error, request)
    return JsonResponse(shown.body, status=shown.status, content_type=shown.media_type, safe=False)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handle what Django rejects before a view is called, such as a forbidden host."""
    error = ApiError(ErrorCode.INVALID_REQUEST)
    return _response(request, error) or defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Exception, message: str = "") -> HttpResponse:
    """Handle an address that no view serves. message: replaces that of the code."""
    error = ApiError(ErrorCode.NOT_FOUND, message, {"path": request.path})
    return _response(request, error) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Handle an unexpected exception. The response hides the cause; Django has logged it."""
    error = ApiError(ErrorCode.INTERNAL_ERROR)
    return _response(request, error) or defaults.server_error(request)
