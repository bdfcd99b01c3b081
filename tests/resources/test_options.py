"""Invalid options: code, field, value, message and accepted values of each problem."""

from dataclasses import replace
from typing import Any

import pytest

from longshore.api.errors import ErrorCode, Problem, shortened
from longshore.resources.comparisons import Operator
from longshore.resources.conditions import Condition
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import Ordering, Selection, parse_options
from longshore.resources.registry import registry
from longshore.resources.timezones import UTC
from tests.samples import SAMPLE


def read(options: dict[str, Any], name: str = "shipment") -> tuple[Selection, list[Problem]]:
    resource = registry.get(name)
    assert resource is not None
    return parse_options(resource, options, UTC)


DAY = "an ISO date (2024-12-25)"


@pytest.mark.parametrize(
    ("name", "raw", "text", "accepted"),
    [
        ("statu", "x", "no filter 'statu'. Did you mean 'status'?", "tracking_number"),
        ("nothing", None, "no filter 'nothing'", "group_id"),
        ("", "x", "no filter ''", "status"),
        ("created_at.x", "x", "no filter 'created_at.x'", "status"),
        ("metadata.", "x", "'' is not a path of keys inside metadata", '."a.b"'),
        ("metadata..a", "x", "'.a' is not a path of keys", '."a.b"'),
        ('metadata."a', "x", "is not a path of keys inside metadata", '."a.b"'),
        (".", "x", "no filter '.'", "status"),
        ("metadata.\0", "x", "contains NUL", None),
        ("metadata.\ud800", "x", "unpaired surrogate", None),
        ("location.code", "x", "`location` has no field 'code'", "location.name"),
        ("location.", "x", "`location` has no field ''", None),
        ("location.name.x", "x", "`location` has no field 'name.x'", "location.id"),
        ("status", "gt:a", "does not support the operator `gt`", "not_in"),
        ("status", "bwi:a,b", "does not support the operator `bwi`", "not_equals"),
        ("paid", "lt:true", "does not support the operator `lt`", "is_null"),
        ("tags", "gte:a", "does not support the operator `gte`", "equals"),
        ("rates", "gt:1", "does not support the operator `gt`", "equals"),
        ("location", "gt:a", "does not support the operator `gt`", "in"),
        ("status", [], "An empty list selects nothing.", "at least one value"),
        ("status", "a,,b", "has an empty value", "single commas"),
        ("status", ",", "has an empty value", "single commas"),
        ("status", "in:a,", "has an empty value", "single commas"),
        ("status", {"a": 1}, "is not a valid value of status", "a text"),
        ("status", True, "true is not a valid value of status", "a text"),
        ("status", [None], "null is not a valid value of status", "a text"),
        ("status", "nosuchstatus", "'nosuchstatus' is not a value of status", "delivered"),
        ("status", "", "'' is not a value of status", "delivered"),
        ("status", ["delivered", "gone"], "'gone' is not a value of status", "delivered"),
        ("statuses", "not_in:delivered,gone", "'gone' is not a value of", "delivered"),
        ("fulfillment.status", "not_equals:gone", "'gone' is not a value of", "picked"),
        ("status", ["delivered"] * 10_001, "10,001 values", "at most 10,000 values"),
        ("metadata.a", ",".join("a" * 10_001), "10,001 values", "at most 10,000 values"),
        ("status", [["a"]], '["a"] is not a valid value of status', "a text"),
        ("status", "a\0", "is not a valid value of status", "a text"),
        ("status", "is_null:true", "`is_null` takes no value", "is_null"),
        ("status", "is_not_null:", "`is_not_null` takes no value", "is_null"),
        ("amount", "x", "'x' is not a valid value of amount. Accepted: a number", "a number"),
        ("amount", "", "is not a valid value of amount", "a number"),
        ("amount", "around:5", "is not a valid value of amount", "gte"),
        ("amount", "not_equal:5", "is not a valid value of amount", "not_equals"),
        ("amount", "gt:", "'' is not a valid value of amount", "a number"),
        ("amount", "gt:1,2", "'1,2' is not a valid value of amount", "a number"),
        ("amount", "bwi:1", "`bwi` takes exactly two values", "bwi:a,b"),
        ("amount", "bwe:1,2,3", "`bwe` takes exactly two values", "bwe:a,b"),
        ("amount", "bwi:10,9", "`bwi` takes the smaller value first", "bwi:a,b"),
        ("amount", {}, "is not a valid value of amount", "a number"),
        ("created_at", "gte:soon", "'soon' is not a valid value of created_at", DAY),
        ("created_at", "after:2024-01-01", "is not a valid value of created_at", "bwi"),
        ("created_at", "bwi:2024-02-01,2024-01-01", "the smaller value first", "bwi:a,b"),
        ("created_at", "bwi:2024-01-02T00:00,2024-01-01", "the smaller value first", "bwi:a,b"),
        ("created_at", [1704067200, "x"], "'x' is not a valid value of created_at", DAY),
        ("created_at", {"gte": "2024-01-01"}, "Did you mean 'gte:2024-01-01'?", "gte"),
        ("paid", 1, "1 is not a valid value of paid", "true or false"),
        ("metadata.a", {"b": 1}, "is not a valid value of metadata.a", "a text"),
        ("metadata.a", [], "An empty list selects nothing.", "at least one value"),
        ("metadata.a", "gt:x", "'x' is not a valid value of metadata.a", "a number"),
        ("metadata", float("nan"), "NaN is not a valid value of metadata", "a JSON object"),
        ("metadata", {"a": "\0"}, "is not a valid value of metadata", "a JSON object"),
        ("search", "", "at least 2 letters or digits", "words"),
        ("search", "a - ! ''", "at least 2 letters or digits", "words"),
        ("search", ["smith"], "`search` must be a text", "500 characters"),
        ("search", None, "`search` must be a text", "500 characters"),
        ("search", "ab\0", "`search` must be a text", "500 characters"),
        ("search", "a" * 501, "`search` must be a text", "500 characters"),
    ],
)
def test_problem_names_a_malformed_filter(name: str, raw: object, text: str, accepted: str) -> None:
    resource = "contact" if accepted == "group_id" else "shipment"
    selection, problems = read({name: raw}, resource)
    assert selection == Selection()
    (problem,) = problems
    assert problem.code is ResourceErrorCode.INVALID_FILTER
    assert problem.field == f"options.{name}"
    assert problem.value in (raw, shortened(raw))
    assert text in problem.message
    assert accepted is None or accepted in str(problem.accepted)


