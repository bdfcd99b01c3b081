"""Datetime patterns: from the letters of Unicode's LDML to an SQL expression.

The letters and their meaning: Unicode Technical Standard 35, part 4, "Date Field Symbols".
"""

import re
from collections.abc import Iterable, Iterator

from psycopg import sql

from longshore.api.parsers import storable
from longshore.files.date_texts import astronomical_year, with_any_year

# A run of one letter, a quoted literal ('' is an apostrophe), or other text.
_TOKEN = re.compile(r"([A-Za-z])\1*|''|'(?:[^']|'')+'|[^A-Za-z']+")
_MAX_PATTERN_CHARACTERS = 200
# Characters that XML, and so XLSX, cannot hold.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# Patterns of other tools: the error for such a pattern suggests the translation.
_STRFTIME = re.compile("%(-?)([A-Za-z])")
_OF_STRFTIME = {
    "Y": "yyyy", "y": "yy", "m": "MM", "d": "dd", "e": "d", "H": "HH", "I": "hh", "M": "mm",
    "S": "ss", "f": "SSSSSS", "p": "a", "z": "xx", "Z": "zzz", "b": "MMM", "h": "MMM", "B": "MMMM",
    "a": "EEE", "A": "EEEE", "j": "DDD", "G": "YYYY", "V": "ww", "F": "yyyy-MM-dd",
    "T": "HH:mm:ss", "R": "HH:mm", "D": "MM/dd/yy",
}  # fmt: skip
_OF_OTHERS = (
    *(("HH24", "HH"), ("HH12", "hh"), ("MI", "mm"), ("YYYY", "yyyy"), ("YY", "yy"), ("DD", "dd")),
    *(("D", "d"), (":MM", ":mm"), (":SS", ":ss"), ("A", "a")),
)

# Templates of to_char; FM leaves out the leading zeros.
_TEMPLATES = {
    "y": "FMYYYY", "yy": "YY", "yyyy": "YYYY",
    "Y": "FMIYYY", "YY": "IY", "YYYY": "IYYY",
    "M": "FMMM", "MM": "MM", "MMM": "Mon", "MMMM": "FMMonth",
    "L": "FMMM", "LL": "MM", "LLL": "Mon", "LLLL": "FMMonth",
    "d": "FMDD", "dd": "DD", "D": "FMDDD", "DDD": "DDD",
    "E": "Dy", "EE": "Dy", "EEE": "Dy", "EEEE": "FMDay",
    "a": "AM", "aa": "AM", "aaa": "AM", "aaaa": "AM",
    "h": "FMHH12", "hh": "HH12", "H": "FMHH24", "HH": "HH24",
    "m": "FMMI", "mm": "MI", "s": "FMSS", "ss": "SS",
    "S": "FF1", "SS": "FF2", "SSS": "FF3", "SSSS": "FF4", "SSSSS": "FF5", "SSSSSS": "FF6",
    "Q": "Q", "QQ": '"0"Q', "QQQ": '"Q"Q', "QQQQ": 'Qth" quarter"',
    "w": "FMIW", "ww": "IW", "G": "AD", "GG": "AD", "GGG": "AD",
    "z": "TZ", "zz": "TZ", "zzz": "TZ",
    "xx": "TZHTZM", "xxx": "TZH:TZM", "xxxx": "TZHTZM", "xxxxx": "TZH:TZM",
    "ZZZZ": '"GMT"TZH:TZM',
}  # fmt: skip
# What to_char has no template for; {0} is the timestamp, {1} its zone's name.
_EXPRESSIONS = {
    "yyy": "to_char({0}, CASE WHEN extract(year FROM {0}) < 1000 THEN 'YYY' ELSE 'YYYY' END)",
    "k": "((extract(hour FROM {0})::int + 23) % 24 + 1)::text",
    "kk": "lpad(((extract(hour FROM {0})::int + 23) % 24 + 1)::text, 2, '0')",
    "K": "(extract(hour FROM {0})::int % 12)::text",
    "KK": "lpad((extract(hour FROM {0})::int % 12)::text, 2, '0')",
    "MMMMM": "left(to_char({0}, 'Mon'), 1)",
    "LLLLL": "left(to_char({0}, 'Mon'), 1)",
    "EEEEE": "left(to_char({0}, 'Dy'), 1)",
    "EEEEEE": "left(to_char({0}, 'Dy'), 2)",
    "aaaaa": "left(to_char({0}, 'am'), 1)",
    "XX": "CASE extract(timezone FROM {0}) WHEN 0 THEN 'Z' ELSE to_char({0}, 'TZHTZM') END",
    "XXX": "CASE extract(timezone FROM {0}) WHEN 0 THEN 'Z' ELSE to_char({0}, 'TZH:TZM') END",
    "x": "to_char({0}, 'TZH') || CASE to_char({0}, 'TZM') WHEN '00' THEN ''"
    " ELSE to_char({0}, 'TZM') END",
    "VV": "CASE WHEN {0} IS NOT NULL THEN {1} END",
}
_EXPRESSIONS["X"] = (
    "CASE extract(timezone FROM {0}) WHEN 0 THEN 'Z' ELSE " + _EXPRESSIONS["x"] + " END"
)
# Field of PostgreSQL's `extract` for each pattern of a year.
_YEARS = {
    **dict.fromkeys(("y", "yy", "yyy", "yyyy"), "year"),
    **dict.fromkeys(("Y", "YY", "YYYY"), "isoyear"),
}
# The offset of an ISO 8601 datetime is written Z where it is zero.
_ALIASES = {"Z": "XX", "ZZ": "XX", "ZZZ": "XX", "ZZZZZ": "XXX", "XXXX": "XX", "XXXXX": "XXX"}
ISO_8601 = "yyyy-MM-dd'T'HH:mm:ss.SSSSSSxxx"
ACCEPTED = "the letters y Y M L d D E a h H k K m s S Q w G z Z X x VV, others in '…'"


