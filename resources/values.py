"""Values of a filter: from what a person writes to the canonical text of a condition."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from accounts.errors import shortened
from accounts.parsers import storable
from resources.columns import Kind

_DIGITS = re.compile(r"-?[0-9]{1,17}\Z")
# Written for a day, and not for a second of the year 1970.
_DAY_IN_DIGITS = re.compile(r"(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])\Z")
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_ISO_DATETIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}")
# Decimal takes more, underscores and the digits of other scripts among it.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
# Where the last day of Python's calendar ends.
_END = "10000-01-01T00:00:00+00:00"
# Seconds up to the year 5138; milliseconds from 1973 on.
_MILLISECONDS_FROM = 10**11
# Beyond it a number is none of PostgreSQL's double precision.
_LARGEST_EXPONENT = 307

ACCEPTED: dict[Kind, str] = {
    Kind.TEXT: "a text",
    Kind.LIST: "a text that the list may hold",
    Kind.INTEGER: "a number",
    Kind.DECIMAL: "a number",
    Kind.FLOAT: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "an ISO date such as 2024-12-25",
    Kind.DATETIME: "an ISO date (2024-12-25), an ISO datetime (2024-12-25T14:30:00Z), "
    "or an epoch in seconds or milliseconds",
    Kind.JSON: "a JSON object, list, text, number or boolean that the value contains",
}


def shown(value: Any) -> str:
    """A value in a message: a text in quotes, anything else as JSON; shortened if it is long."""
    short = shortened(value)
    if isinstance(short, str) and not isinstance(value, str):
        return short
    return repr(short) if isinstance(value, str) else json.dumps(value, default=str)


def json_or_text(text: str) -> Any:
    """What a text says in JSON, or the text itself where it is none."""
    try:
        value = json.loads(text)
        # Python reads Infinity, NaN and numbers too large for it, and none of them is JSON.
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return value


def canonical(kind: Kind, raw: Any, zone: ZoneInfo) -> str:
    """The canonical text of one value.

    zone: of dates, and of datetimes that name none.
    Raises ValueError where the value is none of what `ACCEPTED` says of the kind.
    """
    if kind is Kind.JSON:
        return _json(raw)
    if kind is Kind.BOOLEAN:
        return _boolean(raw)
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        raise ValueError(raw)
    text = str(raw)
    if not storable(text):
        raise ValueError(raw)
    if kind.numeric:
        return _number(text)
    if kind is Kind.DATE:
        return _day(text).isoformat()
    if kind is Kind.DATETIME:
        return _moment(text, zone)
    return text


def _json(raw: Any) -> str:
    if not all(map(storable, _texts(raw))):
        raise ValueError(raw)
    return json.dumps(raw, allow_nan=False)


def _texts(raw: Any) -> Iterator[str]:
    """Every text inside a JSON value."""
    if isinstance(raw, str):
        yield raw
    elif isinstance(raw, Mapping):
        for key, value in raw.items():
            yield key
            yield from _texts(value)
    elif isinstance(raw, list):
        for value in raw:
            yield from _texts(value)


def _boolean(raw: Any) -> str:
    text = str(raw).lower()
    if text not in ("true", "false"):
        raise ValueError(raw)
    return text


def _number(text: str) -> str:
    if not _NUMBER.match(text):
        raise ValueError(text)
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if abs(number.adjusted()) > _LARGEST_EXPONENT or len(text) > 200:
        raise ValueError(text)
    return str(number)


def _day(text: str) -> date:
    if not _ISO_DATE.match(text):
        # fromisoformat takes more, 20241225 and 2024-W52-3 among it.
        raise ValueError(text)
    return date.fromisoformat(text)


def _moment(text: str, zone: ZoneInfo) -> str:
    """An instant, or for a date the stretch `start/end` of that day in the zone."""
    try:
        if _DAY_IN_DIGITS.match(text):
            raise ValueError(text)
        if _DIGITS.match(text):
            return _iso(_epoch(int(text)))
        if _ISO_DATE.match(text):
            day = _day(text)
            end = _END if day == date.max else _iso(_midnight(day + timedelta(days=1), zone))
            return f"{_iso(_midnight(day, zone))}/{end}"
        if not _ISO_DATETIME.match(text):
            raise ValueError(text)
        moment = datetime.fromisoformat(text)
        return _iso(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except OverflowError:
        raise ValueError(text) from None


def _epoch(number: int) -> datetime:
    unit = "milliseconds" if abs(number) >= _MILLISECONDS_FROM else "seconds"
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(**{unit: number})


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
