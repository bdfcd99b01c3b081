"""Named filters: the same names and meanings in options of exports and in lists."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Shipment
from longshore.resources.checks import check_resource
from longshore.resources.columns import ColumnType
from longshore.resources.filters import parse_options
from longshore.resources.named_filters import NamedFilter
from longshore.resources.registry import Resource, registry
from longshore.resources.timezones import UTC
from tests.conftest import KeyClient
from tests.factories import (
    AssetFactory,
    ContactFactory,
    ItemFactory,
    LevelFactory,
    LocationFactory,
    TrackerFactory,
)
from tests.resources.conftest import Select

pytestmark = pytest.mark.django_db

# Parameters of the lists of the API that this domain models.
DOCUMENTED: dict[str, dict[str, Any]] = {
    "contact": {
        "location_id": "a",
        "group_id": "a,b",
        "metadata": '{"a": "b"}',
        "created_at": "gte:2024-01-01",
        "updated_at": "lte:1732993200000",
    },
    "group": {"resource": "contact", "location_id": "a", "metadata": '{"a": "b"}'},
    "shipment": {
        "status": "delivered,lost",
        "statuses": "delivered,lost",
        "type": "inbound",
        "provider": "ups",
    },
    "tracker": {
        "location": "a",
        "status": "delivered",
        "statuses": "delivered,lost",
        "provider": "ups",
        "contacts": "a,b",
    },
    "shipping_label_inference": {
        "location_id": "a",
        "provider_name": "ups",
        "service_level_name": "Ground",
        "status": "completed",
        "created_at": "bwi:2024-01-01,2024-12-31",
    },
    "item": {
        "location_id": "a",
        "layout_id": "a",
        "sku": "a",
        "upc": "a",
        "harmonized_code": "a",
        "external_id": "a",
        "is_asset": "true",
        "include_zero_inventory": "false",
    },
    "asset": {
        "location_id": "a",
        "item_id": "a",
        "layout_id": "a",
        "assignee": "a",
        "statuses": "in_use,lost",
        "list_archived": "false",
        "is_warranty_valid": "true",
        "next_maintenance_date": "gte:2024-01-01",
        "warranty_valid_until": "lt:2024-01-01",
    },
    "location": {"group_id": "a", "user_id": "a", "metadata": '{"a": "b"}'},
}


@pytest.mark.slow
@pytest.mark.parametrize("resource", DOCUMENTED)
def test_every_documented_parameter_is_accepted(alice: KeyClient, resource: str) -> None:
    found = registry.get(resource)
    assert found is not None
    for name, value in DOCUMENTED[resource].items():
        response = alice.get(f"/v1/{found.plural}", {name: value})
        assert response.status_code == 200, response.content
        assert parse_export({"resource": resource, "options": {name: value}}).selection.conditions


def numbered(records: list[Any], found: set[str]) -> list[int]:
    return [number for number, record in enumerate(records) if record.pk in found]


def selected(
    alice: KeyClient, select: Select, resource: str, query: dict[str, Any], records: list[Any]
) -> list[int]:
    """Return the numbers of the records that both `options` and the list select."""
    found = numbered(records, select(resource, query))
    declared = registry.get(resource)
    assert declared is not None
    listed = alice.get(f"/v1/{declared.plural}", {"limit": 100, "fields": "id", **query}).json()
    assert numbered(records, {each["id"] for each in listed["results"]}) == found
    return found


def test_trackers_filter_by_location_and_contacts(
    alice: KeyClient, acme: Organization, select: Select
) -> None:
    places = LocationFactory.create_batch(2, organization=acme)
    people = ContactFactory.create_batch(3, organization=acme)
    trackers = [
        TrackerFactory.create(
            organization=acme, destination_location=place, destination_contact=to, sender_contact=by
        )
        for place, to, by in (
            (places[0], people[0], people[1]),
            (places[1], people[1], None),
            (None, None, people[2]),
        )
    ]

    def found(**query: Any) -> list[int]:
        return selected(alice, select, "tracker", query, trackers)

    assert found(location=places[0].pk) == [0]
    assert found(location=f"{places[0].pk},{places[1].pk}") == [0, 1]
    assert found(location="is_null") == [2]
    assert found(location=f"not_equals:{places[0].pk}") == [1, 2]
    assert found(contacts=people[1].pk) == [0, 1]
    assert found(contacts=f"{people[0].pk},{people[2].pk}") == [0, 2]
    assert found(contacts=people[1].pk, location=places[1].pk) == [1]


def test_items_filter_by_level(alice: KeyClient, acme: Organization, select: Select) -> None:
    places = LocationFactory.create_batch(2, organization=acme)
    items = ItemFactory.create_batch(3, organization=acme)
    LevelFactory.create(item=items[0], location=places[0], layout_id="a", verified_qty=2)
    LevelFactory.create(item=items[0], location=places[1], layout_id="b", verified_qty=0)
    LevelFactory.create(item=items[1], location=places[1], layout_id="a", verified_qty=0)

    def found(**query: Any) -> list[int]:
        return selected(alice, select, "item", query, items)

    assert found(location_id=places[1].pk) == [0, 1]
    assert found(layout_id="a,c") == [0, 1]
    assert found(location_id=places[1].pk, layout_id="b") == [0]
    assert found(include_zero_inventory="true") == [0, 1, 2]
    assert found(include_zero_inventory="false") == [0]


def test_assets_filter_by_archive_and_warranty(
    alice: KeyClient, acme: Organization, select: Select
) -> None:
    now = timezone.now()
    assets = [
        AssetFactory.create(organization=acme, status=status, warranty_valid_until=until)
        for status, until in (
            ("in_use", now + timedelta(days=1)),
            ("sold", now - timedelta(days=1)),
            ("donated", None),
            ("disposed", now + timedelta(days=1)),
            ("lost", None),
        )
    ]

    def found(**query: Any) -> list[int]:
        return selected(alice, select, "asset", query, assets)

    assert found(list_archived="true") == [0, 1, 2, 3, 4]
    assert found(list_archived="false") == [0, 4]
    assert found(is_warranty_valid="true") == [0, 3]
    assert found(is_warranty_valid="false") == [1, 2, 4]
    assert numbered(assets, select("asset", {"list_archived": False})) == [0, 4]


def test_locations_filter_by_user(alice: KeyClient, acme: Organization, select: Select) -> None:
    users: tuple[Any, ...] = ([{"id": "u1"}, {"id": "u2"}], [{"id": "u2"}], [], {"id": "u1"}, ["u"])
    places = [LocationFactory.create(organization=acme, users=each) for each in users]

    def found(**query: Any) -> list[int]:
        return selected(alice, select, "location", query, places)

    assert found(user_id="u2") == [0, 1]
    assert found(user_id="u1,u2") == [0, 1, 3]
    assert found(user_id="not_equals:u2") == [2, 3, 4]


@pytest.mark.parametrize(
    ("resource", "options", "message"),
    [
        ("item", {"include_zero": "true"}, "Did you mean 'include_zero_inventory'?"),
        ("item", {"include_zero_inventory": "maybe"}, "Accepted: true or false"),
        ("asset", {"list_archived": "is_null"}, "`list_archived` (boolean) does not support"),
        (
            "asset",
            {"list_archived": "not_equals:true"},
            "does not support the operator `not_equals`",
        ),
        (
            "tracker",
            {"contacts": "not_in:a,b"},
            "`contacts` filters by destination_contact or sender",
        ),
        ("tracker", {"contact": "a"}, "Did you mean 'contacts'?"),
        ("location", {"user_id": "gt:a"}, "`user_id` (list) does not"),
    ],
)
def test_problem_names_the_invalid_filter(
    alice: KeyClient, resource: str, options: dict[str, str], message: str
) -> None:
    [name] = options
    response = alice.post("/v1/exports", {"resource": resource, "options": options})
    assert response.status_code == 400
    [problem] = response.json()["details"]["problems"]
    assert (problem["error"], problem["field"]) == ("invalid_filter", f"options.{name}")
    assert message in problem["message"]
    assert problem["accepted"]


def test_resource_endpoint_lists_named_filters(alice: KeyClient) -> None:
    filters = {each["name"]: each for each in alice.get("/v1/resources/tracker").json()["filters"]}
    assert filters["location"]["stands_for"] == ["destination_location"]
    assert filters["contacts"]["stands_for"] == ["destination_contact", "sender_contact"]
    assert filters["contacts"]["type"] == "text"
    [user_id] = alice.get("/v1/resources/location").json()["filters"]
    assert (user_id["name"], user_id["type"], user_id["stands_for"]) == ("user_id", "list", [])
    assert "user_id" not in {
        each["name"] for each in alice.get("/v1/resources/location").json()["columns"]
    }


def declared(*filters: NamedFilter) -> Iterator[str]:
    location = registry.get("location")
    assert location is not None
    resource = Resource("place", "places", location.model, filters=filters)
    return (f"{each.id} {each.msg}" for each in check_resource(resource))


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        (NamedFilter("here", "", paths=("nowhere",)), "longshore_resources.E022"),
        (NamedFilter("here", ""), "longshore_resources.E022"),
        (NamedFilter("here", "", paths=("name",), expression="true"), "longshore_resources.E022"),
        (NamedFilter("here", "", kind=ColumnType.TEXT, expression="''", inclusive=True), "E022"),
        (NamedFilter("name", "", expression="true"), "longshore_resources.E008"),
        (NamedFilter("limit", "", expression="true"), "longshore_resources.E012"),
    ],
)
def test_check_reports_a_wrong_declaration(named: NamedFilter, problem: str) -> None:
    [found] = [each for each in declared(named) if "E009" not in each]
    assert problem in found
    assert named.name in found


def test_valid_declaration_passes_the_checks() -> None:
    assert list(declared(NamedFilter("here", "", paths=("name", "code")))) == []


def test_message_names_the_filter_of_the_request() -> None:
    named = NamedFilter("worth", "By the amount.", paths=("amount",))
    resource = Resource("shipment", "shipments", Shipment, filters=(named,))
    for raw, text in (
        ("much", "'much' is not a valid value of worth."),
        ("bwi:1", "`bwi` takes exactly two values"),
    ):
        _, [problem] = parse_options(resource, {"worth": raw}, UTC)
        assert problem.field == "options.worth"
        assert text in problem.message
    named = NamedFilter("state", "By the status.", paths=("status",))
    resource = Resource("shipment", "shipments", Shipment, filters=(named,))
    _, [problem] = parse_options(resource, {"state": "deliverd"}, UTC)
    assert "is not a value of state. Did you mean 'delivered'? Values: " in problem.message