@pytest.mark.parametrize(
    "limit",
    [
        0,
        -1,
        "0",
        "-1",
        "ten",
        "",
        "1.0",
        1.0,
        10.0,
        True,
        False,
        [],
        [1],
        {},
        2**63,
        "9" * 20,
    ],
)
def test_invalid_limit_is_rejected(limit: object) -> None:
    _, (problem,) = read({"limit": limit})
    assert problem.code is ErrorCode.INVALID_LIMIT
    assert problem.field == "options.limit"
    assert problem.value == limit
    assert problem.accepted == '"all" or a whole number from 1'


@pytest.mark.parametrize(
    ("limit", "number"),
    [("all", None), (None, None), (1, 1), ("1000", 1000), (2**63 - 1, 2**63 - 1)],
)
def test_valid_limit_is_read(limit: object, number: int | None) -> None:
    assert read({"limit": limit}) == (Selection(limit=number), [])


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        ({"order_by": "statu"}, "order_by", "statu"),
        ({"order_by": ""}, "order_by", ""),
        ({"order_by": "status,"}, "order_by", ""),
        ({"order_by": "status,-status"}, "order_by", "-status"),
        ({"order_by": "--status"}, "order_by", "--status"),
        ({"order_by": "rates"}, "order_by", "rates"),
        ({"order_by": "tags"}, "order_by", "tags"),
        ({"order_by": "location"}, "order_by", "location"),
        ({"order_by": "location.name"}, "order_by", "location.name"),
        ({"order_by": "metadata.a"}, "order_by", "metadata.a"),
        ({"order_by": "status; DROP TABLE x"}, "order_by", "status; DROP TABLE x"),
        ({"order_by": 5}, "order_by", 5),
        ({"order_by": {}}, "order_by", {}),
        ({"order_by": [["status"]]}, "order_by", ["status"]),
        ({"order_by": [None]}, "order_by", None),
        ({"direction": "up"}, "direction", "up"),
        ({"direction": "DESC"}, "direction", "DESC"),
        ({"direction": ["desc"]}, "direction", ["desc"]),
    ],
)
def test_invalid_order_is_rejected(options: dict[str, Any], field: str, value: object) -> None:
    _, (problem,) = read(options)
    assert problem.code is ResourceErrorCode.INVALID_ORDERING
    assert problem.field == f"options.{field}"
    assert problem.value == value
    accepted = problem.accepted
    assert isinstance(accepted, list)
    assert ("status" if field == "order_by" else "asc") in accepted
    assert "rates" not in accepted


