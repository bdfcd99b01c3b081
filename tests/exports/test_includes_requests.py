"""Parsing of `includes`, `fields` and `dry_data`, and their errors."""

import json
from dataclasses import replace
from typing import Any

import pytest

from exports.request.parser import parse_export
from exports.spec import ExportSpec, Nesting, OutputColumn
from longshore.api.errors import InvalidInput
from longshore.resources.columns import Column, ColumnType
from longshore.resources.includes import Include
from longshore.resources.registry import Registry, registry

CONTACT = registry.get("contact")
assert CONTACT is not None


def problems(**body: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidInput) as invalid:
        parse_export({"resource": "contact", "format": "json"} | body)
    return [(each.code.value, each.field, each.message) for each in invalid.value.problems]


@pytest.mark.parametrize(
    ("body", "code", "field", "message"),
    [
        ({"includes": "groups"}, "invalid_include", "includes", "must be a list of paths"),
        ({"includes": [7]}, "invalid_include", "includes.0", "7 is not a path."),
        ({"includes": ["group"]}, "invalid_include", "includes.0", "Did you mean 'groups'?"),
        ({"includes": ["organization"]}, "invalid_include", "includes.0", "contact cannot include"),
        ({"includes": ["trackers_to"]}, "invalid_include", "includes.0", "contact cannot include"),
        ({"includes": ["groups.children"]}, "invalid_include", "includes.0", "cannot include"),
        ({"includes": ["name"]}, "invalid_include", "includes.0", "cannot include 'name'"),
        ({"includes": [""]}, "invalid_include", "includes.0", "cannot include ''"),
        (
            {"includes": ["groups.location.groups.location"]},
            "invalid_include",
            "includes.0",
            "has more than 3 levels",
        ),
        (
            {"includes": ["groups", "locations", "groups"]},
            "invalid_include",
            "includes.2",
            "'groups' is listed twice.",
        ),
        (
            {"fields": ["groups.location.name"], "format": "xlsx"},
            "invalid_include",
            "fields.0",
            "xlsx shows one level of related records",
        ),
        (
            {"resource": "item", "fields": ["levels.skew"]},
            "invalid_column",
            "fields.0",
            "levels has no field 'skew'",
        ),
        (
            {"resource": "item", "fields": ["levels.location.name"]},
            "invalid_include",
            "fields.0",
            "item cannot include 'levels.location'",
        ),
        (
            {
                "includes": ["groups"],
                "format": "csv",
                "csv_field_options": {"properties": "flatten"},
            },
            "invalid_include",
            "csv_field_options.properties",
            "cannot show the included records of groups with",
        ),
        (
            {"includes": ["groups"], "format": "csv", "csv_field_options": {"properties": "merge"}},
            "invalid_include",
            "csv_field_options.properties",
            "cannot show the included records of groups with",
        ),
        (
            {
                "includes": ["groups"],
                "format": "csv",
                "csv_field_options": {"columns": ["groups", "groups.name"]},
            },
            "invalid_column",
            "csv_field_options.columns",
            "can produce the same header",
        ),
        ({"fields": "name"}, "invalid_column", "fields", "fields must be a list of paths"),
        ({"fields": []}, "invalid_column", "fields", "fields is empty"),
        ({"fields": [None]}, "invalid_column", "fields.0", "null is not a path."),
        ({"fields": ["nam"]}, "invalid_column", "fields.0", "Did you mean 'name'?"),
        ({"fields": ["experimental"]}, "invalid_column", "fields.0", "no field 'experimental'"),
        ({"fields": ["name", "name"]}, "invalid_column", "fields.1", "'name' is listed twice."),
        ({"fields": ["groups.nam"]}, "invalid_column", "fields.0", "group has no field 'nam'"),
        ({"fields": ["group.name"]}, "invalid_include", "fields.0", "cannot include 'group'"),
        ({"fields": ["metadata.a"]}, "invalid_include", "fields.0", "cannot include 'metadata'"),
        (
            {"fields": ["groups.location.groups.location.name"]},
            "invalid_include",
            "fields.0",
            "has more than 3 levels",
        ),
        (
            {"fields": ["name"], "csv_field_options": {"columns": ["name"]}},
            "invalid_column",
            "fields",
            "Set fields or csv_field_options.columns, not both.",
        ),
        (
            {"fields": ["id", "created_at"], "dry_data": True},
            "invalid_column",
            "fields",
            "dry_data leaves out every selected column.",
        ),
        (
            {"csv_field_options": {"columns": ["id"]}, "dry_data": True},
            "invalid_column",
            "csv_field_options.columns",
            "dry_data leaves out every selected column.",
        ),
        ({"dry_data": "yes"}, "invalid_request", "dry_data", "dry_data must be true or false"),
    ],
)
def test_a_problem_is_reported(body: dict[str, Any], code: str, field: str, message: str) -> None:
    [(found, where, text)] = problems(**body)
    assert (found, where) == (code, field)
    assert message in text


