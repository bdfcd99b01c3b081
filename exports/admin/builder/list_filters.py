"""Expresses the filters of an admin's list as filters of a request for an export."""

from collections.abc import Iterable, Mapping
from typing import Any

from exports.admin.builder.filter_fields import attribute, find_field
from exports.admin.builder.state import FILTERS, OPTIONS
from longshore.resources.columns import ColumnType
from longshore.resources.conditions import SEARCH
from longshore.resources.registry import Resource

# Django's lookups, and the matchers with the same meaning.
_MATCHERS = {
    "exact": "eq",
    "in": "in",
    "gte": "gteq",
    "gt": "gt",
    "lte": "lteq",
    "lt": "lt",
    "icontains": "cont",
    "istartswith": "start",
    "iendswith": "end",
    "isnull": "null",
}
_BOOLEANS = {"1": "true", "0": "false", "True": "true", "False": "false"}


def filters_of_list(
    resource: Resource, params: Mapping[str, Any], term: str
) -> tuple[str, dict[str, Any]] | None:
    """Return the id of an organization ("" for none) and the body of a request.

    params: the filters of a ChangeList, by lookup. term: of the search box.
    Returns None if an export cannot have these filters.
    """
    organization = ""
    body: dict[str, Any] = {"resource": resource.name}
    filters: dict[str, Any] = {}
    for name, given in params.items():
        values = [str(each) for each in given] if isinstance(given, list) else [str(given)]
        path, matcher = _parsed(name)
        if path in _organization_paths(resource) and matcher == "eq" and len(values) == 1:
            organization = values[0]
            continue
        found = _filter(resource, path, matcher, values)
        if found is None:
            return None
        filters |= found
    if term:
        if not resource.search:
            return None
        body[OPTIONS] = {SEARCH: term}
    if filters:
        body[FILTERS] = filters
    return organization, body


def _parsed(name: str) -> tuple[str, str]:
    """Return the path and the matcher of a lookup, such as `location__id__exact`."""
    *steps, last = name.split("__")
    if last in _MATCHERS and steps:
        return ".".join(steps), _MATCHERS[last]
    return ".".join([*steps, last]), "eq"


def _organization_paths(resource: Resource) -> Iterable[str]:
    if resource.organization is None:
        return ()
    path = resource.organization.replace("__", ".")
    return (path, f"{path}.id", f"{path}.pk")


def _filter(
    resource: Resource, path: str, matcher: str, values: list[str]
) -> dict[str, Any] | None:
    base, _, last = path.rpartition(".")
    is_key = bool(base) and last in ("id", "pk")
    field = find_field(resource, f"{base}_id" if is_key else path) or find_field(resource, path)
    if field is None:
        return None
    if matcher == "in":
        values = [each for value in values for each in value.split(",")]
    elif len(values) > 1:
        matcher = "in"
    if f"{FILTERS}:{matcher}" not in {each.key for each in field.operations}:
        return None
    if field.kind is ColumnType.BOOLEAN or matcher == "null":
        values = [_BOOLEANS.get(value, value) for value in values]
    value: Any = values if matcher == "in" else values[0]
    return {f"{attribute(field.key)}_{matcher}": value}
