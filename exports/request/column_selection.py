"""Parses `columns` and `column_order`: the columns of a file, their headers and their order."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from exports.request.body import ALL_COLUMNS, MAX_HEADER_BYTES
from exports.request.includes import RequestedIncludes
from exports.spec import OUTPUT, Nesting, OutputColumn
from exports.sql.nesting import find_collision, layout_columns
from longshore.api.errors import Problems, display_value
from longshore.api.suggestions import did_you_mean
from longshore.database.texts import storable
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.labels import path_label
from longshore.resources.registry import Resource

_COLUMNS = f"{OUTPUT}.columns"
_COLUMN_ORDER = f"{OUTPUT}.column_order"


class ColumnSelection:
    """Parses `columns` and `column_order` of one request.

    output: `csv_field_options` of the request.
    is_for_people: as of the file's format.
    requested: the includes of the request; their relations are columns too.
    """

    def __init__(
        self,
        resource: Resource,
        output: Mapping[str, Any],
        requested: RequestedIncludes,
        problems: Problems,
        *,
        is_for_people: bool,
    ) -> None:
        self._resource = resource
        self._output = output
        self._requested = requested
        self._relations = [include.relation for include in requested.includes]
        self._problems = problems
        self._is_for_people = is_for_people

    def parse(self) -> tuple[OutputColumn, ...]:
        """Return the columns in the order of the file."""
        selected = self._selected()
        if selected is None:
            return ()
        names = dict.fromkeys([*selected, *self._relations])
        selected = {
            name: selected.get(name, True)
            for name in self._requested.names_kept(self._resource, names)
        }
        headers: dict[str, str] = {}
        for name, header in selected.items():
            if problem := self._problem_of(name, header, headers):
                self._report(f"{_COLUMNS}.{name}", header, *problem)
            elif header is not False:
                headers[name] = name if header is True else header
        if self._output["labels"]:
            headers = self._with_labels(selected, headers)
        if all(header is False for header in selected.values()):
            self._refuse_empty(selected)
        return tuple(OutputColumn(name, headers[name]) for name in self._order(headers))

    def check_headers(self, columns: tuple[OutputColumn, ...], nesting: Nesting) -> None:
        """Report two columns that can produce the same header with this nesting."""
        includes = self._requested.includes
        layouts = layout_columns(
            self._resource, columns, nesting, includes, labels=self._output["labels"]
        )
        if pair := find_collision(layouts):
            one, other = pair
            text = f"The columns {one.path} and {other.path} can produce the same header."
            accepted = f"only one of them, or other headers than {one.header} and {other.header}"
            self._report(_COLUMNS, [one.path, other.path], text, accepted)

    def _selected(self) -> dict[str, Any] | None:
        """Return the header, true or false of each column; None if `columns` is malformed."""
        given = self._output.get("columns")
        if given is None:
            names = self._requested.columns
            return dict.fromkeys(self._default() if names is None else names, True)
        if given == ALL_COLUMNS:
            return dict.fromkeys(self._resource.names, True)
        if isinstance(given, Mapping):
            return dict(given)
        if isinstance(given, list) and all(isinstance(name, str) for name in given):
            for name in (name for name, times in Counter(given).items() if times > 1):
                text = f"The column {display_value(name)} is listed twice."
                self._report(_COLUMNS, name, text, "each column once")
            return dict.fromkeys(given, True)
        accepted = f"an object, a list of names or {ALL_COLUMNS}"
        text = f"{_COLUMNS} must be {accepted}, not {display_value(given)}."
        self._report(_COLUMNS, given, text, '{"<column>": true}')
        return None

    def _default(self) -> Iterable[str]:
        """Return the columns of a request that names none; those of `column_order` are added."""
        default = self._resource.default_columns if self._is_for_people else ()
        order = self._output.get("column_order")
        ordered = (
            [each for each in order if self._is_known(each)] if isinstance(order, list) else []
        )
        return (*default, *ordered) if default else self._resource.names

    def _is_known(self, name: Any) -> bool:
        return isinstance(name, str) and (self._resource.has_path(name) or name in self._relations)

    def _problem_of(
        self, name: str, header: Any, headers: Mapping[str, str]
    ) -> tuple[str, object] | None:
        """Return the error message and the accepted values of a header; None if it is accepted.

        header: true, false or the header in the request. headers: of the columns before it.
        """
        resource = self._resource
        if not self._is_known(name):
            hint = did_you_mean(name, resource.paths)
            return f"{resource.name} has no column {display_value(name)}{hint}", resource.names
        accepted = f"true, false, or a header of up to {MAX_HEADER_BYTES} bytes"
        text = name if header is True else header
        if header is False:
            return None
        if not isinstance(text, str) or not _is_header(text):
            return f"{display_value(header)} is not a valid header of the column {name}.", accepted
        if isinstance(header, str) and header.lower() in ("true", "false"):
            text = f"The header of {name} is the string {header!r}: write {header.lower()} without"
            return f"{text} quotes.", accepted
        if text in headers.values():
            return f"Two columns have the header {display_value(text)}.", accepted
        return None

    def _with_labels(
        self, selected: Mapping[str, Any], headers: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the headers, with labels for columns that have no header in the request.

        A label that is too long, or another header too, is left out.
        """
        found: dict[str, str] = {}
        for name, header in headers.items():
            label = header
            if selected[name] is True and self._resource.has_path(name):
                label = path_label(self._resource, name)
            others = {*headers.values(), *found.values()} - {header}
            found[name] = label if _is_header(label) and label not in others else header
        return found

    def _refuse_empty(self, selected: Mapping[str, Any]) -> None:
        path = "fields" if self._output.get("columns") is None else _COLUMNS
        text = "No column is selected."
        if self._requested.is_dry:
            text = "dry_data leaves out every selected column."
        accepted = self._requested.names_kept(self._resource, self._resource.names)
        self._report(path, selected, text, accepted)

    def _order(self, headers: Mapping[str, str]) -> list[str]:
        """Return the selected names: first those in `column_order`, then the others."""
        order = self._output.get("column_order")
        if order is None:
            return list(headers)
        if not isinstance(order, list):
            text = f"{_COLUMN_ORDER} must be a list of names, not {display_value(order)}."
            self._report(_COLUMN_ORDER, order, text, list(headers))
            return list(headers)
        first: dict[str, None] = {}
        for position, name in enumerate(order):
            if isinstance(name, str) and name in headers and name not in first:
                first[name] = None
                continue
            is_repeated = isinstance(name, str) and name in first
            state = "listed twice." if is_repeated else "not a selected column."
            if isinstance(name, str) and not is_repeated:
                state = f"not a selected column{did_you_mean(name, list(headers))}"
            text = f"{display_value(name)} is {state}"
            self._report(f"{_COLUMN_ORDER}.{position}", name, text, list(headers))
        return list(dict.fromkeys([*first, *headers]))

    def _report(self, field: str, value: Any, text: str, accepted: object) -> None:
        code = ResourceErrorCode.INVALID_COLUMN
        self._problems.report(code, field, value, text, accepted)


def _is_header(text: str) -> bool:
    return storable(text) and 0 < len(text.encode()) <= MAX_HEADER_BYTES
