"""Parses the bodies of requests about subscriptions. All problems are reported at once."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from longshore.api.errors import BaseErrorCode, ErrorCode, Problem, Problems, display_value
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry
from webhooks.errors import WebhookErrorCode
from webhooks.events import EVERY, EventType
from webhooks.signing_secrets import MAX_BYTES, MIN_BYTES, is_secret
from webhooks.targets import InvalidTarget, check_target

MAX_HEADERS = 10
MAX_HEADER_NAME_CHARACTERS = 100
MAX_HEADER_CHARACTERS = 1024
MAX_NAME_CHARACTERS = 200
FIELDS = ("target", "events", "resources", "types", "name", "active", "headers")
SECRET = f"whsec_ followed by the base64 of {MIN_BYTES} to {MAX_BYTES} bytes"

_HEADER_NAME = re.compile(rf"[A-Za-z0-9!#$%&'*+.^_`|~-]{{1,{MAX_HEADER_NAME_CHARACTERS}}}")
_HEADER_VALUE = re.compile(rf"(?! )[ -~]{{1,{MAX_HEADER_CHARACTERS}}}(?<! )")
# Of a connection, of the message, and those that say where it comes from.
_OURS = frozenset(
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
_OUR_PREFIX = "webhook-"
_HEADERS = f"an object of at most {MAX_HEADERS} names and texts"

Values = dict[str, Any]


def parse_new(body: Mapping[str, Any]) -> Values:
    """Parse the body of a new subscription. Raises InvalidInput."""
    problems = Problems(
        _problem(field, None, f"{field} is required", _ACCEPTED[field])
        for field in ("target", "events")
        if field not in body
    )
    return _parse(body, (*FIELDS, "secret"), problems)


def parse_change(body: Mapping[str, Any]) -> Values:
    """Parse the body of a PATCH. A header set to null is removed. Raises InvalidInput."""
    return _parse(body, FIELDS, Problems())


def parse_secret(body: Mapping[str, Any]) -> str | None:
    """Parse the body of a rotation: its secret, or None. Raises InvalidInput."""
    secret: str | None = _parse(body, ("secret",), Problems()).get("secret")
    return secret


def parse_since(body: Mapping[str, Any]) -> datetime:
    """Parse the time since which to recover. Raises InvalidInput."""
    problems = Problems(_unknown(body, ("since",)))
    given = body.get("since")
    try:
        since = parse_datetime(given) if isinstance(given, str) else None
        if since is not None and timezone.is_aware(since):
            # Some offsets lead out of the calendar.
            since = since.astimezone(UTC)
    except (ValueError, OverflowError):
        since = None
    if since is None or timezone.is_naive(since):
        accepted = "an ISO 8601 date and time with its zone, such as 2024-12-25T14:30:00Z"
        text = "since must be a date and time with a zone"
        problems.report(ErrorCode.INVALID_REQUEST, "since", given, text, accepted)
    if problems or since is None:
        problems.refuse()
    return since


def _parse(body: Mapping[str, Any], fields: Collection[str], problems: Problems) -> Values:
    problems.extend(_unknown(body, fields))
    given = [field for field in fields if field in body]
    for field in given:
        problems.extend(_CHECKS[field](body[field]))
    if problems:
        problems.refuse()
    return {field: _understood(field, body[field]) for field in given}


def _understood(field: str, value: Any) -> Any:
    """Normalize an accepted value to the form in which it is stored."""
    if field == "events":
        chosen = [value] if isinstance(value, str) else value
        return [name for name in (EVERY, *EventType.values) if name in chosen]
    if field in ("resources", "types"):
        return sorted(set(value))
    return value


def _unknown(body: Mapping[str, Any], fields: Collection[str]) -> Iterator[Problem]:
    for field in body:
        if field not in fields:
            # It may be a secret under a wrong name.
            yield _problem(field, None, f"There is no field {display_value(field)}", list(fields))


def _target(value: Any) -> Iterator[Problem]:
    try:
        if not isinstance(value, str):
            raise InvalidTarget("The target must be a text.")
        check_target(value)
    except InvalidTarget as error:
        # Before an @ may stand a password.
        value = None if "@" in str(value) else value
        yield Problem(
            WebhookErrorCode.INVALID_TARGET, "target", value, str(error), _ACCEPTED["target"]
        )


def _events(value: Any) -> Iterator[Problem]:
    chosen = [value] if value == EVERY else value
    accepted = [EVERY, *EventType.values]
    if not isinstance(chosen, list) or not chosen:
        text = "events must be a list of types, or *"
        yield Problem(WebhookErrorCode.INVALID_EVENT, "events", value, text, accepted)
        return
    for index, name in enumerate(chosen):
        if name not in accepted:
            text = f"There is no event {display_value(name)}"
            yield Problem(WebhookErrorCode.INVALID_EVENT, f"events.{index}", name, text, accepted)
    if EVERY in chosen and len(chosen) > 1:
        text = "* means every event, and stands alone"
        yield Problem(WebhookErrorCode.INVALID_EVENT, "events", value, text, [EVERY])


def _resources(value: Any) -> Iterator[Problem]:
    return _names(value, "resource", ResourceErrorCode.INVALID_RESOURCE, registry.names())


def _types(value: Any) -> Iterator[Problem]:
    return _names(value, "type", ResourceErrorCode.INVALID_TYPE, export_types.codes())


def _names(
    value: Any, what: str, code: BaseErrorCode, accepted: Collection[str]
) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(code, f"{what}s", value, f"{what}s must be a list of names", accepted)
        return
    for index, name in enumerate(value):
        if name not in accepted:
            yield Problem(
                code,
                f"{what}s.{index}",
                name,
                f"There is no {what} {display_value(name)}",
                accepted,
            )


def _name(value: Any) -> Iterator[Problem]:
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARACTERS:
        text = f"name must be a text of at most {MAX_NAME_CHARACTERS} characters"
        yield _problem("name", value, text, _ACCEPTED["name"])


def _active(value: Any) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield _problem("active", value, "active must be true or false", [True, False])


def _headers(value: Any) -> Iterator[Problem]:
    """Check names and values. No problem repeats a value, which may be secret."""
    if not isinstance(value, dict):
        text = "headers must be an object of names and texts"
        yield Problem(WebhookErrorCode.INVALID_HEADER, "headers", None, text, _HEADERS)
        return
    if len({name.lower() for name in value}) < len(value):
        text = "A header is given twice; upper and lower case are the same"
        yield Problem(WebhookErrorCode.INVALID_HEADER, "headers", list(value), text, _HEADERS)
    if sum(text is not None for text in value.values()) > MAX_HEADERS:
        yield too_many_headers(list(value))
    for name, text in value.items():
        if refusal := _refusal(name, text):
            message, accepted = refusal
            shown = name[:MAX_HEADER_NAME_CHARACTERS]
            yield Problem(
                WebhookErrorCode.INVALID_HEADER, f"headers.{shown}", None, message, accepted
            )


def too_many_headers(names: list[str]) -> Problem:
    text = f"headers has {len(names)} names; at most {MAX_HEADERS} are allowed"
    return Problem(WebhookErrorCode.INVALID_HEADER, "headers", names, text, _HEADERS)


def _refusal(name: str, text: Any) -> tuple[str, str] | None:
    """Return what is wrong with a header and what is accepted, or None."""
    if not _HEADER_NAME.fullmatch(name):
        letters = "letters, digits and !#$%&'*+.^_`|~-"
        accepted = f"1 to {MAX_HEADER_NAME_CHARACTERS} characters: {letters}"
        return "A header cannot have this name", accepted
    if name.lower() in _OURS or name.lower().startswith(_OUR_PREFIX):
        return f"The header {name} is set by Longshore itself", "another name"
    if text is not None and not (isinstance(text, str) and _HEADER_VALUE.fullmatch(text)):
        accepted = (
            f"1 to {MAX_HEADER_CHARACTERS} printable ASCII characters, no line break among them, "
            "and no space at either end"
        )
        return f"The value of the header {name} cannot be sent", accepted
    return None


def _secret(value: Any) -> Iterator[Problem]:
    if not isinstance(value, str) or not is_secret(value):
        # The value is not repeated: it may be a secret with a typing error.
        text = f"`secret` must be {SECRET}"
        yield Problem(WebhookErrorCode.INVALID_SECRET, "secret", None, text, SECRET)


def _problem(field: str, value: Any, message: str, accepted: object) -> Problem:
    return Problem(ErrorCode.INVALID_REQUEST, field, value, message, accepted)


_CHECKS = {
    "target": _target,
    "events": _events,
    "resources": _resources,
    "types": _types,
    "name": _name,
    "active": _active,
    "headers": _headers,
    "secret": _secret,
}
_ACCEPTED = {
    "target": "an https:// URL of a public host",
    "events": "a list of types, or *",
    "name": f"a text of at most {MAX_NAME_CHARACTERS} characters",
}
