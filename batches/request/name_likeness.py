"""Compares headers with names of targets: spelling, word forms, and common synonyms."""

import re
import unicodedata
from dataclasses import dataclass

from rapidfuzz import fuzz

# The cost of a comparison is the product of the lengths.
MAX_CHARACTERS = 100
_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS = re.compile(r"[^0-9a-z]+")
# Words of headers that mean the same as words of names, as whole words; longer phrases first.
_SYNONYMS = (
    ("e mail address", "email"),
    ("email address", "email"),
    ("e mail", "email"),
    ("mail", "email"),
    ("telephone number", "phone"),
    ("mobile number", "phone"),
    ("mobile phone", "phone"),
    ("phone number", "phone"),
    ("telephone", "phone"),
    ("mobile", "phone"),
    ("cell", "phone"),
    ("tel", "phone"),
    ("postal code", "postcode"),
    ("post code", "postcode"),
    ("zip code", "postcode"),
    ("zipcode", "postcode"),
    ("zip", "postcode"),
    ("firstname", "first name"),
    ("given name", "first name"),
    ("forename", "first name"),
    ("lastname", "last name"),
    ("family name", "last name"),
    ("surname", "last name"),
    ("qty", "quantity"),
    ("desc", "description"),
    ("ref", "reference"),
    ("identifier", "id"),
    ("uid", "id"),
    ("no", "number"),
    ("nr", "number"),
    ("num", "number"),
    ("colour", "color"),
    ("addr", "address"),
    ("remark", "note"),
    ("comment", "note"),
    ("carrier", "provider"),
    ("creation date", "created at"),
    ("date created", "created at"),
)
_WORDS = dict(_SYNONYMS)
_PHRASE = re.compile(rf"\b(?:{'|'.join(phrase for phrase, _ in _SYNONYMS)})\b")
_EQUAL, _SYNONYMOUS, _WITHOUT_RESOURCE = 0.98, 0.92, 0.9
_MAX_SIMILAR = 0.85
# If one name has all words of the other: for a small, and for a large share of common words.
_MIN_CONTAINED, _MAX_CONTAINED = 0.45, 0.75


@dataclass(frozen=True)
class Likeness:
    """How much a header is like a name: a score from 0 to 1, and the reason as a phrase."""

    score: float
    reason: str


@dataclass(frozen=True)
class Words:
    """A name in comparable forms.

    plain: its words in lower case and singular. meaning: the same with synonyms replaced.
    """

    plain: str
    meaning: str

    @classmethod
    def of(cls, name: str) -> "Words":
        text = _CAMEL_CASE.sub(" ", name[:MAX_CHARACTERS])
        # Letters lose their accents.
        text = unicodedata.normalize("NFKD", text).casefold()
        text = "".join(each for each in text if not unicodedata.combining(each))
        plain = " ".join(map(_singular, _SEPARATORS.sub(" ", text).split()))
        return cls(plain, _PHRASE.sub(lambda match: _WORDS[match.group()], plain))

    def without(self, words: str) -> "Words":
        """Return the name without words at its beginning."""
        prefix = f"{words} "
        return Words(self.plain.removeprefix(prefix), self.meaning.removeprefix(prefix))


def likeness(header: Words, name: Words, resource: Words) -> Likeness:
    """Compare a header with a name. resource: the name of the resource, which headers may repeat"""
    if not header.plain or not name.plain:
        return Likeness(0, "")
    if header.plain.replace(" ", "") == name.plain.replace(" ", ""):
        return Likeness(_EQUAL, "the names differ only in case, spaces, punctuation or plural")
    if header.meaning == name.meaning:
        return Likeness(_SYNONYMOUS, "the names mean the same")
    if header.without(resource.plain).meaning == name.meaning:
        return Likeness(_WITHOUT_RESOURCE, "the names mean the same without the resource")
    ratio = max(
        compare(header.meaning, name.meaning) for compare in (fuzz.ratio, fuzz.token_sort_ratio)
    )
    similar, contained = ratio / 100 * _MAX_SIMILAR, _contained(header, name)
    if similar >= contained:
        return Likeness(similar, "the names are similar")
    return Likeness(contained, "the names have words in common")


def _contained(header: Words, name: Words) -> float:
    """Return the score of two names if one contains all words of the other, else 0."""
    one, other = set(header.meaning.split()), set(name.meaning.split())
    if not (one <= other or other <= one):
        return 0
    share = len(one & other) / len(one | other)
    return _MIN_CONTAINED + share * (_MAX_CONTAINED - _MIN_CONTAINED)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if is_plural else word
