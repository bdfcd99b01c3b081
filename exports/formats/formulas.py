"""Formula injection: text that a spreadsheet would run gets an apostrophe before it."""

import re

from psycopg import sql

# Spreadsheets in East Asia take the full-width signs too, and some importers drop blanks first.
_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20-"
_BLANKS = " \u00a0\u200b\u3000\ufeff"
_RUNS = f"^[{_BLANKS}]*[\t\n\r{_SIGNS}]"
_NUMBER = r"[+-][.,]?[0-9][0-9.,]*([eE][+-]?[0-9]+)?%?"
_PHONE_OF_ANY_LENGTH = r"\+[0-9(][0-9 ().-]*"
_PHONE = r"\+[0-9(][0-9 ().-]{6,}"
_UNSIGNED = r"[0-9][0-9 ().-]*"
# One, or several as they are merged.
_HARMLESS = rf"^({_NUMBER}|{_PHONE})(, ({_NUMBER}|{_PHONE}|{_UNSIGNED}))*\Z"
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


def _codes(letters: str) -> sql.Composable:
    return sql.SQL(", ").join(sql.Literal(ord(letter)) for letter in letters)


def escaped(text: str) -> str:
    """The same of a text here."""
    return f"'{text}" if re.match(_RUNS, text) and not re.match(_HARMLESS, text) else text
