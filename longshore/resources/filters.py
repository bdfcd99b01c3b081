"""The native filter language: parse `options` of a request into conditions, order and limit.

{"status": "delivered,completed", "created_at": "gte:2024-01-01", "metadata.service": "inbound",
 "order_by": "created_at", "direction": "desc", "limit": 1000}
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from longshore.api.errors import ErrorCode, Problem, display_value, shortened
from longshore.api.suggestions import did_you_mean
from longshore.database.column_types import MAX_BIGINT
from longshore.database.texts import storable
from longshore.resources.budget import Budget, InvalidFilter
from longshore.resources.columns import Column, ColumnType
from longshore.resources.comparisons import (
    EQUALITY,
    NEGATIONS,
    NULL_TESTS,
    TRUE_WITHOUT_RECORDS,
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
from longshore.resources.operands import (
    OPERATORS,
    PAIRS,
    check_choices,
    check_name,
    has_operator,
    meant_operand,
    parse_operand,
    parse_phrase,
)
from longshore.resources.registry import Resource
from longshore.resources.resolving import resolved
from longshore.resources.timezones import Zone
from longshore.resources.values import canonical_value

LIMIT, ORDER_BY, DIRECTION = "limit", "order_by", "direction"
_MAX_OPTIONS = 100


@dataclass(frozen=True)
class Ordering:
    """A column to sort by."""

    column: str
    descending: bool = False


@dataclass(frozen=True)
class Selection:
    """Conditions, order and limit of a request. limit: None for all rows."""

    conditions: tuple[Condition | AnyOf, ...] = ()
    ordering: tuple[Ordering, ...] = ()
    limit: int | None = None


def newest_first(resource: Resource) -> tuple[Ordering, ...]:
    """Return the default order. If it is empty, records are ordered by their primary key alone."""
    column = resource.default_order
    return () if column is None else (Ordering(column, descending=True),)


def operators(kind: ColumnType, *, inside_json: bool = False) -> tuple[Operator, ...]:
    """Return the operators of a column type.

    inside_json: whether the filter names a key inside a JSON column.
    """
    if kind in (ColumnType.TEXT, ColumnType.LIST, ColumnType.BOOLEAN) or (
        kind is ColumnType.JSON and not inside_json
    ):
        return (*EQUALITY, *NULL_TESTS)
    return OPERATORS


def parse_options(
    resource: Resource,
    options: Mapping[str, Any],
    zone: Zone,
    path: str = "options",
    budget: Budget | None = None,
) -> tuple[Selection, list[Problem]]:
    """Parse the `options` of a request for a resource.

    zone: the time zone of datetimes without an offset; resolving them may need one query.
    path: path of the options in the request, a prefix of the `field` of each problem.
    budget: the budget that all filters of the request share.
    Returns the valid part, and all problems of the rest. Raises InvalidInput for a zone that
    PostgreSQL does not know.
    """
    budget = budget or Budget()
    parsed: list[tuple[str, Condition | AnyOf]] = []
    problems: list[Problem] = []
    prefix = f"{path}." if path else ""
    if len(options) > _MAX_OPTIONS:
        text = f"The request has {len(options)} options; the maximum is {_MAX_OPTIONS}."
        accepted = f"at most {_MAX_OPTIONS} options"
        return Selection(), [Problem(ErrorCode.INVALID_REQUEST, path, None, text, accepted)]
    for name, raw in options.items():
        if name in (LIMIT, ORDER_BY, DIRECTION):
            continue
        try:
            parsed += [(name, each) for each in _conditions(resource, name, raw, budget)]
        except InvalidFilter as invalid:
            problems.append(invalid.problem(f"{prefix}{name}", raw))
    conditions: list[Condition | AnyOf] = []
    found = resolved([condition for _, condition in parsed], zone)
    for (name, _), condition in zip(parsed, found, strict=True):
        if _is_reversed(resource, condition):
            operator = str(options[name]).partition(":")[0]
            text = f"`{operator}` takes the smaller value first."
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
    """Yield the condition of an option; nothing if a named filter excludes no rows."""
    named = resource.filters_by_name.get(name)
    paths = named.paths if named and named.paths else (name,)
    tests = tuple(_condition(resource, path, raw, budget, name) for path in paths)
    if len(tests) > 1:
        _, _, allowed = filter_target(resource, name)
        if tests[0].operator not in allowed:
            text = (
                f"`{name}` filters by {' or '.join(paths)} and does not support the operator "
                f"`{tests[0].operator}`."
            )
            raise InvalidFilter(text, [str(operator) for operator in allowed])
    if named and named.inclusive and tests[0].values == ("true",):
        return
    yield tests[0] if len(tests) == 1 else AnyOf(tests)


def _condition(resource: Resource, path: str, raw: Any, budget: Budget, name: str) -> Condition:
    """Return the condition for one path.

    name: the name in the request, which differs from the path for a named filter.
    """
    check_name(name)
    if not storable(name):
        text = "The filter name contains NUL or an unpaired surrogate."
        raise InvalidFilter(text, filter_names(resource))
    if path == SEARCH and resource.search_column:
        phrase = parse_phrase(raw)
        budget.spend([phrase])
        return Condition(path, Operator.EQUALS, (phrase,))
    path, column, allowed = filter_target(resource, path)
    kind = column.kind
    whole_json = kind is ColumnType.JSON and "." not in path
    operator, values = parse_operand(raw, whole_json=whole_json)
    if operator not in allowed:
        raise InvalidFilter(
            f"`{name}` ({kind}) does not support the operator `{operator}`. "
            f"To compare with the whole text, write equals:{shortened(raw)}",
            [str(operator) for operator in allowed],
        )
    budget.spend(values)
    if operator is Operator.IN and isinstance(raw, str) and not raw.startswith(f"{operator}:"):
        free = kind is ColumnType.LIST or (kind is ColumnType.TEXT and not column.choices)
        if free or (kind is ColumnType.JSON and not whole_json):
            # A text with a comma, such as "Smith, John", may be one value or a list: match both.
            # The budget does not count its characters twice.
            values = [*values, raw]
    if operator in PAIRS and len(values) != 2:
        raise InvalidFilter(
            f"`{operator}` takes exactly two values, the smaller first.", f"{operator}:a,b"
        )
    if operator in NULL_TESTS:
        return Condition(path, operator, ())
    if kind is ColumnType.JSON and operator not in EQUALITY:
        kind = ColumnType.DECIMAL
    elif kind is ColumnType.JSON and not whole_json:
        kind = ColumnType.TEXT
        values = [_json_text(value) for value in values]
    texts = tuple(_value(name, kind, value, allowed, column.choices) for value in values)
    if operator in EQUALITY:
        texts = tuple(dict.fromkeys(texts))
        if column.kind is ColumnType.TEXT and column.choices:
            check_choices(name, texts, column.choices)
    return Condition(path, operator, texts)


def filter_target(resource: Resource, name: str) -> tuple[str, Column, tuple[Operator, ...]]:
    """Return the path of a filter's condition, the column of its first step, and its operators.

    Raises InvalidFilter for an unknown name.
    """
    columns = resource.filterable_columns
    name = resource.plural_aliases.get(name, name)
    named = resource.filters_by_name.get(name)
    if named and named.inclusive:
        return name, named.column, (Operator.EQUALS,)
    if named and named.paths:
        path, column, allowed = filter_target(resource, named.paths[0])
        if len(named.paths) > 1:
            # A row that passes a negation for one path may fail it for another.
            allowed = tuple(
                each for each in allowed if each not in (*NEGATIONS, *TRUE_WITHOUT_RECORDS)
            )
        return path, column, allowed
    if name in columns:
        return name, columns[name], operators(columns[name].kind)
    head, dot, rest = name.partition(".")
    if dot and head in columns and columns[head].kind is ColumnType.JSON:
        if json_keys(rest) is None:
            text = f"{rest!r} is not a path of keys inside {head}."
            path = f'{head}.key.key; quote an empty key or a key with a dot: {head}."a.b"'
            raise InvalidFilter(text, path)
        return name, columns[head], operators(ColumnType.JSON, inside_json=True)
    relation = resource.relations_by_id.get(name)
    if relation or (relation := resource.relations_by_name.get(head)):
        try:
            column = relation.columns[rest] if dot else related_column(relation, "")
        except KeyError:
            accepted = [f"{head}.{column}" for column in relation.columns]
            hint = did_you_mean(name, accepted)
            raise InvalidFilter(f"`{head}` has no field {rest!r}{hint}", accepted) from None
        return name, column, operators(column.kind)
    names = filter_names(resource)
    text = f"{resource.name} has no filter {name!r}{did_you_mean(name, names)}"
    raise InvalidFilter(text, names)


def filter_column(resource: Resource, name: str) -> Column:
    """Return the column that a filter compares. Raises InvalidFilter for an unknown name."""
    return filter_target(resource, name)[1]


def filter_names(resource: Resource) -> list[str]:
    """Return the names of a resource's filters, except JSON keys and related columns."""
    extra = [SEARCH] if resource.search_column else []
    return [
        *resource.columns_by_name,
        *resource.relations_by_name,
        *resource.relations_by_id,
        *resource.filters_by_name,
        *extra,
    ]


