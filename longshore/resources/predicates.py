"""Predicates, the second filter language: `filters` of a request.

{"status_in": ["delivered", "lost"], "amount_gteq": 1000, "location_name_start": "Dock",
 "tracking_number_or_order_number_cont": "1Z9", "metadata_jcont": {"service": "inbound"}}

A predicate's name is `{attribute}_{matcher}`, or several attributes joined by `_or_`. An attribute
is a column, or `{relation}_{attribute}` of the related record. A name may read in several ways;
it means the longest matcher that leaves known attributes only, in them from left to right the
longest attribute, and in it a column before a relation, and the relation of the longest name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from longshore.api.errors import ErrorCode, Problem
from longshore.api.suggestions import did_you_mean
from longshore.resources.budget import (
    MAX_VALUES,
    Budget,
    InvalidFilter,
    too_many_values,
)
from longshore.resources.columns import Column, ColumnType
from longshore.resources.comparisons import LIKENESS, TESTS_OF_EQUALITY, Operator
from longshore.resources.conditions import (
    AnyOf,
    Condition,
    columns_of,
    reached,
    relations_of,
)
from longshore.resources.filters import (
    Selection,
    check_choices,
    check_name,
    parse_options,
    split,
)
from longshore.resources.matchers import MATCHERS, Matcher, Takes, matchers
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation
from longshore.resources.resolving import resolved
from longshore.resources.timezones import Zone
from longshore.resources.values import ACCEPTED, canonical_value, json_or_text

# The relations that an attribute goes through.
MAX_DEPTH = 3
# What is parsed and compared while a request waits: values count once for each attribute.
_MAX_PREDICATES = 100
_MAX_ATTRIBUTES = 10
_MAX_PATTERN_CHARACTERS = 1_000
_WORDS_OF_A_MATCHER = max(name.count("_") + 1 for name in MATCHERS)
_JOINT = "_or_"
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
# Of records that are joined into one cell, as tags are, it is only asked which they are.
_OF_JOINED = ("in", "not_in")
_SPECIAL = re.compile(r"[\\%_]")
_OPEN_ESCAPE = re.compile(r"(?<!\\)(\\\\)*\\\Z")


def parse_selection(
    resource: Resource,
    options: Mapping[str, Any],
    filters: Mapping[str, Any],
    zone: Zone,
    path: str = "options",
) -> tuple[Selection, list[Problem]]:
    """Read both filter languages of a request; a row passes what each of them says.

    As `parse_options`, with `filters` at the top of the request.
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
    """Read `filters` of a request for a resource.

    zone: of datetimes without an offset, which it may take a query to find.
    budget: of the request, where it has other filters too.
    Returns what could be read, and every problem of the rest. Raises InvalidInput for a zone that
    PostgreSQL does not know.
    """
    budget = budget or Budget()
    if len(filters) > _MAX_PREDICATES:
        text = f"{len(filters)} filters are too many"
        accepted = f"{_MAX_PREDICATES} filters at most"
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
    """The conditions of one predicate, of which a row passes at least one."""
    attributes, matcher_name = _read(resource, name)
    matcher = MATCHERS[matcher_name]
    for path, column in attributes.items():
        _check_joined(resource, path, matcher_name)
        if column.kind not in matcher.kinds:
            text = f"`{path}` ({column.kind}) does not support the matcher `{matcher_name}`."
            raise InvalidFilter(text, matchers(column.kind))
    if matcher.takes is Takes.FLAG:
        chosen = matcher.operators[0 if _flag(name, raw) else -1]
        compared = (matcher_name,) if chosen in TESTS_OF_EQUALITY else ()
        budget.spend(compared, len(attributes))
        yield from (Condition(path, chosen, compared) for path in attributes)
        return
    given = _given(name, matcher, raw)
    if len(given) * len(attributes) > MAX_VALUES:
        raise too_many_values(len(given), len(attributes))
    budget.spend(given, len(attributes) * len(matcher.operators))
    for path, column in attributes.items():
        texts = [canonical_value(path, column.kind, value) for value in given]
        values = tuple(dict.fromkeys(_pattern(name, matcher, text) for text in texts))
        for operator in matcher.operators:
            if operator in TESTS_OF_EQUALITY and column.kind is ColumnType.TEXT and column.choices:
                check_choices(path, values, column.choices)
            yield Condition(path, operator, () if operator is Operator.IS_NULL else values)


def _check_joined(resource: Resource, path: str, matcher: str) -> None:
    through, _, name = path.rpartition(".")
    last = reached(resource, path)[0][-1] if through else None
    if last and last.joined and (name != last.key or matcher not in _OF_JOINED):
        attribute = f"{through}.{last.key}".replace(".", "_")
        text = f"`{path}` does not support the matcher `{matcher}`: filter {last.name} by id."
        raise InvalidFilter(text, [f"{attribute}_{each}" for each in _OF_JOINED])


def _flag(name: str, raw: Any) -> bool:
    text = str(raw).lower() if isinstance(raw, bool | int | str) else ""
    if text not in _FLAGS:
        raise InvalidFilter(f"{name} takes true or false", [True, False])
    return _FLAGS[text]


