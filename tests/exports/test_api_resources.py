"""GET /v1/resources: the resources with their columns, relations and filters."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from longshore.resources.columns import ColumnType
from longshore.resources.matchers import matchers
from longshore.resources.registry import registry
from tests.conftest import KeyClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("slash", ["", "/"])
def test_every_resource_is_listed_with_its_addresses(alice: KeyClient, slash: str) -> None:
    body = alice.get(f"/v1/resources{slash}").json()
    assert (body["next"], body["previous"]) == (None, None)
    assert [found["name"] for found in body["results"]] == [each.name for each in registry]
    assert body["results"][0] == {
        "name": "contact",
        "plural": "contacts",
        "url": "http://testserver/v1/resources/contact",
        "list_url": "http://testserver/v1/contacts",
    }


@pytest.mark.parametrize("slash", ["", "/"])
def test_columns_are_described_with_types_operators_and_matchers(
    alice: KeyClient, slash: str
) -> None:
    body = alice.get(f"/v1/resources/shipment{slash}").json()
    columns = {column["name"]: column for column in body["columns"]}
    equality = ["equals", "not_equals", "in", "not_in", "is_null", "is_not_null"]
    assert columns["type"] == {
        "name": "type",
        "type": "text",
        "nullable": False,
        "sortable": True,
        "operators": equality,
        "key_operators": [],
        "matchers": matchers(ColumnType.TEXT),
        "choices": ["inbound", "outbound"],
        "description": "",
    }
    assert "bwi" in columns["created_at"]["operators"]
    assert columns["metadata"]["matchers"] == ["present", "blank", "null", "not_null", "jcont"]
    assert "gteq_any" in columns["created_at"]["matchers"]
    [name] = [
        field
        for relation in body["relations"]
        for field in relation["fields"]
        if (relation["name"], field["name"]) == ("location", "name")
    ]
    assert name["matchers"] == matchers(ColumnType.TEXT)
    assert (columns["metadata"]["type"], columns["metadata"]["sortable"]) == ("json", False)
    assert columns["metadata"]["operators"] == equality
    assert "gte" in columns["metadata"]["key_operators"]
    assert columns["notes"]["nullable"]
    assert columns["currency"]["description"] == "ISO 4217 code."
    assert body["aliases"]["statuses"] == "status"
    assert (body["search"], body["date_field"]) == (True, "created_at")
    assert {"csv", "json", "jsonl"} <= set(body["formats"])
    assert {"none", "gzip"} <= set(body["compressions"])
    assert "merge" in body["nestings"]


def test_relations_are_described_with_fields_and_filters(alice: KeyClient) -> None:
    body = alice.get("/v1/resources/contact").json()
    groups, location, locations = body["relations"]
    assert groups["filters"] == [
        *("groups", "group_id", "groups.id", "groups.name", "groups.location_id")
    ]
    assert {name: groups[name] for name in ("name", "many", "resource", "label")} == {
        "name": "groups",
        "many": True,
        "resource": "group",
        "label": "name",
    }
    assert [field["name"] for field in groups["fields"]] == ["id", "name", "location_id"]
    assert (location["name"], location["many"]) == ("location", False)
    assert location["filters"] == ["location", "location.id", "location.name"]
    assert (locations["name"], locations["many"]) == ("locations", True)
    assert locations["filters"] == [*("locations", "location_id", "locations.id", "locations.name")]


@pytest.mark.parametrize("resource", list(registry), ids=lambda resource: resource.name)
@pytest.mark.slow
def test_every_described_filter_is_accepted(alice: KeyClient, resource: Any) -> None:
    body = alice.get(f"/v1/resources/{resource.name}").json()
    names = [column["name"] for column in body["columns"]]
    names += [name for relation in body["relations"] for name in relation["filters"]]
    for name in [*names, *body["aliases"]]:
        response = alice.get(f"/v1/{resource.plural}?fields=id&{name}=is_null")
        assert response.status_code == 200, (name, response.json())


@pytest.mark.parametrize("resource", list(registry), ids=lambda resource: resource.name)
@pytest.mark.slow
def test_a_list_can_be_ordered_by_every_sortable_column(alice: KeyClient, resource: Any) -> None:
    body = alice.get(f"/v1/resources/{resource.name}").json()
    for column in body["columns"]:
        response = alice.get(f"/v1/{resource.plural}?fields=id&order_by={column['name']}")
        assert response.status_code == (200 if column["sortable"] else 400)


def test_an_unknown_resource_is_not_found(alice: KeyClient) -> None:
    response = alice.get("/v1/resources/nope")
    assert (response.status_code, response.json()["error"]) == (404, "not_found")
    assert "shipment" in response.json()["details"]["accepted"]


@pytest.mark.parametrize("address", ["/v1/resources", "/v1/resources/contact"])
def test_descriptions_require_a_key_and_are_equal_for_every_organization(
    alice: KeyClient, charlie: KeyClient, address: str
) -> None:
    assert APIClient().get(address).status_code == 401
    assert charlie.get(address).json() == alice.get(address).json()
