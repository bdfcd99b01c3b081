"""What every operation of the API's description has: how to get in, and what can go wrong."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers

from longshore.accounts.authentication import HEADERS
from longshore.api import idempotency
from longshore.api.errors import ApiError, ErrorCode, error_codes

_View = TypeVar("_View", bound=Callable[..., Any])
Errors = Iterable[ApiError]


class ErrorCodeField(serializers.ChoiceField):
    """The code of an error; the choices are read when the schema is generated."""

    def __init__(self, **kwargs: Any) -> None:
        codes = error_codes().items()
        super().__init__([(code, each.message) for code, each in codes], **kwargs)


class ErrorSerializer(serializers.Serializer[Any]):
    """What every answer that is no success looks like."""

    error = ErrorCodeField(help_text="What is wrong, for a program.")
    message = serializers.CharField(help_text="What is wrong, for a person.")
    details = serializers.DictField(
        help_text="More of it. For bad input: each refused field's path with its value, and "
        "`problems`, a list of `{error, field, value, message, accepted}`, one for each."
    )


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The headers that carry an API key; one is enough."""

    target_class = "longshore.accounts.authentication.ApiKeyAuthentication"
    name = ["ApiKey", "XApiKey", "Bearer"]  # noqa: RUF012  (as the library declares it)

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        header = {"type": "apiKey", "in": "header"}
        first, second = HEADERS
        return [
            header | {"name": first, "description": "An API key, as the admin shows it once."},
            header | {"name": second, "description": "The same key."},
            {"type": "http", "scheme": "bearer", "description": "The same key."},
        ]


EVERYWHERE: Errors = (
    ApiError(ErrorCode.UNAUTHORIZED),
    ApiError(
        ErrorCode.FORBIDDEN,
        "This API key lacks the scope read.",
        {"required_scope": "read", "scopes": ["write"]},
    ),
    ApiError(ErrorCode.NOT_ACCEPTABLE, details={"accepted": ["application/json"]}),
    ApiError(
        ErrorCode.RATE_LIMITED,
        "Too many requests with this API key; try again in 12 s.",
        {"retry_after": 12},
    ),
    ApiError(ErrorCode.INTERNAL_ERROR),
    ApiError(ErrorCode.TIMEOUT),
)
# Of any path, from the web server and from what comes before the views.
BEFORE_VIEWS: Errors = (
    ApiError(ErrorCode.INVALID_REQUEST),
    ApiError(
        ErrorCode.HEADERS_TOO_LARGE,
        "The request line and the headers are larger than 65536 bytes.",
        {"maximum": 65_536},
    ),
)
OF_A_BODY: Errors = (
    ApiError(
        ErrorCode.INVALID_REQUEST,
        "The body is not valid JSON: Expecting value: line 1, column 14.",
        {"line": 1, "column": 14},
    ),
    ApiError(
        ErrorCode.REQUEST_TOO_LARGE,
        "The body is larger than 1048576 bytes.",
        {"maximum": 1_048_576},
    ),
    ApiError(
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        "Send the body as application/json.",
        {"content_type": "text/csv", "accepted": ["application/json"]},
    ),
    ApiError(ErrorCode.OVERLOADED),
)
OF_A_KEY: Sequence[OpenApiParameter] = (
    OpenApiParameter(
        idempotency.HEADER,
        {
            "type": "string",
            "minLength": 1,
            "maxLength": idempotency.MAX_KEY_LENGTH,
            "pattern": "^[ -~]+$",
        },
        OpenApiParameter.HEADER,
        description=(
            "Chosen by the client, such as a UUID: for 24 hours the same key and body get the "
            "first answer again, and nothing more is done. Only successes are kept."
        ),
    ),
    OpenApiParameter(
        idempotency.REPLAYED,
        {"type": "string", "enum": ["true"]},
        OpenApiParameter.HEADER,
        response=[200, 201],
        description=f"Where the answer is the first one to this `{idempotency.HEADER}`, again.",
    ),
)
NOT_FOUND = ApiError(ErrorCode.NOT_FOUND)
KEY_ERRORS: Errors = (
    idempotency.malformed("naïve"),
    idempotency.reused("7c0f8a52-5d0e-4c07-9a53-0b1f4de4c9a1"),
)


def operation(
    operation_id: str,
    *,
    tag: str,
    summary: str,
    description: str,
    responses: Mapping[int, Any],
    errors: Errors = (),
    request: Any = None,
    parameters: Sequence[OpenApiParameter] = (),
    examples: Sequence[OpenApiExample] = (),
) -> Callable[[_View], _View]:
    """Describe a method of a view; the errors that all have are added."""
    shared = [*EVERYWHERE, *(OF_A_BODY if request is not None else ())]
    return extend_schema(
        operation_id=operation_id,
        tags=[tag],
        summary=summary,
        description=description,
        request=request,
        parameters=list(parameters),
        responses={**responses, **error_responses([*errors, *shared])},
        examples=list(examples),
    )


def answer(name: str, value: Any) -> OpenApiExample:
    """An example of a success."""
    return OpenApiExample(name, value=value, response_only=True, status_codes=["200", "201"])


def whole_list(name: str, of: type[serializers.BaseSerializer[Any]]) -> Any:
    """The schema of a list that has one page."""
    fields = {link: serializers.CharField(allow_null=True) for link in ("next", "previous")}
    return inline_serializer(name, fields | {"results": of(many=True)})


def error_responses(errors: Errors) -> dict[int, OpenApiResponse]:
    """An answer for each status among the errors, with each error as an example."""
    by_status: dict[int, list[ApiError]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    for error in BEFORE_VIEWS:
        by_status.setdefault(error.status, [error])
    return {
        status: OpenApiResponse(
            ErrorSerializer,
            description=" ".join(dict.fromkeys(map(_meaning, found))),
            examples=list(_examples(found)),
        )
        for status, found in sorted(by_status.items())
    }


def _examples(errors: Errors) -> Iterator[OpenApiExample]:
    """An example for each error; of two with one name the description would show the last only."""
    names: Counter[str] = Counter()
    for error in errors:
        names[error.code] += 1
        name = f"{error.code} {names[error.code]}" if names[error.code] > 1 else str(error.code)
        yield OpenApiExample(name, value=error.as_json(), response_only=True)


def _meaning(error: ApiError) -> str:
    return f"`{error.code}`: {error.code.message}".replace("<", r"\<")


def share_responses(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Say once what many operations answer in the same words.

    Bad input aside, which is another for each operation.
    """
    shared = result["components"].setdefault("responses", {})
    for path in result["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                name = f"Error{status}"
                if status > "400" and shared.setdefault(name, response) == response:
                    operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    return result
