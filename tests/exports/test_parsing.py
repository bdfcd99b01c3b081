"""Request bodies: parsing, and errors with the path, the value and the accepted values."""

import json
from typing import Any

import pytest

from exports.request.body import EXPORT_BODY, OUTPUT_OPTIONS
from exports.request.parser import parse_export
from exports.spec import ExportSpec
from longshore.api.errors import ErrorCode, InvalidInput, Problem
from longshore.files.compression import Compression
from longshore.jobs.errors import JobErrorCode
from longshore.jobs.specs import UnsupportedVersion
from longshore.resources.comparisons import Operator
from longshore.resources.conditions import AnyOf, Condition
from longshore.resources.filters import Ordering
from longshore.resources.registry import registry

SHIPMENT = registry.get("shipment")
assert SHIPMENT is not None
COLUMNS = list(SHIPMENT.default_columns)


def problems(body: dict[str, Any]) -> list[Problem]:
    with pytest.raises(InvalidInput) as raised:
        parse_export(body)
    return list(raised.value.problems)


def one_problem(**body: Any) -> Problem:
    found = problems({"resource": "shipment", **body})
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"format": "pdf"}, ["resource", "format"]),
        ({"resorce": "contact", "format": "pdf"}, ["resource", "resorce", "format"]),
        ({"resource": "contact", "options": [], "format": "pdf"}, ["options", "format"]),
        ({"type": "unknown", "format": "pdf"}, ["type", "format"]),
    ],
)
def test_missing_fields_come_first_and_wrong_filters_before_the_format(
    body: dict[str, Any], fields: list[str]
) -> None:
    assert [problem.field for problem in problems(body)] == fields


def test_a_request_with_only_a_resource_has_defaults() -> None:
    spec = parse_export({"resource": "shipment"})
    assert [column.path for column in spec.columns] == COLUMNS
    assert [column.header for column in spec.columns] == COLUMNS
    assert (spec.format, spec.compression, spec.timezone) == ("csv", Compression.NONE, "UTC")
    assert spec.datetime_format is None
    assert spec.selection.limit is None
    assert spec.selection.ordering == ()


@pytest.mark.django_db
def test_a_spec_is_equal_after_a_round_trip_through_json() -> None:
    body = {
        "resource": "contact",
        "format": "jsonl",
        "compression": "gzip",
        "options": {
            "group_id": "a,b",
            "created_at": "bwi:2024-01-01,2024-02-01",
            "metadata.x": None,
            "search": "smith",
            "order_by": "-name, created_at",
            "direction": "desc",
            "limit": "10",
        },
        "filters": {"external_id_not_in": "a,a", "name_or_email_cont": "x"},
        "csv_field_options": {
            "timezone": "Asia/Tokyo",
            "datetime_format": "yyyy",
            "columns": {"groups.name": "Groups", "name": True, "id": "ID", "email": False},
            "column_order": ["id"],
            "properties": "merge",
        },
    }
    spec = parse_export(body)
    assert ExportSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert [(c.path, c.header) for c in spec.columns] == [
        ("id", "ID"),
        ("groups.name", "Groups"),
        ("name", "name"),
    ]
    assert spec.selection.ordering == (Ordering("name"), Ordering("created_at", descending=True))
    assert spec.selection.limit == 10
    day = "2023-12-31T15:00:00+00:00/2024-01-01T15:00:00+00:00"
    created, missing = spec.selection.conditions[1:3]
    assert isinstance(created, Condition)
    assert created.values[0] == day
    assert missing == Condition("metadata.x", Operator.IS_NULL, ())
    assert spec.selection.conditions[4:] == (
        Condition("external_id", Operator.DIFFERS, ("a",)),
        AnyOf(
            (
                Condition("name", Operator.LIKE_ANY, ("%x%",)),
                Condition("email", Operator.LIKE_ANY, ("%x%",)),
            )
        ),
    )


def test_a_stored_spec_of_another_version_is_refused() -> None:
    stored = parse_export({"resource": "shipment"}).to_json() | {"version": 0}
    with pytest.raises(UnsupportedVersion, match="version 0 of the stored spec is not supported"):
        ExportSpec.from_json(stored)