@pytest.mark.parametrize(
    ("options", "ordering"),
    [
        ({}, ()),
        ({"order_by": None}, ()),
        ({"order_by": []}, ()),
        ({"order_by": "status"}, (Ordering("status"),)),
        ({"order_by": "status", "direction": "desc"}, (Ordering("status", True),)),
        ({"order_by": "-status", "direction": "desc"}, (Ordering("status", False),)),
        ({"order_by": "status, -fee"}, (Ordering("status"), Ordering("fee", True))),
        ({"order_by": ["-fee", "id"]}, (Ordering("fee", True), Ordering("id"))),
        ({"direction": None}, ()),
        ({"direction": "asc"}, (Ordering("created_at"),)),
        ({"direction": "desc"}, (Ordering("created_at", True),)),
    ],
)
def test_valid_order_is_read(options: dict[str, Any], ordering: tuple[Ordering, ...]) -> None:
    assert read(options) == (Selection(ordering=ordering), [])


def test_all_problems_are_reported_and_the_rest_is_parsed() -> None:
    options = {"status": "delivered", "x": 1, "amount": "y", "limit": 0, "direction": "z"}
    selection, problems = read(options)
    assert selection.conditions == (Condition("status", Operator.EQUALS, ("delivered",)),)
    fields = [problem.field for problem in problems]
    assert fields == ["options.x", "options.amount", "options.direction", "options.limit"]


def test_fields_of_problems_begin_with_the_given_path() -> None:
    _, (problem,) = parse_options(SAMPLE, {"x": 1}, UTC, path="")
    assert problem.field == "x"


def test_too_many_options_are_rejected() -> None:
    selection, (problem,) = read({f"metadata.key{n}": "x" for n in range(101)})
    assert selection == Selection()
    assert (problem.code, problem.field) == (ErrorCode.INVALID_REQUEST, "options")
    assert problem.accepted == "at most 100 options"


def test_resource_without_search_text_has_no_search() -> None:
    _, (problem,) = parse_options(replace(SAMPLE, search=None), {"search": "x"}, UTC)
    assert "has no filter 'search'" in problem.message


def test_equal_values_are_deduplicated_except_in_ranges() -> None:
    options = {"provider": "ups,fedex,ups", "amount": "bwi:5,5", "metadata.status": "gone"}
    conditions = read(options)[0].conditions
    assert [c.values for c in conditions if isinstance(c, Condition)] == [
        ("ups", "fedex", "ups,fedex,ups"),
        ("5", "5"),
        ("gone",),
    ]
