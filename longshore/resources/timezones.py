"""The time zones that requests may name."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from longshore.api.errors import Problem, Problems, display_value
from longshore.api.suggestions import did_you_mean
from longshore.resources.errors import ResourceErrorCode

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


def read_timezone(value: Any, field: str, problems: Problems) -> str:
    """Return the name of a time zone; report an unknown one, and return UTC.

    field: path of the value in the request.
    """
    if is_zone(value):
        return str(value)
    problems.extend([unknown_zone(value, field)])
    return UTC.name


def unknown_zone(name: Any, field: str) -> Problem:
    """Return the problem of an unknown time zone. field: path of the name in the request."""
    hint = did_you_mean(name, sorted(TIMEZONES)) if isinstance(name, str) else "."
    text = f"{display_value(name)} is not a time zone{hint}"
    accepted = "an IANA name such as America/New_York or UTC"
    return Problem(ResourceErrorCode.INVALID_TIMEZONE, field, name, text, accepted)
