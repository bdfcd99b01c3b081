"""Folding: texts without case and accents, by SQL that gives the same result on every server.

Collations are not used: an ICU collation needs a server built with ICU, which the embedded one is
not, and changes its order with ICU's version, which breaks indexes. Only functions of PostgreSQL
itself are used, all of them immutable.
"""

from unicodedata import normalize

from django.db.models import Expression, Func, TextField
from psycopg import sql

# Accents of Latin, Greek and Cyrillic letters, and the points of Hebrew and Arabic ones.
_ACCENTS = "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f]"
# Letters that no normal form takes apart. Russian takes й for a letter, not for an и.
_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "и\u0306": "й"}
_STROKES = dict(zip("øłđðħŧıŋς", "olddhtin\u03c3", strict=True))


def _lower() -> dict[str, str]:
    """The lower-case letter of each capital that is not ASCII or accented.

    Of the Latin, Greek and Cyrillic letters of modern languages: each costs time for every sign of
    a text.
    """
    lower = {"ẞ": "ß"}
    for letter in map(chr, [*range(0x80, 0x180), *range(0x391, 0x430)]):
        small = letter.lower()
        if len(small) == 1 and small != letter and normalize("NFKD", letter) == letter:
            lower[letter] = small
    return lower


_FOLDED = {letter: _STROKES.get(small, small) for letter, small in _lower().items()} | _STROKES


def _replaced(text: str) -> str:
    for letter, letters in _LETTERS.items():
        text = f"replace({text}, '{letter}', '{letters}')"
    return text


_PLAIN = f"""regexp_replace(lower({
    _replaced(
        "translate(normalize({text}, NFKD), "
        + f"'{''.join(_FOLDED)}', '{''.join(_FOLDED.values())}')"
    )
} COLLATE "C"), '{_ACCENTS}', '', 'g')"""
# The SQL of a folded text; `{text}` stands for the text, several times. Most texts are ASCII, and
# cost a fifth of the others.
FOLDED = f"""CASE WHEN octet_length({{text}}) = length({{text}})
 THEN lower({{text}} COLLATE "C") ELSE {_PLAIN} END"""
# Sort by the first 200 characters: this bounds the cost of long texts and the size of index rows.
_BEGINNING = 'left({text} COLLATE "C", 200)'
# Punctuation that stands after digits or letters in ASCII; all of it comes before them.
_LATE = r":;<=>?@[\]^_`{{|}}~"
_EARLY = "/" * 17
_SORTED = FOLDED.replace("{text}", _BEGINNING)
_SORT_KEY = f"""(translate({_SORTED}, '{_LATE}', '{_EARLY}') || chr(1) || {_BEGINNING})
 COLLATE "C\""""


class SortKey(Func):
    """The key of a text expression, for an index that serves an alphabetical order."""

    template = _SORT_KEY.format(text="%(expressions)s")
    output_field = TextField()

    def __init__(self, expression: Expression | str) -> None:
        super().__init__(expression)


def beginning(text: sql.Composable) -> sql.Composable:
    """SQL of the part of a text that decides its sort key."""
    return sql.SQL(_BEGINNING).format(text=text)


def sort_key(text: sql.Composable) -> sql.Composable:
    """SQL of a text by whose bytes texts are in alphabetical order.

    Case and accents decide between texts that are equal without; punctuation comes before digits,
    digits before letters. Of a longer text, the first 200 characters count.
    """
    return sql.SQL(_SORT_KEY).format(text=text)
