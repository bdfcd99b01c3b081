"""The time zones that a request may name."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from longshore.api.errors import Problem, shortened
from longshore.resources.errors import ResourceErrorCode

# These two name the machine's own zone and a file of rules, not a place.
TIMEZONES = frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


@dataclass(frozen=True)
class Zone:
    """The time zone that governs a request.

    name: an IANA name.
    field: where a request names it.
    """

    name: str
    field: str = "timezone"


UTC = Zone("UTC")


def is_zone(name: Any) -> bool:
    """Whether a request may name this zone."""
    return isinstance(name, str) and name in TIMEZONES


def unknown_zone(name: Any, field: str) -> Problem:
    """The problem of a name that is no time zone. field: where a request has it."""
    text = f"Unknown time zone: {shortened(name)}"
    accepted = "an IANA name such as America/New_York or UTC"
    return Problem(ResourceErrorCode.INVALID_TIMEZONE, field, name, text, accepted)
