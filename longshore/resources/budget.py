"""The budget that all filters of a request share; each filter also has limits of its own."""

import json
from collections.abc import Sequence
from typing import Any

from longshore.api.errors import Problem
from longshore.resources.errors import ResourceErrorCode

# With or without an index, PostgreSQL plans and runs a statement of this size within the timeout.
MAX_COMPARISONS = 200
MAX_VALUES = 10_000
MAX_CHARACTERS = 300_000


class InvalidFilter(Exception):
    """An invalid filter.

    accepted: what would be valid, for the `accepted` of the problem.
    """

    def __init__(self, message: str, accepted: Any = None) -> None:
        super().__init__(message)
        self.accepted = accepted

    def problem(self, field: str, value: Any) -> Problem:
        return Problem(ResourceErrorCode.INVALID_FILTER, field, value, str(self), self.accepted)


def too_many_values(number: int, attributes: int = 1) -> InvalidFilter:
    """Return the error of a filter with too many values for each of its attributes."""
    each = f" for each of {attributes} attributes" if attributes > 1 else ""
    maximum = MAX_VALUES // attributes
    text = f"The filter has {number:,} values{each}; the maximum is {maximum:,}."
    return InvalidFilter(text, f"at most {maximum:,} values")


def empty_list() -> InvalidFilter:
    """Return the error of a filter whose list has no values."""
    return InvalidFilter("An empty list selects nothing.", "a list with at least one value")


class Budget:
    """Counts the comparisons and values of a request's filters before any value is parsed."""

    def __init__(self) -> None:
        self._comparisons = self._values = self._characters = 0

    def spend(self, values: Sequence[Any], comparisons: int = 1) -> None:
        """Count a filter that compares all values `comparisons` times.

        Raises InvalidFilter if the request exceeds a maximum.
        """
        if len(values) > MAX_VALUES:
            raise too_many_values(len(values))
        self._comparisons += comparisons
        self._values += comparisons * len(values)
        _check(self._comparisons, MAX_COMPARISONS, "comparisons")
        _check(self._values, MAX_VALUES, "values")
        self._characters += comparisons * sum(map(_characters, values))
        _check(self._characters, MAX_CHARACTERS, "characters of values")


def _check(number: int, maximum: int, noun: str) -> None:
    if number > maximum:
        raise InvalidFilter(
            f"The filters of the request have more than {maximum:,} {noun} in total.",
            f"at most {maximum:,} {noun} in all filters; each attribute joined by _or_ counts",
        )


def _characters(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(json.dumps(value, default=str))
