"""Predicates: parsing of names, relations, and problems."""

import time
from dataclasses import replace
from typing import Any

import pytest

from longshore.accounts.models import Organization
from longshore.api.errors import ErrorCode, Problem, shortened
from longshore.resources.columns import Column, ColumnType
from longshore.resources.comparisons import Operator
from longshore.resources.conditions import AnyOf, Condition
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.predicates import parse_predicates, parse_selection
from longshore.resources.registry import Resource, registry
from longshore.resources.timezones import UTC
from tests.factories import (
    ArticleFactory,
    ContactFactory,
    FulfillmentFactory,
    GroupFactory,
    LocationFactory,
    ShipmentFactory,
)
from tests.resources.conftest import Select
from tests.samples import SAMPLE


def resource(name: str) -> Resource:
    found = registry.get(name)
    assert found is not None
    return found


def read(
    filters: dict[str, Any], target: Resource | str = "shipment"
) -> tuple[tuple[Condition | AnyOf, ...], list[Problem]]:
    return parse_predicates(resource(target) if isinstance(target, str) else target, filters, UTC)


def paths(name: str, target: Resource | str = "shipment", raw: Any = "x") -> list[tuple[str, str]]:
    """Return the paths and operators of the conditions of a predicate."""
    [condition], problems = read({name: raw}, target)
    assert problems == []
    conditions = condition.any_of if isinstance(condition, AnyOf) else (condition,)
    return [(each.path, str(each.operator)) for each in conditions]


def resource_with(*names: str) -> Resource:
    """The sample with further text columns."""
    return replace(
        SAMPLE, columns=tuple(Column(name, ColumnType.TEXT, "{row}.text") for name in names)
    )


