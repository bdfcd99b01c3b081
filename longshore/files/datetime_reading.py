"""Datetime patterns read backwards: from a text of a pattern to the text of an ISO datetime.

A pattern becomes an anchored regular expression with one group for each field. Names of days are
skipped. A pattern cannot be read if it lacks the day, or if a field does not determine a value.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from psycopg import sql

from longshore.files.datetime_patterns import InvalidPattern, tokens

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_OFFSET = "([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
_SHORT_DAYS = f"(?:{'|'.join(day[:3] for day in _DAYS)})"
_MONTH = ("(1[0-2]|0?[1-9])", "(1[0-2]|0[1-9])", f"({'|'.join(_NAMES)})", f"({'|'.join(_MONTHS)})")
_SIXTY = ("([0-5]?[0-9])", "([0-5][0-9])")
# For each letter its regular expressions, from width 1 on; None for a width that is not readable.
_GROUPS: dict[str, tuple[str | None, ...]] = {
    "y": ("([0-9]{1,6})", "([0-9]{2})", "([0-9]{3,6})", "(-?[0-9]{4,6})"),
    "M": _MONTH,
    "L": _MONTH,
    "d": ("(3[01]|[12][0-9]|0?[1-9])", "(3[01]|[12][0-9]|0[1-9])"),
    "D": ("([0-9]{1,3})", None, "([0-9]{3})"),
    "E": (
        *(_SHORT_DAYS, _SHORT_DAYS, _SHORT_DAYS, f"(?:{'|'.join(_DAYS)})"),
        *(None, f"(?:{'|'.join(day[:2] for day in _DAYS)})"),
    ),
    "a": (*(["([ap]m)"] * 4), "([ap])"),
    "h": ("(1[0-2]|0?[1-9])", "(1[0-2]|0[1-9])"),
    "H": ("(2[0-3]|[01]?[0-9])", "(2[0-3]|[01][0-9])"),
    "k": ("(2[0-4]|1[0-9]|0?[1-9])", "(2[0-4]|1[0-9]|0[1-9])"),
    "K": ("(1[01]|0?[0-9])", "(1[01]|0[0-9])"),
    "m": _SIXTY,
    "s": _SIXTY,
    "S": tuple(f"([0-9]{{{width}}})" for width in range(1, 7)),
    "G": ("(AD|BC)",) * 3,
    "Z": (_OFFSET, _OFFSET, _OFFSET, "GMT([+-][0-9]{2}:[0-9]{2})", _OFFSET),
    "X": (_OFFSET,) * 5,
    "x": (_OFFSET,) * 5,
    "V": (None, "([A-Za-z][A-Za-z0-9_+/-]*)"),
}
# Letters for the same part of a moment.
_PARTS = {"L": "M", "H": "hour", "k": "hour", "h": "hour", "K": "hour", "Z": "x", "X": "x"}
_NUMBERS = set("yMLdDhHkKmsS")
_FIXED = {"yy", "MM", "LL", "dd", "hh", "HH", "kk", "KK", "mm", "ss", "DDD"}
_TIME_LETTERS = set("ahHkKmsSZXxV")
# From a part of a moment to the SQL of its group; None for a part that the pattern lacks.
_Group: TypeAlias = Callable[[str], str | None]


@dataclass(frozen=True)
class Inversion:
    """How a pattern is read.

    moment: SQL of the ISO text; null if the text does not have the pattern.
    has_zone: whether the pattern holds an offset or the name of a zone.
    """

    moment: sql.Composable
    has_zone: bool


def has_time(pattern: str) -> bool:
    """Return whether a pattern has fields of a time of day, or of a zone."""
    return any(field[:1] in _TIME_LETTERS for field, _ in tokens(pattern) if field)


def precision(pattern: str) -> int:
    """Return the precision of the datetimes that a pattern shows.

    The number of digits of the seconds' fraction; without seconds -1 for minutes, -2 for hours and
    -3 for days.
    """
    _, fields = _groups(pattern)
    if "S" in fields:
        return len(fields["S"])
    parts = ("s", "m", "hour")
    return next((-number for number, part in enumerate(parts) if part in fields), -len(parts))


def has_zone(pattern: str) -> bool:
    """Return whether a pattern holds an offset or the name of a zone."""
    _, fields = _groups(pattern)
    return "x" in fields or "V" in fields


def check_readable(pattern: str) -> None:
    """Raise InvalidPattern, which names the field, if texts of a pattern cannot be read."""
    _groups(pattern)


def inverted(pattern: str, text: sql.Composable) -> Inversion:
    """Return how a text of a pattern is read. Raises InvalidPattern."""
    expression, fields = _groups(pattern)

    def group(part: str) -> str | None:
        """Return the template of the group of a part."""
        return f"m[{list(fields).index(part) + 1}]" if part in fields else None

    year = group("y")
    if fields["y"] == "yy":
        year = f"(CASE WHEN {year} < '70' COLLATE \"C\" THEN '20' ELSE '19' END || {year})"
    elif fields["y"] != "yyyy":
        # lpad also shortens texts.
        year = f"lpad({year}, greatest(length({year}), 4), '0')"
    clock = [_hour(fields, group), group("m") or "'0'", group("s") or "'0'"]
    pieces = [
        f"{_day(year or '', fields, group)} || ' ' || ",
        " || ':' || ".join(f"lpad({part}, 2, '0')" for part in clock),
    ]
    if fraction := group("S"):
        pieces.append(f" || '.' || {fraction}")
    if offset := group("x"):
        pieces.append(f" || {offset}")
    elif zone := group("V"):
        pieces.append(f" || ' ' || {zone}")
    if era := group("G"):
        pieces.append(f" || CASE upper({era}) WHEN 'BC' THEN ' BC' ELSE '' END")
    moment = sql.SQL("(SELECT {} FROM regexp_match({}, {}) AS m)").format(
        sql.SQL("".join(pieces)), text, sql.Literal(expression)
    )
    return Inversion(moment, has_zone(pattern))


def _day(year: str, fields: dict[str, str], group: _Group) -> str:
    """Return the SQL of the date. year: SQL of at least four digits."""
    if number := group("D"):
        # Null for a day that the year does not have.
        return f"""CASE WHEN {year} !~ '-' AND {year}::int BETWEEN 1 AND 9999
 AND {number}::int BETWEEN 1 AND CASE WHEN {year}::int % 4 = 0
  AND ({year}::int % 100 <> 0 OR {year}::int % 400 = 0) THEN 366 ELSE 365 END
 THEN to_char(make_date({year}::int, 1, 1) + {number}::int - 1, 'YYYY-MM-DD') END"""
    month = group("M")
    if len(fields["M"]) > 2:
        month = f"((strpos('{''.join(_NAMES)}', lower(left({month}, 3))) + 2) / 3)::text"
    return f"{year} || '-' || lpad({month}, 2, '0') || '-' || lpad({group('d')}, 2, '0')"


def _groups(pattern: str) -> tuple[str, dict[str, str]]:
    """Return the regular expression, and the fields of its groups by part, in order."""
    parts = list(tokens(pattern))
    expression, fields = "", dict[str, str]()
    for position, (field, literal) in enumerate(parts):
        if not field:
            expression += re.sub(r"([^\w\s])", r"\\\1", literal)
            continue
        letter, width = field[0], len(field)
        known = _GROUPS.get(letter, ())
        group = known[width - 1] if width <= len(known) else None
        if group is None:
            raise InvalidPattern(field, f"a text of {field!r} does not determine a datetime")
        beside = [*parts[max(0, position - 1) : position], *parts[position + 1 : position + 2]]
        if any(_is_number(other) for other, _ in beside):
            group = _beside_digits(field, group)
        expression += group
        if letter != "E":
            part = _PARTS.get(letter, letter)
            if part in fields:
                raise InvalidPattern(field, f"{fields[part]!r} gives the same part as {field!r}")
            fields[part] = field
    _check_parts(pattern, fields)
    return f"(?i)^\\s*{expression}\\s*$", fields


def _is_number(field: str) -> bool:
    return field[:1] in _NUMBERS and not (field[:1] in "ML" and len(field) > 2)


def _beside_digits(field: str, group: str) -> str:
    """Return the group of a field beside another number: its number of digits must be known."""
    if field == "yyyy":
        return "([0-9]{4})"
    if not _is_number(field) or field in _FIXED or field[0] == "S":
        return group
    raise InvalidPattern(field, f"the end of {field!r} is unknown beside another number")


def _check_parts(pattern: str, fields: dict[str, str]) -> None:
    if "D" in fields and not fields.keys().isdisjoint(("M", "d")):
        raise InvalidPattern(fields["D"], f"{fields['D']!r} gives the day a second time")
    parts = (("y", "year"), ("M", "month"), ("d", "day"))
    for part, name in parts[:1] if "D" in fields else parts:
        if part not in fields:
            raise InvalidPattern(pattern, f"it has no {name}")
    if fields.get("hour", "")[:1] in ("h", "K") and "a" not in fields:
        raise InvalidPattern(fields["hour"], f"{fields['hour']!r} needs 'a' (AM or PM)")


def _hour(fields: dict[str, str], group: _Group) -> str:
    hour, letter = group("hour"), fields.get("hour", "")[:1]
    if hour is None:
        return "'0'"
    if letter == "H":
        return hour
    if letter == "k":
        return f"({hour}::int % 24)::text"
    afternoon = f"CASE WHEN lower(left({group('a')}, 1)) = 'p' THEN 12 ELSE 0 END"
    return f"({hour}::int % 12 + {afternoon})::text"
