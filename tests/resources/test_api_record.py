"""GET /v1/<plural>/<id>: one record of the organization."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from longshore.accounts.models import Organization, Scope
from longshore.domains.logistics.models import Shipment
from longshore.resources.registry import Resource, registry
from tests.conftest import KeyClient
from tests.factories import ContactFactory, GroupFactory, LocationFactory, ShipmentFactory
from tests.records import a_record

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipment(acme: Organization) -> Shipment:
    return ShipmentFactory.create(
        organization=acme, created_at=datetime(2024, 1, 1, 5, tzinfo=UTC), metadata={"a": [1]}
    )


@pytest.mark.parametrize("resource", list(registry), ids=lambda resource: resource.name)
@pytest.mark.slow
def test_every_record_is_shown_as_in_its_list(
    alice: KeyClient, charlie: KeyClient, acme: Organization, resource: Resource
) -> None:
    record = a_record(resource.model, acme)
    [listed] = alice.get(f"/v1/{resource.plural}").json()["results"]
    for slash in ("", "/"):
        response = alice.get(f"/v1/{resource.plural}/{record.pk}{slash}")
        assert response.status_code == 200
        assert response["Content-Type"] == "application/json"
        assert response.json() == listed
        assert list(response.json()) == list(resource.names)
    foreign = charlie.get(f"/v1/{resource.plural}/{record.pk}")
    unknown = charlie.get(f"/v1/{resource.plural}/unknown")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json() == unknown.json()
    assert unknown.json()["error"] == "not_found"


def test_fields_and_timezone_are_those_of_the_list(alice: KeyClient, shipment: Shipment) -> None:
    query = "fields=id,created_at,location.name,metadata&timezone=America/New_York"
    assert alice.get(f"/v1/shipments/{shipment.pk}?{query}").json() == {
        "id": shipment.pk,
        "created_at": "2024-01-01T00:00:00.000000-05:00",
        "location.name": None,
        "metadata": {"a": [1]},
    }


def test_the_default_timezone_is_that_of_the_organization(
    alice: KeyClient, acme: Organization, shipment: Shipment
) -> None:
    Organization.objects.filter(pk=acme.pk).update(timezone="Asia/Tokyo")
    record = alice.get(f"/v1/shipments/{shipment.pk}?fields=created_at").json()
    assert record == {"created_at": "2024-01-01T14:00:00.000000+09:00"}


def test_related_records_are_included(alice: KeyClient, acme: Organization) -> None:
    groups = [GroupFactory(organization=acme, name=name) for name in ("B", "A")]
    contact = ContactFactory.create(organization=acme, groups=groups)
    record = alice.get(f"/v1/contacts/{contact.pk}?fields=groups.name").json()
    assert record == {"groups.name": ["A", "B"]}


def test_includes_show_related_records_in_full(alice: KeyClient, acme: Organization) -> None:
    location = LocationFactory.create(organization=acme, name="Dock 4")
    group = GroupFactory.create(organization=acme, name="Crew", location=location)
    contact = ContactFactory.create(organization=acme, groups=[group])
    address = f"/v1/contacts/{contact.pk}"
    record = alice.get(f"{address}?includes=groups.location").json()
    [crew] = record["groups"]
    own = alice.get(f"/v1/groups/{group.pk}?fields=*").json()
    assert crew == own | {"location": crew["location"]}
    assert crew["location"]["name"] == "Dock 4"
    assert set(crew["location"]) > {"id", "name", "created_at"}
    brief = alice.get(address).json()
    assert {**record, "groups": brief["groups"]} == brief
    narrow = alice.get(f"{address}?fields=id&includes=groups").json()
    assert narrow == {
        "id": contact.pk,
        "groups": [{name: crew[name] for name in crew if name != "location"}],
    }


def test_an_included_record_needs_its_scope(
    acme: Organization, restrict: Callable[[str], None]
) -> None:
    restrict("group")
    contact = ContactFactory.create(organization=acme)
    reader = KeyClient(acme, "reader", Scope.READ)
    assert reader.get(f"/v1/contacts/{contact.pk}").status_code == 200
    assert reader.get(f"/v1/contacts/{contact.pk}?includes=groups").status_code == 403


def test_included_records_belong_to_the_organization(
    alice: KeyClient, acme: Organization, globex: Organization
) -> None:
    location = LocationFactory.create(organization=globex)
    group = GroupFactory.create(organization=acme, location=location)
    assert alice.get(f"/v1/groups/{group.pk}?includes=location").json()["location"] is None


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("includes=color", "invalid_include", "includes"),
        ("includes=location&includes=locaton", "invalid_include", "includes"),
        ("status=delivered", "invalid_filter", "status"),
        ("filters[status_eq]=delivered", "invalid_filter", "filters[status_eq]"),
        ("limit=1", "invalid_filter", "limit"),
        ("cursor=x", "invalid_filter", "cursor"),
        ("fields=color", "invalid_column", "fields"),
        ("timezone=Mars/Olympus", "invalid_timezone", "timezone"),
        ("fields=id&fields=status", "invalid_request", "fields"),
    ],
)
def test_an_invalid_parameter_is_named(
    alice: KeyClient, shipment: Shipment, query: str, code: str, field: str
) -> None:
    response = alice.get(f"/v1/shipments/{shipment.pk}?{query}")
    assert response.status_code == 400
    [problem] = response.json()["details"]["problems"]
    assert (problem["error"], problem["field"]) == (code, field)
    assert problem["accepted"]


def test_all_problems_are_listed_at_once(alice: KeyClient, shipment: Shipment) -> None:
    response = alice.get(f"/v1/shipments/{shipment.pk}?status=x&fields=color&timezone=y")
    fields = [problem["field"] for problem in response.json()["details"]["problems"]]
    assert sorted(fields) == ["fields", "status", "timezone"]


@pytest.mark.parametrize("key", ["in:{id}", "{id},{id}", "{id} ", "*", "{id}%25", "x" * 5_000])
def test_an_id_is_not_a_filter(alice: KeyClient, shipment: Shipment, key: str) -> None:
    address = f"/v1/shipments/{key.format(id=shipment.pk)}"
    response = alice.get(address)
    assert (response.status_code, response.json()["error"]) == (404, "not_found")


def test_an_id_may_contain_any_character_but_a_slash(alice: KeyClient, acme: Organization) -> None:
    ShipmentFactory.create(organization=acme, id="a.b, c:é")
    assert alice.get("/v1/shipments/a.b, c:é?fields=id").json() == {"id": "a.b, c:é"}


def test_a_record_takes_a_constant_number_of_queries(
    alice: KeyClient, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    alice.get("/v1/events")  # The first request of a minute stores the time of use of the key.
    for number in (1, 4):
        groups = GroupFactory.create_batch(number, organization=acme)
        contact = ContactFactory.create(organization=acme, groups=groups)
        # The key; savepoint, settings, record, rollback, release.
        with django_assert_num_queries(6):
            assert alice.get(f"/v1/contacts/{contact.pk}").status_code == 200


def test_a_record_needs_a_key_with_the_scope_read(acme: Organization, shipment: Shipment) -> None:
    address = f"/v1/shipments/{shipment.pk}"
    assert APIClient().get(address).status_code == 401
    write_only = KeyClient(acme, "write only", Scope.WRITE)
    assert write_only.get(address).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_record_is_read_only(alice: KeyClient, shipment: Shipment, method: str) -> None:
    response = getattr(alice, method)(f"/v1/shipments/{shipment.pk}", {})
    assert (response.status_code, response.json()["error"]) == (405, "method_not_allowed")
    assert Shipment.objects.filter(pk=shipment.pk).exists()
