"""`check --database` runs the statements of all resources, and reports those that fail."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.db import connection

from exports.execution.checks import _exports, _lists, check_statements, check_statements_of
from longshore.resources.columns import Column, ColumnType
from longshore.resources.export_types import ExportType, ExportTypes
from longshore.resources.registry import Registry, Resource
from longshore.resources.relations import Relation
from longshore.resources.writing import Rule
from tests.awkward.models import BISTRO, COUNTRY, DISH, INVOICE, RESOURCES, Bare, Bistro

BARE = Resource("bare", "bares", Bare, date_field="at")


def problems(registry: Registry, resource: Resource) -> list[CheckMessage]:
    if registry.get(resource.name):
        registry.unregister(resource.name)
    registry.register(resource)
    return list(check_statements_of(connection, resource))


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_statements_of_awkward_models_run(resource: Resource, awkward: Registry) -> None:
    assert list(check_statements_of(connection, resource)) == []


def test_a_column_of_another_type_is_reported_with_its_cast(awkward: Registry) -> None:
    mood, moment = problems(awkward, BARE)
    assert mood.id == moment.id == "exports.E001"
    assert mood.obj is Bare
    assert mood.msg == (
        "Resource 'bare': column 'mood': its PostgreSQL type is text_mood, but the column is "
        "declared as text."
    )
    assert (
        "its PostgreSQL type is timestamp without time zone, but the column is declared as datetime"
    ) in moment.msg
    assert "Column('mood', ColumnType.TEXT, \"{row}.mood::text\")" in str(mood.hint)
    mended = replace(
        BARE,
        columns=(
            Column("mood", ColumnType.TEXT, "{row}.mood::text"),
            Column("at", ColumnType.DATETIME, "{row}.at AT TIME ZONE 'UTC'"),
        ),
    )
    assert problems(awkward, mended) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"columns": (Column("x", ColumnType.TEXT, "{row}.missing"),)},
            "column 'x': column row.missing does not exist",
        ),
        (
            {"columns": (Column("x", ColumnType.INTEGER, "'a'::text"),)},
            "column 'x': its PostgreSQL type is text, but the column is declared as integer.",
        ),
        (
            {"columns": (Column("x", ColumnType.DATETIME, "now()::timestamp"),)},
            "is timestamp without time zone, but the column is declared as datetime",
        ),
        (
            {"columns": (Column("x", ColumnType.TEXT, "nothing({row}.number)"),)},
            "column 'x': function nothing(character varying) does not exist",
        ),
    ],
)
def test_a_wrong_column_is_reported(changes: Any, text: str, awkward: Registry) -> None:
    [error] = problems(awkward, replace(INVOICE, **changes))
    assert text in error.msg


def test_searches_are_run(awkward: Registry) -> None:
    searched = replace(INVOICE, search="number")
    texts = [each.as_string(None) for make in _lists(searched) for each in make()]
    assert [text for text in texts if "to_tsvector" in text]
    assert problems(awkward, searched) == []


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("{row}.nope > 1", "rule 'No.': column record.nope does not exist"),
        ("{row}.number", "rule 'No.': argument of WHERE must be type boolean"),
    ],
)
def test_a_rule_that_fails_is_reported(condition: str, text: str, awkward: Registry) -> None:
    [error] = problems(awkward, replace(INVOICE, rules=(Rule(condition, "No."),)))
    assert text in error.msg


def test_includes_are_run_as_objects_and_as_repeated_rows(awkward: Registry) -> None:
    spicy = Column("is_spicy", ColumnType.BOOLEAN, "{row}.name = 'Curry'")
    awkward.unregister("dish")
    awkward.register(replace(DISH, columns=(spicy,)))
    texts = [each.as_string(None) for make in _exports(BISTRO) for each in make()]
    assert [text for text in texts if "row1_dishes" in text]
    assert [text for text in texts if '"computed is_spicy"' in text]


def test_a_missing_column_of_a_related_table_is_reported(awkward: Registry) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE legacy.invoice_line DROP COLUMN text")
    [error] = problems(awkward, INVOICE)
    assert "column 'lines.text': column row.text does not exist" in error.msg


def test_a_missing_table_of_a_parent_is_reported(awkward: Registry) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE awkward_place DROP COLUMN name")
    found = problems(awkward, BISTRO)
    assert found
    assert {each.id for each in found} == {"exports.E001"}
    assert all(each.obj is Bistro for each in found)


@pytest.mark.slow
def test_all_resources_and_named_exports(
    awkward: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    types = ExportTypes()
    monkeypatch.setattr("exports.execution.checks.export_types", types)
    for name in awkward.names():
        if awkward.get(name) not in RESOURCES:
            awkward.unregister(name)
    assert check_statements(["default"]) == []
    assert check_statements(None) == []
    monkeypatch.setattr("exports.request.resolution.export_types", types)
    types.register(ExportType("flat", "Flat", "country", {"code": "Code"}, None, "code"))
    awkward.unregister("country")
    wrong = replace(COUNTRY, relations=(Relation("name"),))
    awkward.register(wrong)
    [error] = check_statements(["default"])
    assert error.id == "exports.E002"