class UnknownPattern(ValueError):
    """The pattern is none that we write; the message says why, `part` what is to blame."""

    def __init__(self, part: str, message: str = "") -> None:
        super().__init__(message or f"it holds {part!r}, unknown here")
        self.part = part


def pattern_sql(pattern: str, timestamp: sql.Composable, timezone: str) -> sql.Composable:
    """SQL text of a `timestamptz` expression in a pattern, null where that is null.

    The session's TimeZone must be `timezone`. Raises UnknownPattern.
    """
    parts = list(tokens(pattern))
    ordinary = _joined(parts, timestamp, timezone)
    # An era goes with years that are counted from it.
    eras = any(field.startswith("G") for field, _ in parts)
    ancient = ordinary if eras else _joined(parts, timestamp, timezone, ancient=True)
    return with_any_year(timestamp, ordinary, ancient)


def _joined(
    parts: Iterable[tuple[str, str]],
    timestamp: sql.Composable,
    timezone: str,
    *,
    ancient: bool = False,
) -> sql.Composable:
    """ancient: write years as those before the first are written, by their astronomical number."""
    pieces: list[sql.Composable] = []
    template = ""
    for field, text in parts:
        if field in _EXPRESSIONS or (ancient and field in _YEARS):
            pieces += _to_char(template, timestamp)
            template = ""
            if ancient and field in _YEARS:
                pieces.append(_year(field, timestamp))
                continue
            expression = sql.SQL(_EXPRESSIONS[field])
            pieces.append(
                sql.SQL("({})").format(expression.format(timestamp, sql.Literal(timezone)))
            )
        else:
            if field and template and not template.endswith('"'):
                # Letters that meet would be read as another word: DD and Dy as DDD and y.
                template += '""'
            template += _TEMPLATES[field] if field else _quoted(text)
    pieces += _to_char(template, timestamp)
    return sql.SQL(" || ").join(pieces)


def _year(field: str, timestamp: sql.Composable) -> sql.Composable:
    if len(field) == 2:
        return sql.SQL("right({}, 2)").format(astronomical_year(timestamp, _YEARS[field]))
    return astronomical_year(timestamp, _YEARS[field], len(field))


def check_pattern(pattern: str) -> None:
    """Raises UnknownPattern where `pattern_sql` would."""
    for _ in tokens(pattern):
        pass


def suggestion(pattern: str) -> str | None:
    """The pattern that was meant by one of strftime, SQL or moment.js; None where it is unclear."""

    def ours(found: re.Match[str]) -> str:
        letters = _OF_STRFTIME.get(found[2], found[0])
        # A minus leaves out leading zeros, as one letter does.
        return letters[:1] if found[1] else letters

    translated = _STRFTIME.sub(ours, pattern)
    if translated == pattern:
        for theirs, written in _OF_OTHERS:
            translated = translated.replace(theirs, written)
    try:
        check_pattern(translated)
    except UnknownPattern:
        return None
    return translated if translated != pattern else None


def tokens(pattern: str) -> Iterator[tuple[str, str]]:
    """Pairs of field and text, one of which is empty."""
    if not pattern.strip():
        raise UnknownPattern(pattern, "it is a text that says how to write a datetime")
    if len(pattern) > _MAX_PATTERN_CHARACTERS:
        raise UnknownPattern(pattern, f"it has {_MAX_PATTERN_CHARACTERS} characters at most")
    if not storable(pattern) or _UNWRITABLE.search(pattern):
        raise UnknownPattern(pattern, "it holds a control character or half of a surrogate pair")
    end, before = 0, ""
    for match in _TOKEN.finditer(pattern):
        if match.start() != end:
            raise UnknownPattern(pattern[end:])
        end = match.end()
        part = match.group()
        if part.startswith("'"):
            yield "", "'" if part == "''" else part[1:-1].replace("''", "'")
        elif match.group(1):
            if before.endswith(("%", "%-")):
                raise UnknownPattern(pattern, "it is written for strftime")
            field = _ALIASES.get(part, part)
            if field not in _TEMPLATES and field not in _EXPRESSIONS:
                raise UnknownPattern(part)
            yield field, ""
        else:
            yield "", part
        before = part
    if end != len(pattern):
        raise UnknownPattern(pattern[end:])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _to_char(template: str, timestamp: sql.Composable) -> list[sql.Composable]:
    if not template:
        return []
    return [sql.SQL("to_char({}, {})").format(timestamp, sql.Literal(template))]
