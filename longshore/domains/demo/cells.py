"""Values as COPY's text format writes them."""

import json
from collections.abc import Iterable
from typing import Any

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

NULL = "\\N"


def cell(value: str | float | bool | None) -> str:
    """A text, a number, a truth or nothing."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).translate(_ESCAPES)


def document(value: Any) -> str:
    """A JSON value; None is SQL's null."""
    return NULL if value is None else json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


def array(values: Iterable[str]) -> str:
    """A list of texts."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted).translate(_ESCAPES) + "}"


def line(*cells: str) -> str:
    """Finished cells side by side, to stand in a row."""
    return "\t".join(cells)
