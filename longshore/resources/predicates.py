"""Predicates, the second filter language: parse `filters` of a request into conditions.

{"status_in": ["delivered", "lost"], "amount_gteq": 1000, "location_name_start": "Dock",
 "tracking_number_or_order_number_cont": "1Z9", "metadata_jcont": {"service": "inbound"}}

The name of a predicate is `{attribute}_{matcher}`, with several attributes joined by `_or_`. An
attribute is a column, or `{relation}_{attribute}` of the related record. If a name can be parsed in
several ways, these rules apply in this order: prefer the longest matcher that leaves only known
attributes; from left to right, prefer the longest attribute; in an attribute, prefer a column to a
relation, and the relation with the longest name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from longshore.api.errors import ErrorCode, Problem
from longshore.api.suggestions import closest, did_you_mean
from longshore.resources.budget import (
    MAX_VALUES,
    Budget,
    InvalidFilter,
    empty_list,
    too_many_values,
)
from longshore.resources.columns import Column, ColumnType
from longshore.resources.comparisons import EQUALITY_TESTS, LIKE_OPERATORS, Operator
from longshore.resources.conditions import (
    AnyOf,
    Condition,
    columns_of,
    relations_of,
    resolve_path,
)
from longshore.resources.filters import (
    Selection,
    parse_options,
)
from longshore.resources.matchers import MATCHERS, Matcher, Takes, matchers
from longshore.resources.operands import check_choices, check_name, split
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation
from longshore.resources.resolving import resolved
from longshore.resources.timezones import Zone
from longshore.resources.values import ACCEPTED, canonical_value, json_or_text

# Relations that an attribute may follow.
MAX_DEPTH = 3
# Bounds of the work while a request waits; values count once for each attribute.
_MAX_PREDICATES = 100
_MAX_ATTRIBUTES = 10
_MAX_PATTERN_CHARACTERS = 1_000
_MAX_MATCHER_WORDS = max(name.count("_") + 1 for name in MATCHERS)
_SEPARATOR = "_or_"
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
# The matchers of joined relations, such as tags: only ids can be filtered.
_JOINED_MATCHERS = ("in", "not_in")
_WILDCARD = re.compile(r"[\\%_]")
_UNFINISHED_ESCAPE = re.compile(r"(?<!\\)(\\\\)*\\\Z")


def parse_selection(
    resource: Resource,
    options: Mapping[str, Any],
    filters: Mapping[str, Any],
    zone: Zone,
    path: str = "options",
) -> tuple[Selection, list[Problem]]:
    """Parse both filter languages of a request. A row must pass the conditions of both.

    Like `parse_options`; `filters` is a top-level key of the request.
    """
    budget = Budget()
    selection, problems = parse_options(resource, options, zone, path, budget)
    conditions, others = parse_predicates(resource, filters, zone, budget)
    selection = replace(selection, conditions=(*selection.conditions, *conditions))
    return selection, [*problems, *others]


def parse_predicates(
    resource: Resource,
    filters: Mapping[str, Any],
    zone: Zone,
    budget: Budget | None = None,
) -> tuple[tuple[Condition | AnyOf, ...], list[Problem]]:
    """Parse the `filters` of a request for a resource.

    zone: the time zone of datetimes without an offset; resolving them may need one query.
    budget: the budget that all filters of the request share.
    Returns the valid conditions, and all problems of the rest. Raises InvalidInput for a zone that
    PostgreSQL does not know.
    """
    budget = budget or Budget()
    if len(filters) > _MAX_PREDICATES:
        text = f"The request has {len(filters)} filters; the maximum is {_MAX_PREDICATES}."
        accepted = f"at most {_MAX_PREDICATES} filters"
        return (), [Problem(ErrorCode.INVALID_REQUEST, "filters", None, text, accepted)]
    conditions: list[Condition | AnyOf] = []
    problems: list[Problem] = []
    for name, raw in filters.items():
        try:
            tests = tuple(_conditions(resource, name, raw, budget))
            conditions.append(tests[0] if len(tests) == 1 else AnyOf(tests))
        except InvalidFilter as invalid:
            problems.append(invalid.problem(f"filters.{name}", raw))
    return tuple(resolved(conditions, zone)), problems


def _conditions(resource: Resource, name: str, raw: Any, budget: Budget) -> Iterator[Condition]:
    """Yield the conditions of one predicate. A row passes if it passes at least one of them."""
    attributes, matcher_name = parse_name(resource, name)
    matcher = MATCHERS[matcher_name]
    for path, column in attributes.items():
        _check_joined(resource, path, matcher_name)
        if column.kind not in matcher.kinds:
            text = f"`{path}` ({column.kind}) does not support the matcher `{matcher_name}`."
            raise InvalidFilter(text, matchers(column.kind))
    if matcher.takes is Takes.FLAG:
        chosen = matcher.operators[0 if _flag(name, raw) else -1]
        # The matchers `true` and `false` compare with the boolean that is their name.
        compared = (matcher_name,) if chosen in EQUALITY_TESTS else ()
        budget.spend(compared, len(attributes))
        yield from (Condition(path, chosen, compared) for path in attributes)
        return
    given = _operands(name, matcher, raw)
    if len(given) * len(attributes) > MAX_VALUES:
        raise too_many_values(len(given), len(attributes))
    budget.spend(given, len(attributes) * len(matcher.operators))
    for path, column in attributes.items():
        texts = [canonical_value(path, column.kind, value) for value in given]
        values = tuple(dict.fromkeys(_pattern(name, matcher, text) for text in texts))
        for operator in matcher.operators:
            if operator in EQUALITY_TESTS and column.kind is ColumnType.TEXT and column.choices:
                check_choices(path, values, column.choices)
            yield Condition(path, operator, () if operator is Operator.IS_NULL else values)


def _check_joined(resource: Resource, path: str, matcher: str) -> None:
    through, _, name = path.rpartition(".")
    last = resolve_path(resource, path)[0][-1] if through else None
    if last and last.joined and (name != last.key or matcher not in _JOINED_MATCHERS):
        attribute = f"{through}.{last.key}".replace(".", "_")
        text = f"`{path}` does not support the matcher `{matcher}`: filter {last.name} by id."
        raise InvalidFilter(text, [f"{attribute}_{each}" for each in _JOINED_MATCHERS])


def _flag(name: str, raw: Any) -> bool:
    text = str(raw).lower() if isinstance(raw, bool | int | str) else ""
    if text not in _FLAGS:
        raise InvalidFilter(f"`{name}` takes true or false.", [True, False])
    return _FLAGS[text]


def _operands(name: str, matcher: Matcher, raw: Any) -> list[Any]:
    """Return the values of a predicate, at least one. Raises InvalidFilter."""
    if ColumnType.JSON in matcher.kinds:
        value = json_or_text(raw) if isinstance(raw, str) else raw
        if value is None:
            raise InvalidFilter(f"`{name}` does not take null.", ACCEPTED[ColumnType.JSON])
        return [value]
    if matcher.takes is Takes.VALUES:
        values = split(raw) if isinstance(raw, str) else raw
        if values == []:
            raise empty_list()
        return values if isinstance(values, list) else [values]
    if isinstance(raw, list):
        raise InvalidFilter(f"`{name}` takes one value, not a list.", "one value")
    return [raw]


def _pattern(name: str, matcher: Matcher, text: str) -> str:
    """Return the value to compare with: for LIKE a pattern, otherwise the text itself."""
    if matcher.operators[0] in LIKE_OPERATORS and len(text) > _MAX_PATTERN_CHARACTERS:
        message = (
            f"The value of `{name}` has {len(text):,} characters; the maximum is "
            f"{_MAX_PATTERN_CHARACTERS:,}."
        )
        raise InvalidFilter(message, f"a text of at most {_MAX_PATTERN_CHARACTERS:,} characters")
    if matcher.pattern is not None:
        before, after = matcher.pattern
        return before + _WILDCARD.sub(r"\\\g<0>", text) + after
    if matcher.operators[0] in LIKE_OPERATORS and _UNFINISHED_ESCAPE.search(text):
        accepted = "a pattern: % matches any text, _ any character, \\% and \\_ themselves"
        raise InvalidFilter(f"The pattern of `{name}` ends with an unfinished escape.", accepted)
    return text


def parse_name(resource: Resource, name: str) -> tuple[dict[str, Column], str]:
    """Return the columns that a predicate's name refers to, by path, and its matcher.

    Raises InvalidFilter for a name that cannot be parsed.
    """
    check_name(name)
    for matcher in _matchers_at_end(name):
        if attributes := _attributes(resource, name.removesuffix(f"_{matcher}")):
            return attributes, matcher
    raise _unknown(resource, name)


def _matchers_at_end(name: str) -> list[str]:
    """Return the matchers that the name ends with, longest first."""
    return sorted((each for each in MATCHERS if name.endswith(f"_{each}")), key=len, reverse=True)


def _attributes(resource: Resource, text: str) -> dict[str, Column]:
    """Return the columns of attributes joined by `_or_`, by path; nothing if one is unknown."""
    parts = text.split(_SEPARATOR)
    if len(parts) > _MAX_ATTRIBUTES:
        joined = f"The filter joins {len(parts)} attributes; the maximum is {_MAX_ATTRIBUTES}."
        raise InvalidFilter(joined, f"at most {_MAX_ATTRIBUTES} attributes")

    @cache
    def parse(start: int) -> tuple[tuple[str, Column], ...] | None:
        """Parse parts[start:] into attributes. Return None if an attribute is unknown."""
        if start == len(parts):
            return ()
        for end in range(len(parts), start, -1):
            found = next(_interpretations(resource, _SEPARATOR.join(parts[start:end])), None)
            rest = parse(end) if found else None
            if found and rest is not None:
                return (found, *rest)
        return None

    return dict(parse(0) or ())


def _interpretations(
    resource: Resource, text: str, max_depth: int = MAX_DEPTH, through: tuple[Relation, ...] = ()
) -> Iterator[tuple[str, Column]]:
    """Yield the paths and columns that an attribute may refer to, the preferred one first.

    through: the relations already parsed, in order.
    """
    columns = columns_of(through[-1]) if through else resource.columns_by_name
    relations = relations_of(through[-1]) if through else resource.filterable_relations
    if text in columns:
        yield ".".join([*(relation.name for relation in through), text]), columns[text]
    for name in sorted(relations, key=len, reverse=True):
        if text.startswith(f"{name}_") and len(through) < max_depth:
            rest = text.removeprefix(f"{name}_")
            yield from _interpretations(resource, rest, max_depth, (*through, relations[name]))


def _unknown(resource: Resource, name: str) -> InvalidFilter:
    """Return the error of an invalid name, with suggestions from the parts that are valid."""
    if found := _matchers_at_end(name):
        for part in name.removesuffix(f"_{found[0]}").split(_SEPARATOR):
            if any(_interpretations(resource, part)):
                continue
            if any(_interpretations(resource, part, max_depth=2 * MAX_DEPTH)):
                text = f"{part!r} follows more than {MAX_DEPTH} relations."
                return InvalidFilter(text, f"at most {MAX_DEPTH} relations")
            hint = did_you_mean(part, _attribute_names(resource))
            text = f"{resource.name} has no attribute {part!r}{hint}"
            related = [f"{each}_<attribute>" for each in resource.filterable_relations]
            return InvalidFilter(text, [*resource.columns_by_name, *related])
    words = name.split("_")
    for end in range(len(words), max(0, len(words) - _MAX_MATCHER_WORDS - 1), -1):
        if attributes := _attributes(resource, "_".join(words[:end])):
            kinds = {column.kind for column in attributes.values()}
            fitting = [each for each, matcher in MATCHERS.items() if kinds <= matcher.kinds]
            rest = "_".join(words[end:])
            hint = did_you_mean(rest, fitting) if rest else f". Did you mean '{name}_eq'?"
            return InvalidFilter(f"{name!r} does not end with a matcher{hint}", fitting)
    meant = closest(name, _attribute_names(resource))
    hint = f". Did you mean '{meant}_eq'?" if meant else "."
    text = f"{name!r} is not an attribute of {resource.name} followed by a matcher{hint}"
    return InvalidFilter(text, "<attribute>_<matcher>, such as id_eq")


def _attribute_names(resource: Resource) -> list[str]:
    """Return the attributes of a resource that follow at most one relation."""
    related = resource.filterable_relations.items()
    through = [f"{name}_{column}" for name, each in related for column in columns_of(each)]
    return [*resource.columns_by_name, *through]
