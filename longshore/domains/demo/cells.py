"""Values in the text format of COPY."""

import json
from collections.abc import Iterable
from typing import Any

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

NULL = "\\N"


def cell(value: str | float | bool | None) -> str:
    """Format a text, a number, a boolean or null."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).translate(_ESCAPES)


def document(value: Any) -> str:
    """Format a JSON value; None becomes SQL null."""
    return NULL if value is None else json.dumps(value, ensure_ascii=False).translate(_ESCAPES)


def array(values: Iterable[str]) -> str:
    """Format a list of texts."""
    quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in quoted).translate(_ESCAPES) + "}"


def line(*cells: str) -> str:
    """Join formatted cells."""
    return "\t".join(cells)
