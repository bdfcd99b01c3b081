"""A contact has a primary location in addition to its list of locations."""

from typing import Any

import pytest

from longshore.accounts.models import Organization
from longshore.resources.checks import check_resources
from tests.conftest import KeyClient
from tests.exports.nested import objects_of, table_of
from tests.factories import ContactFactory, LocationFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def contacts(acme: Organization, globex: Organization) -> dict[str, Any]:
    dock, yard = (LocationFactory.create(organization=acme, name=name) for name in ("Dock", "Yard"))
    ContactFactory(organization=acme, name="Ann", location=yard, locations=[dock, yard])
    ContactFactory(organization=acme, name="Bo", locations=[dock])
    ContactFactory(organization=acme, name="Cy", location=LocationFactory(organization=globex))
    return {"Dock": dock.pk, "Yard": yard.pk}


def test_the_primary_location_is_exported_with_name_and_id(
    acme: Organization, contacts: dict[str, Any]
) -> None:
    body: dict[str, Any] = {
        "output": {"columns": ["name", "location"]},
        "options": {"order_by": "name"},
    }
    yard = contacts["Yard"]
    assert table_of(acme, "flatten", **body) == [
        ["name", "location.id", "location.name"],
        ["Ann", yard, "Yard"],
        ["Bo", "", ""],
        ["Cy", "", ""],
    ]
    assert table_of(acme, "merge", **body)[1:] == [["Ann", "Yard"], ["Bo", ""], ["Cy", ""]]
    objects = objects_of(acme, "merge", format="json", **body)
    assert [contact["location"] for contact in objects] == [
        {"id": yard, "name": "Yard"},
        None,
        None,
    ]
    body["output"] = {"columns": ["location.name", "location.id"]}
    assert table_of(acme, "flatten", **body)[1] == ["Yard", yard]


def test_contacts_are_filtered_by_any_location_and_by_their_primary_location(
    acme: Organization, alice: KeyClient, contacts: dict[str, Any]
) -> None:
    def names(**query: str) -> list[str]:
        listed = alice.get("/v1/contacts", {"fields": "name", "order_by": "name", **query}).json()
        return [contact["name"] for contact in listed["results"]]

    assert names(location_id=contacts["Dock"]) == ["Ann", "Bo"]
    assert names(location=contacts["Yard"]) == ["Ann"]
    assert names(**{"location.name": "Dock"}) == []
    assert check_resources() == []
