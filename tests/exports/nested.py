"""Strategies for nested values, and an independent implementation of flattening them."""

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
from longshore.domains.logistics.models import Contact

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
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(key, inner, max_size=4),
    max_leaves=8,
)
# Values of similar structure, as one program writes them.
similar_value: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["a", "b", "0"]),
    scalar
    | st.lists(st.dictionaries(st.sampled_from("xy"), scalar | st.just([]), max_size=2), max_size=3)
    | st.dictionaries(st.sampled_from(["0", "x", "a.b"]), scalar | st.just({}), max_size=2),
    max_size=3,
)

Steps = tuple[str, ...]


def create_contact(organization: Organization, name: str, metadata: Any, **fields: Any) -> Contact:
    return Contact.objects.create(organization=organization, name=name, metadata=metadata, **fields)


def content_of(organization: Organization, nesting: str, **body: Any) -> str:
    """Return the file of a request for contacts, by default. Formulas are not escaped."""
    output = {"properties": nesting, **body.pop("output", {})}
    if body.get("format", "csv") == "csv":
        output["escape_formulas"] = False
    spec = parse_export({"resource": "contact", "csv_field_options": output} | body)
    return b"".join(ExportStream(spec, organization.pk)).decode()


def table_of(organization: Organization, nesting: str, **body: Any) -> list[list[str]]:
    """Return the rows of the CSV file of a request, its header first."""
    content = content_of(organization, nesting, **body)
    return list(csv.reader(io.StringIO(content, newline="")))


def objects_of(organization: Organization, nesting: str, **body: Any) -> list[Any]:
    """Return the objects of the JSON or JSON Lines file of a request."""
    content = content_of(organization, nesting, **body)
    if body["format"] == "jsonl":
        return [json.loads(line) for line in content.split("\n")[:-1]]
    return list(json.loads(content))


def joined(members: Iterable[str]) -> str:
    """Join members to one text; quote those that hold a comma or a quote, and a sole empty one."""
    texts = [
        '"' + member.replace('"', '""') + '"' if set(member) & {",", '"'} else member
        for member in members
    ]
    return '""' if texts == [""] else ", ".join(texts)


def split_members(text: str) -> list[str]:
    """Split a merged text into its members, as the documentation describes."""
    members = re.findall(r'(?:\A|, )("(?:[^"]|"")*"|[^",]*)(?=, |\Z)', text)
    return [m[1:-1].replace('""', '"') if m.startswith('"') else m for m in members]


def flat(value: Any) -> dict[Steps, Any]:
    """Return the leaves of a column's value by their path."""
    return {} if value in (None, {}, []) else dict(_flat(value, ()))


def _flat(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    children = value if isinstance(value, dict) else {}
    if isinstance(value, list):
        children = {str(index): child for index, child in enumerate(value)}
    for name, child in children.items():
        yield from _flat(child, (*steps, name))
    if not children:
        yield steps, value


def natural(steps: Steps) -> list[Any]:
    """Return a sort key that compares digits as numbers."""
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
    """Return the headers of a flattened column.

    rows: the leaves of its values, as `flat` returns them.
    """
    paths = sorted({steps for row in rows for steps in row}, key=natural)
    escaped = [
        [step.replace("\\", "\\\\").replace(".", "\\.") for step in steps] for steps in paths
    ]
    return [".".join([column, *steps]) for steps in escaped] or [column]


def cells_of(row: Mapping[Steps, Any], rows: Iterable[Mapping[Steps, Any]]) -> list[Any]:
    """Return the values of a row under the headers of `header_of`."""
    paths = sorted({steps for leaves in rows for steps in leaves}, key=natural)
    return [row.get(steps) for steps in paths] or [None]


def is_cell_of(cell: str, value: Any) -> bool:
    """Return whether a cell is the text of a leaf."""
    if isinstance(value, bool):
        return cell == str(value).lower()
    if isinstance(value, int | float):
        return Decimal(cell) == Decimal(repr(value))
    if value in ({}, []):
        return cell == json.dumps(value)
    return cell == ("" if value is None else value)