@pytest.mark.parametrize(
    ("name", "columns", "expected"),
    [
        ("text_not_eq", (), [("text", "differs")]),
        ("text_eq_or_null", (), [("text", "equals"), ("text", "is_null")]),
        ("text_not_eq_or_null", (), [("text", "not_equals")]),
        ("text_in_or_null", (), [("text", "in"), ("text", "is_null")]),
        ("text_or_uuid_eq", (), [("text", "equals"), ("uuid", "equals")]),
        (
            "text_or_uuid_eq_or_null",
            (),
            [("text", "equals"), ("text", "is_null"), ("uuid", "equals"), ("uuid", "is_null")],
        ),
        ("text_or_text_eq", (), [("text", "equals")]),
        # The longest matcher that leaves known attributes.
        ("text_not_eq", ("text_not",), [("text", "differs")]),
        ("is_not_eq", ("is_not",), [("is_not", "equals")]),
        ("text_not_start", ("text_not",), [("text", "unlike_all")]),
        ("sign_in_in", ("sign_in",), [("sign_in", "in")]),
        ("sign_in_eq", ("sign_in", "sign"), [("sign_in", "equals")]),
        ("week_end_not_end", ("week_end",), [("week_end", "unlike_all")]),
        ("nothing_or_null_eq", ("nothing_or_null",), [("nothing_or_null", "equals")]),
        ("x_eq_or_null_in", ("x_eq_or_null",), [("x_eq_or_null", "in")]),
        ("eq_eq", ("eq",), [("eq", "equals")]),
        # The longest attribute, from left to right.
        ("text_or_uuid_eq", ("text_or_uuid",), [("text_or_uuid", "equals")]),
        ("a_or_b_or_c_eq", ("a", "b_or_c", "a_or_b"), [("a", "equals"), ("b_or_c", "equals")]),
        ("a_or_b_or_c_eq", ("a_or_b", "b_or_c", "c"), [("a_or_b", "equals"), ("c", "equals")]),
        ("a_or_b_or_a_eq", ("a", "b", "a_or_b"), [("a_or_b", "equals"), ("a", "equals")]),
    ],
)
def test_ambiguous_name_has_one_meaning(
    name: str, columns: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    assert paths(name, resource_with(*columns)) == expected


@pytest.mark.parametrize(
    ("name", "start", "expected"),
    [
        ("location_id_eq", "shipment", ["location_id"]),
        ("location_name_eq", "shipment", ["location.name"]),
        # All columns of the related resource, not only the fields of the relation.
        ("location_code_eq", "shipment", ["location.code"]),
        ("destination_contact_email_end", "shipment", ["destination_contact.email"]),
        ("groups_id_in", "contact", ["groups.id"]),
        ("groups_location_name_eq", "contact", ["groups.location.name"]),
        (
            "tracker_destination_contact_groups_name_eq",
            "shipment",
            ["tracker.destination_contact.groups.name"],
        ),
        (
            "name_or_email_or_groups_name_cont",
            "contact",
            ["name", "email", "groups.name"],
        ),
        # Without a resource: the fields of the relation.
        ("articles_sku_eq", "fulfillment", ["articles.sku"]),
        ("parent_parent_parent_name_eq", "group", ["parent.parent.parent.name"]),
        # Relations that requests may include, even if undeclared.
        ("prices_price_tiers_name_cont", "sku", ["prices.price_tiers.name"]),
        (
            "orders_line_items_line_item_options_name_eq",
            "customer",
            ["orders.line_items.line_item_options.name"],
        ),
        (
            "line_items_sku_code_or_customer_first_name_eq",
            "order",
            ["line_items.sku_code", "customer.first_name"],
        ),
    ],
)
def test_attributes_of_related_records(name: str, start: str, expected: list[str]) -> None:
    found = [path for path, _ in paths(name, start)]
    assert found == expected


@pytest.mark.parametrize(
    ("name", "raw", "text", "accepted"),
    [
        ("statsu_eq", "x", "has no attribute 'statsu'. Did you mean 'status'?", "provider"),
        ("location_nam_eq", "x", "no attribute 'location_nam'. Did you mean 'location_name'", ""),
        ("status_or_nothing_eq", "x", "no attribute 'nothing'", "location_<attribute>"),
        ("status_or_eq", "x", "no attribute 'status_or'", "status"),
        ("_eq", "x", "no attribute ''", "status"),
        ("organization_id_or_x_eq", "x", "no attribute 'x'", ""),
        ("search_text_cont", "x", "no attribute 'search_text'", "_search"),
        ("location_search_text_cont", "x", "no attribute 'location_search_text'", ""),
        ("location_organization_name_eq", "x", "no attribute", ""),
        (
            "status_eqq",
            "x",
            "does not end with a matcher. Did you mean 'eq'?",
            "not_eq",
        ),
        ("status_not_eq_al", "x", "Did you mean 'not_eq_all'?", "not_eq_all"),
        ("metadata_conts", {}, "does not end with a matcher", "jcont"),
        ("status", "x", "'status' does not end with a matcher", "eq"),
        (
            "creatd_at",
            "x",
            "followed by a matcher. Did you mean 'created_at_eq'?",
            "<attribute>_<matcher>",
        ),
        ("xyzzy", "x", "followed by a matcher.", "<attribute>_<matcher>"),
        ("nothing", "x", "'nothing' is not an attribute of shipment", "id_eq"),
        ("", "x", "'' is not an attribute", "id_eq"),
        ("status\0_eq", "x", "has no attribute", "status"),
        ("tracker_destination_contact_groups_location_name_eq", "x", "more than 3 relations", "3"),
        ("_or_".join(["status"] * 11) + "_eq", "x", "joins 11 attributes", "10 attributes"),
        ("s" * 300 + "_eq", "x", "the maximum is 300", "300"),
        ("metadata_eq", {}, "`metadata` (json) does not support the matcher `eq`", "jcont"),
        ("status_jcont", {}, "`status` (text) does not support the matcher `jcont`", "eq"),
        ("amount_cont", "1", "`amount` (integer) does not support the matcher `cont`", "gteq"),
        ("paid_gt", True, "`paid` (boolean) does not support the matcher `gt`", "true"),
        ("tags_cont", "x", "`tags` (list) does not support the matcher `cont`", "in"),
        ("status_true", True, "does not support the matcher `true`", "eq"),
        ("location_metadata_start", "x", "`location.metadata` (json)", "jcont"),
        ("status_or_amount_cont", "x", "`amount` (integer)", "gteq"),
        ("amount_eq", "x", "'x' is not a valid value of amount. Accepted: a number", "a number"),
        ("amount_in", "1,x", "'x' is not a valid value of amount", "a number"),
        ("amount_in", {"a": 1}, '{"a": 1} is not a valid value of amount', "a number"),
        ("amount_eq", None, "null is not a valid value of amount", "a number"),
        ("status_or_amount_eq", "lost", "'lost' is not a valid value of amount", "a number"),
        ("created_at_gt", "soon", "'soon' is not a valid value of created_at", "an ISO date"),
        (
            "location_created_at_gt",
            "soon",
            "not a valid value of location.created_at",
            "an ISO date",
        ),
        ("paid_eq", 2, "2 is not a valid value of paid", "true or false"),
        ("paid_true", "maybe", "`paid_true` takes true or false", "True"),
        ("notes_null", None, "`notes_null` takes true or false", "False"),
        ("notes_blank", [True], "`notes_blank` takes true or false", "False"),
        ("status_eq", "gone", "'gone' is not a value of status", "delivered"),
        ("status_not_in", ["lost", "gone"], "'gone' is not a value of status", "delivered"),
        ("notes_eq", ["x"], "`notes_eq` takes one value, not a list", "one value"),
        ("notes_cont", {}, "{} is not a valid value of notes", "a text"),
        ("notes_cont", "\0", "is not a valid value of notes", "a text"),
        ("notes_in", [], "An empty list selects nothing.", "at least one value"),
        ("notes_in", "a,,b", "has an empty value", "single commas"),
        ("notes_in", [["a"]], '["a"] is not a valid value of notes', "a text"),
        ("notes_in", [None], "null is not a valid value of notes", "a text"),
        ("notes_matches", "50\\", "unfinished escape", "%"),
        ("notes_does_not_match_any", ["a", "\\\\\\"], "unfinished escape", "%"),
        ("metadata_jcont", None, "`metadata_jcont` does not take null", "a JSON object"),
        ("metadata_jcont", "null", "`metadata_jcont` does not take null", "a JSON object"),
        ("metadata_jcont", float("nan"), "NaN is not a valid value of metadata", "a JSON object"),
        ("notes_in", ["x"] * 10_001, "10,001 values", "at most 10,000 values"),
        ("amount_in", ",".join("1" * 10_001), "10,001 values", "at most 10,000 values"),
        ("notes_or_provider_in", ["x"] * 5_001, "each of 2 attributes", "at most 5,000 values"),
    ],
)
def test_problem_names_the_malformed_predicate(
    name: str, raw: Any, text: str, accepted: str
) -> None:
    conditions, [problem] = read({name: raw})
    assert conditions == ()
    assert problem.code is ResourceErrorCode.INVALID_FILTER
    assert problem.field == shortened(f"filters.{name}")
    assert problem.value in (raw, shortened(raw))
    assert text in problem.message
    assert accepted in str(problem.accepted)
    assert problem.accepted


@pytest.mark.parametrize(
    ("name", "resource_name", "accepted"),
    [
        ("tags_name_eq", "sku", "tags_id_in"),
        ("tags_id_eq", "sku", "tags_id_not_in"),
        ("tags_id_null", "sku", "tags_id_in"),
        ("code_or_tags_name_cont", "sku", "tags_id_in"),
        ("sku_tags_name_in", "price", "sku_tags_id_in"),
        ("orders_tags_created_at_gt", "customer", "orders_tags_id_not_in"),
    ],
)
def test_tags_support_only_filters_by_id(name: str, resource_name: str, accepted: str) -> None:
    conditions, [problem] = read({name: True}, resource_name)
    assert conditions == ()
    assert problem.field == f"filters.{name}"
    assert "filter tags by id." in problem.message
    assert accepted in str(problem.accepted)


@pytest.mark.parametrize(
    ("name", "resource_name"),
    [("tags_id_in", "sku"), ("sku_tags_id_not_in", "price"), ("code_or_tags_id_in", "sku")],
)
def test_tags_of_related_records_filter_by_id(name: str, resource_name: str) -> None:
    assert read({name: "tag_1,tag_2"}, resource_name)[1] == []


def test_resource_without_tags_rejects_their_filter() -> None:
    _, [problem] = read({"tags_id_in": "tag_1"}, "price")
    assert "price has no attribute 'tags_id'" in problem.message


def test_all_problems_are_reported_and_the_rest_is_parsed() -> None:
    filters = {"status_eq": "lost", "x_eq": 1, "amount_gt": "y", "paid_true": 3, "notes_in": []}
    conditions, problems = read(filters)
    assert conditions == (Condition("status", Operator.EQUALS, ("lost",)),)
    assert [problem.field for problem in problems] == [
        *("filters.x_eq", "filters.amount_gt", "filters.paid_true", "filters.notes_in")
    ]


def test_too_many_predicates_are_rejected() -> None:
    conditions, [problem] = read({f"x{n}_eq": "x" for n in range(101)})
    assert conditions == ()
    assert (problem.code, problem.field) == (ErrorCode.INVALID_REQUEST, "filters")


def test_parsing_time_of_a_name_is_bounded() -> None:
    joined = "_or_".join(["children_parent_children"] * 10)
    names = [f"{joined[:length]}_not_eq_or_null" for length in range(180, 270)]
    started = time.monotonic()
    _, problems = read(dict.fromkeys(names, "x"), "group")
    assert len(problems) == len(names)
    # Without memoization, parsing one of the names takes minutes.
    assert time.monotonic() - started < 10


def test_both_filter_languages_are_joined_by_and() -> None:
    shipment = resource("shipment")
    options = {"status": "lost", "nope": 1}
    selection, problems = parse_selection(shipment, options, {"fee_gt": 1, "nope_eq": 1}, UTC)
    assert selection.conditions == (
        Condition("status", Operator.EQUALS, ("lost",)),
        Condition("fee", Operator.GT, ("1",)),
    )
    assert [problem.field for problem in problems] == ["options.nope", "filters.nope_eq"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"status_in": "delivered,lost"}, "a, b"),
        ({"status_in": ["delivered", "lost"]}, "a, b"),
        ({"status_in": " lost "}, "b"),
        ({"status_not_eq_all": "delivered,lost"}, "c"),
        ({"notes_cont_any": "50%,under_score"}, "a, b"),
        ({"notes_cont": "50%"}, "a"),
        ({"notes_cont": "R_S"}, "b"),
        ({"notes_cont": "a,b"}, ""),
        ({"notes_in": ["50% of 100, or so"]}, "a"),
        ({"notes_matches": "50% SO"}, "a"),
        ({"notes_matches": "%r\\_s%"}, "b"),
        ({"notes_matches": "under__core"}, "b"),
        ({"notes_eq": "UNDER_SCORE"}, ""),
        ({"notes_start": "UNDER"}, "b"),
        ({"notes_not_start": "under"}, "a"),
        ({"notes_not_eq": "under_score"}, "a"),
        ({"notes_not_eq_or_null": "under_score"}, "a, c"),
        ({"notes_eq_or_null": "under_score"}, "b, c"),
        ({"notes_or_provider_cont": "u"}, "b, c"),
        ({"notes_or_provider_not_cont": "u"}, "a, b"),
        ({"notes_null": "true"}, "c"),
        ({"notes_null": 0}, "a, b"),
        ({"notes_present": "1"}, "a, b"),
        ({"paid_true": True}, "a"),
        ({"paid_false": "true"}, "b, c"),
        ({"amount_gteq": 100, "amount_lt": "200"}, "a"),
        ({"amount_in": 100}, "a"),
        ({"amount_gt_all": "50,100"}, "b"),
        ({"tags_eq": "cold"}, "b"),
        ({"tags_not_in": "cold"}, "a, c"),
        ({"tags_blank": True}, "c"),
        ({"metadata_jcont": {"a": {"b": 1}}}, "a"),
        ({"metadata_jcont": '{"a": {}}'}, "a, b"),
        ({"created_at_gteq": "2024-03-10"}, "a, b, c"),
    ],
)
def test_matchers_on_own_columns(
    filters: dict[str, Any], ids: str, acme: Organization, match: Select
) -> None:
    for key, status, notes, amount, tags, metadata in [
        ("a", "delivered", "50% of 100, or so", 100, ["dry"], {"a": {"b": 1}}),
        ("b", "lost", "under_score", 200, ["dry", "cold"], {"a": {"b": 2}}),
        ("c", "created", None, None, [], {}),
    ]:
        ShipmentFactory(
            organization=acme,
            id=key,
            status=status,
            notes=notes,
            amount=amount,
            tags=tags,
            metadata=metadata,
            provider="UPS" if key == "c" else "dhl",
            paid=key == "a",
        )
    assert match("shipment", filters) == {each for each in ids.split(", ") if each}


