"""Checks the names of targets in requests: in mappings, and in properties."""

from collections.abc import Iterator, Mapping
from typing import Any

from batches.errors import BatchErrorCode
from batches.targets import Targets, not_a_target
from longshore.api.errors import BaseErrorCode, Problem, display_value
from longshore.resources.errors import ResourceErrorCode


def check_mapping(
    mapping: Mapping[str, str | None], targets: Targets, field: str
) -> Iterator[Problem]:
    """Yield a problem for each header that is mapped to no target.

    field: the field of the request that names the mapping.
    """
    for header, name in mapping.items():
        if name is not None and targets.find(name) is None:
            yield _not_a_target(targets, name, f"{field}.{header}", BatchErrorCode.INVALID_MAPPING)


def check_properties(properties: Mapping[str, Any], targets: Targets) -> Iterator[Problem]:
    """Yield a problem for each property that is not a column, or that cannot have a default."""
    for name, value in properties.items():
        field, code = f"properties.{name}", ResourceErrorCode.INVALID_COLUMN
        target = targets.find(name)
        if target is None:
            yield _not_a_target(targets, name, field, code)
        elif target.column == targets.primary_key:
            text = (
                f"{name} identifies a single record, so properties cannot set it for all records."
            )
            yield Problem(code, field, value, text, _names(targets))
        elif target.path or target.index is not None or name in targets.parts:
            if name in targets.parts:
                rest = "a relation to other records. properties can set columns only."
            else:
                rest = "a part of a value. properties can set whole columns only."
            text = f"{display_value(name)} is {rest}"
            yield Problem(code, field, value, text, _names(targets))


def _not_a_target(targets: Targets, name: str, field: str, code: BaseErrorCode) -> Problem:
    return Problem(code, field, name, not_a_target(targets, name), targets.names)


def _names(targets: Targets) -> list[str]:
    return [name for name in targets.names if name != targets.primary_key.name]