def test_all_problems_are_reported_at_once() -> None:
    body = {
        "includes": ["groups.x", "y"],
        "fields": ["nam", "locations.nam"],
        "options": {"stauts": 1},
    }
    where = [field for _, field, _ in problems(**body)]
    assert where == ["fields.0", "fields.1", "includes.0", "includes.1", "options.stauts"]


def test_an_error_lists_the_accepted_includes() -> None:
    every = ["groups", "groups.location", "groups.parent", "locations"]
    for field, file_format, accepted in [
        ("includes", "json", every),
        ("includes", "csv", every),
        ("fields", "csv", ["groups", "locations"]),
    ]:
        with pytest.raises(InvalidInput) as invalid:
            parse_export({"resource": "contact", "format": file_format, field: ["x.y"]})
        assert invalid.value.problems[0].accepted == accepted


def test_at_most_a_hundred_problems_are_reported() -> None:
    assert len(problems(includes=[f"x{number}" for number in range(50_000)])) == 100


def test_a_spec_with_includes_is_equal_after_a_round_trip_through_json() -> None:
    body = {
        "resource": "contact",
        "format": "json",
        "fields": ["name", "groups.location.name", "groups.*"],
        "includes": ["locations"],
        "dry_data": True,
    }
    spec = parse_export(body)
    assert ExportSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert spec.columns == tuple(OutputColumn(n, n) for n in ("name", "groups", "locations"))
    groups, locations = spec.includes
    assert groups.includes == (Include("location", ("name",)),)
    assert {"name", "parent_id"} <= set(groups.columns)
    assert not {"id", "organization_id", "created_at", "updated_at"} & set(groups.columns)
    assert locations.relation == "locations"
    assert hash(spec) == hash(replace(spec))


@pytest.mark.parametrize(
    ("includes", "nesting"),
    [([], Nesting.MERGE), (["location"], Nesting.MERGE), (["children"], Nesting.REPEAT)],
)
def test_a_table_repeats_rows_for_to_many_includes(includes: list[str], nesting: Nesting) -> None:
    body = {"resource": "group", "includes": includes}
    assert parse_export(body).nesting is nesting
    output = {"properties": "repeat"}
    assert parse_export(body | {"csv_field_options": output}).nesting is Nesting.REPEAT


def test_dry_data_leaves_out_amounts_that_repeat_cents(own_registry: Registry) -> None:
    amounts = ("price_cents", "price_float", "formatted_price", "formatted_phone", "as_float")
    columns = tuple(Column(name, ColumnType.TEXT, "''") for name in amounts)
    assert CONTACT is not None
    own_registry.unregister("contact")
    own_registry.register(replace(CONTACT, columns=columns))
    body = {"resource": "contact", "dry_data": True}
    paths = [column.path for column in parse_export(body).columns]
    kept = [path for path in paths if path in amounts]
    assert kept == ["price_cents", "formatted_phone", "as_float"]
    assert set(CONTACT.columns_by_name) & {"id", "created_at"}
    assert not {"id", "organization_id", "created_at", "updated_at"} & set(paths)
    output = {"columns": ["id", "price_float", "name"]}
    [name] = parse_export(body | {"csv_field_options": output}).columns
    assert name.path == "name"
