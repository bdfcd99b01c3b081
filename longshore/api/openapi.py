"""Shared parts of the API description: authentication, errors, operations, single-page lists."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from typing import Any, TypeVar

from django.conf import settings
from drf_spectacular import utils
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema_serializer,
    inline_serializer,
)
from rest_framework import serializers

from longshore.accounts.authentication import HEADERS
from longshore.accounts.models import Scope
from longshore.api import exception_handler, idempotency, server_errors
from longshore.api.apis import NATIVE, api_of
from longshore.api.errors import ApiError, ErrorCode, error_codes
from longshore.api.parsers import BoundedJSONParser
from longshore.api.permissions import missing_scope
from longshore.api.views import RATE_HEADERS

_View = TypeVar("_View", bound=Callable[..., Any])
Errors = Iterable[ApiError]


def extend_schema(**options: Any) -> Callable[[_View], _View]:
    """Describe a method of a view, as the function of drf-spectacular with this name does.

    drf-spectacular's function extends the DEFAULT_SCHEMA_CLASS of the setting REST_FRAMEWORK, which
    may belong to another package.
    """
    describe = utils.extend_schema(**options)

    def decorate(view: _View) -> _View:
        view.kwargs = {"schema": AutoSchema, **getattr(view, "kwargs", {})}  # type: ignore[attr-defined]
        return describe(view)

    return decorate


class ErrorCodeField(serializers.ChoiceField):
    """The code of an error; the choices are read when the schema is generated."""

    def __init__(self, **kwargs: Any) -> None:
        codes = error_codes().items()
        super().__init__([(code, each.message) for code, each in codes], **kwargs)


class ErrorSerializer(serializers.Serializer[Any]):
    """The body of every error response."""

    error = ErrorCodeField(help_text="Error code, for programs.")
    message = serializers.CharField(help_text="Explanation, for people.")
    details = serializers.DictField(
        help_text="Further data. For invalid input: the value of each invalid field by its path, "
        "and `problems`, a list of `{error, field, value, message, accepted}`."
    )


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The headers that can carry an API key; a request needs one of them."""

    target_class = "longshore.accounts.authentication.ApiKeyAuthentication"
    name = ["ApiKey", "XApiKey", "Bearer"]  # noqa: RUF012  (as the library declares it)

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        header = {"type": "apiKey", "in": "header"}
        first, second = HEADERS
        return [
            header | {"name": first, "description": "API key, as the admin shows it once."},
            header | {"name": second, "description": "The same API key."},
            {"type": "http", "scheme": "bearer", "description": "The same API key."},
        ]


def raised(call: Callable[[], object]) -> ApiError:
    """Return the ApiError that a call raises: error examples are real errors."""
    try:
        call()
    except ApiError as error:
        return error
    raise AssertionError("The call of an error example did not raise an ApiError.")


def raised_errors(calls: Iterable[Callable[[], object]]) -> list[ApiError]:
    """Return the ApiErrors that calls raise; omit calls that raise none.

    For examples whose input may be valid with the declarations of another project.
    """
    errors = []
    for call in calls:
        try:
            call()
        except ApiError as error:
            errors.append(error)
    return errors


def unknown_name(name: str, known: Container[str]) -> str:
    """Return a name that is not among the known names: the given one, lengthened if necessary."""
    while name in known:
        name += "x"
    return name


def _parse(body: bytes) -> object:
    return BoundedJSONParser().parse(BytesIO(body))


NOT_FOUND = ApiError(ErrorCode.NOT_FOUND)
# Errors of every operation.
COMMON_ERRORS: Errors = (
    ApiError(ErrorCode.UNAUTHORIZED),
    missing_scope(Scope.READ, [Scope.WRITE.value]),
    exception_handler.not_acceptable(["application/json"]),
    exception_handler.rate_limited(12),
    ApiError(ErrorCode.INTERNAL_ERROR),
    ApiError(ErrorCode.TIMEOUT),
)
# Errors of every endpoint: the web server and the middleware return them before a view is called.
SERVER_ERRORS: Errors = (
    ApiError(ErrorCode.INVALID_REQUEST),
    server_errors.headers_too_large(65_536),
)
# Errors of every operation with a body.
BODY_ERRORS: Errors = (
    raised(lambda: _parse(b'{"resource": }')),
    raised(lambda: _parse(bytes(settings.API_MAX_BODY_BYTES + 1))),
    exception_handler.unsupported_media_type("text/csv", ["application/json"]),
    server_errors.overloaded(),
)
IDEMPOTENCY_ERRORS: Errors = (
    idempotency.malformed("naïve"),
    idempotency.reused("7c0f8a52-5d0e-4c07-9a53-0b1f4de4c9a1"),
)
IDEMPOTENCY_PARAMETERS: Sequence[OpenApiParameter] = (
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
            "Chosen by the client, for example a UUID. For 24 hours, a request with the same key "
            "and body gets the first response again and has no further effect. Only successful "
            "responses are stored."
        ),
    ),
    OpenApiParameter(
        idempotency.REPLAYED,
        {"type": "string", "enum": ["true"]},
        OpenApiParameter.HEADER,
        response=[200, 201],
        description=f"Set if this is the stored response to an earlier `{idempotency.HEADER}`.",
    ),
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
    """Describe a method of a view, with the errors of every operation, and of every body."""
    shared = [*COMMON_ERRORS, *(BODY_ERRORS if request is not None else ())]
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


