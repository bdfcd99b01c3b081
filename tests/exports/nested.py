"""Nested values as the tests make, read and flatten them, with nothing of what they test."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization

KEYS = (
    *("a", "b", "A", "a.b", "b.", ".", "", "0", "1", "2", "10", "x2", "x10", "-1", "00", "+0"),
    *(
        " 1",
        "1 ",
        "é",
        'say "hi"',
        "it's",
        "x\\y",
        "\\.",
        "日本",
        "%s",
        "{0}",
        "line\nend",
        ",",
        "٣",
    ),
)
character = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
key = st.sampled_from(KEYS) | st.text(character, max_size=3)
scalar = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.sampled_from(["", "x", "{}", "[1]", '{"a": 1}', "null", "line\nend", 'a,"b"', "=1+1"])
    | st.text(character, max_size=5)
)
json_value = st.recursive(
    scalar,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(key, part, max_size=4),
    max_leaves=8,
)
# Alike in places, as what one program wrote is.
alike: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["a", "b", "0"]),
    scalar
    | st.lists(st.dictionaries(st.sampled_from("xy"), scalar | st.just([]), max_size=2), max_size=3)
    | st.dictionaries(st.sampled_from(["0", "x", "a.b"]), scalar | st.just({}), max_size=2),
    max_size=3,
)

Steps = tuple[str, ...]


def content_of(organization: Organization, nesting: str, **body: Any) -> str:
    """The file of a request for contacts; texts are not escaped."""
    output = {"properties": nesting, **body.pop("output", {})}
    if body.get("format", "csv") == "csv":
        output["escape_formulas"] = False
    spec = parse_export({"resource": "contact", "csv_field_options": output} | body)
    return b"".join(ExportStream(spec, organization.pk)).decode()


def table_of(organization: Organization, nesting: str, **body: Any) -> list[list[str]]:
    """The same as CSV, its header first."""
    content = content_of(organization, nesting, **body)
    return list(csv.reader(io.StringIO(content, newline="")))


def objects_of(organization: Organization, nesting: str, **body: Any) -> list[Any]:
    """The same as one of the two kinds of JSON."""
    content = content_of(organization, nesting, **body)
    if body["format"] == "jsonl":
        return [json.loads(line) for line in content.split("\n")[:-1]]
    return list(json.loads(content))


def joined(members: Iterable[str]) -> str:
    """Members as one text, each in quotes that holds a comma or a quote."""
    return ", ".join(
        '"' + member.replace('"', '""') + '"' if set(member) & {",", '"'} else member
        for member in members
    )


def parted(text: str) -> list[str]:
    """The members of a text, read as the documentation says."""
    found = re.findall(r'(?:\A|, )("(?:[^"]|"")*"|[^",]*)(?=, |\Z)', text)
    return [m[1:-1].replace('""', '"') if m.startswith('"') else m for m in found]


def flat(value: Any) -> dict[Steps, Any]:
    """What has no parts in a column's value, by the steps that lead there."""
    return {} if value in (None, {}, []) else dict(_flat(value, ()))


def _flat(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    parts = value if isinstance(value, dict) else {}
    if isinstance(value, list):
        parts = {str(index): part for index, part in enumerate(value)}
    for name, part in parts.items():
        yield from _flat(part, (*steps, name))
    if not parts:
        yield steps, value


def natural(steps: Steps) -> list[Any]:
    """Sorts steps as people do."""
    return [
        (
            [
                (0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece.casefold())
                for piece in re.findall(r"[0-9]+|[^0-9]+", step)
            ],
            step,
        )
        for step in steps
    ]


def header_of(column: str, rows: Iterable[Mapping[Steps, Any]]) -> list[str]:
    """What stands over the columns of a flattened column of these rows."""
    found = sorted({steps for row in rows for steps in row}, key=natural)
    escaped = [
        [step.replace("\\", "\\\\").replace(".", "\\.") for step in steps] for steps in found
    ]
    return [".".join([column, *steps]) for steps in escaped] or [column]


def cells_of(row: Mapping[Steps, Any], rows: Iterable[Mapping[Steps, Any]]) -> list[Any]:
    """What stands in them."""
    found = sorted({steps for each in rows for steps in each}, key=natural)
    return [row.get(steps) for steps in found] or [None]


def shows(cell: str, value: Any) -> bool:
    """Whether a cell shows a value that has no parts."""
    if isinstance(value, bool):
        return cell == str(value).lower()
    if isinstance(value, int | float):
        return Decimal(cell) == Decimal(repr(value))
    if value in ({}, []):
        return cell == json.dumps(value)
    return cell == ("" if value is None else value)
