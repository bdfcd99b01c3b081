"""The native filter language: what `options` of a request says about rows, order and number.

{"status": "delivered,completed", "created_at": "gte:2024-01-01", "metadata.service": "inbound",
 "order_by": "created_at", "direction": "desc", "limit": 1000}
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from longshore.api.errors import ErrorCode, Problem, display_value, shortened
from longshore.api.parsers import storable
from longshore.api.suggestions import did_you_mean
from longshore.resources.budget import (
    MAX_VALUES,
    Budget,
    InvalidFilter,
    too_many_values,
)
from longshore.resources.columns import Column, ColumnType
from longshore.resources.comparisons import (
    ABSENCES,
    EQUALITY,
    NEGATIONS,
    NULLNESS,
    Operator,
)
from longshore.resources.conditions import (
    SEARCH,
    AnyOf,
    Condition,
    json_keys,
    related_column,
)
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.intervals import is_after
from longshore.resources.registry import Resource
from longshore.resources.resolving import resolved
from longshore.resources.search import words_of
from longshore.resources.timezones import Zone
from longshore.resources.values import canonical_value, json_or_text

LIMIT, ORDER_BY, DIRECTION = "limit", "order_by", "direction"
_MAX_LIMIT = 2**63 - 1
_MAX_PHRASE_CHARACTERS = 500
_MAX_OPTIONS = 100
MAX_NAME_CHARACTERS = 300
# The values of a comma list, a comma after each; inside of quotes, a quote is doubled.
_VALUES = re.compile(r'\s*("(?:[^"]|"")*")\s*,|([^,]*),')
_OPERATOR_LIKE = re.compile(r"[A-Za-z_]+:")
# Every operator that a value may begin with.
OPERATORS = (
    *(Operator.EQUALS, Operator.NOT_EQUALS),
    *(Operator.GT, Operator.GTE, Operator.LT, Operator.LTE, Operator.BWI, Operator.BWE),
    *(Operator.IN, Operator.NOT_IN),
    *NULLNESS,
)
_PAIRS = (Operator.BWI, Operator.BWE)
_LISTS = (Operator.IN, Operator.NOT_IN)


@dataclass(frozen=True)
class Ordering:
    column: str
    descending: bool = False


@dataclass(frozen=True)
class Selection:
    """Which rows, in which order, and how many; `limit` None is all."""

    conditions: tuple[Condition | AnyOf, ...] = ()
    ordering: tuple[Ordering, ...] = ()
    limit: int | None = None


def operators(kind: ColumnType, *, inside_json: bool = False) -> tuple[Operator, ...]:
    """The operators that a column of a kind takes, and a key inside a JSON column."""
    if kind in (ColumnType.TEXT, ColumnType.LIST, ColumnType.BOOLEAN) or (
        kind is ColumnType.JSON and not inside_json
    ):
        return (*EQUALITY, *NULLNESS)
    return OPERATORS


def parse_options(
    resource: Resource,
    options: Mapping[str, Any],
    zone: Zone,
    path: str = "options",
    budget: Budget | None = None,
) -> tuple[Selection, list[Problem]]:
    """Read `options` of a request for a resource.

    zone: of datetimes without an offset, which it may take a query to find.
    path: where the options stand in the request; begins the `field` of each problem.
    budget: of the request, where it has other filters too.
    Returns what could be read, and every problem of the rest. Raises InvalidInput for a zone that
    PostgreSQL does not know.
    """
    budget = budget or Budget()
    read: list[tuple[str, Condition | AnyOf]] = []
    problems: list[Problem] = []
    prefix = f"{path}." if path else ""
    if len(options) > _MAX_OPTIONS:
        text = f"{len(options)} options are too many"
        accepted = f"{_MAX_OPTIONS} options at most"
        return Selection(), [Problem(ErrorCode.INVALID_REQUEST, path, None, text, accepted)]
    for name, raw in options.items():
        if name in (LIMIT, ORDER_BY, DIRECTION):
            continue
        try:
            read += [(name, each) for each in _conditions(resource, name, raw, budget)]
        except InvalidFilter as invalid:
            problems.append(invalid.problem(f"{prefix}{name}", raw))
    conditions: list[Condition | AnyOf] = []
    found = resolved([condition for _, condition in read], zone)
    for (name, _), condition in zip(read, found, strict=True):
        if _is_reversed(resource, condition):
            operator = str(options[name]).partition(":")[0]
            text = f"{operator} takes the smaller value first"
            reversed_pair = InvalidFilter(text, f"{operator}:a,b")
            problems.append(reversed_pair.problem(f"{prefix}{name}", options[name]))
        else:
            conditions.append(condition)
    ordering, ordering_problems = _ordering(resource, options, prefix)
    limit, limit_problems = _limit(options, prefix)
    problems += [*ordering_problems, *limit_problems]
    return Selection(tuple(conditions), ordering, limit), problems


def _conditions(
    resource: Resource, name: str, raw: Any, budget: Budget
) -> Iterator[Condition | AnyOf]:
    """The condition of an option; none where a named filter leaves out nothing."""
    named = resource.filters_by_name.get(name)
    paths = named.paths if named and named.paths else (name,)
    tests = tuple(_condition(resource, path, raw, budget, name) for path in paths)
    if len(tests) > 1:
        _, _, allowed = _target(resource, name)
        if tests[0].operator not in allowed:
            text = f"{name} stands for {' or '.join(paths)} and does not support "
            raise InvalidFilter(text + tests[0].operator, [str(operator) for operator in allowed])
    if named and named.inclusive and tests[0].values == ("true",):
        return
    yield tests[0] if len(tests) == 1 else AnyOf(tests)


def _condition(resource: Resource, path: str, raw: Any, budget: Budget, name: str) -> Condition:
    """name: what the request calls it, which a named filter may call otherwise."""
    check_name(name)
    if not storable(name):
        raise InvalidFilter("a filter's name holds no NUL and no half of a surrogate pair")
    if path == SEARCH and resource.search:
        phrase = _phrase(raw)
        budget.spend([phrase])
        return Condition(path, Operator.EQUALS, (phrase,))
    path, column, allowed = _target(resource, path)
    kind = column.kind
    whole_json = kind is ColumnType.JSON and "." not in path
    operator, values = _operation(raw, whole_json)
    if operator not in allowed:
        raise InvalidFilter(
            f"`{name}` ({kind}) does not support the operator `{operator}`. "
            f"A value that begins so is written equals:{shortened(raw)}",
            [str(operator) for operator in allowed],
        )
    budget.spend(values)
    if operator is Operator.IN and isinstance(raw, str) and not raw.startswith(f"{operator}:"):
        free = kind is ColumnType.LIST or (kind is ColumnType.TEXT and not column.choices)
        if free or (kind is ColumnType.JSON and not whole_json):
            # One text with a comma, such as "Smith, John", is as likely as a list of several.
            # It is as long as they are together, and not counted beside them.
            values = [*values, raw]
    if operator in _PAIRS and len(values) != 2:
        raise InvalidFilter(
            f"{operator} takes exactly two values, the smaller first", f"{operator}:a,b"
        )
    if operator in NULLNESS:
        return Condition(path, operator, ())
    if kind is ColumnType.JSON and operator not in EQUALITY:
        kind = ColumnType.DECIMAL
    elif kind is ColumnType.JSON and not whole_json:
        kind = ColumnType.TEXT
        values = [_json_text(value) for value in values]
    texts = tuple(_value(name, kind, value) for value in values)
    if operator in EQUALITY:
        texts = tuple(dict.fromkeys(texts))
        if column.kind is ColumnType.TEXT and column.choices:
            check_choices(name, texts, column.choices)
    return Condition(path, operator, texts)


def check_choices(name: str, texts: tuple[str, ...], choices: tuple[str, ...]) -> None:
    """Raises InvalidFilter for a text that is none of the choices."""
    for text in texts:
        if text not in choices:
            values = ", ".join(map(display_value, choices))
            hint = did_you_mean(text, choices)
            text = f"{display_value(text)} is not a value of {name}{hint or '.'} Values: {values}"
            raise InvalidFilter(text, list(choices))


def _target(resource: Resource, name: str) -> tuple[str, Column, tuple[Operator, ...]]:
    """What a filter's name means: a condition's path, the column it begins at, its operators."""
    columns = resource.filterable_columns
    name = resource.plural_aliases.get(name, name)
    named = resource.filters_by_name.get(name)
    if named and named.inclusive:
        return name, named.column, (Operator.EQUALS,)
    if named and named.paths:
        path, column, allowed = _target(resource, named.paths[0])
        if len(named.paths) > 1:  # A row that passes a negation of one path may fail the other's.
            allowed = tuple(each for each in allowed if each not in (*NEGATIONS, *ABSENCES))
        return path, column, allowed
    if name in columns:
        return name, columns[name], operators(columns[name].kind)
    head, dot, rest = name.partition(".")
    if dot and head in columns and columns[head].kind is ColumnType.JSON:
        if json_keys(rest) is None:
            text = f"{rest!r} is not a path of keys inside {head}"
            path = f'{head}.key.key; a key with a dot, or an empty one, in quotes: {head}."a.b"'
            raise InvalidFilter(text, path)
        return name, columns[head], operators(ColumnType.JSON, inside_json=True)
    relation = resource.relations_by_id.get(name)
    if relation or (relation := resource.relations_by_name.get(head)):
        try:
            column = relation.columns[rest] if dot else related_column(relation, "")
        except KeyError:
            accepted = [f"{head}.{column}" for column in relation.columns]
            raise InvalidFilter(f"{head} has no {rest!r} to filter by", accepted) from None
        return name, column, operators(column.kind)
    names = filter_names(resource)
    text = f"{resource.name} has no filter {name!r}{did_you_mean(name, names)}"
    raise InvalidFilter(text, names)


def filter_column(resource: Resource, name: str) -> Column:
    """The column that a filter compares with. Raises InvalidFilter for an unknown name."""
    return _target(resource, name)[1]


def filter_names(resource: Resource) -> list[str]:
    """Every name that filters a resource, JSON keys and related columns aside."""
    extra = [SEARCH] if resource.search else []
    return [
        *resource.columns_by_name,
        *resource.relations_by_name,
        *resource.relations_by_id,
        *resource.filters_by_name,
        *extra,
    ]


def _operation(raw: Any, whole_json: bool) -> tuple[Operator, list[Any]]:
    """The operator and the values of what stands behind a filter's name."""
    if raw is None:
        return Operator.IS_NULL, []
    if isinstance(raw, list) and not whole_json:
        if not raw:
            raise InvalidFilter("an empty list selects nothing", "a list with at least one value")
        return Operator.IN, raw
    if not isinstance(raw, str):
        return Operator.EQUALS, [raw]
    if raw in tuple(NULLNESS):
        return Operator(raw), []
    head, colon, rest = raw.partition(":")
    operator = Operator(head) if colon and head in OPERATORS else None
    if operator in (Operator.EQUALS, Operator.NOT_EQUALS):
        return operator, [json_or_text(rest) if whole_json else rest]
    if operator in NULLNESS:
        raise InvalidFilter(f"{operator} takes no value", [str(each) for each in NULLNESS])
    if operator is not None:
        return operator, split(rest) if operator in (*_PAIRS, *_LISTS) else [rest]
    values = split(raw)
    return (Operator.EQUALS, [raw]) if values == [raw.strip()] else (Operator.IN, values)