def response_example(name: str, value: Any) -> OpenApiExample:
    """Return an example of a successful response."""
    return OpenApiExample(name, value=value, response_only=True, status_codes=["200", "201"])


def single_page_schema(name: str, serializer: type[serializers.BaseSerializer[Any]]) -> Any:
    """Return the schema of a list that has one page only. name: of the schema."""
    fields = {link: serializers.CharField(allow_null=True) for link in ("next", "previous")}
    page: Any = inline_serializer(name, fields | {"results": serializer(many=True)})
    # It is the whole response: not an element of a list, although the action is `list`.
    return extend_schema_serializer(many=False)(page)


def error_responses(errors: Errors) -> dict[int, OpenApiResponse]:
    """Return the responses by status, each error an example of its status."""
    by_status: dict[int, list[ApiError]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    for error in SERVER_ERRORS:
        by_status.setdefault(error.status, [error])
    return {
        status: OpenApiResponse(
            ErrorSerializer,
            description=" ".join(dict.fromkeys(map(_description, found))),
            examples=list(_examples(found)),
        )
        for status, found in sorted(by_status.items())
    }


def _examples(errors: Errors) -> Iterator[OpenApiExample]:
    """Yield an example per error, under unique names: of two equal names the last one wins."""
    names: Counter[str] = Counter()
    for error in errors:
        names[error.code] += 1
        name = f"{error.code} {names[error.code]}" if names[error.code] > 1 else str(error.code)
        yield OpenApiExample(name, value=error.as_json(), response_only=True)


def _description(error: ApiError) -> str:
    return f"`{error.code}`: {error.code.message}".replace("<", r"\<")


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
Endpoint = tuple[str, str, str, Any]


def order_endpoints(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Order the methods of each path (a preprocessing hook). Paths keep their order.

    REST framework lists the methods of a viewset in the random order of a set.
    """
    paths = [*dict.fromkeys(path for path, *_ in endpoints)]
    return sorted(endpoints, key=lambda each: (paths.index(each[0]), _METHODS.index(each[2])))


def share_responses(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Move responses that many operations share to `components` (a postprocessing hook).

    Status 400 stays: its examples differ by operation.
    """
    shared = result["components"].setdefault("responses", {})
    for path in result["paths"].values():
        for described in path.values():
            for status, response in described["responses"].items():
                name = f"Error{status}"
                if status > "400" and shared.setdefault(name, response) == response:
                    described["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    return result


def state_public_operations(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """State that operations and webhooks without an API key need none (a postprocessing hook)."""
    for path in (*result["paths"].values(), *result.get("webhooks", {}).values()):
        for described in path.values():
            described.setdefault("security", [])
    return result


_RATE_TEXTS = (
    "Requests of the API key per period.",
    "Requests that are left in this period.",
    "Seconds until the next period.",
)


def describe_rate_limits(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Describe the headers of the rate limit in the native API (a postprocessing hook)."""
    if api_of(spectacular_settings.SCHEMA_PATH_PREFIX) is not NATIVE:
        return result
    headers = {
        name: {"description": text, "schema": {"type": "integer"}}
        for name, text in zip(RATE_HEADERS, _RATE_TEXTS, strict=True)
    }
    result["components"]["headers"] = headers
    references = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    for path in result["paths"].values():
        for described in path.values():
            for status, response in described["responses"].items():
                if described.get("security") and status < "400":
                    response["headers"] = response.get("headers", {}) | references
    return result
