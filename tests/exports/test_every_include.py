"""Every declared include of every resource, in every format, compared with the ORM."""

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
# Includes for which the demo data has no related records. All others must have some.
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
    """Return the primary keys of the records at the end of a path."""
    if not steps:
        return [str(record.pk)]
    target = getattr(record, steps[0], None)
    if target is None:
        return []
    records = target.all() if hasattr(target, "all") else [target]
    return [key for record in records for key in related(record, steps[1:])]


def exported_ids(value: Any, steps: list[str]) -> Iterator[str]:
    """Yield the ids at the end of a path in a JSON record."""
    if isinstance(value, list):
        for element in value:
            yield from exported_ids(element, steps)
    elif value is not None:
        if steps:
            yield from exported_ids(value[steps[0]], steps[1:])
        else:
            yield value["id"]


def test_every_include_holds_the_related_records_in_every_format(year: Organization) -> None:
    filled = set()
    for resource in INCLUDING:
        own = resource.model._default_manager.filter(organization=year)
        for include in resource.includes:
            records = own.prefetch_related(include.replace(".", "__"))
            steps = include.split(".")
            expected = {str(record.pk): sorted(related(record, steps)) for record in records}
            if any(expected.values()):
                filled.add((resource.name, include))
            objects = json.loads(content(year, resource, include, "json"))
            assert {
                record["id"]: sorted(exported_ids(record, steps)) for record in objects
            } == expected
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
    related_ids: dict[str, list[str]] = {}
    for row in rows:
        related_ids.setdefault(row[key], []).extend(filter(None, row[column].split(", ")))
    assert {record: sorted(ids) for record, ids in related_ids.items()} == expected
    table = pq.read_table(io.BytesIO(content(year, resource, include, "parquet")))
    assert table.column_names == header
    assert table.column("id").to_pylist() == [row[key] for row in rows]
    book = CalamineWorkbook.from_filelike(io.BytesIO(content(year, resource, include, "xlsx")))
    cells = book.get_sheet_by_index(0).to_python()
    assert [row[key] for row in cells] == ["id", *(row[key] for row in rows)]
