"""Assigns the problems that the parser reports to the controls of the form."""

from collections.abc import Iterable
from dataclasses import dataclass

from exports.admin.builder.bodies import repeated_filters
from exports.admin.builder.columns import resource_of
from exports.admin.builder.filter_rows import filter_of
from exports.admin.builder.state import State
from exports.spec import OUTPUT
from longshore.api.errors import Problem

_RENAMED = {
    "resource": "source",
    "type": "source",
    "options.order_by": "order",
    "options.direction": "order",
    "options.limit": "limit",
    "includes": "related",
    "fields": "related",
    f"{OUTPUT}.columns": "columns",
    f"{OUTPUT}.column_order": "columns",
}
_COLUMN = f"{OUTPUT}.columns."
_LISTS = ("includes", "fields", f"{OUTPUT}.column_order")


@dataclass(frozen=True)
class PlacedProblem:
    """A message and the control that it belongs to.

    place: value of `data-place` in the form: the name of a control, `column:<path>` or
        `filter:<key of the row>`. "" for the whole form.
    """

    place: str
    message: str


def placed(problems: Iterable[Problem], state: State) -> list[PlacedProblem]:
    """Return the problems of the request that a state describes."""
    rows = {}
    for row in state.filters:
        language, name, _ = filter_of(resource_of(state), row)
        rows[f"{language}.{name}"] = f"filter:{row.key}"
    return [PlacedProblem(_place(each.field, rows), each.message) for each in problems]


def form_problems(state: State) -> list[PlacedProblem]:
    """Return the problems that the parser cannot see, because the request cannot hold them."""
    text = "Another filter compares the same field with the same operator. Change or remove one."
    return [PlacedProblem(f"filter:{row.key}", text) for row in repeated_filters(state)]


def _place(field: str, rows: dict[str, str]) -> str:
    if field in rows:
        return rows[field]
    if field.startswith(_COLUMN):
        return f"column:{field.removeprefix(_COLUMN)}"
    for name in _LISTS:
        if field.startswith(f"{name}."):
            field = name
    return _RENAMED.get(field, field.removeprefix(f"{OUTPUT}."))
