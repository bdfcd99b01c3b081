"""Every error of the API: a closed list of codes and one shape.

`{"error": <code>, "message": <sentence>, "details": {…}}`, with the status that belongs to
the code. For bad input `details` holds each refused field's path and value, and `problems`,
a list of `{"error", "field", "value", "message", "accepted"}`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from django.db.models import TextChoices

MAX_PROBLEMS = 100
# Of the problems of one answer, as JSON. One body has room for a hundred thousand mistakes.
MAX_PROBLEMS_BYTES = 48_000
MAX_SHOWN_CHARACTERS = 200
_MAX_MESSAGE_CHARACTERS = 1_000


class ErrorCode(TextChoices):
    """The codes; a label is the sentence sent where nothing more exact is known."""

    INVALID_REQUEST = "invalid_request", "The request could not be understood."
    INVALID_RESOURCE = "invalid_resource", "Unsupported resource type."
    INVALID_TYPE = "invalid_type", "Unsupported export type."
    INVALID_FORMAT = "invalid_format", "Unsupported format."
    INVALID_COMPRESSION = "invalid_compression", "Unsupported compression."
    INVALID_FILTER = "invalid_filter", "Malformed filter."
    INVALID_DATE_RANGE = "invalid_date_range", "Malformed range of dates."
    INVALID_COLUMN = "invalid_column", "Unknown column."
    INVALID_INCLUDE = "invalid_include", "Unsupported include."
    INVALID_ORDERING = "invalid_ordering", "Unsupported ordering."
    INVALID_LIMIT = "invalid_limit", "Unsupported limit."
    INVALID_TIMEZONE = "invalid_timezone", "Unknown time zone."
    INVALID_DATETIME_FORMAT = "invalid_datetime_format", "Unsupported date and time format."
    INVALID_TARGET = "invalid_target", "Webhooks cannot be sent to this target."
    INVALID_EVENT = "invalid_event", "Unknown event."
    INVALID_HEADER = "invalid_header", "Webhooks cannot be sent with this header."
    INVALID_SECRET = "invalid_secret", "Malformed secret."
    INVALID_CURSOR = "invalid_cursor", "The cursor is not one that this list gave."
    UNAUTHORIZED = (
        "unauthorized",
        "Send an API key in the header PX-API-KEY or X-API-KEY, or as Authorization: Bearer <key>.",
    )
    FORBIDDEN = "forbidden", "The API key does not allow this."
    NOT_FOUND = "not_found", "There is nothing at this address."
    METHOD_NOT_ALLOWED = "method_not_allowed", "This address does not take this method."
    NOT_ACCEPTABLE = "not_acceptable", "This API answers with application/json only."
    EXPORT_NOT_READY = "export_not_ready", "The export is not ready yet."
    EXPORT_EXPIRED = "export_expired", "The export's files have been deleted."
    IDEMPOTENCY_KEY_REUSED = (
        "idempotency_key_reused",
        "The Idempotency-Key came with another body before.",
    )
    INVALID_STATUS = "invalid_status", "Its status does not allow this."
    EMPTY_EXPORT = "empty_export", "Nothing matches."
    TOO_MANY_EXPORTS = "too_many_exports", "Too many exports are unfinished."
    DAILY_QUOTA_EXCEEDED = "daily_quota_exceeded", "Too many exports were created today."
    STORAGE_QUOTA_EXCEEDED = "storage_quota_exceeded", "The organization's files are too large."
    DUPLICATE_SUBSCRIPTION = "duplicate_subscription", "There is the same subscription already."
    SUBSCRIPTION_INACTIVE = "subscription_inactive", "The subscription is not active."
    TOO_MANY_SUBSCRIPTIONS = "too_many_subscriptions", "No more subscriptions are allowed."
    TOO_MANY_RECORDS = "too_many_records", "The export has too many records."
    FILE_TOO_LARGE = "file_too_large", "The export's files are too large."
    ANSWER_TOO_LARGE = "answer_too_large", "The records are too large for one answer."
    REQUEST_TOO_LARGE = "request_too_large", "The request's body is too large."
    HEADERS_TOO_LARGE = "headers_too_large", "The request line and the headers are too large."
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", "Send the body as application/json."
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable", "The file has no such bytes."
    RATE_LIMITED = "rate_limited", "Too many requests."
    TOO_MANY_REQUESTS = "too_many_requests", "Too many expensive requests at the same time."
    INTERNAL_ERROR = "internal_error", "Something went wrong on our side."
    OVERLOADED = "overloaded", "The server is overloaded; send the request again."
    STORAGE_UNAVAILABLE = "storage_unavailable", "The files cannot be reached now; try again."
    REPLICA_UNAVAILABLE = (
        "replica_unavailable",
        "The database's read replica did not send the rows; try again later.",
    )
    FORMAT_LIMIT = "format_limit", "The data does not fit into a file of this format."
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
    ErrorCode.EXPORT_NOT_READY: 409,
    ErrorCode.EXPORT_EXPIRED: 410,
    ErrorCode.IDEMPOTENCY_KEY_REUSED: 409,
    ErrorCode.INVALID_STATUS: 409,
    ErrorCode.EMPTY_EXPORT: 422,
    ErrorCode.TOO_MANY_EXPORTS: 429,
    ErrorCode.DAILY_QUOTA_EXCEEDED: 429,
    ErrorCode.STORAGE_QUOTA_EXCEEDED: 422,
    ErrorCode.DUPLICATE_SUBSCRIPTION: 409,
    ErrorCode.SUBSCRIPTION_INACTIVE: 409,
    ErrorCode.TOO_MANY_SUBSCRIPTIONS: 422,
    ErrorCode.TOO_MANY_RECORDS: 422,
    ErrorCode.FILE_TOO_LARGE: 422,
    ErrorCode.ANSWER_TOO_LARGE: 422,
    ErrorCode.REQUEST_TOO_LARGE: 413,
    ErrorCode.HEADERS_TOO_LARGE: 431,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.RANGE_NOT_SATISFIABLE: 416,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.TOO_MANY_REQUESTS: 429,
    ErrorCode.INTERNAL_ERROR: 500,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.STORAGE_UNAVAILABLE: 503,
    ErrorCode.REPLICA_UNAVAILABLE: 503,
    ErrorCode.FORMAT_LIMIT: 422,
    ErrorCode.TIMEOUT: 504,
}


def shortened(value: object) -> object:
    """Return a value of a request as an answer may repeat it.

    A text of more than MAX_SHOWN_CHARACTERS is cut, and so is the JSON of any other value; the
    size of the whole follows. The cost does not grow with what is cut off.
    """
    if isinstance(value, str):
        size = f"{len(value):,} characters"
        return value if len(value) <= MAX_SHOWN_CHARACTERS else _cut(value, size)
    text = ""
    # The encoder yields one member at a time.
    for piece in json.JSONEncoder(default=str, ensure_ascii=False).iterencode(value):
        text += piece[: MAX_SHOWN_CHARACTERS + 1]
        if len(text) > MAX_SHOWN_CHARACTERS:
            return _cut(text, _size(value))
    return value


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
    """One thing wrong with the input.

    field: the dotted path. value: what the request has there. message: a sentence. accepted:
    what would be taken instead. Values and texts that are too long are shortened.
    """

    code: ErrorCode
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
    """An ApiError that lists what is wrong with the input; its code is that of the first problem.

    The answer lists at most MAX_PROBLEMS problems, and MAX_PROBLEMS_BYTES of them as JSON.
    """

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems[:MAX_PROBLEMS]
        shown: list[dict[str, object]] = []
        details: dict[str, object] = {}
        size = 0
        for problem in self.problems:
            described = problem.as_json()
            # `details` repeats the field and its value.
            size += len(json.dumps(described, default=str)) + len(
                json.dumps(problem.value, default=str)
            )
            if shown and size > MAX_PROBLEMS_BYTES:
                break
            shown.append(described)
            if problem.field:
                details[problem.field] = problem.value
        details["problems"] = shown
        super().__init__(problems[0].code, problems[0].message, details)


class Problems:
    """Collects the problems of one request.

    Stops the reading of the request by raising InvalidInput at the MAX_PROBLEMS-th problem.
    """

    def __init__(self, found: Iterable[Problem] = ()) -> None:
        self._found: list[Problem] = []
        self.extend(found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def extend(self, found: Iterable[Problem]) -> None:
        """Add problems one by one: an iterator is not read past the maximum."""
        for problem in found:
            self._found.append(problem)
            if len(self._found) >= MAX_PROBLEMS:
                self.refuse()

    def report(
        self, code: ErrorCode, field: str, value: object, message: str, accepted: object = None
    ) -> None:
        self.extend([Problem(code, field, value, message, accepted)])

    def refuse(self) -> NoReturn:
        """Raise InvalidInput with the problems found; there must be one."""
        raise InvalidInput(*self._found)
