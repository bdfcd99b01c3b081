"""Reads the state of the builder from its form, and applies the buttons that change its shape."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from django.http import QueryDict

from exports.admin.builder.bodies import divide_related
from exports.admin.builder.columns import every_column, resource_of
from exports.admin.builder.file_tiles import apply_tile, follow_preset
from exports.admin.builder.filter_fields import filter_groups, find_field
from exports.admin.builder.state import (
    DEFAULTS,
    FILTERS,
    ColumnChoice,
    FilterRow,
    State,
    Values,
    defaults_of,
)

MAX_ROWS = 100
RESOURCE_PREFIX, TYPE_PREFIX = "resource:", "type:"
# Values of controls whose values a form cannot send unchanged: browsers change line ends.
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}
_NAMED_VALUES: Mapping[str, Mapping[str, str]] = {"delimiter": DELIMITERS, "line_end": LINE_ENDS}


def source_of(state: State) -> str:
    """Return the value of the control that chooses a resource or a named export."""
    if state.type:
        return f"{TYPE_PREFIX}{state.type}"
    return f"{RESOURCE_PREFIX}{state.resource}" if state.resource else ""


def read_state(form: QueryDict) -> State:
    """Return the state that a form posts. Ignores rows beyond MAX_ROWS."""
    source = form.get("source", "")
    state = State(
        resource=source.removeprefix(RESOURCE_PREFIX) if source.startswith(RESOURCE_PREFIX) else "",
        type=source.removeprefix(TYPE_PREFIX) if source.startswith(TYPE_PREFIX) else "",
    )
    columns = None
    if form.get("columns") == "chosen":
        pairs = zip(form.getlist("column"), form.getlist("header"), strict=False)
        columns = tuple(ColumnChoice(*each) for each in pairs)
    included, fields = divide_related(form.getlist("field"))
    order = zip(form.getlist("order"), form.getlist("direction"), strict=False)
    return replace(
        state,
        date_from=form.get("date_from", ""),
        date_to=form.get("date_to", ""),
        columns=columns,
        included=included,
        fields=fields,
        filters=tuple(_row(form, key) for key in form.getlist("filter")[:MAX_ROWS]),
        order=tuple(
            f"-{name}" if direction == "desc" else name for name, direction in order if name
        ),
        limit=form.get("limit", "").strip(),
        values=_values(form, state),
        metadata=form.get("metadata", ""),
    )


def _row(form: QueryDict, key: str) -> FilterRow:
    language, _, operator = form.get(f"{key}.operator", "").partition(":")
    return FilterRow(
        key,
        form.get(f"{key}.field", ""),
        language or FILTERS,
        operator,
        tuple(form.getlist(f"{key}.value")),
        form.get(f"{key}.inside", "").strip(),
        form.get(f"{key}.shape", ""),
    )


def _values(form: QueryDict, state: State) -> Values:
    """Return the settings of the file; the defaults if the form does not show them yet."""
    if "file" not in form:
        return defaults_of(state)
    return {name: _value(form, name, default) for name, default in DEFAULTS.items()}


def _value(form: QueryDict, name: str, default: object) -> str | bool | int | None:
    if isinstance(default, bool):
        return name in form
    text = form.get(name, "")
    if name in _NAMED_VALUES:
        return _NAMED_VALUES[name].get(text, text or str(default))
    if name == "empty":
        return "error" if text else "allow"
    if name == "max_rows_per_file" and text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    return text or (None if default is None else str(default))


def apply(state: State, action: str) -> State:
    """Return the state after a button was pressed.

    action: a name of `_ACTIONS`, or a name and an argument joined by a colon. Any other action
        changes nothing.
    """
    name, _, argument = action.partition(":")
    change = _ACTIONS.get(name)
    return change(state, argument) if change else state


def _choose_source(state: State, _: str) -> State:
    """Keep what another resource has too: the settings of the file."""
    kept = State(
        resource=state.resource, type=state.type, values=state.values, metadata=state.metadata
    )
    return follow_preset(kept)


def _add_filter(state: State, _: str) -> State:
    resource = resource_of(state)
    if resource is None or len(state.filters) >= MAX_ROWS:
        return state
    used = {row.key for row in state.filters}
    key = next(name for number in range(MAX_ROWS + 1) if (name := f"f{number}") not in used)
    fields = next(filter_groups(resource)).fields
    # A column with choices, such as a status, is the most likely one; the key is not.
    first = next((each for each in fields if each.choices), fields[min(1, len(fields) - 1)])
    chosen = first.operations[0]
    row = FilterRow(key, first.key, chosen.language, chosen.operator)
    return replace(state, filters=(*state.filters, row))


def _choose_field(state: State, key: str) -> State:
    """Give a row the default operator of its new field, and no values."""

    def changed(row: FilterRow) -> FilterRow:
        field = find_field(resource_of(state), row.field)
        if row.key != key or field is None:
            return row
        chosen = field.operations[0]
        return FilterRow(key, row.field, chosen.language, chosen.operator)

    return replace(state, filters=tuple(map(changed, state.filters)))


def _add_order(state: State, _: str) -> State:
    resource = resource_of(state)
    if resource is None:
        return state
    used = {name.removeprefix("-") for name in state.order}
    sortable = [name for name, each in resource.columns_by_name.items() if each.kind.sortable]
    first = [resource.default_order] if resource.default_order else []
    unused = [name for name in (*first, *sortable) if name not in used]
    return replace(state, order=(*state.order, *unused[:1]))


_ACTIONS: dict[str, Callable[[State, str], State]] = {
    "source": _choose_source,
    "default-columns": lambda state, _: replace(state, columns=None),
    "all-columns": lambda state, _: replace(state, columns=every_column(state)),
    "no-columns": lambda state, _: replace(state, columns=()),
    "add-filter": _add_filter,
    "field": _choose_field,
    "add-order": _add_order,
    "file": apply_tile,
    "preset": lambda state, _: follow_preset(state),
}
