"""What an export wrote is read back: every row is recognized as unchanged."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import ForeignKey

from batches.spec import InputOptions
from batches.targets import Target, Targets
from batches.validation.conversion import CellForm
from exports.request.parser import parse_export
from exports.sql.compiler import compile_export
from exports.sql.discovery import discover
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Location
from longshore.resources.columns import ColumnType
from longshore.resources.registry import Resource, registry
from tests.batches.staged import stage
from tests.records import a_record

_WRITABLE = [each for each in registry if each.writable_columns and each.writable != ()]
_CELL = re.compile(r'(?:^|,)(?:"((?:[^"]|"")*)"|([^",\n]*))', re.DOTALL)
_TEXT = 'A "quoted", text\nof two lines'
_OBJECT = {"a": "x, y", "b": [{"c": "1"}, {"c": "2", "d": {}}], "e.f": "", "g": []}
_MOMENT = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)


def _values(resource: Resource) -> Iterator[tuple[str, Any]]:
    """Yield a value that is hard to read back for each column of a text, JSON, list or moment."""
    for name in resource.writable_columns:
        field: Any = resource.model._meta.get_field(name)
        if isinstance(field, ForeignKey) or field.choices or field.max_length:
            continue
        if isinstance(field, models.TextField):
            yield field.name, _TEXT
        elif isinstance(field, ArrayField):
            yield field.name, ["a, b", 'c"d', "e", ""]
        elif isinstance(field, models.JSONField):
            is_list = field.has_default() and field.get_default() == []
            yield field.name, [_OBJECT] if is_list else _OBJECT
        elif isinstance(field, models.DateTimeField):
            yield field.name, _MOMENT
        elif isinstance(field, models.FloatField):
            yield field.name, 0.1
        elif isinstance(field, models.DecimalField):
            yield field.name, 12


def _records(resource: Resource, organization: Organization) -> int:
    """Create a record with rich values and one with few; return their number."""
    model = resource.model
    values = {name: value for name, value in _values(resource) if _accepts(model, name)}
    record = a_record(model, organization, **values)
    a_record(model, organization)
    for name, relation in Targets(resource).relations.items():
        if relation.many:
            related = [a_record(relation.target, organization) for _ in range(2)]
            getattr(record, name).set(related)
    return int(model._default_manager.filter(organization=organization).count())


def _accepts(model: type[models.Model], name: str) -> bool:
    constraints = model._meta.constraints
    return not any(name in str(getattr(each, "condition", "")) for each in constraints)


def _columns(resource: Resource) -> list[str]:
    return [
        resource.model._meta.pk.name,
        *(name for name in resource.writable_columns if name in resource.columns_by_name),
        *(name for name in Targets(resource).relations if name in resource.relations_by_name),
    ]


def _export(
    resource: Resource,
    organization: Organization,
    file_format: str = "csv",
    **output: Any,
) -> tuple[list[str], list[str]]:
    """Return the header and the lines of an export."""
    output = {"columns": _columns(resource), **output}
    if file_format == "csv":
        output["escape_formulas"] = False
    body = {"resource": resource.name, "format": file_format, "csv_field_options": output}
    spec = parse_export(body)
    connection.ensure_connection()
    with connection.cursor() as wrapper:
        paths = discover(connection.connection, spec, organization.pk)
        statement = compile_export(spec, organization.pk, paths)
        for name, value in statement.settings.items():
            wrapper.execute("SELECT set_config(%s, %s, true)", [name, value])
        with wrapper.cursor.copy(statement.copy) as copy:
            lines = [bytes(line).decode() for line in copy]
    return [column.header for column in statement.columns], lines


def _cells(line: str) -> list[str | None]:
    """Return the cells of a line of CSV: null for an empty one, a text for `""`."""
    found = _CELL.findall(line.rstrip("\n"))
    starts = [match.group(0).lstrip(",")[:1] for match in _CELL.finditer(line.rstrip("\n"))]
    return [
        quoted.replace('""', '"') if start == '"' else (plain or None)
        for (quoted, plain), start in zip(found, starts, strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("resource", [pytest.param(each, id=each.name) for each in _WRITABLE])
@pytest.mark.parametrize("nesting", ["merge", "flatten"])
def test_csv_is_read_back(acme: Organization, resource: Resource, nesting: str) -> None:
    number = _records(resource, acme)
    header, lines = _export(resource, acme, properties=nesting)
    attempt = stage(acme, resource, header, [_cells(line) for line in lines])
    required = {(name, "missing_value") for name in resource.required}
    assert {error[1:3] for error in attempt.errors} <= required
    planned = attempt.plan()
    assert {row["step"] for row in planned} == {"n"}
    assert len(planned) + len(attempt.errors) == number


def _text(target: Target | None, value: Any) -> str | None:
    """Return a value of JSON as a parser leaves it."""
    if value is None or target is None:
        return None
    nested = (ColumnType.JSON, ColumnType.LIST)
    if target.relation or (target.column and target.column.kind in nested):
        return json.dumps(value)
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.slow
@pytest.mark.parametrize("resource", [pytest.param(each, id=each.name) for each in _WRITABLE])
def test_json_is_read_back(acme: Organization, resource: Resource) -> None:
    number = _records(resource, acme)
    header, lines = _export(resource, acme, "jsonl")
    targets = [Targets(resource).find(name) for name in header]
    rows = [
        [
            _text(target, json.loads(line)[name])
            for name, target in zip(header, targets, strict=True)
        ]
        for line in lines
    ]
    attempt = stage(acme, resource, header, rows, form=CellForm.JSON)
    required = {(name, "missing_value") for name in resource.required}
    assert {error[1:3] for error in attempt.errors} <= required
    planned = attempt.plan()
    assert {row["step"] for row in planned} == {"n"}
    assert len(planned) + len(attempt.errors) == number


def test_datetimes_of_a_pattern_are_read_back(acme: Organization) -> None:
    found = registry.get("location")
    assert found is not None
    _records(found, acme)
    pattern = "EEE, d MMM yyyy h:mm:ss.SSSSSS a xxx"
    options: dict[str, Any] = {"datetime_format": pattern, "timezone": "America/New_York"}
    header, lines = _export(found, acme, **options)
    rows = [_cells(line) for line in lines]
    attempt = stage(acme, found, header, rows, input=InputOptions(**options))
    assert attempt.errors == []
    assert {row["step"] for row in attempt.plan()} == {"n"}


@pytest.mark.parametrize("nesting", ["merge", "flatten"])
def test_numbers_inside_json_stay_numbers(acme: Organization, nesting: str) -> None:
    found = registry.get("location")
    assert found is not None
    days = {"n": 1, "b": [True, None, 2.5, "x"], "c": {"d": "1"}}
    location = a_record(Location, acme, name="A", operating_hours=days, holidays=[1, "2", True])
    header, lines = _export(found, acme, properties=nesting)
    rows = [_cells(line) for line in lines]
    assert [row["step"] for row in stage(acme, found, header, rows).plan()] == ["n"]
    rows[0][header.index("name")] = "B"
    attempt = stage(acme, found, header, rows)
    assert [row["step"] for row in attempt.plan()] == ["u"]
    (row,) = attempt.typed()
    assert (row["operating_hours"], row["holidays"]) == (days, [1, "2", True])
    column = "operating_hours.n" if nesting == "flatten" else "holidays"
    names = [each for each in header if each == "id" or each.startswith(column.split(".")[0])]
    cells = dict(zip(header, rows[0], strict=True)) | {column: "5"}
    changed = stage(acme, found, names, [[cells[name] for name in names]])
    assert [row["step"] for row in changed.plan()] == ["u"]
    assert location.pk == changed.plan()[0]["key"]
