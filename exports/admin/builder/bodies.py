"""Converts the state of the builder to the body of a request, and back.

`body_of` and `state_of` are inverse up to spelling: `parse_export(body_of(state_of(body)))` selects
the same records and writes the same file as `parse_export(body)`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from exports.admin.builder.columns import default_columns, every_column, resource_of
from exports.admin.builder.filter_rows import filter_of, row_of_option, row_of_predicate
from exports.admin.builder.json_texts import json_value
from exports.admin.builder.state import (
    DEFAULTS,
    FILTERS,
    OPTIONS,
    OUTPUT_FIELDS,
    REQUEST_FIELDS,
    ColumnChoice,
    FilterRow,
    State,
    defaults_of,
)
from exports.formats import formats
from exports.request.body import ALL_COLUMNS, DATE_FROM, DATE_TO, TYPE
from exports.request.includes import EVERY_COLUMN
from exports.spec import OUTPUT
from longshore.jobs.admin.presentation import json_text
from longshore.resources.export_types import export_types
from longshore.resources.filters import DIRECTION, LIMIT, ORDER_BY
from longshore.resources.registry import Resource

_ALL = "all"


def body_of(state: State) -> dict[str, Any]:
    """Return the body of the request that a state describes. Fields with defaults are left out."""
    options: dict[str, Any] = {}
    filters: dict[str, Any] = {}
    resource = resource_of(state)
    for row in state.filters:
        language, name, value = filter_of(resource, row)
        if name:
            (options if language == OPTIONS else filters)[name] = value
    if state.order:
        options[ORDER_BY] = ",".join(state.order)
    if state.limit:
        options[LIMIT] = _whole(state.limit)
    own = [EVERY_COLUMN] if state.columns is None else [each.path for each in state.columns]
    fields = [*own, *state.fields] if state.fields else []
    body: dict[str, Any] = {TYPE: state.type} if state.type else {"resource": state.resource}
    body |= {DATE_FROM: state.date_from, DATE_TO: state.date_to}
    body |= {OPTIONS: options, FILTERS: filters, "includes": list(state.included), "fields": fields}
    body |= {
        name: state.values.get(name)
        for name, default in REQUEST_FIELDS.items()
        if state.values.get(name) != default
    }
    body |= {
        OUTPUT: _output(state),
        "metadata": json_value(state.metadata) if state.metadata.strip() else None,
    }
    return {name: value for name, value in body.items() if value not in (None, "", {}, [])}


def repeated_filters(state: State) -> list[FilterRow]:
    """Return the rows that a request cannot hold, because an earlier row has the same name."""
    seen: set[tuple[str, str]] = set()
    repeated = []
    resource = resource_of(state)
    for row in state.filters:
        language, name, _ = filter_of(resource, row)
        if name and (language, name) in seen:
            repeated.append(row)
        seen.add((language, name))
    return repeated


def state_of(body: Mapping[str, Any]) -> State:
    """Return the state that shows a request. Ignores parts that are malformed."""
    output = _mapping(body.get(OUTPUT))
    options = _mapping(body.get(OPTIONS))
    known_type = export_types.by_code.get(str(body.get(TYPE)))
    source = State(
        resource="" if known_type else str(body.get("resource") or ""),
        type=known_type.code if known_type else "",
    )
    resource = resource_of(source)
    values = {
        name: part[name]
        for part, names in ((body, REQUEST_FIELDS), (output, OUTPUT_FIELDS))
        for name in names
        if part.get(name) is not None
    }
    values = {**defaults_of(replace(source, values={**DEFAULTS, **values})), **values}
    rows = [
        row_of_option(resource, name, raw)
        for name, raw in options.items()
        if name not in (ORDER_BY, DIRECTION, LIMIT)
    ]
    rows += [row_of_predicate(resource, *each) for each in _mapping(body.get(FILTERS)).items()]
    columns, included, fields = _selected(body, output, replace(source, values=values))
    limit, metadata = options.get(LIMIT), body.get("metadata")
    return replace(
        source,
        date_from=_text(body.get(DATE_FROM)),
        date_to=_text(body.get(DATE_TO)),
        columns=columns,
        included=included,
        fields=fields,
        filters=tuple(numbered(rows)),
        order=_order(options, resource),
        limit="" if limit == _ALL else _text(limit),
        values=values,
        metadata="" if metadata is None else json_text(metadata),
    )


def numbered(rows: list[FilterRow]) -> list[FilterRow]:
    """Return rows with keys by their position."""
    return [replace(row, key=f"f{number}") for number, row in enumerate(rows)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _whole(text: str) -> int | str:
    """Return a whole number; any other text as it is, for the parser to refuse."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text


