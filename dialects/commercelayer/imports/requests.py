"""Reads the attributes of a new import as the request and the input of a batch."""

import csv
import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from batches.request.parser import parse_batch
from batches.spec import BatchSpec, InputFormat, Mode, OnError
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
from longshore.accounts.models import Organization
from longshore.api.errors import ErrorCode, Problems

_TYPE, _PARENT, _SKIP_ERRORS = "resource_type", "parent_resource_id", "skip_errors"
ATTRIBUTES = (_TYPE, "format", _PARENT, "inputs", _SKIP_ERRORS, *CLIENT_ATTRIBUTES)
# The column that `parent_resource_id` sets, by resource.
PARENTS = {
    "coupon": "promotion_rule_id",
    "line_item": "order_id",
    "price": "price_list_id",
    "price_tier": "price_id",
    "sku_list_item": "sku_list_id",
    "stock_item": "stock_location_id",
}
# Without `skip_errors`, an import writes nothing if more than a tenth of its records have errors.
_MAX_ERRORS_SHARE = 10
_NAMES = {"resource": _TYPE, "properties": _PARENT}


@dataclass(frozen=True)
class ImportRequest:
    """A parsed request.

    body: the native request. name, content: the input as a file, compressed with gzip.
    """

    spec: BatchSpec
    body: Mapping[str, Any]
    name: str
    content: bytes


def read_import(attributes: Mapping[str, Any], organization: Organization) -> ImportRequest:
    """Parse the attributes of a new import, some of `ATTRIBUTES`.

    Raises InvalidInput with every problem.
    """
    problems = Problems()
    given = read_client_attributes(attributes, problems)
    resource = read_resource(attributes.get(_TYPE), pointer(_TYPE), problems)
    file_format = read_format(attributes, problems)
    skips = read_flag(attributes, _SKIP_ERRORS, problems)
    content, size = _input(attributes.get("inputs"), file_format, problems)
    parent = attributes.get(_PARENT)
    properties = _properties(parent, resource, problems)
    if problems:
        problems.refuse()
    extras = {_PARENT: parent, _SKIP_ERRORS: skips or None, "inputs_size": size}
    on_error: Any = OnError.SKIP if skips else {"max_errors": size // _MAX_ERRORS_SHARE}
    body = {
        "resource": resource,
        "mode": Mode.ASYNC.value,
        "format": file_format,
        "compression": "gzip",
        "timezone": "UTC",
        "on_error": on_error,
        **({"properties": properties} if properties else {}),
        "metadata": merged({}, given, extras),
    }
    with naming_attributes(_NAMES):
        spec = parse_batch(body, organization, has_file=True).spec
    # The level of a stream that is written once and read once.
    compressed = gzip.compress(content, compresslevel=1)
    return ImportRequest(spec, body, f"inputs.{file_format}.gz", compressed)


def _input(inputs: Any, file_format: str, problems: Problems) -> tuple[bytes, int]:
    """Return the content of the input, and the number of its records."""
    if file_format == InputFormat.CSV:
        accepted = "a string of CSV with a header"
        if isinstance(inputs, str) and inputs.strip():
            try:
                # Lines may end with carriage returns.
                rows = sum(1 for row in csv.reader(io.StringIO(inputs, newline=None)) if row)
            except csv.Error as error:
                text = f"inputs is not valid CSV: {error}."
                problems.report(
                    ErrorCode.INVALID_REQUEST, pointer("inputs"), inputs, text, accepted
                )
                return b"", 0
            return inputs.encode(), max(0, rows - 1)
    else:
        is_list = isinstance(inputs, list) and bool(inputs)
        if is_list and all(isinstance(each, Mapping) for each in inputs):
            return json.dumps(inputs, ensure_ascii=False).encode(), len(inputs)
        accepted = "an array of at least one object"
    text = f"inputs must be {accepted}."
    problems.report(ErrorCode.INVALID_REQUEST, pointer("inputs"), inputs, text, accepted)
    return b"", 0


def _properties(parent: Any, resource: str | None, problems: Problems) -> dict[str, Any]:
    """Return the value that every record without it gets: the id of its parent."""
    if parent is None or resource is None:
        return {}
    column = PARENTS.get(resource)
    if column is None or not isinstance(parent, str):
        if column is None:
            accepted = f"omit {_PARENT}"
            text = f"Records of {resource} have no parent: {accepted}."
        else:
            accepted = f"a string, the value of {column}"
            text = f"{_PARENT} must be {accepted}."
        problems.report(ErrorCode.INVALID_REQUEST, pointer(_PARENT), parent, text, accepted)
        return {}
    return {column: parent}
