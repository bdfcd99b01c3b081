"""Which columns a file has, and what stands over them."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from exports.request.includes import Included, Report
from exports.spec import Nesting, OutputColumn
from exports.sql.nesting import find_collision, layout_columns
from longshore.api.errors import ErrorCode
from longshore.api.parsers import storable
from longshore.resources.registry import Resource
from longshore.resources.values import display_value

# PostgreSQL's names end here, and a header is one in JSON.
_MAX_HEADER_CHARACTERS = 63
_COLUMNS = "csv_field_options.columns"


class ColumnChoice:
    """Reads `columns` and `column_order` of `csv_field_options`.

    report: takes each problem.
    included: what stands beside the columns, or in their place.
    """

    def __init__(
        self, resource: Resource, output: Mapping[str, Any], report: Report, included: Included
    ) -> None:
        self._resource = resource
        self._output = output
        self._report = report
        self._included = included

    def columns(self) -> tuple[OutputColumn, ...]:
        """The columns in the order of the file."""
        resource, included = self._resource, self._included
        chosen = self._output.get("columns")
        if chosen is None:
            names = resource.names if included.columns is None else included.columns
            chosen = dict.fromkeys(names, True)
        elif isinstance(chosen, list) and all(isinstance(name, str) for name in chosen):
            for name in (name for name, times in Counter(chosen).items() if times > 1):
                text = f"The column {name} is named twice"
                self._report(ErrorCode.INVALID_COLUMN, _COLUMNS, name, text, "each column once")
            chosen = dict.fromkeys(chosen, True)
        elif not isinstance(chosen, Mapping):
            text = f"{_COLUMNS} must be an object or a list of names"
            example = '{"<column>": true}'
            self._report(ErrorCode.INVALID_COLUMN, _COLUMNS, chosen, text, example)
            return ()
        whole = [include.relation for include in included.includes]
        kept = included.kept(resource, dict.fromkeys([*chosen, *whole]))
        chosen = {name: chosen.get(name, True) for name in kept}
        headers: dict[str, str] = {}
        for name, wanted in chosen.items():
            header = wanted if isinstance(wanted, str) else name
            accepted: object = f"true, false, or a header of up to {_MAX_HEADER_CHARACTERS} bytes"
            if not (resource.has_path(name) or name in whole):
                text, accepted = f"{resource.name} has no column {name!r}", resource.names
            elif not isinstance(wanted, bool | str) or not _is_header(header):
                text = f"{display_value(wanted)} does not say how to show the column {name}"
            elif isinstance(wanted, str) and wanted.lower() in ("true", "false"):
                text = f"{wanted!r} is a header here: write {wanted.lower()} without quotes"
            elif wanted and header in headers.values():
                text = f"The header {header!r} stands over another column too"
            else:
                headers |= {name: header} if wanted else {}
                continue
            self._report(ErrorCode.INVALID_COLUMN, f"{_COLUMNS}.{name}", wanted, text, accepted)
        if all(wanted is False for wanted in chosen.values()):
            text = "No column is chosen" + (" that dry data has" if included.dry else "")
            place = "fields" if self._output.get("columns") is None else _COLUMNS
            accepted = included.kept(resource, resource.names)
            self._report(ErrorCode.INVALID_COLUMN, place, chosen, text, accepted)
        return tuple(OutputColumn(name, headers[name]) for name in self._order(headers))

    def check(self, columns: tuple[OutputColumn, ...], nesting: Nesting) -> None:
        """Complain of columns that cannot be shown side by side in this nesting."""
        code, resource, whole = ErrorCode.INVALID_COLUMN, self._resource, self._included.includes
        if pair := find_collision(layout_columns(resource, columns, nesting, whole)):
            one, other = pair
            text = f"The columns {one.path} and {other.path} may give columns of one header"
            accepted = f"only one of them, or other headers than {one.header} and {other.header}"
            self._report(code, _COLUMNS, [one.path, other.path], text, accepted)

    def _order(self, headers: Mapping[str, str]) -> list[str]:
        """Chosen names: first those that `column_order` names, then the others as chosen."""
        order, field = self._output.get("column_order"), "csv_field_options.column_order"
        if order is None:
            return list(headers)
        if not isinstance(order, list):
            text = f"{field} must be a list of names"
            self._report(ErrorCode.INVALID_COLUMN, field, order, text, list(headers))
            return list(headers)
        for position, name in enumerate(order):
            twice = name in order[:position]
            if twice or not isinstance(name, str) or name not in headers:
                text = (
                    f"{display_value(name)} is {'named twice' if twice else 'not a chosen column'}"
                )
                path = f"{field}.{position}"
                self._report(ErrorCode.INVALID_COLUMN, path, name, text, list(headers))
        return list(
            dict.fromkeys([*(n for n in order if isinstance(n, str) and n in headers), *headers])
        )


def _is_header(text: str) -> bool:
    return storable(text) and 0 < len(text.encode()) <= _MAX_HEADER_CHARACTERS
