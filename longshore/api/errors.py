"""The shape of every error of the API, and the codes that any endpoint may return.

The body of an error is `{"error": <code>, "message": <sentence>, "details": {…}}`; its HTTP status
belongs to the code. For bad input, `details` maps the path of each refused field to its value, and
`details.problems` lists `{"error", "field", "value", "message", "accepted"}`.

Each app registers further codes in its own module `errors`, as a subclass of `BaseErrorCode`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, Self

MAX_PROBLEMS = 100
# Limits the size of one response: a body of 1 MB can hold a hundred thousand mistakes.
MAX_PROBLEMS_BYTES = 48_000
MAX_SHOWN_CHARACTERS = 200
_MAX_MESSAGE_CHARACTERS = 1_000


class BaseErrorCode(StrEnum):
    """Base of the error codes of one app: `NAME = code, HTTP status, default message`.

    Defining a subclass registers its codes. Raises ValueError if a code is registered already.
    """

    status: int
    message: str

    def __new__(cls, code: str, status: int, message: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.status = status
        member.message = message
        return member

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        for member in cls:
            if member.value in _registered:
                raise ValueError(f"The error code {member.value!r} is registered twice.")
            _registered[member.value] = member


_registered: dict[str, BaseErrorCode] = {}


def error_codes() -> dict[str, BaseErrorCode]:
    """Return the codes of every app by their value, in alphabetical order."""
    return dict(sorted(_registered.items()))


class ErrorCode(BaseErrorCode):
    """The codes that any endpoint may return."""

    INVALID_REQUEST = "invalid_request", 400, "The request is malformed."
    INVALID_LIMIT = "invalid_limit", 400, "The limit is out of range."
    INVALID_CURSOR = "invalid_cursor", 400, "The cursor does not belong to this list."
    UNAUTHORIZED = (
        "unauthorized",
        401,
        "Send an API key in the header PX-API-KEY or X-API-KEY, or as Authorization: Bearer <key>.",
    )
    FORBIDDEN = "forbidden", 403, "The API key does not allow this."
    NOT_FOUND = "not_found", 404, "Not found."
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "This endpoint does not support this method."
    NOT_ACCEPTABLE = "not_acceptable", 406, "The API responds with application/json only."
    IDEMPOTENCY_KEY_REUSED = (
        "idempotency_key_reused",
        409,
        "The Idempotency-Key was already used with a different request.",
    )
    INVALID_STATUS = "invalid_status", 409, "The current status does not allow this action."
    REQUEST_TOO_LARGE = "request_too_large", 413, "The request body is too large."
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415, "Send the body as application/json."
    RANGE_NOT_SATISFIABLE = (
        "range_not_satisfiable",
        416,
        "The requested range lies outside of the file.",
    )
    RATE_LIMITED = "rate_limited", 429, "Too many requests."
    TOO_MANY_REQUESTS = "too_many_requests", 429, "Too many concurrent expensive requests."
    HEADERS_TOO_LARGE = "headers_too_large", 431, "The request line and headers are too large."
    INTERNAL_ERROR = "internal_error", 500, "An unexpected error occurred on the server."
    OVERLOADED = "overloaded", 503, "The server is overloaded. Try again later."
    TIMEOUT = "timeout", 504, "The request took too long. Request less data."


def shortened(value: object) -> object:
    """Return a value of a request for use in an error, cut to MAX_SHOWN_CHARACTERS.

    A longer string is cut; any other value with longer JSON becomes the beginning of its JSON. The
    size of the whole value follows. The cost does not grow with the part that is cut off.
    """
    if isinstance(value, str):
        size = f"{len(value):,} characters"
        return value if len(value) <= MAX_SHOWN_CHARACTERS else _cut(value, size)
    text = ""
    # The encoder yields one member at a time, so a large value is not encoded as a whole.
    for piece in json.JSONEncoder(default=str, ensure_ascii=False).iterencode(value):
        text += piece[: MAX_SHOWN_CHARACTERS + 1]
        if len(text) > MAX_SHOWN_CHARACTERS:
            return _cut(text, _size(value))
    return value


def display_value(value: object) -> str:
    """Return a value for use in a message: a string in quotes, any other value as JSON."""
    short = shortened(value)
    if isinstance(short, str) and not isinstance(value, str):
        return short
    return repr(short) if isinstance(value, str) else json.dumps(value, default=str)


def _cut(text: str, size: str) -> str:
    return f"{text[:MAX_SHOWN_CHARACTERS]}… ({size})"


def _size(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"{len(value):,} elements"
    if isinstance(value, dict):
        return f"{len(value):,} members"
    return f"{len(str(value)):,} characters"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the input. Long values and messages are shortened.

    field: the dotted path of the refused field.
    value: its value in the request.
    message: one or two sentences.
    accepted: the accepted values, or a description of them.
    """

    code: BaseErrorCode
    field: str
    value: object
    message: str
    accepted: object = None

    def __post_init__(self) -> None:
        message = self.message
        if len(message) > _MAX_MESSAGE_CHARACTERS:
            message = f"{message[:_MAX_MESSAGE_CHARACTERS]}…"
        object.__setattr__(self, "field", shortened(self.field))
        object.__setattr__(self, "value", shortened(self.value))
        object.__setattr__(self, "message", message)

    def as_json(self) -> dict[str, object]:
        return {
            "error": self.code.value,
            "field": self.field,
            "value": self.value,
            "message": self.message,
            "accepted": self.accepted,
        }


