"""The declaration of a request: reading, OpenAPI schema and documentation."""

from collections.abc import Mapping
from typing import Any

import pytest

from longshore.api.body.declaration import (
    Body,
    Boolean,
    Choice,
    Custom,
    FreeObject,
    FreeObjects,
    Integer,
    Object,
    Text,
)
from longshore.api.body.schema import serializer_class
from longshore.api.errors import MAX_PROBLEMS, ErrorCode, InvalidInput, Problem, Problems


def read_even(value: Any, path: str, problems: Problems) -> Any:
    if value % 2:
        problems.report(ErrorCode.INVALID_LIMIT, path, value, f"{path} is odd.", "an even number")
    return value


COLORS = Body(
    "Colors",
    "The colors of a shape.",
    (Choice("fill", "The color inside.", choices=["red", "green"], default="red"),),
    null_is_absent=True,
)
SHAPE = Body(
    "Shape",
    "A shape.",
    (
        Choice("kind", "", choices=lambda: ["circle", "square"], noun="shape", required=True),
        Text("name", "Any name.", max_characters=5),
        Boolean("is_open", default=False),
        Integer("sides", minimum=1, maximum=9, code=ErrorCode.INVALID_LIMIT),
        FreeObject("metadata", max_characters=10),
        Custom("pairs", schema={"type": "integer"}, accepts="an even number", hook=read_even),
        Custom("raw", schema={"type": "string"}, accepts="a string"),
        Object("colors", body=COLORS),
    ),
    null_is_absent=True,
)
VALID: dict[str, Any] = {
    "kind": "circle",
    "name": "round",
    "is_open": True,
    "sides": 9,
    "metadata": {"a": 1},
    "pairs": 2,
    "raw": ["anything"],
    "colors": {"fill": "green"},
}


def problems_of(body: Mapping[str, Any], declared: Body = SHAPE) -> list[Problem]:
    problems = Problems()
    declared.read(body, problems)
    if not problems:
        return []
    with pytest.raises(InvalidInput) as raised:
        problems.refuse()
    return list(raised.value.problems)


def test_a_valid_body_is_returned_unchanged() -> None:
    assert SHAPE.read(VALID, Problems()) == VALID


def test_absent_fields_have_their_defaults() -> None:
    problems = Problems()
    defaults = {"kind": "circle", "is_open": False, "colors": {"fill": "red"}}
    assert SHAPE.read({"kind": "circle"}, problems) == defaults
    assert SHAPE.read(dict.fromkeys(VALID) | {"kind": "circle"}, problems) == defaults
    assert SHAPE.read({"kind": "circle", "colors": {"fill": None}}, problems) == defaults
    assert not problems


@pytest.mark.parametrize(
    ("field", "value", "message", "accepted"),
    [
        (
            "kind",
            "cirle",
            "'cirle' is not a valid shape. Did you mean 'circle'?",
            ["circle", "square"],
        ),
        ("kind", "x", "'x' is not a valid shape.", ["circle", "square"]),
        ("kind", ["circle"], '["circle"] is not a valid shape.', ["circle", "square"]),
        (
            "name",
            "longer",
            "name must be a string of at most 5 characters, not 'longer'.",
            "a string of at most 5 characters",
        ),
        (
            "name",
            5,
            "name must be a string of at most 5 characters, not 5.",
            "a string of at most 5 characters",
        ),
        ("is_open", "true", "is_open must be true or false, not 'true'.", [True, False]),
        (
            "sides",
            10,
            "sides must be a whole number from 1 to 9, not 10.",
            "a whole number from 1 to 9",
        ),
        (
            "sides",
            True,
            "sides must be a whole number from 1 to 9, not true.",
            "a whole number from 1 to 9",
        ),
        (
            "sides",
            2.0,
            "sides must be a whole number from 1 to 9, not 2.0.",
            "a whole number from 1 to 9",
        ),
        (
            "metadata",
            {"long": "text"},
            "metadata has 16 characters as JSON, more than 10.",
            "an object of at most 10 characters as JSON",
        ),
        ("pairs", 3, "pairs is odd.", "an even number"),
        ("colors", [], "colors must be an object, not [].", "an object"),
    ],
)
def test_a_value_that_is_not_accepted_is_reported(
    field: str, value: Any, message: str, accepted: Any
) -> None:
    [problem] = problems_of(VALID | {field: value})
    assert (problem.field, problem.value) == (field, value)
    assert (problem.message, problem.accepted) == (message, accepted)


