"""Protection against formula injection: marks text that a spreadsheet would run as a formula.

An apostrophe before a text makes spreadsheets show it as text. Numbers and phone numbers stay as
they are, although they may begin with a sign. The rules exist twice, as SQL for cells and in
Python for headers; tests compare both.

A batch removes the apostrophes again. A text that had one before a formula already loses it too:
nothing distinguishes it from an escaped text.
"""

import re
from collections.abc import Iterable
from functools import cache

from psycopg import sql

from longshore.files.datetime_patterns import pattern_sql, tokens

# Spreadsheets in East Asia accept the full-width signs too, and some importers skip blanks first.
_SIGNS = "=+@\uff1d\uff0b\uff0d\uff20-"
_BLANKS = " \u00a0\u200b\u3000\ufeff"
_EQUAL_SIGNS = "=\uff1d"
_FORMULA = f"^[{_BLANKS}]*[\t\n\r{_SIGNS}]"
# Finds the texts that may have an apostrophe before a formula, with any engine.
MARKED_FORMULA = f"'[{_BLANKS}\t\n\r{_SIGNS}]"
# Currency symbols. Currency codes need a space: letters beside digits may be a cell reference.
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
_UNSIGNED_PHONE = r"[0-9][0-9 ().-]*"
# One number, or several merged into one cell.
_HARMLESS = rf"^(?:{_NUMBER}|{_PHONE})(?:, (?:{_NUMBER}|{_PHONE}|{_UNSIGNED_PHONE}))*\Z"
# A single phone number; its length is tested separately, at half the cost of `{6,}`.
_SINGLE_PHONE = rf"^{_PHONE_OF_ANY_LENGTH}\Z"

# A text that a spreadsheet may convert to a number, a date, a time, a boolean or an error, such as
# `00123`, `.5`, `1-Dec`, `(5)`, `10%`, `MAR1`, `TRUE`, `#N/A`. Excel has more rules than can be
# listed, so any text with such a beginning counts, unless it has a character of
# e-mail addresses or names. PostgreSQL and Python read the pattern.
_REST = '[^"\t\n\r@_]*'
_ERRORS = "#(?:N/A|[A-Z0/]+[!?])"
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_BOOLEANS = ("true", "false")


def _in_any_case(words: Iterable[str]) -> str:
    letters = ("".join(f"[{letter}{letter.upper()}]" for letter in word) for word in words)
    return f"(?:{'|'.join(letters)})"


_CONVERTED = (
    rf"[{_BLANKS}]*(?:[0-9.,+(%{_CURRENCY}-]{_REST}|{_in_any_case(_MONTHS)}{_REST}[0-9]{_REST}"
    rf"|{_in_any_case(_BOOLEANS)}[{_BLANKS}]*|{_ERRORS})"
)
# Excel's limit of a text in a formula.
_MAX_EXCEL_TEXT = 255

# The first character decides for most texts: a regular expression costs ten times as much. A text
# that begins with a blank is never a number, and any other text needs no search for its sign.
_ESCAPED = sql.SQL(
    "CASE WHEN ascii({0}) IN ({first})"
    " AND CASE WHEN ascii({0}) IN ({blanks}) THEN {0} ~ {formula}"
    " ELSE NOT (length({0}) >= 8 AND {0} ~ {phone} OR {0} ~ {harmless}) END"
    " THEN '''' || {0} ELSE {0} END"
)

