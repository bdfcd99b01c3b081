"""Parses the query of a list of records: filters as in an export, and the fields to return."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from longshore.api.body.declaration import Body, Custom
from longshore.api.errors import ErrorCode, InvalidInput, Problem, Problems, display_value
from longshore.api.pagination import CURSOR, DEFAULT_PAGE_SIZE, LIMIT, MAX_PAGE_SIZE, page_size
from longshore.api.suggestions import did_you_mean
from longshore.database.texts import MAX_NAME_BYTES
from longshore.resources.columns import ColumnType
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import ORDER_BY, Selection
from longshore.resources.listing import Listing
from longshore.resources.predicates import parse_selection
from longshore.resources.registry import Resource
from longshore.resources.timezones import Zone, read_timezone
from longshore.resources.values import json_or_text

# A cursor contains the beginning of each text that rows are ordered by: with more such columns it
# would be too long for a URL.
MAX_TEXTS = 3
_PREDICATE = re.compile(r"filters\[(.*)\]\Z", re.DOTALL)


LIST_PARAMETERS = Body(
    "ListParameters",
    "The parameters of a list of records that are not filters.",
    (
        Custom(
            "fields",
            "The fields of each record: columns, relations and `<relation>.<field>`, separated by "
            "commas. Default: all.",
            schema={"type": "string"},
            accepts="a comma-separated list of fields",
        ),
        Custom(
            "timezone",
            "An IANA time zone for datetimes in the response and, in a list, for dates in filters. "
            "Default: the organization's time zone.",
            schema={"type": "string"},
            accepts="an IANA time zone",
            hook=read_timezone,
        ),
        Custom(
            LIMIT,
            "Records per page.",
            schema={
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_PAGE_SIZE,
                "default": DEFAULT_PAGE_SIZE,
            },
            accepts=f"a whole number from 1 to {MAX_PAGE_SIZE}",
        ),
        Custom(
            CURSOR,
            "A position in the list, from `next` or `previous`.",
            schema={"type": "string"},
            accepts="the cursor of a link that a list returned as next or previous",
        ),
    ),
)


@dataclass(frozen=True)
class ListQuery:
    listing: Listing
    size: int
    cursor: str | None


def parse_query(resource: Resource, parameters: QueryDict, timezone: str) -> ListQuery:
    """Parse the parameters of a list.

    timezone: IANA name of the organization's zone, if the parameters name no zone.
    Raises InvalidInput with every problem of the parameters.
    """
    problems = Problems(_repeated(parameters))
    given = {name: str(text) for name, text in parameters.dict().items()}
    own = {name: text for name, text in given.items() if name in LIST_PARAMETERS.names}
    values = LIST_PARAMETERS.read({"timezone": timezone} | own, problems)
    zone = Zone(values["timezone"])
    filters = {found[1]: text for name, text in given.items() if (found := _PREDICATE.match(name))}
    options = {
        name: _option(resource, name, text)
        for name, text in given.items()
        if name not in own and not _PREDICATE.match(name)
    }
    selection, wrong = parse_selection(resource, options, filters, zone, path="")
    fields = _fields(resource, values["fields"]) if "fields" in values else list(resource.names)
    # JSON in a parameter may hold text that no response can repeat, such as half a surrogate pair.
    problems.extend(replace(each, value=given.get(each.field, each.value)) for each in wrong)
    problems.extend(_field_problems(resource, fields))
    problems.extend(_ordering_problems(resource, selection, given))
    size = _page_size(values.get(LIMIT), problems)
    if problems:
        problems.refuse()
    listing = Listing(resource, selection, tuple(fields), zone.name)
    return ListQuery(listing, size, values.get(CURSOR))


def _page_size(limit: str | None, problems: Problems) -> int:
    """Return the number of records of a page; report an invalid limit, and return the default."""
    try:
        return page_size(limit)
    except InvalidInput as invalid:
        problems.extend(invalid.problems)
        return page_size(None)


def repeated_parameter(name: str, times: int) -> str:
    """Return the message of the error for a parameter that a query string sets several times."""
    return (
        f"The parameter {display_value(name)} is set {times} times. Separate its values with "
        "commas."
    )


def _repeated(parameters: QueryDict) -> Iterator[Problem]:
    for name, texts in parameters.lists():
        if len(texts) > 1:
            text = repeated_parameter(name, len(texts))
            accepted = (
                "one value; commas separate several values, and bwi:… or bwe:… has both ends of a "
                "range"
            )
            yield Problem(ErrorCode.INVALID_REQUEST, name, texts, text, accepted)


def _ordering_problems(
    resource: Resource, selection: Selection, given: Mapping[str, str]
) -> Iterator[Problem]:
    columns = [resource.columns_by_name[order.column] for order in selection.ordering]
    texts = [column.name for column in columns if column.by_sort_key]
    if len(texts) > MAX_TEXTS:
        text = f"A list is ordered by at most {MAX_TEXTS} columns of free text, not {len(texts)}."
        accepted = f"at most {MAX_TEXTS} of {', '.join(texts)}"
        code = ResourceErrorCode.INVALID_ORDERING
        yield Problem(code, ORDER_BY, given.get(ORDER_BY), text, accepted)


def _option(resource: Resource, name: str, text: str) -> Any:
    """Return the value of a filter; a filter of a JSON column has JSON as its text."""
    column = resource.columns_by_name.get(name)
    return json_or_text(text) if column and column.kind is ColumnType.JSON else text


def _fields(resource: Resource, text: str) -> list[str]:
    """Return the paths that `fields` selects.

    `*` is every column and every embedded relation; `<relation>.*` is the relation.
    """
    fields: list[str] = []
    for name in text.split(","):
        every = [*resource.columns_by_name, *resource.embedded] if name == "*" else [name]
        whole = name.removesuffix(".*")
        fields += [whole] if whole in resource.relations_by_name else every
    return fields


def _field_problems(resource: Resource, fields: list[str]) -> Iterator[Problem]:
    """Yield the first problem only: every problem has the same field."""
    for position, name in enumerate(fields):
        if name in fields[:position]:
            text = f"fields lists {display_value(name)} twice."
        elif not resource.has_path(name):
            hint = did_you_mean(name, resource.paths)
            text = f"{resource.name} has no column {display_value(name)}{hint}"
        elif len(name.encode()) > MAX_NAME_BYTES:
            text = f"{display_value(name)} has more than {MAX_NAME_BYTES} bytes."
        else:
            continue
        yield Problem(ResourceErrorCode.INVALID_COLUMN, "fields", name, text, resource.names)
        return
