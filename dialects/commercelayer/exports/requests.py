"""Reads the attributes of a new export, and creates the export within the vendor's limit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings

from dialects.commercelayer.jobs.attributes import (
    CLIENT_ATTRIBUTES,
    merged,
    naming_attributes,
    pointer,
    read_client_attributes,
    read_flag,
    read_format,
)
from dialects.commercelayer.names import read_resource
from exports.lifecycle import creation
from exports.models import Export
from exports.request.parser import parse_export
from exports.spec import OUTPUT
from longshore.accounts.models import ApiKey
from longshore.api.errors import Problems

_TYPE, _JWT_FILTERS = "resource_type", "jwt_filters"
# Attributes that the native body also has.
_SHARED = ("includes", "fields", "filters", "dry_data")
ATTRIBUTES = (_TYPE, "format", *_SHARED, _JWT_FILTERS, *CLIENT_ATTRIBUTES)
# Times as the vendor writes them: UTC, to the millisecond.
_OUTPUT = {"timezone": "UTC", "datetime_format": "yyyy-MM-dd'T'HH:mm:ss.SSSX"}
_NAMES = {"resource": _TYPE}


def create(api_key: ApiKey, attributes: Mapping[str, Any]) -> Export:
    """Create an export. attributes: some of `ATTRIBUTES`.

    Raises InvalidInput with every problem of the attributes, and ApiError if a limit is exceeded.
    """
    body = native_body(attributes)
    with naming_attributes(_NAMES):
        spec = parse_export(body)
    spec = replace(spec, max_records=settings.COMMERCELAYER_MAX_RECORDS or None)
    export, _ = creation.create(api_key.organization, api_key, body, spec)
    return export


def native_body(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the native request of an export. Raises InvalidInput."""
    problems = Problems()
    given = read_client_attributes(attributes, problems)
    resource = read_resource(attributes.get(_TYPE), pointer(_TYPE), problems)
    file_format = read_format(attributes, problems)
    # A token has the scope of all markets, so a filter by its scope selects every record.
    jwt_filters = read_flag(attributes, _JWT_FILTERS, problems)
    if problems:
        problems.refuse()
    # Clients send empty lists and objects for what they do not use.
    shared = {name: attributes[name] for name in _SHARED if attributes.get(name)}
    if "fields" not in shared:
        # The native default also shows fields of related records. The vendor shows their ids.
        shared.setdefault("includes", [])
    metadata = merged({}, given, {_JWT_FILTERS: jwt_filters or None})
    return {
        "resource": resource,
        "format": file_format,
        "compression": "gzip",
        **shared,
        OUTPUT: _OUTPUT,
        "empty": "error",
        **({"metadata": metadata} if metadata else {}),
    }
