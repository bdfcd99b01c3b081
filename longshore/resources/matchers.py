"""The matchers of predicates: their column types, values and operators.

To add a matcher, add an entry to `MATCHERS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from longshore.resources.columns import ColumnType
from longshore.resources.comparisons import Operator


class Takes(Enum):
    """The value that a predicate takes: one value, a list of values, or true or false."""

    VALUE = auto()
    VALUES = auto()
    FLAG = auto()


@dataclass(frozen=True)
class Matcher:
    """The meaning of a matcher.

    takes: the kind of value.
    kinds: the column types that support the matcher.
    operators: operators of the resulting conditions, joined by OR. A flag has two: the operator
        for true and the operator for false.
    pattern: for LIKE, the text before and after the escaped value; None if the value is a pattern.
    """

    takes: Takes
    kinds: frozenset[ColumnType]
    operators: tuple[Operator, ...]
    pattern: tuple[str, str] | None = None


_ALL = frozenset(ColumnType)
_PLAIN = _ALL - {ColumnType.JSON}
_ORDERED = _PLAIN - {ColumnType.LIST, ColumnType.BOOLEAN}
_TEXT = frozenset({ColumnType.TEXT})
_START, _END, _CONT = ("", "%"), ("%", ""), ("%", "%")

MATCHERS: Mapping[str, Matcher] = {
    "eq": Matcher(Takes.VALUE, _PLAIN, (Operator.EQUALS,)),
    "eq_or_null": Matcher(Takes.VALUE, _PLAIN, (Operator.EQUALS, Operator.IS_NULL)),
    "not_eq": Matcher(Takes.VALUE, _PLAIN, (Operator.DIFFERS,)),
    "not_eq_or_null": Matcher(Takes.VALUE, _PLAIN, (Operator.NOT_EQUALS,)),
    "not_eq_all": Matcher(Takes.VALUES, _PLAIN, (Operator.DIFFERS,)),
    "in": Matcher(Takes.VALUES, _PLAIN, (Operator.IN,)),
    "in_or_null": Matcher(Takes.VALUES, _PLAIN, (Operator.IN, Operator.IS_NULL)),
    "not_in": Matcher(Takes.VALUES, _PLAIN, (Operator.DIFFERS,)),
    "not_in_or_null": Matcher(Takes.VALUES, _PLAIN, (Operator.NOT_IN,)),
    "lt": Matcher(Takes.VALUE, _ORDERED, (Operator.LT,)),
    "lt_any": Matcher(Takes.VALUES, _ORDERED, (Operator.LT_ANY,)),
    "lt_all": Matcher(Takes.VALUES, _ORDERED, (Operator.LT_ALL,)),
    "lteq": Matcher(Takes.VALUE, _ORDERED, (Operator.LTE,)),
    "lteq_any": Matcher(Takes.VALUES, _ORDERED, (Operator.LTE_ANY,)),
    "lteq_all": Matcher(Takes.VALUES, _ORDERED, (Operator.LTE_ALL,)),
    "gt": Matcher(Takes.VALUE, _ORDERED, (Operator.GT,)),
    "gt_any": Matcher(Takes.VALUES, _ORDERED, (Operator.GT_ANY,)),
    "gt_all": Matcher(Takes.VALUES, _ORDERED, (Operator.GT_ALL,)),
    "gteq": Matcher(Takes.VALUE, _ORDERED, (Operator.GTE,)),
    "gteq_any": Matcher(Takes.VALUES, _ORDERED, (Operator.GTE_ANY,)),
    "gteq_all": Matcher(Takes.VALUES, _ORDERED, (Operator.GTE_ALL,)),
    "matches": Matcher(Takes.VALUE, _TEXT, (Operator.LIKE_ANY,)),
    "matches_any": Matcher(Takes.VALUES, _TEXT, (Operator.LIKE_ANY,)),
    "matches_all": Matcher(Takes.VALUES, _TEXT, (Operator.LIKE_ALL,)),
    "does_not_match": Matcher(Takes.VALUE, _TEXT, (Operator.UNLIKE_ALL,)),
    "does_not_match_any": Matcher(Takes.VALUES, _TEXT, (Operator.UNLIKE_ANY,)),
    "does_not_match_all": Matcher(Takes.VALUES, _TEXT, (Operator.UNLIKE_ALL,)),
    "start": Matcher(Takes.VALUE, _TEXT, (Operator.LIKE_ANY,), _START),
    "start_any": Matcher(Takes.VALUES, _TEXT, (Operator.LIKE_ANY,), _START),
    "start_all": Matcher(Takes.VALUES, _TEXT, (Operator.LIKE_ALL,), _START),
    "not_start": Matcher(Takes.VALUE, _TEXT, (Operator.UNLIKE_ALL,), _START),
    "not_start_any": Matcher(Takes.VALUES, _TEXT, (Operator.UNLIKE_ANY,), _START),
    "not_start_all": Matcher(Takes.VALUES, _TEXT, (Operator.UNLIKE_ALL,), _START),
    "end": Matcher(Takes.VALUE, _TEXT, (Operator.LIKE_ANY,), _END),
    "end_any": Matcher(Takes.VALUES, _TEXT, (Operator.LIKE_ANY,), _END),
    "end_all": Matcher(Takes.VALUES, _TEXT, (Operator.LIKE_ALL,), _END),
    "not_end": Matcher(Takes.VALUE, _TEXT, (Operator.UNLIKE_ALL,), _END),
    "not_end_any": Matcher(Takes.VALUES, _TEXT, (Operator.UNLIKE_ANY,), _END),
    "not_end_all": Matcher(Takes.VALUES, _TEXT, (Operator.UNLIKE_ALL,), _END),
    "cont": Matcher(Takes.VALUE, _TEXT, (Operator.LIKE_ANY,), _CONT),
    "cont_any": Matcher(Takes.VALUES, _TEXT, (Operator.LIKE_ANY,), _CONT),
    "cont_all": Matcher(Takes.VALUES, _TEXT, (Operator.LIKE_ALL,), _CONT),
    "not_cont": Matcher(Takes.VALUE, _TEXT, (Operator.UNLIKE_ALL,), _CONT),
    "not_cont_all": Matcher(Takes.VALUES, _TEXT, (Operator.UNLIKE_ALL,), _CONT),
    "present": Matcher(Takes.FLAG, _ALL, (Operator.IS_PRESENT, Operator.IS_BLANK)),
    "blank": Matcher(Takes.FLAG, _ALL, (Operator.IS_BLANK, Operator.IS_PRESENT)),
    "null": Matcher(Takes.FLAG, _ALL, (Operator.IS_NULL, Operator.IS_NOT_NULL)),
    "not_null": Matcher(Takes.FLAG, _ALL, (Operator.IS_NOT_NULL, Operator.IS_NULL)),
    "true": Matcher(
        Takes.FLAG, frozenset({ColumnType.BOOLEAN}), (Operator.EQUALS, Operator.DIFFERS)
    ),
    "false": Matcher(
        Takes.FLAG, frozenset({ColumnType.BOOLEAN}), (Operator.EQUALS, Operator.DIFFERS)
    ),
    "jcont": Matcher(Takes.VALUE, frozenset({ColumnType.JSON}), (Operator.EQUALS,)),
}


def matchers(kind: ColumnType) -> list[str]:
    """Return the matchers of a column type."""
    return [name for name, matcher in MATCHERS.items() if kind in matcher.kinds]
