"""Declares and parses the bodies of requests about subscriptions; reports all problems at once."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from longshore.api.body.declaration import Body, Boolean, Custom, Hook, Text
from longshore.api.errors import (
    BaseErrorCode,
    ErrorCode,
    Problem,
    Problems,
    display_value,
)
from longshore.api.suggestions import did_you_mean
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry
from webhooks.errors import WebhookErrorCode
from webhooks.events import ALL_EVENTS, EVENT_TYPES, canonical_types
from webhooks.models import MAX_NAME_CHARACTERS
from webhooks.signing_secrets import MAX_BYTES, MIN_BYTES, is_secret
from webhooks.targets import InvalidTarget, check_target

MAX_HEADERS = 10
MAX_HEADER_NAME_CHARACTERS = 100
MAX_HEADER_CHARACTERS = 1024
SECRET = f"whsec_ followed by the Base64 of {MIN_BYTES} to {MAX_BYTES} bytes"

_HEADER_NAME = re.compile(rf"[A-Za-z0-9!#$%&'*+.^_`|~-]{{1,{MAX_HEADER_NAME_CHARACTERS}}}")
_HEADER_VALUE = re.compile(rf"(?! )[ -~]{{1,{MAX_HEADER_CHARACTERS}}}(?<! )")
# Headers that the HTTP client sets, and those by which a receiver recognizes Longshore.
_RESERVED_HEADERS = frozenset(
    (
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    )
)
_RESERVED_PREFIX = "webhook-"
_TARGET_ACCEPTED = "an https:// URL of a public host"
_HEADERS_ACCEPTED = f"an object of at most {MAX_HEADERS} header names and values"
_SINCE_ACCEPTED = "an ISO 8601 date and time with a time zone, such as 2024-12-25T14:30:00Z"

_EVENT_SCHEMA = {"type": "string", "enum": [*EVENT_TYPES]}
_NAMES_SCHEMA = {"type": "array", "items": {"type": "string"}}

Values = dict[str, Any]


def parse_new(body: Mapping[str, Any]) -> Values:
    """Parse the body of a new subscription. Raises InvalidInput."""
    return _parse(SUBSCRIPTION_REQUEST, body)


def parse_change(body: Mapping[str, Any]) -> Values:
    """Parse the body of a PATCH. A header set to null is removed. Raises InvalidInput."""
    return _parse(SUBSCRIPTION_CHANGE, body)


def parse_secret(body: Mapping[str, Any]) -> str | None:
    """Return the secret of a request for a rotation, or None. Raises InvalidInput."""
    secret: str | None = _parse(SECRET_REQUEST, body).get("secret")
    return secret


def parse_since(body: Mapping[str, Any]) -> datetime:
    """Return the start of a recovery. Raises InvalidInput."""
    since: datetime = _parse(RECOVERY_REQUEST, body)["since"]
    return since


def too_many_headers(names: list[str]) -> Problem:
    text = f"headers has {len(names)} names; at most {MAX_HEADERS} are allowed."
    return Problem(WebhookErrorCode.INVALID_HEADER, "headers", names, text, _HEADERS_ACCEPTED)


def _parse(declared: Body, body: Mapping[str, Any]) -> Values:
    problems = Problems()
    values = declared.read(body, problems)
    if problems:
        problems.refuse()
    return values


def _read_target(value: Any, path: str, problems: Problems) -> str | None:
    try:
        if not isinstance(value, str):
            raise InvalidTarget("The target must be a string.")
        check_target(value)
    except InvalidTarget as error:
        # A URL with an @ may contain a password.
        safe_value = None if "@" in str(value) else value
        code = WebhookErrorCode.INVALID_TARGET
        problems.report(code, path, safe_value, str(error), _TARGET_ACCEPTED)
        return None
    return value


def _read_events(value: Any, path: str, problems: Problems) -> list[str]:
    """Return the event types in the order of their declaration."""
    code = WebhookErrorCode.INVALID_EVENT
    chosen = [value] if value == ALL_EVENTS else value
    accepted = [ALL_EVENTS, *EVENT_TYPES]
    if not isinstance(chosen, list) or not chosen:
        text = f"{path} must be {ALL_EVENTS} or a list of at least one event type."
        problems.report(code, path, value, text, accepted)
        return []
    problems.extend(_unknown_names(chosen, path, "an event type", code, accepted))
    if ALL_EVENTS in chosen and len(chosen) > 1:
        text = f"{ALL_EVENTS} stands for every event type and must be the only element."
        problems.report(code, path, value, text, [ALL_EVENTS])
    return [ALL_EVENTS] if ALL_EVENTS in chosen else canonical_types(map(str, chosen))


def _names_hook(noun: str, code: BaseErrorCode, names: Callable[[], Collection[str]]) -> Hook:
    """Return a hook that reads a list of known names, and sorts it.

    noun: the term for a name in errors, with its article.
    """

    def read(value: Any, path: str, problems: Problems) -> list[str]:
        accepted = list(names())
        if not isinstance(value, list):
            text = f"{path} must be a list of names, not {display_value(value)}."
            problems.report(code, path, value, text, accepted)
            return []
        problems.extend(_unknown_names(value, path, noun, code, accepted))
        return sorted({name for name in value if name in accepted})

    return read


def _unknown_names(
    names: Sequence[Any], path: str, noun: str, code: BaseErrorCode, accepted: Sequence[str]
) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name not in accepted:
            hint = did_you_mean(name, accepted) if isinstance(name, str) else "."
            text = f"{display_value(name)} is not {noun}{hint}"
            yield Problem(code, f"{path}.{index}", name, text, accepted)


def _read_headers(value: Any, path: str, problems: Problems) -> dict[str, str | None] | None:
    """Check names and values. No problem repeats a value, which may be secret."""
    code = WebhookErrorCode.INVALID_HEADER
    if not isinstance(value, dict):
        text = f"{path} must be an object of header names and values."
        problems.report(code, path, None, text, _HEADERS_ACCEPTED)
        return None
    if len({name.lower() for name in value}) < len(value):
        text = "A header is set twice: header names are not case-sensitive."
        problems.report(code, path, list(value), text, _HEADERS_ACCEPTED)
    if sum(text is not None for text in value.values()) > MAX_HEADERS:
        problems.extend([too_many_headers(list(value))])
    for name, text in value.items():
        if refusal := _check_header(name, text):
            message, accepted = refusal
            short_name = name[:MAX_HEADER_NAME_CHARACTERS]
            problems.report(code, f"{path}.{short_name}", None, message, accepted)
    return value


def _check_header(name: str, value: Any) -> tuple[str, str] | None:
    """Return the error message and the accepted values of a bad header, or None."""
    if not _HEADER_NAME.fullmatch(name):
        characters = "letters, digits and !#$%&'*+.^_`|~-"
        accepted = f"1 to {MAX_HEADER_NAME_CHARACTERS} characters: {characters}"
        return f"{display_value(name)} is not a valid header name.", accepted
    if name.lower() in _RESERVED_HEADERS or name.lower().startswith(_RESERVED_PREFIX):
        return f"Longshore sets the header {name} itself.", "another name"
    if value is not None and not (isinstance(value, str) and _HEADER_VALUE.fullmatch(value)):
        accepted = (
            f"1 to {MAX_HEADER_CHARACTERS} printable ASCII characters without line breaks, and "
            "without a space at either end"
        )
        return f"The value of the header {name} is not valid.", accepted
    return None


def _read_secret(value: Any, path: str, problems: Problems) -> str | None:
    if isinstance(value, str) and is_secret(value):
        return value
    # The value is not repeated: it may be a secret with a typing error.
    code = WebhookErrorCode.INVALID_SECRET
    problems.report(code, path, None, f"{path} must be {SECRET}.", SECRET)
    return None


def _read_since(value: Any, path: str, problems: Problems) -> datetime | None:
    try:
        since = parse_datetime(value) if isinstance(value, str) else None
        if since is not None and timezone.is_aware(since):
            # An offset can move the first or last day of the calendar out of it.
            return since.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    text = f"{path} must be a date and time with a time zone, not {display_value(value)}."
    problems.report(ErrorCode.INVALID_REQUEST, path, value, text, _SINCE_ACCEPTED)
    return None


_TARGET = Custom(
    "target",
    "The URL that receives the webhooks: https:// and a public host.",
    schema={"type": "string", "format": "uri"},
    accepts=_TARGET_ACCEPTED,
    hook=_read_target,
)
_EVENTS = Custom(
    "events",
    "The event types to send, or `*` for all, including those that are added later. "
    "`export.completed` is another name of `export.created`.",
    schema={
        "oneOf": [
            {"type": "array", "items": _EVENT_SCHEMA, "minItems": 1},
            {"type": "array", "items": {"const": ALL_EVENTS}, "minItems": 1, "maxItems": 1},
            {"const": ALL_EVENTS},
        ]
    },
    accepts=f"a list of event types, or {ALL_EVENTS}",
    hook=_read_events,
)
_OPTIONAL = (
    Custom(
        "resources",
        "Send only events of exports of these resources. Default, or if empty: of all resources.",
        schema=_NAMES_SCHEMA,
        accepts="a list of resources",
        hook=_names_hook("a resource", ResourceErrorCode.INVALID_RESOURCE, registry.names),
    ),
    Custom(
        "types",
        "Send only events of these named exports. Default, or if empty: of all exports.",
        schema=_NAMES_SCHEMA,
        accepts="a list of named exports",
        hook=_names_hook("a named export", ResourceErrorCode.INVALID_TYPE, export_types.codes),
    ),
    Text("name", "A name of your own.", max_characters=MAX_NAME_CHARACTERS),
    Boolean("active", "`false` deactivates the subscription: Longshore sends nothing."),
    Custom(
        "headers",
        "HTTP headers to send with every delivery. The API never returns their values. A PATCH "
        "keeps the other headers and removes a header that is null.",
        schema={
            "type": "object",
            "maxProperties": MAX_HEADERS,
            "additionalProperties": {
                "type": ["string", "null"],
                "maxLength": MAX_HEADER_CHARACTERS,
            },
        },
        accepts=_HEADERS_ACCEPTED,
        hook=_read_headers,
    ),
)
_SECRET = Custom(
    "secret",
    f"The signing secret: {SECRET}. Default: a random secret. The API returns it only once.",
    schema={"type": "string"},
    accepts=SECRET,
    hook=_read_secret,
)
SUBSCRIPTION_CHANGE = Body(
    "SubscriptionChange",
    "The changes of a subscription. Fields that are absent stay as they are.",
    (_TARGET, _EVENTS, *_OPTIONAL),
    hides_unknown_values=True,
)
SUBSCRIPTION_REQUEST = Body(
    "SubscriptionRequest",
    "A subscription: the events to send, and the URL that receives them.",
    (replace(_TARGET, required=True), replace(_EVENTS, required=True), *_OPTIONAL, _SECRET),
    hides_unknown_values=True,
)
SECRET_REQUEST = Body(
    "SecretRequest", "The new signing secret.", (_SECRET,), hides_unknown_values=True
)
RECOVERY_REQUEST = Body(
    "RecoveryRequest",
    "The start of a recovery.",
    (
        Custom(
            "since",
            "Send the failed deliveries of events since this time again.",
            required=True,
            schema={"type": "string", "format": "date-time"},
            accepts=_SINCE_ACCEPTED,
            hook=_read_since,
        ),
    ),
    hides_unknown_values=True,
)
