"""Shared parts of the description of the dialect: the version header, errors, operations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
)

from dialects.nextcommerce import versions
from longshore.api.openapi import IDEMPOTENCY_PARAMETERS, extend_schema

_View = TypeVar("_View", bound=Callable[..., Any])
_VERSION_PARAMETER = OpenApiParameter(
    versions.HEADER,
    {"type": "string", "enum": [*versions.VERSIONS], "default": versions.VERSION},
    OpenApiParameter.HEADER,
    description="Version of the API. The responses are the same in each.",
)
_ID_PARAMETER = OpenApiParameter("id", int, OpenApiParameter.PATH)
# The body of an error, as `dialects.nextcommerce.errors` renders it.
_ERROR: dict[str, Any] = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
    "minProperties": 1,
}
_ERRORS: Mapping[int, str] = {
    400: "The request is malformed. For bad input: the sentences by field.",
    401: "The request has no valid API key.",
    403: "The API key lacks a scope.",
    405: "The endpoint does not support this method.",
    406: "The API responds with application/json only.",
    429: "Too many requests, or a limit of the organization is reached.",
    431: "The request line and the headers are too large.",
    500: "An unexpected error occurred on the server.",
    504: "The request took too long.",
}
_BODY_ERRORS: Mapping[int, str] = {
    413: "The request body is too large.",
    415: "The body is neither JSON nor a form.",
    503: "The server is receiving too many request bodies at the same time.",
}
_NOT_FOUND: Mapping[int, str] = {404: "The organization has no such object."}


def operation(
    operation_id: str,
    *,
    tag: str,
    summary: str,
    description: str = "",
    response: Any,
    status: int = 200,
    request: Any = None,
    parameters: Sequence[Any] = (),
    errors: Mapping[int, str] | None = None,
    examples: Sequence[OpenApiExample] = (),
    of_one: bool = False,
    is_idempotent: bool = False,
) -> Callable[[_View], _View]:
    """Describe a method of a view, under the operation id of the vendor.

    errors: descriptions of further errors by status.
    of_one: whether the address has the id of an object.
    """
    found = {
        **_ERRORS,
        **(_BODY_ERRORS if request is not None else {}),
        **(_NOT_FOUND if of_one else {}),
        **(errors or {}),
    }
    return extend_schema(
        operation_id=operation_id,
        tags=[tag],
        summary=summary,
        description=description or f"{summary}.",
        request=request,
        parameters=[
            _VERSION_PARAMETER,
            *([_ID_PARAMETER] if of_one else ()),
            *parameters,
            *(IDEMPOTENCY_PARAMETERS if is_idempotent else ()),
        ],
        responses={
            status: response,
            **{code: OpenApiResponse(_ERROR, text) for code, text in sorted(found.items())},
        },
        examples=list(examples),
    )
