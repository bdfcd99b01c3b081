"""The state of the builder: what its form shows and posts, in the form's own terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from exports.request.body import EXPORT_BODY, OUTPUT_OPTIONS, PRESET
from exports.request.file_presets import (
    PRESET_FORMAT,
    FilePreset,
    default_preset,
    preset_options,
)

# Fields of DEFAULTS; None for a field that is absent and has no default.
Values: TypeAlias = Mapping[str, str | bool | int | None]
# The scalar fields of a request that the form shows as they are, with their defaults.
REQUEST_FIELDS = {
    name: EXPORT_BODY[name].default
    for name in ("format", "compression", "max_rows_per_file", "empty", "dry_data", "dedupe")
}
OUTPUT_FIELDS = {
    name: OUTPUT_OPTIONS[name].default
    for name in (
        *("timezone", "datetime_format", "properties", "include_header", "escape_formulas"),
        *("delimiter", "quoting", "bom", "line_end", "decimal_separator", "labels", PRESET),
    )
}
DEFAULTS = REQUEST_FIELDS | OUTPUT_FIELDS
# The languages of filters, named by the fields of a request that hold them.
OPTIONS, FILTERS = "options", "filters"


@dataclass(frozen=True)
class ColumnChoice:
    """A column of the file. header: "" for the path itself."""

    path: str
    header: str = ""


@dataclass(frozen=True)
class FilterRow:
    """One condition.

    key: names the controls of the row in the form.
    field: the name of an option, or the paths that a predicate compares, joined by `|`.
    inside: keys inside a JSON column; "" for the whole value.
    language, operator: OPTIONS with an operator of the native filter language ("" for a value
        without one), or FILTERS with a matcher.
    values: texts as a person writes them.
    shape: how the form shows values of a datetime: SHAPES; "" for the shape of the values.
    """

    key: str
    field: str
    language: str = FILTERS
    operator: str = ""
    values: tuple[str, ...] = ()
    inside: str = ""
    shape: str = ""


@dataclass(frozen=True)
class State:
    """The request that the form shows.

    resource, type: a resource, or the code of a named export; both "" if nothing is chosen yet.
    columns: None for the default columns.
    included: paths of relations whose records are included with all fields.
    fields: paths of single fields of included records.
    order: columns; a minus precedes a descending one.
    values: every field of DEFAULTS.
    metadata: JSON text.
    """

    resource: str = ""
    type: str = ""
    date_from: str = ""
    date_to: str = ""
    columns: tuple[ColumnChoice, ...] | None = None
    included: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    filters: tuple[FilterRow, ...] = ()
    order: tuple[str, ...] = ()
    limit: str = ""
    values: Values = field(default_factory=lambda: DEFAULTS)
    metadata: str = ""


def defaults_of(state: State) -> Values:
    """Return the fields of DEFAULTS with the values that apply if the request has none.

    They depend on the preset of the file, which depends on the source and the format.
    """
    file_format = str(state.values["format"])
    chosen = state.values[PRESET] or default_preset(file_format, is_named=bool(state.type))
    if file_format != PRESET_FORMAT or chosen not in list(FilePreset):
        return DEFAULTS
    options = preset_options(FilePreset(str(chosen)), state.values)
    return DEFAULTS | {name: value for name, value in options.items() if name in DEFAULTS}