def test_a_problem_has_the_code_of_its_field() -> None:
    [problem] = problems_of(VALID | {"sides": 0})
    assert problem.code is ErrorCode.INVALID_LIMIT


def test_nested_fields_are_reported_with_their_path() -> None:
    found = problems_of(VALID | {"colors": {"fill": "gren", "edge": "red"}})
    assert [(each.field, each.message) for each in found] == [
        ("colors.edge", "'colors.edge' is not a field."),
        ("colors.fill", "'gren' is not a valid fill. Did you mean 'green'?"),
    ]


def test_missing_fields_come_before_unknown_fields_and_values() -> None:
    found = problems_of({"sides": 0, "knd": "circle", "name": 5})
    assert [problem.field for problem in found] == ["kind", "knd", "name", "sides"]


def test_a_choice_may_have_a_fixed_wording() -> None:
    kind = Choice("kind", choices=["circle"], fixed_wording="Unsupported kind: ")
    declared = Body("Kinds", "Kinds.", (kind,))
    messages = [
        problems_of({"kind": value}, declared)[0].message for value in ("x", ["x"], "cirle")
    ]
    assert messages == [
        "Unsupported kind: x",
        'Unsupported kind: ["x"]',
        "Unsupported kind: cirle. Did you mean 'circle'?",
    ]


def test_an_unknown_field_gets_a_suggestion() -> None:
    [problem] = problems_of(VALID | {"side": 3})
    assert problem.code is ErrorCode.INVALID_REQUEST
    assert problem.message == "'side' is not a field. Did you mean 'sides'?"
    assert problem.value == 3
    assert problem.accepted == list(SHAPE.names)


@pytest.mark.parametrize("body", [{}, {"kind": None}])
def test_a_missing_required_field_is_reported(body: dict[str, Any]) -> None:
    [problem] = problems_of(body)
    assert (problem.code, problem.field) == (ErrorCode.INVALID_REQUEST, "kind")
    assert problem.message == "kind is required."


def test_null_is_a_value_of_fields_that_declare_it() -> None:
    strict = Body("Strict", "", (Boolean("is_open", default=False),))
    [problem] = problems_of({"is_open": None}, strict)
    assert problem.message == "is_open must be true or false, not null."


def test_no_problem_repeats_a_value_that_may_be_secret() -> None:
    declared = Body(
        "Login",
        "",
        (
            Text("password", max_characters=3, is_secret=True),
            Boolean("is_new", is_secret=True),
            Choice("method", choices=["pin", "phrase"], is_secret=True),
        ),
        hides_unknown_values=True,
    )
    body = dict.fromkeys(("password", "is_new", "method", "pasword"), "hush!")
    found = problems_of(body, declared)
    assert [(each.field, each.message) for each in found] == [
        ("pasword", "'pasword' is not a field. Did you mean 'password'?"),
        ("password", "password must be a string of at most 3 characters."),
        ("is_new", "is_new must be true or false."),
        ("method", "method must be pin or phrase."),
    ]
    assert all(each.value is None for each in found)


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        ([], "rows", "rows must be a list of at least one object, not []."),
        ({"a": 1}, "rows", 'rows must be a list of at least one object, not {"a": 1}.'),
        ([{}, 5], "rows.1", "rows.1 must be an object, not 5."),
    ],
)
def test_a_list_of_objects_has_objects_only(value: Any, field: str, message: str) -> None:
    table = Body("Table", "", (FreeObjects("rows"),))
    [problem] = problems_of({"rows": value}, table)
    assert (problem.field, problem.message) == (field, message)
    assert table.read({"rows": [{"a": 1}, {}]}, Problems()) == {"rows": [{"a": 1}, {}]}
    assert list(serializer_class(table)().fields) == ["rows"]


def test_reading_stops_at_the_maximum_of_problems() -> None:
    with pytest.raises(InvalidInput) as raised:
        SHAPE.read({f"field {number}": 1 for number in range(50_000)}, Problems())
    assert len(raised.value.problems) == MAX_PROBLEMS


def test_the_serializer_has_the_fields_of_the_declaration() -> None:
    serializer = serializer_class(SHAPE)()
    assert type(serializer).__name__ == "ShapeSerializer"
    assert list(serializer.fields) == list(SHAPE.names)
    fields: Any = serializer.fields
    assert [name for name, field in fields.items() if field.required] == ["kind"]
    # Not in the schema: generated clients would send it.
    assert fields["is_open"].help_text.endswith("Default: `false`.")
    assert list(fields["kind"].choices) == ["circle", "square"]
    assert fields["name"].help_text == "Any name."
    assert list(fields["colors"].fields) == ["fill"]
