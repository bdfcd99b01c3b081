"""Numbered pages of a queryset: the number and the size of a page, and the number of all rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model, QuerySet

from longshore.api.errors import BaseErrorCode, ErrorCode, InvalidInput, Problem, Problems

# PostgreSQL reads all rows before a page.
MAX_ROWS = 100_000
_MAX_DIGITS = 6

_Model = TypeVar("_Model", bound=Model)


@dataclass(frozen=True, slots=True)
class PageParameters:
    """The query parameters of a list with numbered pages, as its vendor documents them.

    number, size: the names of the parameters.
    """

    number: str
    size: str
    default_size: int
    max_size: int

    def read(self, parameters: Mapping[str, str]) -> "PageRequest":
        """Return the page that a request asks for. Raises InvalidInput for all its mistakes."""
        problems = Problems()
        number = _read(parameters, self.number, 1, MAX_ROWS, ErrorCode.INVALID_REQUEST, problems)
        size = _read(
            parameters,
            self.size,
            self.default_size,
            self.max_size,
            ErrorCode.INVALID_LIMIT,
            problems,
        )
        if problems:
            problems.refuse()
        if number * size > MAX_ROWS:
            message = f"Page {number} of {size} rows is beyond the first {MAX_ROWS:,} rows."
            accepted = f"a page up to {MAX_ROWS // size}; filter the list to reach other rows"
            code = ErrorCode.INVALID_REQUEST
            raise InvalidInput(Problem(code, self.number, str(number), message, accepted))
        return PageRequest(number, size)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A page: its number, counted from 1, and the number of its rows."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def of(self, queryset: QuerySet[_Model]) -> "NumberedPage[_Model]":
        """Read the rows and count all, in two queries. The queryset must have a total order."""
        total = queryset.order_by().count()
        rows = queryset[self.offset : self.offset + self.size] if self.offset < total else ()
        return NumberedPage(self, list(rows), total)


@dataclass(frozen=True, slots=True)
class NumberedPage(Generic[_Model]):
    """The rows of a page. total: the number of rows of all pages."""

    request: PageRequest
    rows: Sequence[_Model]
    total: int

    @property
    def count(self) -> int:
        """The number of pages."""
        return -(-self.total // self.request.size)

    @property
    def has_more(self) -> bool:
        return self.request.offset + len(self.rows) < self.total and bool(self.rows)


def _read(
    parameters: Mapping[str, str],
    name: str,
    default: int,
    maximum: int,
    code: BaseErrorCode,
    problems: Problems,
) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and 0 < int(text) <= maximum:
        return int(text)
    accepted = f"a whole number from 1 to {maximum}"
    problems.report(code, name, text, f"{name} must be {accepted}, not {text!r}.", accepted)
    return default
