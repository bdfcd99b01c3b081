"""Reads the corrections of a request: texts that replace cells of the input."""

from collections.abc import Iterator, Mapping
from typing import Any

from longshore.api.body.declaration import Custom
from longshore.api.errors import ErrorCode, Problems, display_value
from longshore.database.column_types import MAX_BIGINT

MAX_CORRECTED_ROWS = 1_000
_ACCEPTED = '{"<number of the row>": {"<header>": "<text>" or null}}'
_SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "additionalProperties": {"type": ["string", "null"]},
    },
}


def corrections_field() -> Custom:
    """Declare the field of a request."""
    return Custom(
        "corrections",
        f"The texts that replace cells of at most {MAX_CORRECTED_ROWS:,} rows of the input, by the "
        "number of the row and by header; null empties a cell. A row that cannot be read then "
        "consists of the given cells.",
        schema=_SCHEMA,
        accepts=_ACCEPTED,
        hook=_read,
    )


def _read(value: Any, path: str, problems: Problems) -> Any:
    if not isinstance(value, Mapping):
        _refuse(problems, path, value, f"{path} must be an object, not {display_value(value)}.")
        return None
    if len(value) > MAX_CORRECTED_ROWS:
        text = f"{path} has {len(value):,} rows, more than {MAX_CORRECTED_ROWS:,}."
        _refuse(problems, path, None, text)
        return None
    found = {}
    for row, cells in value.items():
        place = f"{path}.{row}"
        if not is_row_number(row):
            text = f"{path}: {display_value(row)} is not the number of a row. The first row is 1."
            _refuse(problems, place, row, text)
        elif not isinstance(cells, Mapping):
            text = f"{place} must be an object, not {display_value(cells)}."
            _refuse(problems, place, cells, text)
        else:
            found[row] = dict(_cells(cells, place, problems))
    return found


def is_row_number(row: str) -> bool:
    """Return whether a key is the number of a row as the engine writes it, such as `12`."""
    is_whole = row.isascii() and row.isdecimal() and not row.startswith("0")
    return is_whole and len(row) <= len(str(MAX_BIGINT)) and int(row) <= MAX_BIGINT


def _cells(
    cells: Mapping[str, Any], path: str, problems: Problems
) -> Iterator[tuple[str, str | None]]:
    for header, text in cells.items():
        if isinstance(text, str | None):
            yield header, text
            continue
        place = f"{path}.{header}"
        message = f"{place} must be a text or null, not {display_value(text)}."
        _refuse(problems, place, text, message)


def _refuse(problems: Problems, path: str, value: Any, text: str) -> None:
    problems.report(ErrorCode.INVALID_REQUEST, path, value, text, _ACCEPTED)
