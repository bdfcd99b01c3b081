"""Operands: the text or JSON value after a filter's name, split into an operator and values.

`delivered`, `delivered,completed`, `gte:100`, `bwi:1,9`, `is_null`; in JSON also lists and numbers.
`longshore.resources.values` converts each value to its canonical text.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from longshore.api.errors import display_value
from longshore.api.suggestions import closest, did_you_mean
from longshore.database.texts import storable
from longshore.resources.budget import MAX_VALUES, InvalidFilter, empty_list, too_many_values
from longshore.resources.columns import ColumnType
from longshore.resources.comparisons import NULL_TESTS, Operator
from longshore.resources.search import words_of
from longshore.resources.values import canonical, json_or_text

MAX_NAME_CHARACTERS = 300
_MAX_PHRASE_CHARACTERS = 500
# A value of a comma-separated list with the comma after it. In quotes, a quote is doubled.
_VALUES = re.compile(r'\s*("(?:[^"]|"")*")\s*,|([^,]*),')
# The beginning of a value that looks like an operator.
_OPERATOR_PREFIX = re.compile(r"[A-Za-z_]+:")
# The operators of the native filter language.
OPERATORS = (
    *(Operator.EQUALS, Operator.NOT_EQUALS),
    *(Operator.GT, Operator.GTE, Operator.LT, Operator.LTE, Operator.BWI, Operator.BWE),
    *(Operator.IN, Operator.NOT_IN),
    *NULL_TESTS,
)
# Operators with exactly two values: a range with or without its ends.
PAIRS = (Operator.BWI, Operator.BWE)
_LISTS = (Operator.IN, Operator.NOT_IN)


def parse_operand(raw: Any, *, whole_json: bool) -> tuple[Operator, list[Any]]:
    """Return the operator and the values of an operand.

    whole_json: whether the operand is compared with a whole JSON column, so that a list is one
        value.
    Raises InvalidFilter for an empty list, and for a value after an operator that takes none.
    """
    if raw is None:
        return Operator.IS_NULL, []
    if isinstance(raw, list) and not whole_json:
        if not raw:
            raise empty_list()
        return Operator.IN, raw
    if not isinstance(raw, str):
        return Operator.EQUALS, [raw]
    if raw in tuple(NULL_TESTS):
        return Operator(raw), []
    head, colon, rest = raw.partition(":")
    operator = Operator(head) if colon and head in OPERATORS else None
    if operator in (Operator.EQUALS, Operator.NOT_EQUALS):
        return operator, [json_or_text(rest) if whole_json else rest]
    if operator in NULL_TESTS:
        raise InvalidFilter(f"`{operator}` takes no value.", [str(each) for each in NULL_TESTS])
    if operator is not None:
        return operator, split(rest) if operator in (*PAIRS, *_LISTS) else [rest]
    values = split(raw)
    return (Operator.EQUALS, [raw]) if values == [raw.strip()] else (Operator.IN, values)


def has_operator(raw: Any) -> bool:
    """Return whether a value is a text that begins like an operator, such as `gteq:1`."""
    return isinstance(raw, str) and _OPERATOR_PREFIX.match(raw) is not None


def meant_operand(
    raw: Any, kind: ColumnType, allowed: Sequence[Operator], choices: Sequence[str]
) -> str | None:
    """Return the operand that an object such as `{"gte": 1}`, or `gteq:1`, probably means.

    allowed: the operators of the filter. kind, choices: of its column; no choices: any value.
    Returns None for any other value, and if the filter would refuse the operand, too.
    """
    meant = None
    if isinstance(raw, Mapping):
        meant = _operand_of_object(raw)
    elif has_operator(raw):
        head, _, rest = raw.partition(":")
        operator = closest(head, [str(each) for each in allowed])
        meant = operator and f"{operator}:{rest}"
    return meant if meant and _is_accepted(meant, kind, allowed, choices) else None


def _operand_of_object(raw: Mapping[str, Any]) -> str | None:
    if set(raw) == {Operator.GTE, Operator.LTE}:
        raw = {Operator.BWI: [raw[Operator.GTE], raw[Operator.LTE]]}
    operators = [Operator(name) for name in raw if name in OPERATORS]
    if len(operators) != 1:
        return None
    [operator] = operators
    value = raw[operator]
    if operator in NULL_TESTS:
        return str(operator) if value is True else None
    has_list = operator in (*PAIRS, *_LISTS)
    values = value if isinstance(value, list) and has_list else [value]
    if not all(isinstance(each, str | int | float | Decimal) for each in values):
        return None
    texts = [str(each).lower() if isinstance(each, bool) else str(each) for each in values]
    return f"{operator}:{','.join(map(_quoted, texts) if has_list else texts)}"


def _quoted(text: str) -> str:
    """Return a value as `split` reads it."""
    needs_quotes = "," in text or text.startswith('"') or text != text.strip()
    return '"' + text.replace('"', '""') + '"' if needs_quotes else text


def _is_accepted(
    text: str, kind: ColumnType, allowed: Sequence[Operator], choices: Sequence[str]
) -> bool:
    try:
        operator, values = parse_operand(text, whole_json=False)
        texts = [canonical(kind, value) for value in values]
    except (InvalidFilter, ValueError):
        return False
    is_pair = operator not in PAIRS or len(texts) == len(PAIRS)
    return operator in allowed and is_pair and not (choices and {*texts} - {*choices})


def split(text: str) -> list[str]:
    """Split a comma-separated list. A value in double quotes keeps its commas and spaces.

    Raises InvalidFilter for a list with an empty value or with too many values.
    """
    if (number := text.count(",") + 1) > MAX_VALUES:
        raise too_many_values(number)
    values = []
    for quoted, plain in _VALUES.findall(f"{text},"):
        value = quoted[1:-1].replace('""', '"') if quoted else plain.strip()
        if not value and not quoted and text.strip():
            accepted = 'values separated by single commas; quote a value with a comma: "a, b"'
            raise InvalidFilter(f"The list {display_value(text)} has an empty value.", accepted)
        values.append(value)
    return values


def parse_phrase(raw: Any) -> str:
    """Return the phrase of a search. Raises InvalidFilter."""
    accepted = f"words, at most {_MAX_PHRASE_CHARACTERS} characters, such as R&D"
    if not isinstance(raw, str) or len(raw) > _MAX_PHRASE_CHARACTERS or not storable(raw):
        text = f"`search` must be a text of at most {_MAX_PHRASE_CHARACTERS} characters."
        raise InvalidFilter(text, accepted)
    if sum(map(len, words_of(raw))) < 2:
        raise InvalidFilter("`search` needs at least 2 letters or digits.", accepted)
    return raw


def check_name(name: str) -> None:
    """Raise InvalidFilter if the name of a filter is too long to be valid."""
    if len(name) > MAX_NAME_CHARACTERS:
        text = (
            f"The filter name has {len(name):,} characters; the maximum is {MAX_NAME_CHARACTERS}."
        )
        raise InvalidFilter(text, f"at most {MAX_NAME_CHARACTERS} characters")


def check_choices(name: str, texts: tuple[str, ...], choices: tuple[str, ...]) -> None:
    """Raise InvalidFilter if one of the texts is not one of the choices of a column."""
    for text in texts:
        if text not in choices:
            values = ", ".join(map(display_value, choices))
            hint = did_you_mean(text, choices)
            text = f"{display_value(text)} is not a value of {name}{hint or '.'} Values: {values}"
            raise InvalidFilter(text, list(choices))
