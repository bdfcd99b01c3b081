"""Datetime patterns: compiles the letters of Unicode's LDML to an SQL expression.

Source of the letters and their meaning: Unicode Technical Standard 35, part 4, "Date Field
Symbols". A field is a run of one letter, such as `yyyy`; its width is the number of letters.
To add a letter, add its line to `_LETTERS`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from psycopg import sql

from longshore.database.texts import storable
from longshore.files.date_texts import astronomical_year, with_any_year


@dataclass(frozen=True)
class Expression:
    """SQL of a field for which `to_char` has no template.

    text: `{0}` stands for the timestamp, `{1}` for the name of its time zone.
    """

    text: str


def _zero_as_z(offset: str) -> Expression:
    """Return the SQL of an offset that writes Z for zero, as in ISO 8601."""
    return Expression(f"CASE extract(timezone FROM {{0}}) WHEN 0 THEN 'Z' ELSE {offset} END")


_SHORT_OFFSET = Expression(
    "to_char({0}, 'TZH') || CASE to_char({0}, 'TZM') WHEN '00' THEN '' ELSE to_char({0}, 'TZM') END"
)
_ISO_OFFSET_SHORT = _zero_as_z(_SHORT_OFFSET.text)
_ISO_OFFSET_BASIC = _zero_as_z("to_char({0}, 'TZHTZM')")
_ISO_OFFSET_EXTENDED = _zero_as_z("to_char({0}, 'TZH:TZM')")
_THREE_DIGIT_YEAR = Expression(
    "to_char({0}, CASE WHEN extract(year FROM {0}) < 1000 THEN 'YYY' ELSE 'YYYY' END)"
)
_NARROW_MONTH = Expression("left(to_char({0}, 'Mon'), 1)")
_NARROW_DAY = Expression("left(to_char({0}, 'Dy'), 1)")
_SHORT_DAY = Expression("left(to_char({0}, 'Dy'), 2)")
_NARROW_PERIOD = Expression("left(to_char({0}, 'am'), 1)")
_HOUR_1_TO_24 = Expression("((extract(hour FROM {0})::int + 23) % 24 + 1)::text")
_HOUR_1_TO_24_PADDED = Expression(
    "lpad(((extract(hour FROM {0})::int + 23) % 24 + 1)::text, 2, '0')"
)
_HOUR_0_TO_11 = Expression("(extract(hour FROM {0})::int % 12)::text")
_HOUR_0_TO_11_PADDED = Expression("lpad((extract(hour FROM {0})::int % 12)::text, 2, '0')")
_ZONE_NAME = Expression("CASE WHEN {0} IS NOT NULL THEN {1} END")

# For each letter its fields, from width 1 on: a template of to_char (FM omits leading zeros), an
# Expression, or None for a width that has no meaning here.
_LETTERS: dict[str, tuple[str | Expression | None, ...]] = {
    "y": ("FMYYYY", "YY", _THREE_DIGIT_YEAR, "YYYY"),
    "Y": ("FMIYYY", "IY", None, "IYYY"),
    "M": ("FMMM", "MM", "Mon", "FMMonth", _NARROW_MONTH),
    "L": ("FMMM", "MM", "Mon", "FMMonth", _NARROW_MONTH),
    "d": ("FMDD", "DD"),
    "D": ("FMDDD", None, "DDD"),
    "E": ("Dy", "Dy", "Dy", "FMDay", _NARROW_DAY, _SHORT_DAY),
    "a": ("AM", "AM", "AM", "AM", _NARROW_PERIOD),
    "h": ("FMHH12", "HH12"),
    "H": ("FMHH24", "HH24"),
    "k": (_HOUR_1_TO_24, _HOUR_1_TO_24_PADDED),
    "K": (_HOUR_0_TO_11, _HOUR_0_TO_11_PADDED),
    "m": ("FMMI", "MI"),
    "s": ("FMSS", "SS"),
    "S": ("FF1", "FF2", "FF3", "FF4", "FF5", "FF6"),
    "Q": ("Q", '"0"Q', '"Q"Q', 'Qth" quarter"'),
    "w": ("FMIW", "IW"),
    "G": ("AD", "AD", "AD"),
    "z": ("TZ", "TZ", "TZ"),
    "Z": (
        _ISO_OFFSET_BASIC,
        _ISO_OFFSET_BASIC,
        _ISO_OFFSET_BASIC,
        '"GMT"TZH:TZM',
        _ISO_OFFSET_EXTENDED,
    ),
    "X": (
        _ISO_OFFSET_SHORT,
        _ISO_OFFSET_BASIC,
        _ISO_OFFSET_EXTENDED,
        _ISO_OFFSET_BASIC,
        _ISO_OFFSET_EXTENDED,
    ),
    "x": (_SHORT_OFFSET, "TZHTZM", "TZH:TZM", "TZHTZM", "TZH:TZM"),
    "V": (None, _ZONE_NAME),
}
FIELDS: dict[str, str | Expression] = {
    letter * width: entry
    for letter, entries in _LETTERS.items()
    for width, entry in enumerate(entries, 1)
    if entry is not None
}
# Fields of PostgreSQL's `extract`: before the year 1, these letters show the astronomical year.
_YEAR_LETTERS = {"y": "year", "Y": "isoyear"}

ISO_8601 = "yyyy-MM-dd'T'HH:mm:ss.SSSSSSxxx"
_SHORTEST = [next(field for field in FIELDS if field[0] == letter) for letter in _LETTERS]
# The accepted letters, for error messages.
ACCEPTED = f"the letters {' '.join(_SHORTEST)}, others in '…'"

_MAX_PATTERN_CHARACTERS = 200
# A run of one letter, a quoted literal ('' is an apostrophe), or other text.
_TOKEN = re.compile(r"([A-Za-z])\1*|''|'(?:[^']|'')+'|[^A-Za-z']+")
# Characters that XML, and so XLSX, cannot hold.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

# Patterns of other tools: the error for such a pattern suggests the translation.
_STRFTIME_FIELD = re.compile("%(-?)([A-Za-z])")
_FROM_STRFTIME = {
    "Y": "yyyy", "y": "yy", "m": "MM", "d": "dd", "e": "d", "H": "HH", "I": "hh", "M": "mm",
    "S": "ss", "f": "SSSSSS", "p": "a", "z": "xx", "Z": "zzz", "b": "MMM", "h": "MMM", "B": "MMMM",
    "a": "EEE", "A": "EEEE", "j": "DDD", "G": "YYYY", "V": "ww", "F": "yyyy-MM-dd",
    "T": "HH:mm:ss", "R": "HH:mm", "D": "MM/dd/yy",
}  # fmt: skip
# SQL and moment.js; applied in order.
_FROM_OTHERS = (
    *(("HH24", "HH"), ("HH12", "hh"), ("MI", "mm"), ("YYYY", "yyyy"), ("YY", "yy"), ("DD", "dd")),
    *(("D", "d"), (":MM", ":mm"), (":SS", ":ss"), ("A", "a")),
)


class InvalidPattern(ValueError):
    """A pattern that cannot be compiled. The message gives the reason; `part` is the wrong part."""

    def __init__(self, part: str, message: str = "") -> None:
        super().__init__(message or f"{part!r} is not a supported field")
        self.part = part


def pattern_sql(pattern: str, timestamp: sql.Composable, timezone: str) -> sql.Composable:
    """Compile a pattern to an SQL expression of type text; null if the timestamp is null.

    timestamp: an expression of type `timestamptz`.
    timezone: an IANA name; the session's TimeZone must be the same.
    Raises InvalidPattern.
    """
    parts = list(tokens(pattern))
    ordinary = _concatenated(parts, timestamp, timezone)
    ancient = ordinary
    # With an era, a pattern shows years of that era; without one, astronomical years.
    if not any(field.startswith("G") for field, _ in parts):
        ancient = _concatenated(parts, timestamp, timezone, ancient=True)
    return with_any_year(timestamp, ordinary, ancient)


def check_pattern(pattern: str) -> None:
    """Raise InvalidPattern if `pattern_sql` would."""
    for _ in tokens(pattern):
        pass


def suggest_pattern(pattern: str) -> str | None:
    """Translate a pattern of strftime, SQL or moment.js; None if the result is not valid."""

    def translate(match: re.Match[str]) -> str:
        field = _FROM_STRFTIME.get(match[2], match[0])
        # %-d omits leading zeros, as a single letter does.
        return field[:1] if match[1] else field

    translated = _STRFTIME_FIELD.sub(translate, pattern)
    if translated == pattern:
        for foreign, field in _FROM_OTHERS:
            translated = translated.replace(foreign, field)
    try:
        check_pattern(translated)
    except InvalidPattern:
        return None
    return translated if translated != pattern else None


def tokens(pattern: str) -> Iterator[tuple[str, str]]:
    """Split a pattern into pairs of (field, ""), or ("", literal text). Raises InvalidPattern."""
    if not pattern.strip():
        raise InvalidPattern(pattern, "it must be a text such as 'yyyy-MM-dd HH:mm'")
    if len(pattern) > _MAX_PATTERN_CHARACTERS:
        raise InvalidPattern(pattern, f"it may have at most {_MAX_PATTERN_CHARACTERS} characters")
    if not storable(pattern) or _NOT_XML.search(pattern):
        raise InvalidPattern(pattern, "it contains a control character or an unpaired surrogate")
    end, previous = 0, ""
    for match in _TOKEN.finditer(pattern):
        if match.start() != end:
            raise InvalidPattern(pattern[end:])
        end = match.end()
        part = match.group()
        if part.startswith("'"):
            yield "", "'" if part == "''" else part[1:-1].replace("''", "'")
        elif match.group(1):
            if previous.endswith(("%", "%-")):
                raise InvalidPattern(pattern, "it looks like a strftime pattern")
            if part not in FIELDS:
                raise InvalidPattern(part)
            yield part, ""
        else:
            yield "", part
        previous = part
    if end != len(pattern):
        raise InvalidPattern(pattern[end:])


def _concatenated(
    parts: Iterable[tuple[str, str]],
    timestamp: sql.Composable,
    timezone: str,
    *,
    ancient: bool = False,
) -> sql.Composable:
    """ancient: write astronomical years, for timestamps before the year 1."""
    pieces: list[sql.Composable] = []
    template = ""
    for field, text in parts:
        entry = FIELDS.get(field)
        is_ancient_year = ancient and field[:1] in _YEAR_LETTERS
        if is_ancient_year or isinstance(entry, Expression):
            pieces += _to_char(template, timestamp)
            template = ""
        if is_ancient_year:
            pieces.append(_ancient_year(field, timestamp))
        elif isinstance(entry, Expression):
            expression = sql.SQL(entry.text).format(timestamp, sql.Literal(timezone))
            pieces.append(sql.SQL("({})").format(expression))
        elif entry is None:
            template += _quoted(text)
        else:
            if template and not template.endswith('"'):
                # Adjacent templates would be read as another one: DD and Dy as DDD and y.
                template += '""'
            template += entry
    pieces += _to_char(template, timestamp)
    return sql.SQL(" || ").join(pieces)


def _ancient_year(field: str, timestamp: sql.Composable) -> sql.Composable:
    name = _YEAR_LETTERS[field[0]]
    if len(field) == 2:
        return sql.SQL("right({}, 2)").format(astronomical_year(timestamp, name))
    return astronomical_year(timestamp, name, len(field))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _to_char(template: str, timestamp: sql.Composable) -> list[sql.Composable]:
    if not template:
        return []
    return [sql.SQL("to_char({}, {})").format(timestamp, sql.Literal(template))]