def check_name(name: str) -> None:
    """Raise InvalidFilter for a name that is too long to be one."""
    if len(name) > MAX_NAME_CHARACTERS:
        text = (
            f"The filter name has {len(name):,} characters; the maximum is {MAX_NAME_CHARACTERS}."
        )
        raise InvalidFilter(text, f"at most {MAX_NAME_CHARACTERS} characters")


def split(text: str) -> list[str]:
    """The values of a comma list; one in double quotes keeps its commas and spaces.

    Raises InvalidFilter for a list with an empty place, or with more values than allowed.
    """
    if (values_given := text.count(",") + 1) > MAX_VALUES:
        raise too_many_values(values_given)
    values = []
    for quoted, plain in _VALUES.findall(f"{text},"):
        value = quoted[1:-1].replace('""', '"') if quoted else plain.strip()
        if not value and not quoted and text.strip():
            accepted = 'values between single commas; a value that holds a comma in quotes: "a, b"'
            raise InvalidFilter(f"the list {display_value(text)} has an empty place", accepted)
        values.append(value)
    return values


def _phrase(text: Any) -> str:
    if not isinstance(text, str) or len(text) > _MAX_PHRASE_CHARACTERS or not storable(text):
        raise InvalidFilter(
            "search takes a text", f"words, of {_MAX_PHRASE_CHARACTERS} characters at most"
        )
    if sum(map(len, words_of(text))) < 2:
        raise InvalidFilter("search needs at least 2 letters or digits", "words, such as R&D")
    return text


