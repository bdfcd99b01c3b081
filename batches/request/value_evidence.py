"""Compares the values of a column of an input with what a target accepts."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from django.db.models import EmailField, Model, URLField

from batches.targets import Target, Targets
from longshore.resources.columns import ColumnType

MAX_VALUES = 200
_MAX_CHARACTERS = 200
_INTEGER = re.compile(r"[+-]?[0-9]{1,3}(?:[,. '\u00a0]?[0-9]{3})*")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[,. '\u00a0][0-9]+)*(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(
    r"(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/. ](?:[0-9]{1,2}|[A-Za-z]{3,9})"
    r"[-/. ][0-9]{2,4}|[A-Za-z]{3,9} [0-9]{1,2},? [0-9]{4})(?:[T ,].*)?"
)
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]+")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{5,}")
_JSON = re.compile(r"\s*[\[{].*", re.DOTALL)
_BOOLEANS = frozenset({"true", "false", "t", "f", "yes", "no", "y", "n", "0", "1"})
_ID = re.compile(r"([a-z][a-z0-9]*_)[0-9a-z]{20,}")

_BY_KIND: dict[ColumnType, tuple[re.Pattern[str], str]] = {
    ColumnType.INTEGER: (_INTEGER, "whole numbers"),
    ColumnType.DECIMAL: (_NUMBER, "numbers"),
    ColumnType.FLOAT: (_NUMBER, "numbers"),
    ColumnType.DATE: (_DATE, "dates"),
    ColumnType.DATETIME: (_DATE, "dates"),
}
# What a text of this name holds.
_BY_WORD: dict[str, tuple[re.Pattern[str], str]] = {
    "email": (_EMAIL, "e-mail addresses"),
    "url": (_URL, "URLs"),
    "phone": (_PHONE, "phone numbers"),
}
# Scores of values that alone suggest a target.
_IDS, _CHOICES, _WORDS = 0.9, 0.7, 0.65
_MIN_SHARE = 0.9


@dataclass(frozen=True)
class Fit:
    """How the values of a column fit a target.

    share: of the values that fit, from 0 to 1; None if any text fits, or without values.
    suggests: the score, from 0 to 1, of a target whatever its name; 0 if many others fit as well.
    reason: what the values are, as a phrase.
    """

    share: float | None = None
    suggests: float = 0
    reason: str = ""


class Values:
    """The first values of a column, without nulls and empty texts."""

    def __init__(self, values: Iterable[str | None]) -> None:
        texts = (value.strip()[:_MAX_CHARACTERS] for value in values if value)
        self._values = Counter(islice((text for text in texts if text), MAX_VALUES))

    def share(self, fits: Callable[[str], object]) -> float:
        """Return the share of the values that fit."""
        fitting = sum(count for value, count in self._values.items() if fits(value))
        return fitting / self._values.total()

    def __bool__(self) -> bool:
        return bool(self._values)

    @cached_property
    def id_prefix(self) -> str:
        """The prefix of the public ids that nearly all values are, such as `grp_`; else empty."""
        found = Counter(match[1] for value in self._values if (match := _ID.fullmatch(value)))
        for prefix, count in found.most_common(1):
            if count >= _MIN_SHARE * len(self._values):
                return prefix
        return ""


class Expected:
    """What the values of a target look like."""

    def __init__(self, targets: Targets, target: Target, words: Sequence[str]) -> None:
        self._target = target
        self._words = words
        self._field = targets.field(target.column) if target.column else None
        self._id_prefix = _id_prefix(targets, target)

    def fit(self, values: Values) -> Fit:
        """Compare the values of a column with the target."""
        target, column = self._target, self._target.column
        if not values:
            return Fit()
        if self._id_prefix:
            if values.id_prefix == self._id_prefix:
                return Fit(1, _IDS, f"the values are ids that begin with {self._id_prefix}")
            return Fit(0)
        if values.id_prefix:
            return Fit(0)
        if target.relation or column is None:
            return Fit()
        if column.choices:
            accepted = {choice.casefold() for choice in column.choices}
            share = values.share(lambda value: value.casefold() in accepted)
            return Fit(
                share, self._suggests(share, _CHOICES), f"the values are choices of {target.name}"
            )
        if column.kind is ColumnType.BOOLEAN:
            return Fit(values.share(lambda value: value.casefold() in _BOOLEANS))
        if found := _BY_KIND.get(column.kind):
            pattern, noun = found
            return Fit(values.share(pattern.fullmatch), 0, f"the values are {noun}")
        if column.kind is ColumnType.JSON:
            return Fit(values.share(_JSON.fullmatch)) if not target.path else Fit()
        if column.kind is ColumnType.TEXT and (word := self._word()):
            pattern, noun = _BY_WORD[word]
            share = values.share(pattern.fullmatch)
            # Only one name of the resource is the word alone, such as `email`.
            is_plain = list(self._words) == [word]
            suggested = self._suggests(share, _WORDS) if is_plain else 0
            return Fit(share, suggested, f"the values are {noun}")
        return Fit()

    def _suggests(self, share: float, score: float) -> float:
        return score * share if share >= _MIN_SHARE else 0

    def _word(self) -> str | None:
        if isinstance(self._field, EmailField):
            return "email"
        if isinstance(self._field, URLField):
            return "url"
        return next((word for word in _BY_WORD if word in self._words), None)


def _id_prefix(targets: Targets, target: Target) -> str:
    """Return the prefix of the public ids that a target holds; empty if it holds no ids."""
    if target.relation is not None:
        is_id = target.by == target.relation.key
        return _prefix_of(target.relation.target) if is_id else ""
    if target.column is None:
        return ""
    if target.column == targets.primary_key:
        return _prefix_of(targets.resource.model)
    related: Any = targets.field(target.column).related_model
    return _prefix_of(related) if related else ""


def _prefix_of(model: type[Model]) -> str:
    match = _ID.fullmatch(str(model._meta.pk.get_default()))
    return match[1] if match else ""
