"""Lookup of a resource by its name, and of a record by its id."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import CharField, IntegerField, TextField, UUIDField
from django.http import QueryDict

from longshore.api.errors import ApiError, ErrorCode, InvalidInput, Problem, Problems
from longshore.api.suggestions import did_you_mean
from longshore.database.column_types import MAX_BIGINT, MIN_BIGINT
from longshore.database.texts import storable
from longshore.resources.api.query import parse_query
from longshore.resources.columns import AnyField, Column, valued_field
from longshore.resources.comparisons import Operator
from longshore.resources.conditions import Condition
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import Ordering, Selection
from longshore.resources.includes import cannot_include, whole_records
from longshore.resources.listing import Listing
from longshore.resources.registry import Resource, registry
from longshore.resources.values import canonical

INCLUDES = "includes"
RECORD_PARAMETERS = ("fields", "timezone", INCLUDES)


def find_resource(name: str) -> Resource:
    """Return a resource by name. Raises ApiError."""
    resource = registry.get(name)
    if resource is None:
        text = f"{name!r} is not a resource{did_you_mean(name, registry.names())}"
        raise ApiError(ErrorCode.NOT_FOUND, text, {"accepted": registry.names()})
    return resource


def parse_record_query(
    resource: Resource,
    id: str,
    parameters: QueryDict,
    timezone: str,
    accepted: Sequence[str] = RECORD_PARAMETERS,
) -> Listing:
    """Parse the query parameters of a record.

    timezone: IANA name, the default.
    accepted: names of parameters.
    Returns a list that contains only the record with this id. Raises InvalidInput with every
    problem, and ApiError for an id that no record can have.
    """
    problems = Problems(
        Problem(
            ResourceErrorCode.INVALID_FILTER,
            name,
            parameters[name],
            f"A record has no parameter {name!r}{did_you_mean(name, accepted)}",
            [*accepted],
        )
        for name in parameters
        if name not in accepted
    )
    listed = parameters.copy()
    for name in [name for name in parameters if name not in accepted or name == INCLUDES]:
        del listed[name]
    paths = _paths(parameters) if INCLUDES in accepted else []
    problems.extend(_include_problems(resource, paths))
    try:
        listing = parse_query(resource, listed, timezone).listing
    except InvalidInput as invalid:
        problems.extend(invalid.problems)
    if problems:
        problems.refuse()
    includes = whole_records(resource, paths)
    fields = dict.fromkeys([*listing.fields, *(each.relation for each in includes)])
    return _restrict_to_id(replace(listing, includes=includes, fields=tuple(fields)), id)


def _paths(parameters: QueryDict) -> list[str]:
    return [path for text in parameters.getlist(INCLUDES) for path in text.split(",")]


def _include_problems(resource: Resource, paths: Iterable[str]) -> Iterator[Problem]:
    for path in paths:
        if path not in resource.includable:
            accepted = resource.includable
            text = cannot_include(resource, path, accepted)
            yield Problem(ResourceErrorCode.INVALID_INCLUDE, INCLUDES, path, text, accepted)


def primary_column(resource: Resource) -> Column | None:
    """Return the column of the primary key; None if the resource hides it."""
    key = resource.model._meta.pk.name
    return next((each for each in resource.columns_by_name.values() if each.field == key), None)


def find_record(listing: Listing, organization_id: str) -> str:
    """Return the JSON of the first record of a list. Raises ApiError if the list is empty."""
    records = listing.page(organization_id, 1, None).records
    if not records:
        raise ApiError(ErrorCode.NOT_FOUND)
    return records[0]


def _restrict_to_id(listing: Listing, id: str) -> Listing:
    """Return a list that contains only the record with this id.

    Raises ApiError for an id that no record can have.
    """
    resource = listing.resource
    column = primary_column(resource)
    if column is None or not storable(id):
        raise ApiError(ErrorCode.NOT_FOUND)
    key_field = valued_field(resource.model._meta.pk)
    order = (Ordering(column.name),)
    if isinstance(key_field, UUIDField | IntegerField | CharField | TextField):
        key = _parse_key(key_field, id)
        return replace(listing, selection=Selection(ordering=order), key=key)
    try:
        # A type whose text form only PostgreSQL knows: the comparison uses no index.
        condition = Condition(column.name, Operator.EQUALS, (canonical(column.kind, id),))
    except ValueError:
        raise ApiError(ErrorCode.NOT_FOUND) from None
    return replace(listing, selection=Selection((condition,), order))


def _parse_key(field: AnyField, text: str) -> int | str | UUID:
    """Return the primary key that a text denotes.

    The spelling must be the API's, except for the case and the hyphens of a UUID.
    Raises ApiError for a text that is not a value of the field.
    """
    try:
        key = field.to_python(text)
    except ValidationError:
        raise ApiError(ErrorCode.NOT_FOUND) from None
    is_spelled = isinstance(key, UUID) or str(key) == text
    is_stored = not isinstance(key, int) or MIN_BIGINT <= key <= MAX_BIGINT
    if not (is_spelled and is_stored):
        raise ApiError(ErrorCode.NOT_FOUND)
    return cast("int | str | UUID", key)
