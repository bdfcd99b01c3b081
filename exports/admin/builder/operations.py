"""The operators of both filter languages in words, and the controls for their values."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from exports.admin.builder.state import FILTERS, OPTIONS
from exports.admin.operator_words import QUANTIFIERS, words_of
from longshore.resources.columns import ColumnType
from longshore.resources.comparisons import LIKE_OPERATORS, NULL_TESTS, Operator
from longshore.resources.matchers import MATCHERS, Takes
from longshore.resources.operands import PAIRS


class Control(StrEnum):
    """The controls of a filter's values."""

    NONE = "none"
    VALUE = "value"
    PAIR = "pair"
    LIST = "list"
    FLAG = "flag"


@dataclass(frozen=True)
class Operation:
    """An operator of one of the filter languages. language, operator: as of a `FilterRow`."""

    language: str
    operator: str
    label: str
    control: Control

    @property
    def key(self) -> str:
        return f"{self.language}:{self.operator}"


_TIMES = (ColumnType.DATE, ColumnType.DATETIME)
# Matchers of texts, and those that compare with a value that their name contains.
_TEXT_WORDS = {
    "matches": "matches the pattern",
    "does_not_match": "does not match the pattern",
    "start": "starts with",
    "not_start": "does not start with",
    "end": "ends with",
    "not_end": "does not end with",
    "cont": "contains",
    "not_cont": "does not contain",
    "true": "is true:",
    "false": "is false:",
    "jcont": "contains the JSON",
}
_LIST_WORDS = {
    "eq": "contains",
    "not_eq_or_null": "does not contain",
    "in": "contains one of",
    "not_in_or_null": "contains none of",
}
_NULL_TESTS = ((FILTERS, "null"), (FILTERS, "not_null"))
_EMPTY_TESTS = ((FILTERS, "blank"), (FILTERS, "present"))
_EQUAL = (
    *((FILTERS, "eq"), (FILTERS, "not_eq_or_null")),
    *((FILTERS, "in"), (FILTERS, "not_in_or_null")),
)
_ORDERED = (
    *((FILTERS, "gteq"), (FILTERS, "lteq"), (FILTERS, "gt"), (FILTERS, "lt")),
    (OPTIONS, "bwi"),
)
_TEXT = (
    *((FILTERS, "cont"), (FILTERS, "not_cont"), (FILTERS, "start"), (FILTERS, "end")),
    *_EMPTY_TESTS,
)
# What the builder offers for a column of each type; the first one is the default.
OFFERED: dict[ColumnType, tuple[tuple[str, str], ...]] = {
    ColumnType.TEXT: (*_EQUAL, *_TEXT),
    ColumnType.INTEGER: (*_EQUAL, *_ORDERED, *_NULL_TESTS),
    ColumnType.DECIMAL: (*_EQUAL, *_ORDERED, *_NULL_TESTS),
    ColumnType.FLOAT: (*_EQUAL, *_ORDERED, *_NULL_TESTS),
    ColumnType.BOOLEAN: ((FILTERS, "eq"), *_NULL_TESTS),
    ColumnType.DATE: (*_ORDERED, (FILTERS, "eq"), *_NULL_TESTS),
    ColumnType.DATETIME: (*_ORDERED, (FILTERS, "eq"), *_NULL_TESTS),
    ColumnType.LIST: (*_EQUAL, *_EMPTY_TESTS),
    ColumnType.JSON: ((FILTERS, "jcont"), *_EMPTY_TESTS),
}
# Columns with choices: a list to tick comes first.
CHOICES = (*_EQUAL[2:], *_EQUAL[:2], *_EMPTY_TESTS)
# Names and other words: a part of the text comes first, which passes every text while it is empty.
WORDS = (*_TEXT[:4], *_EQUAL, *_EMPTY_TESTS)


def operation(language: str, operator: str, kind: ColumnType) -> Operation:
    """Return an operator in words. kind: the type of the column that it compares."""
    words = _option_words if language == OPTIONS else _matcher_words
    label = words(operator, kind)
    return Operation(language, operator, label, control_of(language, operator))


def control_of(language: str, operator: str) -> Control:
    if language == OPTIONS:
        if operator in NULL_TESTS:
            return Control.NONE
        if operator in PAIRS:
            return Control.PAIR
        is_list = operator in (Operator.IN, Operator.NOT_IN)
        return Control.LIST if is_list else Control.VALUE
    matcher = MATCHERS.get(operator)
    if matcher is None or matcher.takes is Takes.VALUE:
        return Control.VALUE
    if matcher.takes is Takes.VALUES:
        return Control.LIST
    return Control.FLAG if operator in ("true", "false") else Control.NONE


def option_operations(operators: Sequence[Operator], kind: ColumnType) -> list[Operation]:
    """Return the operators that a filter of `options` takes."""
    return [operation(OPTIONS, each, kind) for each in operators]


def matcher_operations(kinds: Sequence[ColumnType]) -> list[Operation]:
    """Return the matchers of a predicate that compares columns of these types."""
    fitting = [name for name, each in MATCHERS.items() if each.kinds.issuperset(kinds)]
    return [operation(FILTERS, name, kinds[0]) for name in fitting]


def _option_words(operator: str, kind: ColumnType) -> str:
    if operator == "":
        return "is, or is one of"
    # A stored request may have an operator that this version, or this language, does not know.
    known = {str(each): each for each in Operator if each not in LIKE_OPERATORS}.get(operator)
    return words_of(known, is_time=kind in _TIMES) if known else operator


def _matcher_words(name: str, kind: ColumnType) -> str:
    if kind is ColumnType.LIST and name in _LIST_WORDS:
        return _LIST_WORDS[name]
    for suffix, quantifier in ("", ""), *QUANTIFIERS.items():
        if words := name.endswith(suffix) and _TEXT_WORDS.get(name.removesuffix(suffix)):
            return f"{words} {quantifier}".strip()
    matcher = MATCHERS.get(name)
    if matcher is None:
        return name
    # A flag has the operator for false, too.
    operators = matcher.operators[:1] if matcher.takes is Takes.FLAG else matcher.operators
    is_list = matcher.takes is Takes.VALUES
    texts = (words_of(each, is_time=kind in _TIMES, is_list=is_list) for each in operators)
    return ", or ".join(texts)
