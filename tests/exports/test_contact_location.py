"""A contact has one primary location beside all its locations."""

import importlib
from pkgutil import iter_modules
from typing import Any

import pytest
from django.db import connection

from longshore.accounts.models import Organization
from longshore.domains.logistics import migrations
from longshore.domains.logistics.models import Contact
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


def test_a_contact_with_location_has_its_name_and_id(
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
    found = objects_of(acme, "merge", format="json", **body)
    assert [each["location"] for each in found] == [{"id": yard, "name": "Yard"}, None, None]
    body["output"] = {"columns": ["location.name", "location.id"]}
    assert table_of(acme, "flatten", **body)[1] == ["Yard", yard]


def test_a_location_finds_all_its_contacts_and_the_primary_ones(
    acme: Organization, alice: KeyClient, contacts: dict[str, Any]
) -> None:
    def names(**query: str) -> list[str]:
        listed = alice.get("/v1/contacts", {"fields": "name", "order_by": "name", **query}).json()
        return [each["name"] for each in listed["results"]]

    assert names(location_id=contacts["Dock"]) == ["Ann", "Bo"]
    assert names(location=contacts["Yard"]) == ["Ann"]
    assert names(**{"location.name": "Dock"}) == []
    assert check_resources() == []


def test_contacts_of_before_get_the_location_that_they_were_given_first(
    acme: Organization, contacts: dict[str, Any]
) -> None:
    Contact.objects.update(location=None)
    links = Contact.locations.through.objects
    first = links.filter(contact__name="Ann").earliest("pk").location_id
    [name] = (each.name for each in iter_modules(migrations.__path__) if "contact_loc" in each.name)
    module = importlib.import_module(f"{migrations.__name__}.{name}")
    with connection.cursor() as cursor:
        cursor.execute(module._FILL)
    found = Contact.objects.order_by("name").values_list("name", "location")
    assert list(found) == [("Ann", first), ("Bo", contacts["Dock"]), ("Cy", None)]
