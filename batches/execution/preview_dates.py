"""The dates of a preview: how each column writes them, and what they leave open."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from batches.request.date_order import DateOrder, decide
from batches.staging import Staging
from batches.targets import Target
from longshore.resources.columns import ColumnType

_ISO_8601 = "ISO 8601"
_DATES = (ColumnType.DATE, ColumnType.DATETIME)


@dataclass(frozen=True)
class DateColumn:
    """How the dates of one column are written. has_time: whether its target is a datetime."""

    header: str
    has_time: bool
    order: DateOrder

    @property
    def pattern(self) -> str | None:
        """The pattern that the column needs; None if it is not decided, or if any will do."""
        if self.order.message:
            return None
        # Dates without a time may be ISO 8601 beside any pattern; datetimes may not.
        return self.order.pattern or (_ISO_8601 if self.has_time else None)

    def as_json(self) -> dict[str, Any]:
        return {
            "header": self.header,
            "pattern": self.order.pattern,
            "with_offset": self.order.with_offset,
            "without_offset": self.order.without_offset,
        }


def find_dates(
    cursor: psycopg.Cursor,
    staging: Staging,
    headers: Sequence[str],
    targets: Sequence[Target | None],
) -> Iterator[DateColumn]:
    """Yield the columns of `Staging.input` that set a date or a datetime and hold dates."""
    for number, (header, target) in enumerate(zip(headers, targets, strict=True)):
        kind = target.column.kind if target and target.column else None
        if kind in _DATES and (order := decide(cursor, staging, number, header)):
            yield DateColumn(header, kind is ColumnType.DATETIME, order)


def open_questions(dates: Sequence[DateColumn]) -> Iterator[dict[str, Any]]:
    """Yield what the dates leave open: orders, and columns that need different patterns."""
    for each in dates:
        if each.order.message:
            examples = [{"row": one.row, "value": one.value} for one in each.order.examples]
            yield ambiguity(each.header, each.order.message, each.order.candidates, examples)
    needed = _needed_patterns(dates)
    if len(needed) > 1:
        columns = " and ".join(f"{header} has {pattern}" for pattern, header in needed.items())
        text = f"The columns need different patterns, but a batch has only one: {columns}."
        yield ambiguity(None, text, list(needed))


def decided_pattern(dates: Sequence[DateColumn]) -> str | None:
    """Return the only pattern that the columns need; None for ISO 8601, or if it is not decided."""
    pattern, *others = [*_needed_patterns(dates)] or [_ISO_8601]
    return None if others or pattern == _ISO_8601 else pattern


def ambiguity(
    header: str | None,
    message: str,
    accepted: Sequence[str],
    examples: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return one of the ambiguities of a preview. header: None if it concerns several columns."""
    return {
        "header": header,
        "message": message,
        "accepted": list(accepted),
        "examples": list(examples),
    }


def _needed_patterns(dates: Sequence[DateColumn]) -> Mapping[str, str]:
    """Return the first column that needs each pattern."""
    needed: dict[str, str] = {}
    for each in dates:
        if each.pattern:
            needed.setdefault(each.pattern, each.header)
    return needed
