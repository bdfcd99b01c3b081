"""`/v1/batches/mappings`: save, list and delete mappings of an organization."""

import pytest

from batches.models import SavedMapping
from batches.request import saved_mappings
from longshore.accounts.models import Organization
from longshore.resources.registry import registry
from tests.conftest import KeyClient

URL = "/v1/batches/mappings"
BODY = {
    "name": "Address book",
    "resource": "contact",
    "mapping": {"Name": "name", "E-Mail": "email", "Born": None},
}


def test_a_mapping_is_saved_listed_and_deleted(alice: KeyClient, bob: KeyClient) -> None:
    saved = alice.post(URL, BODY)
    assert saved.status_code == 201
    mapping = saved.json()
    assert mapping["id"].startswith("map_")
    assert {name: mapping[name] for name in BODY} == BODY
    assert list(mapping["mapping"]) == ["Name", "E-Mail", "Born"]
    assert bob.get(URL).json() == {"next": None, "previous": None, "results": [mapping]}
    assert bob.delete(f"{URL}/{mapping['id']}").status_code == 204
    assert alice.get(URL).json()["results"] == []


def test_a_mapping_of_the_same_name_is_replaced(alice: KeyClient) -> None:
    first = alice.post(URL, BODY).json()
    second = alice.post(URL, {**BODY, "mapping": {"Name": "nickname"}})
    assert second.status_code == 200
    assert second.json() == {**first, "mapping": {"Name": "nickname"}}
    # The same name for another resource is another mapping.
    assert alice.post(URL, {**BODY, "resource": "address", "mapping": {"City": "city"}}).status_code
    assert SavedMapping.objects.count() == 2
    listed = alice.get(URL, {"resource": "address"}).json()["results"]
    assert [each["resource"] for each in listed] == ["address"]


def test_mappings_of_other_organizations_are_not_found(
    alice: KeyClient, charlie: KeyClient
) -> None:
    mapping = alice.post(URL, BODY).json()
    assert charlie.get(URL).json()["results"] == []
    response = charlie.delete(f"{URL}/{mapping['id']}")
    assert (response.status_code, response.json()["error"]) == (404, "not_found")
    assert charlie.post(URL, BODY).status_code == 201
    assert SavedMapping.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "x" * 101}, ["name"]),
        ({"name": None}, ["name"]),
        ({"resource": "contacts"}, ["resource"]),
        ({"mapping": {}}, ["mapping"]),
        ({"mapping": None}, ["mapping"]),
        ({"mapping": {"a": "emial", "b": "created_at"}}, ["mapping.a", "mapping.b"]),
        ({"mapping": {"a": 1}, "name": 5}, ["name", "mapping.a"]),
        ({"shade": 1}, ["shade"]),
        ({"mapping": {"x" * 60_000: "name"}}, ["mapping"]),
    ],
)
def test_mistakes_are_named(
    alice: KeyClient, changes: dict[str, object], fields: list[str]
) -> None:
    response = alice.post(URL, {**BODY, **changes})
    assert response.status_code == 400
    assert [each["field"] for each in response.json()["details"]["problems"]] == fields
    assert not SavedMapping.objects.exists()


def test_a_key_without_the_scope_may_only_list(read_only: KeyClient) -> None:
    assert read_only.get(URL).status_code == 200
    assert read_only.post(URL, BODY).status_code == 403


def test_the_number_of_mappings_is_limited(
    alice: KeyClient, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_mappings, "MAX_SAVED_MAPPINGS", 2)
    contact = registry.get("contact")
    assert contact is not None
    for name in ("one", "two"):
        saved_mappings.save(acme, contact, name, {"a": "name"})
    response = alice.post(URL, BODY)
    assert (response.status_code, response.json()["error"]) == (422, "too_many_mappings")
    # Replacing one is allowed.
    assert alice.post(URL, {**BODY, "name": "two"}).status_code == 200
