"""The time zones that requests may name."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from longshore.api.errors import ErrorCode, Problem, shortened

# Names of tzdata that are not time zones of a place.
TIMEZONES = frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


@dataclass(frozen=True)
class Zone:
    """The time zone that governs a request.

    name: IANA name.
    field: path of the name in the request.
    """

    name: str
    field: str = "timezone"


UTC = Zone("UTC")


def is_zone(name: Any) -> bool:
    """Return whether a value is the name of a time zone that requests may use."""
    return isinstance(name, str) and name in TIMEZONES


def unknown_zone(name: Any, field: str) -> Problem:
    """Return the problem of an unknown time zone. field: path of the name in the request."""
    text = f"Unknown time zone: {shortened(name)}"
    accepted = "an IANA name such as America/New_York or UTC"
    return Problem(ErrorCode.INVALID_TIMEZONE, field, name, text, accepted)
