"""Each declared include of each resource, in each format, against what the ORM relates."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from python_calamine import CalamineWorkbook

from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.resources.registry import Resource, registry

pytestmark = pytest.mark.django_db(transaction=True)

INCLUDING = [resource for resource in registry if resource.includes]
DECLARED = {(resource.name, include) for resource in INCLUDING for include in resource.includes}
# What the demo data relates to nothing; all else is compared with something in it.
EMPTY = {
    ("contact", "groups.parent"),
    ("group", "children.children.location"),
    ("group", "parent.location"),
    ("location", "terminal_location"),
}


@pytest.fixture
def year(acme: Organization) -> Organization:
    call_command("demo_data", rows=200, orders=100, organization="acme", verbosity=0)
    call_command("demo_data", rows=200, orders=20, organization="globex", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return acme


def content(organization: Organization, resource: Resource, include: str, name: str) -> bytes:
    body = {"resource": resource.name, "format": name, "includes": [include]}
    return b"".join(ExportStream(parse_export(body), organization.pk))


def related(record: Model, steps: list[str]) -> list[str]:
    """The primary keys of what a path leads to."""
    if not steps:
        return [str(record.pk)]
    found = getattr(record, steps[0], None)
    if found is None:
        return []
    records = found.all() if hasattr(found, "all") else [found]
    return [key for each in records for key in related(each, steps[1:])]


def shown(value: Any, steps: list[str]) -> Iterator[str]:
    """The ids at the end of a path in a JSON record."""
    if isinstance(value, list):
        for each in value:
            yield from shown(each, steps)
    elif value is not None:
        if steps:
            yield from shown(value[steps[0]], steps[1:])
        else:
            yield value["id"]


def test_every_include_of_every_resource_in_every_format(year: Organization) -> None:
    filled = set()
    for resource in INCLUDING:
        own = resource.model._default_manager.filter(organization=year)
        for include in resource.includes:
            records = own.prefetch_related(include.replace(".", "__"))
            steps = include.split(".")
            expected = {str(each.pk): sorted(related(each, steps)) for each in records}
            if any(expected.values()):
                filled.add((resource.name, include))
            objects = json.loads(content(year, resource, include, "json"))
            assert {each["id"]: sorted(shown(each, steps)) for each in objects} == expected
            lines = content(year, resource, include, "jsonl").splitlines()
            assert [json.loads(line) for line in lines] == objects
            _compare_tables(year, resource, include, expected)
    assert DECLARED - filled == EMPTY


def _compare_tables(
    year: Organization, resource: Resource, include: str, expected: dict[str, list[str]]
) -> None:
    if "." in include:
        first = include.partition(".")[0]
        assert content(year, resource, include, "csv") == content(year, resource, first, "csv")
        return
    text = content(year, resource, include, "csv").decode()
    header, *rows = csv.reader(io.StringIO(text))
    key, column = header.index("id"), header.index(f"{include}.id")
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row[key], []).extend(each for each in row[column].split(", ") if each)
    assert {record: sorted(keys) for record, keys in found.items()} == expected
    table = pq.read_table(io.BytesIO(content(year, resource, include, "parquet")))
    assert table.column_names == header
    assert table.column("id").to_pylist() == [row[key] for row in rows]
    book = CalamineWorkbook.from_filelike(io.BytesIO(content(year, resource, include, "xlsx")))
    cells = book.get_sheet_by_index(0).to_python()
    assert [row[key] for row in cells] == ["id", *(row[key] for row in rows)]
