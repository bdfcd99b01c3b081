"""Shared parts of the description of the dialect: envelope, errors, parameters, operations."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
)

from dialects.base.pages import MAX_ROWS, PageParameters
from dialects.packagex.parameters import LIMIT, PAGE
from longshore.api.body.declaration import Body, Choice, Custom
from longshore.api.openapi import IDEMPOTENCY_PARAMETERS, extend_schema

_View = TypeVar("_View", bound=Callable[..., Any])
Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object", "additionalProperties": {}}
TIME: Schema = {"type": "string", "format": "date-time"}
LINK: Schema = {"type": ["string", "null"], "format": "uri"}
FAILURE: Schema = {
    "type": ["object", "null"],
    "properties": {"error": STRING, "message": STRING},
    "description": "Why the job failed: a code and a sentence.",
}
_PAGINATION: Schema = {
    "type": "object",
    "properties": {
        "limit": INTEGER,
        "page": INTEGER,
        "has_more": BOOLEAN,
        "total_count": INTEGER,
    },
    "required": ["limit", "page", "has_more", "total_count"],
}
_STRINGS: Schema = {"type": "array", "items": STRING}
_ENVELOPE: Schema = {
    "message": STRING,
    "status": {**INTEGER, "description": "The HTTP status."},
    "errors": {**_STRINGS, "description": "The names of the refused fields."},
    "code": {"type": ["string", "null"], "description": "The code of an error."},
    "endpoint": STRING,
}
_ERROR: Schema = {
    "type": "object",
    "description": "Errors of exports, and errors before a view is called, have no envelope.",
    "properties": {
        "error": STRING,
        "message": STRING,
        "details": OBJECT,
        **{name: _ENVELOPE[name] for name in ("status", "errors", "code", "endpoint")},
        "data": {"type": "object"},
        "pagination": {"type": "null"},
    },
    "required": ["error", "message", "details"],
}
_ERRORS: Mapping[int, str] = {
    400: "The request is malformed. `details` has the refused values by the names of their fields.",
    401: "The request has no valid API key.",
    403: "The API key lacks a scope.",
    406: "The API responds with application/json only.",
    429: "Too many requests, or a limit of the organization is reached.",
    431: "The request line and the headers are too large.",
    500: "An unexpected error occurred on the server.",
    504: "The request took too long.",
}
_BODY_ERRORS: Mapping[int, str] = {
    409: "The Idempotency-Key was used with another body.",
    413: "The request body is too large.",
    415: "The body is not JSON.",
    422: "A limit of the organization or of the file is exceeded.",
    503: "The server is overloaded, or its storage is unavailable.",
}
NOT_FOUND: Mapping[int, str] = {404: "The organization has no such object."}
TOO_LARGE: Mapping[int, str] = {422: "The records are too large for one response."}


class ObjectSchema(AutoSchema):
    """Describes operations whose response is one object, also if it has a list inside."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False


def nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def record(properties: Mapping[str, Schema], **optional: Schema) -> Schema:
    """Return the schema of an object. optional: the members that it may lack."""
    return {
        "type": "object",
        "properties": {**properties, **optional},
        "required": list(properties),
    }


def enveloped(data: Schema, *, is_list: bool = False) -> Schema:
    """Return the schema of a response. data: that of its `data`, or of each element of it."""
    return record(
        {
            **_ENVELOPE,
            "data": {"type": "array", "items": data} if is_list else data,
            "pagination": _PAGINATION if is_list else {"type": "null"},
        }
    )


def around(shown: Schema) -> Schema:
    """Return the schema of a response that has an object both with and without the envelope."""
    whole = enveloped(shown)
    return {
        **whole,
        "properties": {**whole["properties"], **shown["properties"]},
        "required": [*dict.fromkeys([*whole["required"], *shown["required"]])],
    }


def parameters_of(declared: Body, pages: PageParameters | None = None) -> list[OpenApiParameter]:
    """Return the query parameters that a list or an object declares."""
    return [*map(_parameter, declared.fields), *(page_parameters(pages) if pages else ())]


def page_parameters(pages: PageParameters) -> Iterator[OpenApiParameter]:
    page = {"type": "integer", "minimum": 1, "maximum": MAX_ROWS, "default": 1}
    yield OpenApiParameter(PAGE, page, description="The number of the page.")
    limit = {"type": "integer", "minimum": 1, "maximum": pages.max_size}
    limit["default"] = pages.default_size
    yield OpenApiParameter(LIMIT, limit, description="The number of objects on a page.")


def _parameter(field: Any) -> OpenApiParameter:
    schema: Schema = dict(field.schema) if isinstance(field, Custom) else {"type": "string"}
    if isinstance(field, Choice):
        schema["enum"] = field.accepted
    if field.default is not None:
        schema["default"] = field.default
    return OpenApiParameter(field.name, schema, description=field.help_text)


def operation(
    operation_id: str,
    *,
    tag: str,
    description: str,
    response: Any,
    statuses: Sequence[int] = (200,),
    media_type: str = "application/json",
    request: Any = None,
    parameters: Sequence[OpenApiParameter] = (),
    errors: Mapping[int, str] | None = None,
    examples: Sequence[OpenApiExample] = (),
    is_idempotent: bool = False,
) -> Callable[[_View], _View]:
    """Describe a method of a view. Its summary is the first sentence of the description.

    statuses: of successful responses. errors: descriptions of further errors by status.
    """
    idempotency = IDEMPOTENCY_PARAMETERS if is_idempotent else ()
    success = response if isinstance(response, OpenApiResponse) else OpenApiResponse(response)
    return extend_schema(
        operation_id=operation_id,
        tags=[tag],
        summary=description.partition(".")[0],
        description=description,
        request=request,
        parameters=[*parameters, *idempotency],
        responses={
            **{(status, media_type): success for status in statuses},
            **error_responses(errors, has_body=request is not None),
        },
        examples=list(examples),
    )


def error_responses(
    errors: Mapping[int, str] | None = None, *, has_body: bool = False
) -> dict[int, OpenApiResponse]:
    """Return the responses of all errors by status."""
    found = {**_ERRORS, **(_BODY_ERRORS if has_body else {}), **(errors or {})}
    return {status: OpenApiResponse(_ERROR, text) for status, text in sorted(found.items())}