@pytest.mark.django_db
def test_both_filter_languages_are_parsed_and_report_all_problems() -> None:
    body = {"resource": "shipment", "options": {"x": 1}, "filters": {"y_eq": 2, "status_eq": "z"}}
    found = [(problem.field, problem.value) for problem in problems(body)]
    assert found == [("options.x", 1), ("filters.y_eq", 2), ("filters.status_eq", "z")]
    zoned = {
        "filters": {"created_at_eq": "2024-01-01"},
        "csv_field_options": {"timezone": "Asia/Tokyo"},
    }
    [condition] = parse_export({"resource": "shipment", **zoned}).selection.conditions
    assert isinstance(condition, Condition)
    assert condition.values == ("2023-12-31T15:00:00+00:00/2024-01-01T15:00:00+00:00",)


@pytest.mark.parametrize(
    ("body", "code", "field", "value", "accepted"),
    [
        ({"resource": "ship"}, "invalid_resource", "resource", "ship", "shipment"),
        ({"resource": None}, "invalid_request", "resource", None, "shipment"),
        ({"resource": ["shipment"]}, "invalid_resource", "resource", ["shipment"], "shipment"),
        ({"format": "xml"}, "invalid_format", "format", "xml", "jsonl"),
        ({"format": {}}, "invalid_format", "format", {}, "csv"),
        ({"compression": "zip"}, "invalid_compression", "compression", "zip", "gzip"),
        ({"color": 1}, "invalid_request", "color", 1, "options"),
        ({"options": []}, "invalid_request", "options", [], "an object"),
        ({"filters": ["status_eq"]}, "invalid_request", "filters", ["status_eq"], "an object"),
        ({"options": "x"}, "invalid_request", "options", "x", "an object"),
        ({"csv_field_options": 5}, "invalid_request", "csv_field_options", 5, "an object"),
    ],
)
def test_a_problem_of_the_body_is_reported(
    body: dict[str, Any], code: str, field: str, value: object, accepted: str
) -> None:
    problem = one_problem(**body)
    assert (problem.code, problem.field, problem.value) == (code, field, value)
    assert accepted in str(problem.accepted)


def test_a_missing_resource_is_reported() -> None:
    (problem,) = problems({})
    assert problem == Problem(
        ErrorCode.INVALID_REQUEST,
        "resource",
        None,
        "resource is required unless you set type.",
        registry.names(),
    )