def _json_text(value: Any) -> Any:
    """A scalar as PostgreSQL writes it when it takes it out of JSON."""
    return str(value).lower() if isinstance(value, bool) else value


def _value(name: str, kind: ColumnType, raw: Any) -> str:
    unknown = isinstance(raw, str) and _OPERATOR_LIKE.match(raw)
    return canonical_value(name, kind, raw, list(map(str, operators(kind))) if unknown else None)


def _is_reversed(resource: Resource, condition: Condition | AnyOf) -> bool:
    """Whether the first value of a pair lies after the second."""
    if isinstance(condition, AnyOf):
        # All of them compare with the same values.
        condition = condition.any_of[0]
    if condition.operator not in _PAIRS:
        return False
    first, second = condition.values
    _, column, _ = _target(resource, condition.path)
    if column.kind.numeric or column.kind is ColumnType.JSON:
        return Decimal(first) > Decimal(second)
    return is_after(first, second)


def _ordering(
    resource: Resource, options: Mapping[str, Any], prefix: str
) -> tuple[tuple[Ordering, ...], list[Problem]]:
    problems = list(_direction_problems(options, prefix))
    raw = options.get(ORDER_BY)
    if raw is None:
        named = [] if options.get(DIRECTION) is None else [resource.date_field]
    else:
        named = raw.split(",") if isinstance(raw, str) else raw
    sortable = [name for name, c in resource.columns_by_name.items() if c.kind.sortable]
    ordering: dict[str, Ordering] = {}
    named = named if isinstance(named, list) else [raw]
    # More names than columns have a wrong one among the first of them.
    for name in named[: len(sortable) + 1]:
        column = name.strip().removeprefix("-") if isinstance(name, str) else name
        if column not in sortable or column in ordering:
            twice = " twice" if column in sortable else ""
            text = f"{resource.name} cannot be ordered by {display_value(column)}{twice}"
            problems.append(
                Problem(
                    ResourceErrorCode.INVALID_ORDERING, f"{prefix}{ORDER_BY}", name, text, sortable
                )
            )
            continue
        minus = name.strip().startswith("-")
        ordering[column] = Ordering(column, minus != (options.get(DIRECTION) == "desc"))
    return tuple(ordering.values()), problems


def _direction_problems(options: Mapping[str, Any], prefix: str) -> Iterator[Problem]:
    direction = options.get(DIRECTION)
    if direction not in (None, "asc", "desc"):
        text = f"{display_value(direction)} is not a valid direction."
        field = f"{prefix}{DIRECTION}"
        yield Problem(ResourceErrorCode.INVALID_ORDERING, field, direction, text, ["asc", "desc"])


def _limit(options: Mapping[str, Any], prefix: str) -> tuple[int | None, list[Problem]]:
    raw = options.get(LIMIT)
    if raw in (None, "all"):
        return None, []
    digits = isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 20
    number = int(raw) if digits or (isinstance(raw, int) and not isinstance(raw, bool)) else 0
    if 0 < number <= _MAX_LIMIT:
        return number, []
    text = f"{display_value(raw)} is not a valid limit."
    accepted = '"all" or a whole number from 1'
    return None, [Problem(ErrorCode.INVALID_LIMIT, f"{prefix}{LIMIT}", raw, text, accepted)]