@pytest.fixture
def people(acme: Organization, globex: Organization) -> None:
    owner = {"organization": acme}
    hub = LocationFactory(**owner, id="hub", name="Hub")
    hall = LocationFactory(**owner, id="hall", name="Hall", code="H", terminal_location=hub)
    crew = GroupFactory(**owner, id="crew", name="crew", location=hall)
    dock = GroupFactory(**owner, id="dock", name="dock")
    secret = GroupFactory(organization=globex, id="secret", name="secret")
    ContactFactory(**owner, id="both", email="b@x.com", groups=[crew, dock])
    ContactFactory(**owner, id="one", email="O@X.COM", groups=[crew])
    ContactFactory(**owner, id="none")
    ContactFactory(**owner, id="corrupt", groups=[secret])
    ContactFactory(organization=globex, id="foreign", groups=[secret, crew])
    for key in ("both", "none"):
        ShipmentFactory(**owner, id=f"to {key}", destination_contact_id=key)
    ShipmentFactory(**owner, id="to nobody")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"groups_id_in": "crew,dock"}, "both, one"),
        ({"groups_id_in": ["dock", "nobody"]}, "both"),
        ({"groups_id_in": "secret"}, ""),
        # Negations pass if no related record has the value.
        ({"groups_id_not_in": "dock"}, "one, none, corrupt"),
        ({"groups_name_not_eq": "crew"}, "none, corrupt"),
        ({"groups_name_not_eq_or_null": "crew"}, "none, corrupt"),
        ({"groups_name_not_start": "do"}, "one, none, corrupt"),
        ({"groups_name_eq_or_null": "dock"}, "both, none, corrupt"),
        ({"groups_name_in_or_null": "nobody"}, "none, corrupt"),
        ({"groups_name_null": True}, "none, corrupt"),
        ({"groups_name_present": True}, "both, one"),
        ({"groups_location_id_null": True}, "none, corrupt"),
        ({"groups_location_code_eq": "H"}, "both, one"),
        ({"groups_location_code_not_eq": "H"}, "none, corrupt"),
        ({"groups_location_terminal_location_name_cont": "U"}, "both, one"),
        ({"groups_location_terminal_location_name_blank": True}, "none, corrupt"),
        # Different related records may pass different predicates.
        ({"groups_name_eq": "dock", "groups_location_name_eq": "Hall"}, "both"),
        ({"name_or_groups_name_eq": "dock"}, "both"),
        ({"email_end": "@x.com"}, "both, one"),
    ],
)
def test_matchers_through_a_to_many_relation(
    filters: dict[str, Any], ids: str, people: None, match: Select
) -> None:
    assert match("contact", filters) == {each for each in ids.split(", ") if each}


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"destination_contact_email_eq": "b@x.com"}, "to both"),
        # A negation is false if the record or its value is missing.
        ({"destination_contact_email_not_eq": "x"}, "to both"),
        ({"destination_contact_email_not_eq_or_null": "b@x.com"}, "to none, to nobody"),
        ({"destination_contact_email_not_cont": "zzz"}, "to both"),
        ({"destination_contact_email_null": True}, "to none, to nobody"),
        ({"destination_contact_email_present": True}, "to both"),
        ({"destination_contact_groups_name_eq": "dock"}, "to both"),
        ({"destination_contact_groups_name_not_eq": "dock"}, "to none, to nobody"),
        ({"destination_contact_groups_location_name_start": "ha"}, "to both"),
        ({"tracking_number_or_destination_contact_email_start": "B@"}, "to both"),
    ],
)
def test_matchers_through_a_to_one_relation(
    filters: dict[str, Any], ids: str, people: None, match: Select
) -> None:
    assert match("shipment", filters) == {each for each in ids.split(", ") if each}