def _json_text(value: Any) -> Any:
    """Return a scalar as PostgreSQL's `#>>` extracts it from JSON."""
    return str(value).lower() if isinstance(value, bool) else value


def _value(
    name: str, kind: ColumnType, raw: Any, allowed: Sequence[Operator], choices: Sequence[str]
) -> str:
    try:
        return canonical_value(name, kind, raw)
    except InvalidFilter:
        known = [each for each in operators(kind) if each in allowed]
        meant = meant_operand(raw, kind, known, choices)
        accepted = [str(each) for each in known] if meant or has_operator(raw) else None
        return canonical_value(name, kind, raw, accepted, meant)


def _is_reversed(resource: Resource, condition: Condition | AnyOf) -> bool:
    """Return whether the first value of a pair is greater than the second."""
    if isinstance(condition, AnyOf):
        # All conditions have the same values.
        condition = condition.any_of[0]
    if condition.operator not in PAIRS:
        return False
    first, second = condition.values
    _, column, _ = filter_target(resource, condition.path)
    if column.kind.numeric or column.kind is ColumnType.JSON:
        return Decimal(first) > Decimal(second)
    return is_after(first, second)


def _ordering(
    resource: Resource, options: Mapping[str, Any], prefix: str
) -> tuple[tuple[Ordering, ...], list[Problem]]:
    problems = list(_direction_problems(options, prefix))
    raw = options.get(ORDER_BY)
    if raw is None:
        by_default = resource.default_order or resource.model._meta.pk.attname
        named = [] if options.get(DIRECTION) is None else [by_default]
    else:
        named = raw.split(",") if isinstance(raw, str) else raw
    sortable = [name for name, c in resource.columns_by_name.items() if c.kind.sortable]
    ordering: dict[str, Ordering] = {}
    named = named if isinstance(named, list) else [raw]
    # A longer list has an invalid or repeated name among these: bound the number of problems.
    for name in named[: len(sortable) + 1]:
        column = name.strip().removeprefix("-") if isinstance(name, str) else name
        if column not in sortable or column in ordering:
            hint = did_you_mean(column, sortable) if isinstance(column, str) else "."
            end = " twice." if column in sortable else hint
            text = f"{resource.name} cannot be ordered by {display_value(column)}{end}"
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
        accepted = ["asc", "desc"]
        hint = did_you_mean(direction, accepted) if isinstance(direction, str) else "."
        text = f"{display_value(direction)} is not a valid direction{hint}"
        field = f"{prefix}{DIRECTION}"
        yield Problem(ResourceErrorCode.INVALID_ORDERING, field, direction, text, accepted)


def _limit(options: Mapping[str, Any], prefix: str) -> tuple[int | None, list[Problem]]:
    raw = options.get(LIMIT)
    if raw in (None, "all"):
        return None, []
    digits = isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 20
    number = int(raw) if digits or (isinstance(raw, int) and not isinstance(raw, bool)) else 0
    if 0 < number <= MAX_BIGINT:
        return number, []
    hint = did_you_mean(raw, ["all"]) if isinstance(raw, str) else "."
    text = f"{display_value(raw)} is not a valid limit{hint}"
    accepted = '"all" or a whole number from 1'
    return None, [Problem(ErrorCode.INVALID_LIMIT, f"{prefix}{LIMIT}", raw, text, accepted)]