def _given(name: str, matcher: Matcher, raw: Any) -> list[Any]:
    """The values behind a predicate's name, at least one."""
    if ColumnType.JSON in matcher.kinds:
        value = json_or_text(raw) if isinstance(raw, str) else raw
        if value is None:
            raise InvalidFilter(f"{name} takes no null", ACCEPTED[ColumnType.JSON])
        return [value]
    if matcher.takes is Takes.VALUES:
        values = split(raw) if isinstance(raw, str) else raw
        if values == []:
            raise InvalidFilter("an empty list selects nothing", "a list with at least one value")
        return values if isinstance(values, list) else [values]
    if isinstance(raw, list):
        raise InvalidFilter(f"{name} takes one value", "a value, not a list")
    return [raw]


def _pattern(name: str, matcher: Matcher, text: str) -> str:
    """What the operator compares with: for LIKE a pattern, else the value itself."""
    if matcher.operators[0] in LIKENESS and len(text) > _MAX_PATTERN_CHARACTERS:
        text = f"{name} is given a text of {len(text):,} characters"
        raise InvalidFilter(text, f"a text of at most {_MAX_PATTERN_CHARACTERS:,} characters")
    if matcher.pattern is not None:
        before, after = matcher.pattern
        return before + _SPECIAL.sub(r"\\\g<0>", text) + after
    if matcher.operators[0] in LIKENESS and _OPEN_ESCAPE.search(text):
        accepted = "a pattern in which % stands for any text, _ for any sign, and \\ before either"
        raise InvalidFilter(f"{name} takes a pattern, which ends in no single backslash", accepted)
    return text


def _read(resource: Resource, name: str) -> tuple[dict[str, Column], str]:
    """A predicate's name as the columns that it asks for, by path, and its matcher."""
    check_name(name)
    for matcher in _matchers_at_end(name):
        if attributes := _attributes(resource, name.removesuffix(f"_{matcher}")):
            return attributes, matcher
    raise _unknown(resource, name)


def _matchers_at_end(name: str) -> list[str]:
    """The longest first."""
    return sorted((each for each in MATCHERS if name.endswith(f"_{each}")), key=len, reverse=True)


def _attributes(resource: Resource, text: str) -> dict[str, Column]:
    """The columns that attributes joined by `_or_` name, by path; none if one is unknown."""
    parts = text.split(_JOINT)
    if len(parts) > _MAX_ATTRIBUTES:
        joined = f"the filter joins {len(parts)} attributes"
        raise InvalidFilter(joined, f"{_MAX_ATTRIBUTES} attributes at most")

    @cache
    def read(start: int) -> tuple[tuple[str, Column], ...] | None:
        """What the parts from a place on mean."""
        if start == len(parts):
            return ()
        for end in range(len(parts), start, -1):
            found = next(_readings(resource, _JOINT.join(parts[start:end])), None)
            rest = read(end) if found else None
            if found and rest is not None:
                return (found, *rest)
        return None

    return dict(read(0) or ())


def _readings(
    resource: Resource, text: str, deepest: int = MAX_DEPTH, through: tuple[Relation, ...] = ()
) -> Iterator[tuple[str, Column]]:
    """What a text may mean as an attribute, best first: its path, and the column it ends at."""
    columns = columns_of(through[-1]) if through else resource.columns_by_name
    relations = relations_of(through[-1]) if through else resource.filterable_relations
    if text in columns:
        yield ".".join([*(relation.name for relation in through), text]), columns[text]
    for name in sorted(relations, key=len, reverse=True):
        if text.startswith(f"{name}_") and len(through) < deepest:
            rest = text.removeprefix(f"{name}_")
            yield from _readings(resource, rest, deepest, (*through, relations[name]))


def _unknown(resource: Resource, name: str) -> InvalidFilter:
    """What is wrong with a name that cannot be read, as far as its end says what was meant."""
    if found := _matchers_at_end(name):
        for part in name.removesuffix(f"_{found[0]}").split(_JOINT):
            if any(_readings(resource, part)):
                continue
            if any(_readings(resource, part, deepest=2 * MAX_DEPTH)):
                text = f"{part!r} goes through more than {MAX_DEPTH} relations"
                return InvalidFilter(text, f"{MAX_DEPTH} relations at most")
            hint = did_you_mean(part, _names(resource))
            text = f"{resource.name} has no attribute {part!r}{hint}"
            related = [f"{each}_<attribute>" for each in resource.filterable_relations]
            return InvalidFilter(text, [*resource.columns_by_name, *related])
    words = name.split("_")
    for end in range(len(words), max(0, len(words) - _WORDS_OF_A_MATCHER - 1), -1):
        if attributes := _attributes(resource, "_".join(words[:end])):
            kinds = {column.kind for column in attributes.values()}
            fitting = [each for each, matcher in MATCHERS.items() if kinds <= matcher.kinds]
            hint = did_you_mean("_".join(words[end:]), fitting)
            return InvalidFilter(f"{name!r} ends in no matcher{hint}", fitting)
    text = f"{name!r} is no attribute of {resource.name} with a matcher"
    return InvalidFilter(text, "<attribute>_<matcher>, such as id_eq")


def _names(resource: Resource) -> list[str]:
    """Attributes through one relation at most."""
    related = resource.filterable_relations.items()
    through = [f"{name}_{column}" for name, each in related for column in columns_of(each)]
    return [*resource.columns_by_name, *through]