def test_matchers_on_unregistered_related_records(acme: Organization, match: Select) -> None:
    order = FulfillmentFactory(organization=acme, id="match")
    FulfillmentFactory(organization=acme, id="other")
    ArticleFactory(fulfillment=order, sku="A-1", requested_qty=3)
    assert match("fulfillment", {"articles_sku_start": "a"}) == {"match"}
    assert match("fulfillment", {"articles_requested_qty_lt": 3}) == set()
    assert match("fulfillment", {"articles_requested_qty_gt_all": "1,2"}) == {"match"}


@pytest.mark.parametrize("matcher", ["in", "not_in", "cont_any", "gt_any"])
@pytest.mark.slow
def test_predicate_compares_thousands_of_values(
    matcher: str, acme: Organization, match: Select
) -> None:
    ShipmentFactory.create_batch(200, organization=acme, notes="n", amount=20_000)
    ShipmentFactory.create(organization=acme, id="match", notes="v9999", amount=9_999)
    name = "amount" if matcher in ("gt_any", "not_in") else "notes"
    raw = [*range(10_000)] if name == "amount" else [f"v{n}" for n in range(10_000)]
    started = time.monotonic()
    found = match("shipment", {f"{name}_{matcher}": raw})
    assert ("match" in found) is (matcher != "not_in")
    # A comparison of each row with each value takes minutes.
    assert time.monotonic() - started < 10