class ApiError(Exception):
    """An error of the API; the exception handler turns it into the response.

    message: the default message of the code if empty.
    status: the HTTP status of the code if None.
    """

    def __init__(
        self,
        code: BaseErrorCode,
        message: str = "",
        details: Mapping[str, object] | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message or code.message)
        self.code = code
        self.message = message or code.message
        self.details = dict(details or {})
        self.status = status or code.status

    def as_json(self) -> dict[str, object]:
        return {"error": self.code.value, "message": self.message, "details": self.details}


class InvalidInput(ApiError):
    """Bad input: an ApiError with the code and message of its first problem.

    The response lists at most MAX_PROBLEMS problems, of at most MAX_PROBLEMS_BYTES as JSON.
    """

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems[:MAX_PROBLEMS]
        problems_as_json: list[dict[str, object]] = []
        details: dict[str, object] = {}
        size = 0
        for problem in self.problems:
            described = problem.as_json()
            # `details` repeats the field and its value.
            size += len(json.dumps(described, default=str)) + len(
                json.dumps(problem.value, default=str)
            )
            if problems_as_json and size > MAX_PROBLEMS_BYTES:
                break
            problems_as_json.append(described)
            if problem.field:
                details[problem.field] = problem.value
        details["problems"] = problems_as_json
        super().__init__(problems[0].code, problems[0].message, details)


class Problems:
    """Collects the problems of one request, so that one response lists them all.

    Raises InvalidInput at the MAX_PROBLEMS-th problem: the cost of a request is bounded, however
    many mistakes it has.
    """

    def __init__(self, found: Iterable[Problem] = ()) -> None:
        self._found: list[Problem] = []
        self.extend(found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def extend(self, found: Iterable[Problem]) -> None:
        """Add problems one by one. Do not read an iterator past the maximum."""
        for problem in found:
            self._found.append(problem)
            if len(self._found) >= MAX_PROBLEMS:
                self.refuse()

    def report(
        self, code: BaseErrorCode, field: str, value: object, message: str, accepted: object = None
    ) -> None:
        """Add a problem. Raises InvalidInput at the MAX_PROBLEMS-th problem."""
        self.extend([Problem(code, field, value, message, accepted)])

    def refuse(self) -> NoReturn:
        """Raise InvalidInput with the collected problems. Requires at least one problem."""
        raise InvalidInput(*self._found)
