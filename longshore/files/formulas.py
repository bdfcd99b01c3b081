"""Formula injection: text that a spreadsheet would run gets an apostrophe before it."""

import re
from functools import cache

from psycopg import sql

from exports.spec import ExportSpec
from longshore.files.datetime_patterns import pattern_sql, tokens

# Spreadsheets in East Asia take the full-width signs too, and some importers drop blanks first.
_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20-"
_BLANKS = " \u00a0\u200b\u3000\ufeff"
_EQUAL = "=\uff1d"
_RUNS = f"^[{_BLANKS}]*[\t\n\r{_SIGNS}]"
# Signs of currencies; letters beside digits would be the name of a cell, so codes stand apart.
_CURRENCY = (
    "$\u00a2-\u00a5\u058f\u060b\u07fe\u07ff\u09f2\u09f3\u09fb\u0af1\u0bf9\u0e3f\u17db"
    "\u20a0-\u20c0\ua838\ufdfc\ufe69\uff04\uffe0\uffe1\uffe5\uffe6"
)
_SPACE = "[ \u00a0\u202f]"
_NUMBER = (
    rf"[+-](?:[{_CURRENCY}]{_SPACE}?|[A-Z]{{3}}{_SPACE})?"
    rf"[.,]?[0-9](?:[0-9.,'\u2019]|{_SPACE}[0-9]{{3}})*(?:[eE][+-]?[0-9]+)?"
    rf"(?:{_SPACE}?[%{_CURRENCY}]|{_SPACE}[A-Z]{{3}})?"
)
_PHONE_OF_ANY_LENGTH = r"\+[0-9(][0-9 ().-]*"
_PHONE = r"\+[0-9(][0-9 ().-]{6,}"
_UNSIGNED = r"[0-9][0-9 ().-]*"
# One, or several as they are merged.
_HARMLESS = rf"^(?:{_NUMBER}|{_PHONE})(?:, (?:{_NUMBER}|{_PHONE}|{_UNSIGNED}))*\Z"
# The same of one phone number where its length is looked at apart, at half the cost.
_LONG = rf"^{_PHONE_OF_ANY_LENGTH}\Z"

# Most text is let pass by its first character; a regular expression costs ten times as much. Only
# what begins with a blank need be searched for a sign, and only what does not may be a number.
_ESCAPED = sql.SQL(
    "CASE WHEN ascii({0}) IN ({first})"
    " AND CASE WHEN ascii({0}) IN ({blanks}) THEN {0} ~ {runs}"
    " ELSE NOT (length({0}) >= 8 AND {0} ~ {long} OR {0} ~ {harmless}) END"
    " THEN '''' || {0} ELSE {0} END"
)


def escaped_sql(text: sql.Composable) -> sql.Composable:
    """SQL of a text as a spreadsheet may have it; `text` is used more than once."""
    return _ESCAPED.format(
        text,
        first=_codes("\t\n\r" + _SIGNS + _BLANKS),
        blanks=_codes(_BLANKS),
        runs=sql.Literal(_RUNS),
        long=sql.Literal(_LONG),
        harmless=sql.Literal(_HARMLESS),
    )


def datetime_sql(pattern: str, value: sql.Composable, spec: ExportSpec) -> sql.Composable:
    """SQL of a datetime in a pattern, as a spreadsheet may have it."""
    text = pattern_sql(pattern, value, spec.timezone)
    return escaped_sql(text) if spec.escape_formulas and _may_run(pattern) else text


def _may_run(pattern: str) -> bool:
    """Whether a datetime in a pattern may be a formula.

    Its text begins like one, or calls something after the sign of an offset or of a year.
    """
    texts = [text for _, text in tokens(pattern)]
    begins = re.match(f"[\t\n\r{_BLANKS}{_SIGNS}]", texts[0])
    return bool(begins or re.search(f"[{_MARKS}]", "".join(texts)))


def _codes(letters: str) -> sql.Composable:
    return sql.SQL(", ").join(sql.Literal(ord(letter)) for letter in letters)


def escaped(text: str) -> str:
    """The same of a text here."""
    return f"'{text}" if re.match(_RUNS, text) and not re.match(_HARMLESS, text) else text


# Where a program takes another separator than the file's, a cell begins inside of a text. What
# begins with "=" is a formula then; what begins with another sign does harm only by a call or a
# reference, and so has one of these marks in it. A scan ends at each separator: it is linear.
_SEPARATORS = ",;\t|\r\n"
_MARKS = r"(!|\t"


def separated(rows: bytes, delimiter: str) -> bytes:
    """Rows of CSV with an apostrophe before each formula behind a separator that is not theirs.

    Such a formula is a part of a text. PostgreSQL would need several times as long for it: see
    docs/formats.md.
    """
    text, number = _formula_inside(delimiter).subn(r"\1'", rows.decode())
    return text.encode() if number else rows


@cache
def _formula_inside(delimiter: str) -> re.Pattern[str]:
    others = _SEPARATORS.replace(delimiter, "")
    return re.compile(
        rf'([{others}][{_BLANKS}"]*)(?=[{_EQUAL}]|[{_SIGNS}][^{_SEPARATORS}]*[{_MARKS}])'
        rf'(?!(?:{_NUMBER}|{_PHONE}|-Infinity)[{_BLANKS}]*(?:[{_SEPARATORS}\]}}"]|\Z))'
    )
