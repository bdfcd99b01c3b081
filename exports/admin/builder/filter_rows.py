"""Converts a row of the builder's filters to a filter of a request, and back.

The values of a row are texts. A list of values is one text with commas or lines, unless the column
has choices, which are ticked.
"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from exports.admin.builder.filter_fields import attribute, find_field, paths_of
from exports.admin.builder.json_texts import json_value
from exports.admin.builder.operations import Control, control_of
from exports.admin.builder.state import FILTERS, OPTIONS, FilterRow
from longshore.resources.budget import InvalidFilter
from longshore.resources.columns import ColumnType
from longshore.resources.comparisons import Operator
from longshore.resources.operands import parse_operand
from longshore.resources.registry import Resource

# The matcher that a flag with the value false means.
_OPPOSITES = {"null": "not_null", "not_null": "null", "blank": "present", "present": "blank"}


def filter_of(resource: Resource | None, row: FilterRow) -> tuple[str, str, Any]:
    """Return the language, the name and the value of the filter that a row describes.

    The name is "" for a row without a field. A filter of `filters` that is not a predicate
    keeps its name, for the parser to explain.
    """
    if not row.field:
        return row.language, "", None
    control = control_of(row.language, row.operator)
    values = list(row.values)
    if control is Control.LIST and not _has_choices(resource, row):
        values = [value for text in values for value in split_values(text)]
    if row.language == OPTIONS:
        name = f"{row.field}.{row.inside}" if row.inside else row.field
        return OPTIONS, name, _operand(row.operator, control, values)
    name = f"{attribute(row.field)}_{row.operator}" if row.operator else row.field
    return FILTERS, name, _matched(row.operator, control, values)


def row_of_option(resource: Resource | None, name: str, raw: Any) -> FilterRow:
    """Return the row of a filter of `options`."""
    name = resource.plural_aliases.get(name, name) if resource else name
    head, _, rest = name.partition(".")
    column = resource.columns_by_name.get(head) if resource else None
    is_json = column is not None and column.kind is ColumnType.JSON
    field, inside = (head, rest) if is_json else (name, "")
    try:
        operator, values = parse_operand(raw, whole_json=is_json and not inside)
    except InvalidFilter:
        return FilterRow("", field, OPTIONS, "", (_text(raw),), inside)
    is_plain = operator is Operator.IN and isinstance(raw, str) and not raw.startswith("in:")
    if is_plain or field == "search":
        # A text with a comma may be one value or a list, which no operator expresses.
        return FilterRow("", field, OPTIONS, "", (_text(raw),), inside)
    if is_json and not inside and operator in (Operator.EQUALS, Operator.NOT_EQUALS):
        texts = [json.dumps(value, ensure_ascii=False) for value in values]
    else:
        texts = [_text(value) for value in values]
    row = FilterRow("", field, OPTIONS, str(operator), tuple(texts), inside)
    return _joined(resource, row)


def row_of_predicate(resource: Resource | None, name: str, raw: Any) -> FilterRow:
    """Return the row of a filter of `filters`."""
    found = paths_of(resource, name) if resource else None
    if found is None:
        return FilterRow("", name, FILTERS, "", (_text(raw),))
    field, matcher = found
    control = control_of(FILTERS, matcher)
    is_false = str(raw).lower() in ("false", "0")
    if control is Control.NONE:
        known = is_false or str(raw).lower() in ("true", "1")
        matcher = _OPPOSITES[matcher] if is_false else matcher
        return FilterRow("", field, FILTERS, matcher, () if known else (_text(raw),))
    if control is Control.FLAG:
        return FilterRow("", field, FILTERS, matcher, ("false" if is_false else _text(raw),))
    if control is Control.LIST:
        values = split_values(raw) if isinstance(raw, str) else raw
        texts = [_text(value) for value in (values if isinstance(values, list) else [values])]
        return _joined(resource, FilterRow("", field, FILTERS, matcher, tuple(texts)))
    text = json.dumps(raw, ensure_ascii=False) if matcher == "jcont" else _text(raw)
    return FilterRow("", field, FILTERS, matcher, (text,))


def split_values(text: str) -> list[str]:
    """Return the values of a text with commas or lines. Quotes keep commas inside a value."""
    rows = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    values = [value for row in rows for value in row]
    if '"' in text:
        return [value for value in values if value]
    return [value.strip() for value in values if value.strip()]


def join_values(values: Iterable[str]) -> str:
    """Return a text that `split_values` splits into the values."""
    return ", ".join(map(_quoted, values))


def _quoted(value: str) -> str:
    is_plain = value == value.strip() and value and not any(each in value for each in ',"\r\n')
    return value if is_plain else '"' + value.replace('"', '""') + '"'


def _joined(resource: Resource | None, row: FilterRow) -> FilterRow:
    """Return the row with its list of values as one text, if the form shows it as a text."""
    is_list = control_of(row.language, row.operator) is Control.LIST
    if not is_list or _has_choices(resource, row):
        return row
    return replace(row, values=(join_values(row.values),))


def _has_choices(resource: Resource | None, row: FilterRow) -> bool:
    field = find_field(resource, row.field)
    return field is not None and bool(field.choices) and not row.inside


def _operand(operator: str, control: Control, values: list[str]) -> str:
    """Return the value of an option in the native filter language."""
    if control is Control.NONE:
        return operator
    if not operator:
        return "".join(values[:1])
    listed = control in (Control.LIST, Control.PAIR)
    text = ",".join(map(_quoted, values)) if listed else "".join(values[:1])
    return f"{operator}:{text}"


def _matched(matcher: str, control: Control, values: list[str]) -> Any:
    """Return the value of a predicate."""
    text = "".join(values[:1])
    if control is Control.LIST:
        return values
    if control is Control.NONE:
        # The form has no control for it; a malformed value is kept for the parser to explain.
        return text or True
    if control is Control.FLAG:
        return {"true": True, "false": False}.get(text, text)
    return json_value(text) if matcher == "jcont" else text


def _text(raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    return json.dumps(raw, ensure_ascii=False, default=str)
