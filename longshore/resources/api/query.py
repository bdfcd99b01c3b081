"""What the address of a list says: filters as an export's, and what to show of the records."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from longshore.api.errors import ErrorCode, InvalidInput, Problem, Problems
from longshore.api.pagination import page_size
from longshore.resources.columns import ColumnType
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import ORDER_BY, Selection
from longshore.resources.listing import Listing
from longshore.resources.predicates import parse_selection
from longshore.resources.registry import Resource
from longshore.resources.timezones import UTC, Zone, is_zone, unknown_zone
from longshore.resources.values import json_or_text

# Columns of free text in an order: a cursor with more would be too long for an address.
MAX_TEXTS = 3
_OWN = ("fields", "timezone", "limit", "cursor")
_PREDICATE = re.compile(r"filters\[(.*)\]\Z", re.DOTALL)


@dataclass(frozen=True)
class ListQuery:
    listing: Listing
    size: int
    cursor: str | None


def parse_query(resource: Resource, parameters: QueryDict, timezone: str) -> ListQuery:
    """Read the parameters of a list.

    timezone: an IANA name, where the parameters have none.
    Raises InvalidInput with every problem of the parameters.
    """
    problems = Problems(
        Problem(
            ErrorCode.INVALID_REQUEST,
            name,
            values,
            f"The parameter {name} is given {len(values)} times",
            "one value; commas join several, and bwi:… or bwe:… are both ends of a range",
        )
        for name, values in parameters.lists()
        if len(values) > 1
    )
    given = {name: str(text) for name, text in parameters.dict().items()}
    timezone = given.get("timezone", timezone)
    zone = Zone(timezone) if is_zone(timezone) else UTC
    if not is_zone(timezone):
        problems.extend([unknown_zone(timezone, zone.field)])
    filters = {found[1]: text for name, text in given.items() if (found := _PREDICATE.match(name))}
    options = {
        name: _value(resource, name, text)
        for name, text in given.items()
        if name not in _OWN and not _PREDICATE.match(name)
    }
    selection, wrong = parse_selection(resource, options, filters, zone, path="")
    fields = _fields(resource, given["fields"]) if "fields" in given else list(resource.names)
    # JSON in a parameter may hold text that no response can repeat, such as half a surrogate pair.
    problems.extend(replace(each, value=given.get(each.field, each.value)) for each in wrong)
    problems.extend(_field_problems(resource, fields))
    problems.extend(_ordering_problems(resource, selection, given))
    try:
        size = page_size(given.get("limit"))
    except InvalidInput as invalid:
        problems.extend(invalid.problems)
    if problems:
        problems.refuse()
    listing = Listing(resource, selection, tuple(fields), timezone)
    return ListQuery(listing, size, given.get("cursor"))


def _ordering_problems(
    resource: Resource, selection: Selection, given: Mapping[str, str]
) -> Iterator[Problem]:
    """A cursor has the beginning of each text that rows are ordered by."""
    columns = [resource.columns_by_name[order.column] for order in selection.ordering]
    texts = [column.name for column in columns if column.by_sort_key]
    if len(texts) > MAX_TEXTS:
        text = f"A list is ordered by at most {MAX_TEXTS} columns of free text, not {len(texts)}."
        accepted = f"at most {MAX_TEXTS} of {', '.join(texts)}"
        code = ResourceErrorCode.INVALID_ORDERING
        yield Problem(code, ORDER_BY, given.get(ORDER_BY), text, accepted)


def _value(resource: Resource, name: str, text: str) -> Any:
    """A parameter as an option: of a JSON column the JSON that it says."""
    column = resource.columns_by_name.get(name)
    return json_or_text(text) if column and column.kind is ColumnType.JSON else text


def _fields(resource: Resource, text: str) -> list[str]:
    """The paths of a list: `*` is every column with the embedded relations, and `<relation>.*` is
    the relation."""
    fields: list[str] = []
    for name in text.split(","):
        every = [*resource.columns_by_name, *resource.embedded] if name == "*" else [name]
        whole = name.removesuffix(".*")
        fields += [whole] if whole in resource.relations_by_name else every
    return fields


def _field_problems(resource: Resource, fields: list[str]) -> Iterator[Problem]:
    for position, name in enumerate(fields):
        if name in fields[:position]:
            text = f"{name!r} is named twice in fields"
        elif not resource.has_path(name):
            text = f"{resource.name} has no column {name!r}"
        else:
            continue
        yield Problem(ResourceErrorCode.INVALID_COLUMN, "fields", name, text, resource.names)
        return
