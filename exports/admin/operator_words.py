"""The words for comparisons, which the builder and the page of an export share."""

from collections.abc import Mapping

from longshore.resources.comparisons import Operator

_WORDS: Mapping[Operator, str] = {
    Operator.EQUALS: "is",
    Operator.NOT_EQUALS: "is not",
    Operator.DIFFERS: "has a value other than",
    Operator.GT: "is greater than",
    Operator.GTE: "is at least",
    Operator.LT: "is less than",
    Operator.LTE: "is at most",
    Operator.BWI: "is between",
    Operator.BWE: "is strictly between",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.IS_NULL: "has no value",
    Operator.IS_NOT_NULL: "has a value",
    Operator.IS_BLANK: "is empty",
    Operator.IS_PRESENT: "is not empty",
}
_OF_TIMES: Mapping[Operator, str] = {
    Operator.EQUALS: "is on",
    Operator.GT: "is after",
    Operator.GTE: "is on or after",
    Operator.LT: "is before",
    Operator.LTE: "is on or before",
}
_OF_LISTS: Mapping[Operator, str] = {Operator.DIFFERS: "has a value that is none of"}
# The ends of the names of operators and matchers that compare with each value of a list.
QUANTIFIERS: Mapping[str, str] = {"_any": "at least one of", "_all": "all of"}


def words_of(operator: Operator, *, is_time: bool = False, is_list: bool = False) -> str:
    """Return an operator as a verb; not for LIKE.

    is_time: whether it compares dates or times. is_list: whether it has a list of values.
    """
    for suffix, quantifier in QUANTIFIERS.items():
        if operator.endswith(suffix):
            base = Operator(operator.removesuffix(suffix))
            return f"{words_of(base, is_time=is_time)} {quantifier}"
    if is_time and operator in _OF_TIMES:
        return _OF_TIMES[operator]
    return _OF_LISTS[operator] if is_list and operator in _OF_LISTS else _WORDS[operator]
