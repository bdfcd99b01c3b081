"""Generates the tables of the documentation from the declaration of a request."""

import json
from typing import NamedTuple

from longshore.api.body.declaration import Body, Choice, Field, Object


class Row(NamedTuple):
    """The cells of a row, in Markdown."""

    name: str
    accepted: str
    default: str
    description: str


def table_rows(body: Body, prefix: str = "") -> list[Row]:
    """Return a row for each field; the fields of an object follow it, as `<object>.<field>`."""
    rows: list[Row] = []
    for field in body.fields:
        name = f"{prefix}{field.name}"
        rows.append(Row(f"`{name}`", _accepted(field), _default(field), _escape(field.help_text)))
        if isinstance(field, Object):
            rows += table_rows(field.body, f"{name}.")
    return rows


def markdown_table(body: Body) -> str:
    """Return the table of a body for a page of the documentation."""
    lines = ["| Field | Accepts | Default | Description |", "|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in table_rows(body)]
    return "\n".join(lines)


def _accepted(field: Field) -> str:
    if isinstance(field, Choice) and callable(field.choices):
        # The choices depend on the installed resources.
        return f"one {field.noun or field.name}"
    if isinstance(field.accepted, list):
        return ", ".join(map(_code, field.accepted))
    return _escape(str(field.accepted))


def _default(field: Field) -> str:
    if field.required:
        return "required"
    return "" if field.default is None else _code(field.default)


def _code(value: object) -> str:
    """Return a value in backquotes: a string without quotes, with the escapes of JSON."""
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        text = text[1:-1]
    return f"`{_escape(text)}`"


def _escape(text: str) -> str:
    return text.replace("|", r"\|")
