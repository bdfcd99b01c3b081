"""Errors in the shape of JSON:API, with the codes and the `meta` that the vendor's clients read."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest

from exports.errors import ExportErrorCode
from longshore.api.apis import RenderedError
from longshore.api.errors import ApiError, ErrorCode, InvalidInput, Problem
from longshore.jobs.errors import JobErrorCode

MEDIA_TYPE = "application/vnd.api+json"
# Begins the fields of problems in bodies: a JSON pointer. Other problems are about parameters.
POINTER = "/"
ATTRIBUTES = "/data/attributes"
# Marks the error of an access token that is not valid, for clients that then request a new one.
INVALID_TOKEN = "INVALID_TOKEN"  # noqa: S105
OAUTH_PATH = "/oauth/"

_CODES = {
    HTTPStatus.BAD_REQUEST: "BAD_REQUEST",
    HTTPStatus.UNAUTHORIZED: "UNAUTHORIZED",
    HTTPStatus.NOT_FOUND: "RECORD_NOT_FOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    HTTPStatus.NOT_ACCEPTABLE: "NOT_ACCEPTABLE",
    HTTPStatus.CONFLICT: "RECORD_NOT_UNIQUE",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
    HTTPStatus.UNPROCESSABLE_ENTITY: "VALIDATION_ERROR",
    HTTPStatus.TOO_MANY_REQUESTS: "TOO_MANY_REQUESTS",
    HTTPStatus.INTERNAL_SERVER_ERROR: "INTERNAL_SERVER_ERROR",
}
# The code of a problem of a query parameter, by the part of its name before a bracket.
_PARAMETER_CODES = {
    "filter": "FILTER_NOT_ALLOWED",
    "sort": "INVALID_SORT_CRITERIA",
    "page": "INVALID_PAGE_VALUE",
    "fields": "INVALID_FIELD",
    "include": "INVALID_INCLUDE",
}
# The vendor has no 403 and no other conflicts than duplicates.
_STATUSES: dict[str, int] = {
    ErrorCode.FORBIDDEN: HTTPStatus.UNAUTHORIZED,
    ErrorCode.INVALID_STATUS: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def render_error(error: ApiError, request: HttpRequest) -> RenderedError:
    """Return an error in the shape of the dialect. A token request also gets that of OAuth 2."""
    errors = list(_errors(error, request))
    status = int(errors[0]["status"])
    if request.path_info.startswith(OAUTH_PATH):
        body = {**_oauth_error(error), "errors": errors}
        return RenderedError(status, body)
    return RenderedError(status, {"errors": errors}, MEDIA_TYPE)


def _errors(error: ApiError, request: HttpRequest) -> Iterator[dict[str, Any]]:
    problems = error.problems if isinstance(error, InvalidInput) else ()
    if not problems:
        yield _error(error)
    for problem in problems:
        yield _problem(problem, request)


def _error(error: ApiError) -> dict[str, Any]:
    status = HTTPStatus(_STATUSES.get(error.code, error.status))
    shown: dict[str, Any] = {
        "title": status.phrase,
        "detail": error.message,
        "code": str(error.details.get("code") or _CODES.get(status, error.code.upper())),
        "status": str(status.value),
    }
    if status == HTTPStatus.NOT_ACCEPTABLE:
        shown["detail"] = f"The API responds with {MEDIA_TYPE} only."
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        shown |= _unprocessable(error)
    return shown


def _unprocessable(error: ApiError) -> dict[str, Any]:
    """Return the members of a 422. Clients read its `meta`: the test that failed."""
    attribute, changes = "base", {}
    meta: dict[str, Any] = {"error": "invalid"}
    details = error.details
    if error.code == JobErrorCode.TOO_MANY_RECORDS:
        maximum = details["maximum"]
        attribute = "records_count"
        meta = {
            "error": "less_than_or_equal_to",
            "value": details.get("records_count"),
            "count": maximum,
        }
        changes = {"detail": f"records_count must be less than or equal to {maximum}"}
    elif error.code == ExportErrorCode.EMPTY_EXPORT:
        attribute = "records_count"
        meta = {"error": "greater_than", "value": 0, "count": 0}
        changes = {"detail": "records_count must be greater than 0"}
    return {**changes, "source": {"pointer": f"{ATTRIBUTES}/{attribute}"}, "meta": meta}


def _problem(problem: Problem, request: HttpRequest) -> dict[str, Any]:
    status, code = HTTPStatus.BAD_REQUEST, "BAD_REQUEST"
    source: dict[str, Any] = {}
    meta: dict[str, Any] = {}
    if problem.field.startswith(POINTER):
        status, code = HTTPStatus.UNPROCESSABLE_ENTITY, "VALIDATION_ERROR"
        source = {"pointer": problem.field}
        meta = {"error": _failed_test(problem), "value": problem.value}
    elif problem.field in request.GET:
        family = problem.field.partition("[")[0]
        code = _PARAMETER_CODES.get(family, "PARAM_NOT_ALLOWED")
        source = {"parameter": problem.field}
    if problem.accepted is not None:
        meta["accepted"] = problem.accepted
    shown: dict[str, Any] = {
        "title": status.phrase,
        "detail": problem.message,
        "code": code,
        "status": str(status.value),
    }
    return shown | ({"source": source} if source else {}) | ({"meta": meta} if meta else {})


def _failed_test(problem: Problem) -> str:
    """Return the name of the test that a value did not pass."""
    if problem.value is None:
        return "blank"
    return "inclusion" if isinstance(problem.accepted, list) else "invalid"


def _oauth_error(error: ApiError) -> dict[str, str]:
    """Return the error of a token request as RFC 6749, section 5.2, defines it."""
    field = error.problems[0].field if isinstance(error, InvalidInput) else ""
    code = {"grant_type": "unsupported_grant_type", "scope": "invalid_scope"}.get(field)
    if error.status == HTTPStatus.UNAUTHORIZED:
        code = "invalid_client"
    return {"error": code or "invalid_request", "error_description": error.message}