# If a program splits a line at another separator than the file's delimiter, a cell begins inside a
# text. There, an equal sign begins a formula; another sign does harm only with a call or a
# reference, which contains one of these marks. Each match ends at the next separator, so the
# scan is linear.
_SEPARATORS = ",;\t|\r\n"
_FORMULA_MARKS = r"(!|\t"


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula."""
    is_formula = re.match(_FORMULA, text) and not re.match(_HARMLESS, text)
    return f"'{text}" if is_formula else text


def unescape_formula(text: str) -> str:
    """Remove the apostrophe of `escape_formula`."""
    is_escaped = text[:1] == "'" and escape_formula(text[1:]) == text
    return text[1:] if is_escaped else text


def excel_text_sql(text: sql.Composable, otherwise: sql.Composable) -> sql.Composable:
    """Return SQL of `="00123"` for a text that a spreadsheet may convert, else `otherwise`."""
    kept = sql.SQL(
        "CASE WHEN length({0}) <= {maximum} AND {0} ~ {pattern}"
        " THEN '=\"' || {0} || '\"' ELSE {otherwise} END"
    )
    maximum = sql.Literal(_MAX_EXCEL_TEXT)
    pattern = sql.Literal(rf"^{_CONVERTED}\Z")
    return kept.format(text, maximum=maximum, pattern=pattern, otherwise=otherwise)


def parse_excel_text(text: str) -> str:
    """Return the text of a cell that `excel_text_sql` wrote; any other text unchanged."""
    found = re.fullmatch(f'="({_CONVERTED})"', text)
    return found[1] if found else text


def escape_formula_sql(text: sql.Composable) -> sql.Composable:
    """Return SQL that does what `escape_formula` does. It contains `text` several times."""
    return _ESCAPED.format(
        text,
        first=_code_points("\t\n\r" + _SIGNS + _BLANKS),
        blanks=_code_points(_BLANKS),
        formula=sql.Literal(_FORMULA),
        phone=sql.Literal(_SINGLE_PHONE),
        harmless=sql.Literal(_HARMLESS),
    )


def escape_inside_cells(rows: bytes, delimiter: str) -> bytes:
    """Put an apostrophe before each formula that begins inside a cell of CSV rows.

    Such a formula follows a separator other than the file's delimiter. Python does this, because
    SQL would take several times as long: see docs/formats.md.
    """
    if not any(start in rows and begin.search(rows) for start, begin in _may_begin(delimiter)):
        return rows
    text, count = _formula_inside_cell(delimiter).subn(r"\1'", rows.decode())
    return text.encode() if count else rows


def unescape_inside_cell(text: str, delimiter: str, *, is_first: bool, is_last: bool) -> str:
    """Remove the apostrophes that `escape_inside_cells` added from one cell without its quotes.

    is_first, is_last: whether the cell is the first or last one of its row: a line break precedes
        or follows it instead of the delimiter.
    """
    ends_with_mark = not is_last and bool(re.match(f"[{_FORMULA_MARKS}]", delimiter))
    return _escaped_inside_cell(delimiter, is_first, ends_with_mark).sub(r"\1", text)


@cache
def _may_begin(delimiter: str) -> list[tuple[bytes, re.Pattern[bytes]]]:
    """Return each other separator, and a pattern that finds it before what may be a formula.

    The patterns also find other texts. Two thirds of the time of `_formula_inside_cell` is saved
    in blocks without a match: a search for a single first byte is faster than for a set of
    characters, most separators are missing, and the block is not decoded.
    """
    skipped = b"".join(re.escape(blank.encode()) for blank in f'{_BLANKS}"')
    signs = b"".join(re.escape(sign.encode()[:1]) for sign in _SIGNS)
    others = [other.encode() for other in _SEPARATORS.replace(delimiter, "")]
    return [
        (other, re.compile(b"%b[%b]*[%b]" % (re.escape(other), skipped, signs))) for other in others
    ]


@cache
def _formula_inside_cell(delimiter: str) -> re.Pattern[str]:
    others, formula = _inside_cell(delimiter, f"[{_FORMULA_MARKS}]", quote='""')
    return re.compile(rf'([{others}][{_BLANKS}"]*){formula}')


@cache
def _escaped_inside_cell(delimiter: str, is_first: bool, ends_with_mark: bool) -> re.Pattern[str]:
    mark = rf"(?:[{_FORMULA_MARKS}]|\Z)" if ends_with_mark else f"[{_FORMULA_MARKS}]"
    others, formula = _inside_cell(delimiter, mark, quote='"')
    start = rf"(?:[{others}]|\A)" if is_first else f"[{others}]"
    return re.compile(rf'({start}[{_BLANKS}"]*)\'{formula}')


def _inside_cell(delimiter: str, mark: str, quote: str) -> tuple[str, str]:
    """Return the characters that begin a cell for other programs, and the pattern of a formula.

    mark: the pattern of what makes a formula of a text that begins with a sign.
    quote: a double quote as the cell has it.
    """
    others = _SEPARATORS.replace(delimiter, "")
    is_formula = rf"[{_EQUAL_SIGNS}]|[{_SIGNS}][^{_SEPARATORS}]*{mark}"
    cell_end = rf'[{_BLANKS}]*(?:[{_SEPARATORS}\]}}"]|\Z)'
    # A text in quotes is a formula that does nothing: `excel_text_sql` writes it.
    kept = f'={quote}[^"]*{quote}(?!{quote})'
    return others, rf"(?={is_formula})(?!(?:{_NUMBER}|{_PHONE}|-Infinity|{kept}){cell_end})"


def datetime_sql(
    pattern: str, value: sql.Composable, timezone: str, *, escape_formulas: bool
) -> sql.Composable:
    """Compile a datetime pattern as `pattern_sql` does, and escape formulas.

    Most patterns cannot produce a formula; their SQL has no test for one.
    """
    text = pattern_sql(pattern, value, timezone)
    return escape_formula_sql(text) if escape_formulas and _may_be_formula(pattern) else text


def _may_be_formula(pattern: str) -> bool:
    """Return whether the text of a datetime may be a formula.

    It may if its literal text begins like one, or if it has a call after the sign of an offset or
    of a year.
    """
    texts = [text for _, text in tokens(pattern)]
    begins_like_formula = re.match(f"[\t\n\r{_BLANKS}{_SIGNS}]", texts[0])
    return bool(begins_like_formula or re.search(f"[{_FORMULA_MARKS}]", "".join(texts)))


def _code_points(characters: str) -> sql.Composable:
    return sql.SQL(", ").join(sql.Literal(ord(character)) for character in characters)