def _output(state: State) -> dict[str, Any]:
    output: dict[str, Any] = {}
    if state.columns is not None and not state.fields:
        output["columns"] = {each.path: each.header or True for each in state.columns}
    elif headers := {each.path: each.header for each in state.columns or () if each.header}:
        # The parser explains that `fields` excludes headers.
        output["columns"] = headers
    chosen = formats.get(str(state.values.get("format")))
    special = frozenset[str]().union(*(each.options for each in formats.values()))
    defaults = defaults_of(state)
    for name in OUTPUT_FIELDS:
        is_supported = name not in special or (chosen is not None and name in chosen.options)
        value = state.values.get(name)
        if is_supported and value not in (defaults[name], None, ""):
            output[name] = value
    return output


def _selected(
    body: Mapping[str, Any], output: Mapping[str, Any], state: State
) -> tuple[tuple[ColumnChoice, ...] | None, tuple[str, ...], tuple[str, ...]]:
    """Return the columns, the included relations and the single fields of included records."""
    resource = resource_of(state)
    included = _prefixes(_texts(body.get("includes")))
    if body.get("fields") is None:
        return _columns(output, replace(state, included=tuple(included))), tuple(included), ()
    own: dict[str, None] = {}
    related: dict[str, None] = {}
    for path in _texts(body.get("fields")):
        if resource and path in resource.includable:
            related[f"{path}.{EVERY_COLUMN}"] = None
        else:
            (related if "." in path else own)[path] = None
    for path in included:
        # `fields` restricts a relation to the fields that it names.
        if not any(each.startswith(f"{path}.") for each in related):
            related[f"{path}.{EVERY_COLUMN}"] = None
    whole, fields = divide_related(related)
    if fields:
        columns = None if list(own) == [EVERY_COLUMN] else tuple(map(ColumnChoice, own))
        return columns, (), fields
    # Every record is included in full: the form writes `includes`, which allow headers.
    every = tuple(resource.columns_by_name) + resource.embedded if resource else ()
    if list(own) == [EVERY_COLUMN] and whole:
        return None, whole, ()
    names = dict.fromkeys(
        name for path in own for name in (every if path == EVERY_COLUMN else (path,))
    )
    return tuple(map(ColumnChoice, names)), whole, ()


def divide_related(related: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the `included` and the `fields` of a state; one of them is empty.

    related: paths in `fields` of a request, below relations.
    Records that are all included in full need no `fields`, which exclude renamed columns.
    """
    paths = list(related)
    whole = [path.removesuffix(f".{EVERY_COLUMN}") for path in paths]
    if paths == [f"{path}.{EVERY_COLUMN}" for path in _prefixes(whole)]:
        return tuple(whole), ()
    return (), tuple(paths)


def _prefixes(paths: Iterable[str]) -> list[str]:
    """Return the paths, each after the relations that lead to it."""
    steps = (path.split(".") for path in paths)
    prefixes = (".".join(each[: end + 1]) for each in steps for end in range(len(each)))
    return list(dict.fromkeys(prefixes))


def _columns(output: Mapping[str, Any], state: State) -> tuple[ColumnChoice, ...] | None:
    given, order = output.get("columns"), _texts(output.get("column_order"))
    if given == ALL_COLUMNS:
        headers = {each.path: "" for each in every_column(state)}
    elif isinstance(given, Mapping):
        headers = {
            name: header if isinstance(header, str) else ""
            for name, header in given.items()
            if header is not False
        }
    elif isinstance(given, list):
        headers = dict.fromkeys(_texts(given), "")
    elif order:
        headers = {each.path: each.header for each in default_columns(state)}
        headers |= {name: headers.get(name, "") for name in order}
    else:
        return None
    names = dict.fromkeys([*(name for name in order if name in headers), *headers])
    return tuple(ColumnChoice(name, headers[name]) for name in names)


def _texts(given: Any) -> list[str]:
    return [each for each in given if isinstance(each, str)] if isinstance(given, list) else []


def _order(options: Mapping[str, Any], resource: Resource | None) -> tuple[str, ...]:
    raw = options.get(ORDER_BY)
    descending = options.get(DIRECTION) == "desc"
    if raw is None:
        by_default = resource.default_order if resource and options.get(DIRECTION) else None
        named = [by_default] if by_default else []
    else:
        named = raw.split(",") if isinstance(raw, str) else _texts(raw)
    ordering = []
    for name in map(str.strip, named):
        is_descending = name.startswith("-") != descending
        ordering.append(f"-{name.removeprefix('-')}" if is_descending else name.removeprefix("-"))
    return tuple(ordering)
