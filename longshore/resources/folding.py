"""Folding: SQL that removes case and accents from texts, with the same result on every server.

ICU collations cannot be used: they need a server built with ICU, which the embedded one is not,
and their order changes with the version of ICU, which breaks indexes. The SQL uses only immutable
functions of PostgreSQL itself.
"""

from unicodedata import normalize

from django.db.models import Expression, Func, TextField
from psycopg import sql

# Combining accents of Latin, Greek and Cyrillic letters; Hebrew and Arabic vowel points.
_ACCENTS = "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f]"
# Letters that NFKD does not decompose. NFKD decomposes й, which is a letter of its own in Russian.
_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "и\u0306": "й"}
_STROKES = dict(zip("øłđðħŧıŋς", "olddhtin\u03c3", strict=True))


def _lower() -> dict[str, str]:
    """Map each capital that is neither ASCII nor accented to its lower-case letter.

    Limited to the Latin, Greek and Cyrillic letters of modern languages: each letter adds work for
    every character of a text.
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
# SQL of the folded text; it repeats `{text}`. Most texts are ASCII and take the fast branch, which
# costs a fifth of the other one.
FOLDED = f"""CASE WHEN octet_length({{text}}) = length({{text}})
 THEN lower({{text}} COLLATE "C") ELSE {_PLAIN} END"""
# Texts sort by their first 200 characters: bounds the cost of long texts and the index row size.
_BEGINNING = 'left({text} COLLATE "C", 200)'
# ASCII punctuation whose codes follow those of digits or letters. The sort key replaces it by `/`,
# so that all punctuation sorts before digits.
_PUNCTUATION_AFTER_DIGITS = r":;<=>?@[\]^_`{{|}}~"
_SLASHES = "/" * 17
_FOLDED_BEGINNING = FOLDED.replace("{text}", _BEGINNING)
_SORTED = f"translate({_FOLDED_BEGINNING}, '{_PUNCTUATION_AFTER_DIGITS}', '{_SLASHES}')"
_SORT_KEY = f"""({_SORTED} || chr(1) || {_BEGINNING})
 COLLATE "C\""""


class SortKey(Func):
    """The sort key of a text expression, for an index that serves an alphabetical order."""

    template = _SORT_KEY.format(text="%(expressions)s")
    output_field = TextField()

    def __init__(self, expression: Expression | str) -> None:
        super().__init__(expression)


def beginning(text: sql.Composable) -> sql.Composable:
    """Return SQL of the part of a text that determines its sort key."""
    return sql.SQL(_BEGINNING).format(text=text)


def sort_key(text: sql.Composable) -> sql.Composable:
    """Return SQL of a sort key: texts are in alphabetical order of the bytes of their keys.

    Case and accents break ties. Punctuation sorts before digits, digits before letters. Only the
    first 200 characters count.
    """
    return sql.SQL(_SORT_KEY).format(text=text)
