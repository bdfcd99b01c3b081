"""Lookup of a resource by its name, and of a record by its id."""

from dataclasses import replace

from django.http import QueryDict

from longshore.api.errors import ApiError, ErrorCode, InvalidInput, Problem, Problems
from longshore.api.suggestions import did_you_mean
from longshore.resources.api.query import parse_query
from longshore.resources.columns import Column
from longshore.resources.comparisons import Operator
from longshore.resources.conditions import Condition
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import Ordering, Selection
from longshore.resources.listing import Listing
from longshore.resources.registry import Resource, registry
from longshore.resources.values import canonical

RECORD_PARAMETERS = ("fields", "timezone")


def find_resource(name: str) -> Resource:
    """Return a resource by name. Raises ApiError."""
    resource = registry.get(name)
    if resource is None:
        text = f"{name!r} is not a resource{did_you_mean(name, registry.names())}"
        raise ApiError(ErrorCode.NOT_FOUND, text, {"accepted": registry.names()})
    return resource


def parse_record_query(
    resource: Resource, id: str, parameters: QueryDict, timezone: str
) -> Listing:
    """Parse the query parameters of a record; `fields` and `timezone` are accepted.

    timezone: IANA name, the default.
    Returns the list of the record with this id alone. Raises InvalidInput with every problem, and
    ApiError for an id that no record can have.
    """
    problems = Problems(
        Problem(
            ResourceErrorCode.INVALID_FILTER,
            name,
            parameters[name],
            f"A record has no parameter {name!r}{did_you_mean(name, RECORD_PARAMETERS)}",
            [*RECORD_PARAMETERS],
        )
        for name in parameters
        if name not in RECORD_PARAMETERS
    )
    accepted = parameters.copy()
    for name in [name for name in parameters if name not in RECORD_PARAMETERS]:
        del accepted[name]
    try:
        listing = parse_query(resource, accepted, timezone).listing
    except InvalidInput as invalid:
        problems.extend(invalid.problems)
    if problems:
        problems.refuse()
    return replace(listing, selection=_record(resource, id))


def find_record(listing: Listing, organization_id: str) -> str:
    """Return the JSON of the first record of a list. Raises ApiError if the list is empty."""
    records = listing.page(organization_id, 1, None).records
    if not records:
        raise ApiError(ErrorCode.NOT_FOUND)
    return records[0]


def _record(resource: Resource, id: str) -> Selection:
    """Select the record with an id. Raises ApiError for an id that no record can have."""
    key = resource.model._meta.pk.name
    for column in resource.columns_by_name.values():
        if column.field == key and _is_canonical(column, id):
            condition = Condition(column.name, Operator.EQUALS, (id,))
            return Selection((condition,), (Ordering(column.name),))
    raise ApiError(ErrorCode.NOT_FOUND)


def _is_canonical(column: Column, text: str) -> bool:
    """Whether a text is a value of a column as the API shows it."""
    try:
        return canonical(column.kind, text) == text
    except ValueError:
        return False
