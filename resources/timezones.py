"""The time zones that a request may name."""

from dataclasses import dataclass
from zoneinfo import available_timezones

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
