"""The time zones that a request may name."""

from zoneinfo import available_timezones

# These two name the machine's own zone and a file of rules, not a place.
TIMEZONES = frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})