@pytest.mark.parametrize(
    ("output", "code", "field", "accepted"),
    [
        ({"timezone": "Mars/Olympus"}, "invalid_timezone", "timezone", "IANA"),
        ({"timezone": "america/new_york"}, "invalid_timezone", "timezone", "IANA"),
        ({"timezone": "../../etc/passwd"}, "invalid_timezone", "timezone", "IANA"),
        ({"timezone": "UTC'; DROP TABLE x"}, "invalid_timezone", "timezone", "IANA"),
        ({"timezone": "localtime"}, "invalid_timezone", "timezone", "IANA"),
        ({"timezone": ["UTC"]}, "invalid_timezone", "timezone", "IANA"),
        ({"datetime_format": "yyyy-bb"}, "invalid_datetime_format", "datetime_format", "letters"),
        ({"datetime_format": "'open"}, "invalid_datetime_format", "datetime_format", "letters"),
        ({"datetime_format": ""}, "invalid_datetime_format", "datetime_format", "letters"),
        ({"datetime_format": 5}, "invalid_datetime_format", "datetime_format", "letters"),
        ({"datetime_format": ["yyyy"]}, "invalid_datetime_format", "datetime_format", "letters"),
        ({"properties": "melt"}, "invalid_format", "properties", "merge"),
        ({"properties": []}, "invalid_format", "properties", "merge"),
        ({"color": 1}, "invalid_request", "color", "column_order"),
        ({"columns": "id"}, "invalid_column", "columns", "<column>"),
        ({"columns": [1]}, "invalid_column", "columns", "<column>"),
        ({"columns": {}}, "invalid_column", "columns", "tracking_number"),
        ({"columns": []}, "invalid_column", "columns", "tracking_number"),
        ({"columns": {"id": False}}, "invalid_column", "columns", "tracking_number"),
        ({"columns": {"idd": True}}, "invalid_column", "columns.idd", "tracking_number"),
        ({"columns": ["id", "x'; --"]}, "invalid_column", "columns.x'; --", "tracking_number"),
        ({"columns": {"location.code": True}}, "invalid_column", "columns.location.code", "notes"),
        ({"columns": {"location.": True}}, "invalid_column", "columns.location.", "notes"),
        ({"columns": {"id": 1}}, "invalid_column", "columns.id", "63 bytes"),
        ({"columns": {"id": None}}, "invalid_column", "columns.id", "63 bytes"),
        ({"columns": {"id": "true"}}, "invalid_column", "columns.id", "63 bytes"),
        ({"columns": {"id": True, "type": "False"}}, "invalid_column", "columns.type", "true"),
        ({"columns": {"id": ""}}, "invalid_column", "columns.id", "63 bytes"),
        ({"columns": {"id": []}}, "invalid_column", "columns.id", "63 bytes"),
        ({"columns": {"id": "é" * 32}}, "invalid_column", "columns.id", "63 bytes"),
        ({"columns": {"id": "a\0"}}, "invalid_column", "columns.id", "63 bytes"),
        ({"columns": {"id": "\ud800"}}, "invalid_column", "columns.id", "63 bytes"),
        ({"columns": {"id": "X", "type": "X"}}, "invalid_column", "columns.type", "63 bytes"),
        ({"columns": {"id": "type", "type": True}}, "invalid_column", "columns.type", "63 bytes"),
        ({"column_order": "id"}, "invalid_column", "column_order", "tracking_number"),
        ({"column_order": 0}, "invalid_column", "column_order", "tracking_number"),
        ({"column_order": {}}, "invalid_column", "column_order", "tracking_number"),
        ({"column_order": ["id", "id"]}, "invalid_column", "column_order.1", "tracking_number"),
        ({"column_order": ["nothing"]}, "invalid_column", "column_order.0", "tracking_number"),
        ({"column_order": [["id"]]}, "invalid_column", "column_order.0", "tracking_number"),
        ({"column_order": [None]}, "invalid_column", "column_order.0", "tracking_number"),
        ({"columns": ["id"], "column_order": ["type"]}, "invalid_column", "column_order.0", "id"),
        (
            {"columns": {"id": True, "type": False}, "column_order": ["type"]},
            "invalid_column",
            "column_order.0",
            "id",
        ),
    ],
)
def test_a_problem_of_the_output_options_is_reported(
    output: dict[str, Any], code: str, field: str, accepted: str
) -> None:
    problem = one_problem(csv_field_options=output)
    assert (problem.code, problem.field) == (code, f"csv_field_options.{field}")
    assert accepted in str(problem.accepted)


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        {
            "resource": "shipment",
            "formt": "csv",
            "format": "xls",
            "compression": 1,
            "options": {"statu": "x", "amount": "gt:a", "limit": 0, "order_by": "rates"},
            "csv_field_options": {
                "timezone": "X",
                "datetime_format": "bb",
                "columns": {"id": True, "x": True},
                "column_order": ["y"],
                "properties": "z",
            },
        }
    )
    assert {(problem.code.value, problem.field) for problem in found} == {
        ("invalid_request", "formt"),
        ("invalid_format", "format"),
        ("invalid_compression", "compression"),
        ("invalid_filter", "options.statu"),
        ("invalid_filter", "options.amount"),
        ("invalid_limit", "options.limit"),
        ("invalid_ordering", "options.order_by"),
        ("invalid_timezone", "csv_field_options.timezone"),
        ("invalid_datetime_format", "csv_field_options.datetime_format"),
        ("invalid_column", "csv_field_options.columns.x"),
        ("invalid_column", "csv_field_options.column_order.0"),
        ("invalid_format", "csv_field_options.properties"),
    }


def test_null_has_the_effect_of_an_absent_field() -> None:
    output = dict.fromkeys(OUTPUT_OPTIONS.names)
    options = dict.fromkeys(("limit", "order_by", "direction"))
    spec = parse_export({"resource": "shipment"})
    assert parse_export({"resource": "shipment"} | dict.fromkeys(EXPORT_BODY.names[1:])) == spec
    body = {"resource": "shipment", "options": options, "csv_field_options": output}
    assert parse_export(body) == spec


def test_an_unknown_field_is_reported_even_if_it_is_null() -> None:
    assert one_problem(color=None).field == "color"
    assert one_problem(csv_field_options={"color": None}).field == "csv_field_options.color"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"resource": ["x", None]}, 'Unsupported resource type: ["x", null]'),
        ({"format": True}, "true is not a valid format."),
        ({"csv_field_options": {"timezone": {}}}, "{} is not a time zone."),
        (
            {"csv_field_options": {"timezone": "America/New York"}},
            "'America/New York' is not a time zone. Did you mean 'America/New_York'?",
        ),
        ({"csv_field_options": {"columns": {"id": None}}}, "null is not a valid header"),
        ({"csv_field_options": {"columns": {"id": "FALSE"}}}, "write false without quotes"),
        ({"csv_field_options": {"column_order": [None]}}, "null is not a selected column"),
        (
            {"csv_field_options": {"columns": ["id", "type", "id"]}},
            "column 'id' is listed twice",
        ),
        (
            {"csv_field_options": {"datetime_format": ""}},
            "'' is not a datetime pattern",
        ),
        (
            {"csv_field_options": {"datetime_format": 5}},
            "5 is not a datetime pattern",
        ),
        (
            {"csv_field_options": {"datetime_format": "y" * 201}},
            "it may have at most 200 characters",
        ),
        ({"options": {"limit": True}}, "true is not a valid limit."),
        ({"options": {"order_by": [None]}}, "cannot be ordered by null"),
        ({"options": {"direction": ["x"]}}, '["x"] is not a valid direction.'),
    ],
)
def test_messages_contain_the_value_as_json(body: dict[str, Any], message: str) -> None:
    assert message in one_problem(**body).message


