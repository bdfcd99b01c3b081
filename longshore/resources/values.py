"""Values of filters: convert the values of a request to the canonical texts of conditions."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from longshore.api.errors import display_value
from longshore.database.texts import storable
from longshore.resources.budget import InvalidFilter
from longshore.resources.columns import ColumnType
from longshore.resources.intervals import INFINITE, ISO_DATE, interval

# Decimal accepts more: underscores, and the digits of other scripts.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
# The largest decimal exponent of PostgreSQL's double precision.
_MAX_EXPONENT = 307

ACCEPTED: dict[ColumnType, str] = {
    ColumnType.TEXT: "a text",
    ColumnType.LIST: "a text that the list may contain",
    ColumnType.INTEGER: "a number",
    ColumnType.DECIMAL: "a number",
    ColumnType.FLOAT: "a number",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.DATE: "an ISO date such as 2024-12-25, infinity or -infinity",
    ColumnType.DATETIME: "an ISO date (2024-12-25), an ISO datetime (2024-12-25T14:30:00Z), "
    "an epoch in seconds or milliseconds, infinity or -infinity",
    ColumnType.JSON: "a JSON object, list, text, number or boolean that the column may contain",
}


def json_or_text(text: str) -> Any:
    """Parse a text as JSON. Return the text itself if it is not valid JSON."""
    try:
        value = json.loads(text)
        # Python parses Infinity, NaN and too large numbers, but they are not valid JSON.
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return text
    return value


def canonical_value(
    name: str, kind: ColumnType, raw: Any, accepted: Any = None, meant: str | None = None
) -> str:
    """Return the canonical text of a filter's value.

    accepted: replaces the description of the type's values in the error.
    meant: the value that the error suggests.
    Raises InvalidFilter, which names the filter, for an invalid value.
    """
    try:
        return canonical(kind, raw)
    except ValueError:
        hint = f". Did you mean {display_value(meant)}?" if meant else "."
        text = f"{display_value(raw)} is not a valid value of {name}{hint} "
        text += f"Accepted: {ACCEPTED[kind]}"
        raise InvalidFilter(text, accepted or ACCEPTED[kind]) from None


def canonical(kind: ColumnType, raw: Any) -> str:
    """Return the canonical text of a value; a `Local` interval for a datetime without an offset.

    Raises ValueError for a value that `ACCEPTED` does not describe for the type.
    """
    if kind is ColumnType.JSON:
        return _json(raw)
    if kind is ColumnType.BOOLEAN:
        return _boolean(raw)
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        raise ValueError(raw)
    text = str(raw)
    if not storable(text):
        raise ValueError(raw)
    if kind.numeric:
        return _number(text)
    if kind is ColumnType.DATE:
        return _day(text)
    if kind is ColumnType.DATETIME:
        return interval(text)
    return text


def _json(raw: Any) -> str:
    if not all(map(storable, _texts(raw))):
        raise ValueError(raw)
    return json.dumps(raw, allow_nan=False)


def _texts(raw: Any) -> Iterator[str]:
    """Yield all texts and keys inside a JSON value."""
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
    if abs(number.adjusted()) > _MAX_EXPONENT or len(text) > 200:
        raise ValueError(text)
    return str(number)


def _day(text: str) -> str:
    if text in INFINITE:
        return text
    if not ISO_DATE.match(text):
        # fromisoformat accepts more, such as 20241225 and 2024-W52-3.
        raise ValueError(text)
    return date.fromisoformat(text).isoformat()
