"""Intervals of time: convert a date, a datetime or an epoch in a filter to an interval.

An interval is half-open and has the form `start/end`. Its bounds are instants in UTC, in a form
that PostgreSQL parses. Without an offset the bounds are local times, and the interval is `Local`
until `longshore.resources.resolving` resolves it. This module does not handle time zones.
"""

import re
from datetime import datetime, timedelta

_DIGITS = re.compile(r"-?[0-9]{1,17}\Z")
# Eight digits that form a date are not an epoch in the year 1970.
_DAY_IN_DIGITS = re.compile(r"(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])\Z")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_ISO_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"
    r"(?P<second>:[0-9]{2}(?:[.,](?P<fraction>[0-9]+))?)?"
)
INFINITE = ("infinity", "-infinity")
# Smaller numbers are seconds, up to the year 5138; larger ones milliseconds, from 1973 on.
_MILLISECONDS_FROM = 10**11
_EPOCH = datetime(1970, 1, 1)
_FOUR_CENTURIES = timedelta(days=146_097)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
MINUTE = 60 * _SECOND
_DAY = 86_400 * _SECOND


class Local(str):
    """An interval of local times whose time zone is not resolved yet.

    Its bounds are microseconds since the local time 1970-01-01T00:00.
    """

    __slots__ = ()


def interval(text: str) -> str:
    """Return the interval of a value. Its length is the smallest unit of the value, such as a day.

    `infinity` and `-infinity` are instants. Raises ValueError for a text that is not a date, a
    datetime or an epoch.
    """
    try:
        if text in INFINITE:
            return text
        if _DIGITS.match(text) and not _DAY_IN_DIGITS.match(text):
            number = int(text)
            unit = 1_000 if abs(number) >= _MILLISECONDS_FROM else _SECOND
            return between(number * unit, (number + 1) * unit)
        if ISO_DATE.match(text):
            start = _microseconds(datetime.fromisoformat(text))
            return _local(start, start + _DAY)
        parts = _ISO_DATETIME.match(text)
        if not parts:
            raise ValueError(text)
        moment = datetime.fromisoformat(text)
        unit = _unit(parts["second"], parts["fraction"])
        start = _microseconds(moment.replace(tzinfo=None))
        offset = moment.utcoffset()
        if offset is None:
            return _local(start, start + unit)
        start -= offset // _MICROSECOND
        return between(start, start + unit)
    except OverflowError:
        raise ValueError(text) from None


def between(start: int, end: int) -> str:
    """Return the interval between two instants in microseconds since 1970."""
    return f"{format_moment(start, '+00:00')}/{format_moment(end, '+00:00')}"


def format_moment(microseconds: int, offset: str = "") -> str:
    """Format a moment in microseconds since 1970 as PostgreSQL parses it.

    Raises OverflowError more than 400 years outside of the years 1 to 9999.
    """
    # The calendar repeats every 400 years: shift years outside of 1 to 9999 into Python's range.
    years = -400 if microseconds > 0 else 400
    shift = -_FOUR_CENTURIES if microseconds > 0 else _FOUR_CENTURIES
    moved = _EPOCH + (timedelta(microseconds=microseconds) + shift)
    year, rest = moved.year - years, moved.isoformat()[4:]
    return f"{year:04}{rest}{offset}" if year > 0 else f"{1 - year:04}{rest}{offset} BC"


def chronological(bound: str) -> tuple[int, int, str]:
    """Return a sort key of a date, or of an instant in UTC, in PostgreSQL's text form."""
    if bound in INFINITE:
        return (-1 if bound.startswith("-") else 1, 0, "")
    year, _, rest = bound.partition("-")
    return (0, 1 - int(year) if rest.endswith(" BC") else int(year), rest)


def is_after(first: str, second: str) -> bool:
    """Return whether an interval, an instant or a date begins after another one has ended."""
    (start, _), (begin, end) = _ends(first), _ends(second)
    # An interval excludes its end, unless a clock change makes it empty.
    return start > end or (start == end and begin != end)


def _ends(text: str) -> tuple[tuple[int, int, str], tuple[int, int, str]]:
    start, _, end = text.partition("/")
    return chronological(start), chronological(end or start)


def _unit(second: str | None, fraction: str | None) -> int:
    """Return the smallest given unit in microseconds, at least one microsecond."""
    if second is None:
        return MINUTE
    parts: int = 10 ** min(6, len(fraction or ""))
    return _SECOND // parts


def _microseconds(clock: datetime) -> int:
    return (clock - _EPOCH) // _MICROSECOND


def _local(start: int, end: int) -> Local:
    return Local(f"{start}/{end}")