def test_an_empty_selection_is_reported_with_other_problems() -> None:
    found = problems(
        {"resource": "shipment", "format": "x", "csv_field_options": {"columns": {"id": False}}}
    )
    assert [problem.message for problem in found][1:] == ["No column is selected."]


@pytest.mark.parametrize(
    "body",
    [
        {f"field {n}": 1 for n in range(5_000)},
        {"options": {f"filter {n}": 1 for n in range(5_000)}},
        {"options": {"order_by": ["x"] * 5_000}},
        {"options": {"order_by": "id," * 5_000 + "id"}},
        {"csv_field_options": {"columns": {f"column {n}": True for n in range(5_000)}}},
        {"csv_field_options": {"column_order": ["id"] * 5_000}},
        {"csv_field_options": {"column_order": [["id"]] * 5_000}},
        {"options": {f"filter {n}": "x" * 9_000 for n in range(100)}},
        {"filters": {f"filter {n}" + "y" * 9_000: "x" for n in range(100)}},
        {"options": {"metadata": "equals:" + "x" * 900_000, "status": "x" * 900_000}},
        {"x" * 900_000: 1},
        {"resource": "x" * 900_000},
        {"resource": ["x" * 900_000]},
        {"csv_field_options": {"datetime_format": "x" * 900_000, "timezone": "x" * 900_000}},
        {"includes": ["x" * 9_000] * 100, "fields": ["x" * 9_000] * 100},
        {"date_from": "x" * 900_000, "type": "x" * 900_000},
        {"metadata": {"x": "x" * 900_000}},
        {"filters": {"status_in": ["x" * 900_000]}},
    ],
)
def test_a_body_of_many_mistakes_has_a_short_response(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_export({"resource": "shipment"} | body)
    assert len(raised.value.problems) <= 100
    assert len(json.dumps(raised.value.as_json())) < 64_000


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("%Y-%m-%d", "yyyy-MM-dd"),
        ("%d.%m.%y %H:%M:%S.%f", "dd.MM.yy HH:mm:ss.SSSSSS"),
        ("%-d %B", "d MMMM"),
        ("YYYY-MM-DD", "yyyy-MM-dd"),
        ("YYYY-MM-DD HH24:MI:SS", "yyyy-MM-dd HH:mm:ss"),
        ("DD/MM/YYYY hh:mm A", "dd/MM/yyyy hh:mm a"),
        ("yyyy%QQQQQ", None),
    ],
)
def test_a_pattern_of_another_tool_is_refused_with_a_hint(pattern: str, meant: str | None) -> None:
    problem = one_problem(csv_field_options={"datetime_format": pattern})
    assert problem.code is JobErrorCode.INVALID_DATETIME_FORMAT
    hint = f"Did you mean '{meant}'?"
    assert (hint in problem.message) is (meant is not None), problem.message


@pytest.mark.parametrize("pattern", ["yyyy '%d'", "yyyy %", "100% 'of' yyyy"])
def test_a_percent_sign_is_accepted_in_quotes_or_without_a_letter(pattern: str) -> None:
    body = {"resource": "shipment", "csv_field_options": {"datetime_format": pattern}}
    assert parse_export(body).datetime_format == pattern


@pytest.mark.parametrize("character", ["\x01", "\x08", "\x0b", "\x1f", "\ufffe"])
@pytest.mark.parametrize("file_format", ["xlsx", "csv"])
def test_a_pattern_with_a_control_character_is_refused(file_format: str, character: str) -> None:
    output = {"datetime_format": f"yyyy'{character}'"}
    problem = one_problem(format=file_format, csv_field_options=output)
    assert problem.code is JobErrorCode.INVALID_DATETIME_FORMAT
    assert "control character" in problem.message
