"""The rows of filters as the form shows them: their operators, and the controls of their values."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exports.admin.builder.columns import resource_of
from exports.admin.builder.filter_fields import FilterField, FilterGroup, filter_groups, find_field
from exports.admin.builder.operations import Control, Operation, operation
from exports.admin.builder.state import FilterRow, State
from longshore.resources.columns import ColumnType

# The controls of a datetime, as types of HTML inputs.
SHAPES = {"date": "Day", "datetime-local": "Day and time", "text": "Text"}
_FORMS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d|"),
    "datetime-local": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?|"),
    "number": re.compile(r"-?\d+(\.\d+)?|"),
}
_HINTS = {
    ColumnType.DATETIME: "2025-03-31T14:30:00Z or an epoch",
    ColumnType.DATE: "2025-03-31",
    ColumnType.JSON: '{"key": "value"}',
}


@dataclass(frozen=True)
class ShownFilter:
    """A row of the form.

    field: None for a field that the resource does not have.
    input_type: of the HTML inputs of the values; "select" and "checkboxes" for choices.
    values: of the inputs; one for a single value, two for a range, the ticked choices for a list.
    choices: value and label of each choice.
    shapes: the controls that a person may choose for a datetime.
    is_offered: whether the list of fields has the field.
    """

    row: FilterRow
    field: FilterField | None
    operations: tuple[Operation, ...]
    chosen: Operation
    input_type: str
    values: tuple[str, ...]
    choices: tuple[tuple[str, str], ...]
    hint: str
    shapes: tuple[tuple[str, str], ...]
    is_offered: bool

    @property
    def is_unknown(self) -> bool:
        """Whether a select must offer its value in addition to the choices."""
        return self.values[:1] != () and self.values[0] not in dict(self.choices)

    @property
    def control(self) -> str:
        return self.chosen.control.value

    @property
    def is_json(self) -> bool:
        return self.field is not None and self.field.kind is ColumnType.JSON

    @property
    def label(self) -> str:
        return self.field.label if self.field else self.row.field


def shown_filters(state: State, groups: Iterable[FilterGroup]) -> Iterator[ShownFilter]:
    """Yield the rows of a state. groups: the fields that a row may choose."""
    offered = {field.key for group in groups for field in group.fields}
    for row in state.filters:
        field = find_field(resource_of(state), row.field)
        kind = field.kind if field else ColumnType.TEXT
        chosen = operation(row.language, row.operator, kind)
        operations = field.with_operation(chosen) if field else (chosen,)
        has_choices = field is not None and not row.inside
        choices = _choices(field) if field and has_choices else ()
        shape = _shape(kind, row)
        yield ShownFilter(
            row=row,
            field=field,
            operations=operations,
            chosen=next((each for each in operations if each.key == chosen.key), chosen),
            input_type=_input_type(chosen.control, choices, shape),
            values=_values(chosen.control, row),
            choices=(("true", "true"), ("false", "false"))
            if chosen.control is Control.FLAG
            else choices,
            hint=_HINTS.get(kind, ""),
            shapes=tuple(SHAPES.items()) if kind is ColumnType.DATETIME else (),
            is_offered=row.field in offered,
        )


def offered_filters(state: State) -> list[FilterGroup]:
    """Return the fields that a row may choose."""
    resource = resource_of(state)
    return list(filter_groups(resource)) if resource else []


def _choices(field: FilterField) -> tuple[tuple[str, str], ...]:
    if field.kind is ColumnType.BOOLEAN:
        return (("true", "true"), ("false", "false"))
    return tuple((each, each or "(empty)") for each in field.choices)


def _shape(kind: ColumnType, row: FilterRow) -> str:
    """Return the type of HTML input that can show the values of a row."""
    wanted: tuple[str, ...]
    if kind is ColumnType.DATETIME and row.shape in SHAPES:
        wanted = (row.shape,)
    elif kind is ColumnType.DATETIME:
        wanted = ("date", "datetime-local")
    elif kind is ColumnType.DATE:
        wanted = ("date",)
    else:
        wanted = ("number",) if kind.numeric else ()
    # A browser shows an empty control for a value that its type does not allow.
    fitting = (
        each for each in wanted if each in _FORMS and all(map(_FORMS[each].fullmatch, row.values))
    )
    return next(fitting, "text")


def _input_type(control: Control, choices: tuple[tuple[str, str], ...], shape: str) -> str:
    if control is Control.FLAG:
        return "select"
    if choices and control is not Control.PAIR:
        return "checkboxes" if control is Control.LIST else "select"
    return "textarea" if control is Control.LIST else shape


def _values(control: Control, row: FilterRow) -> tuple[str, ...]:
    if control is Control.PAIR:
        return (*row.values, "", "")[:2]
    return row.values if control is Control.LIST else (*row.values, "")[:1]
