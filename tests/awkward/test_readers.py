"""A resource declares which keys and staff may read it: lists, exports, includes and filters."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet

from exports.request.parser import parse_export
from exports.sql.declared_names import resources_of
from longshore.accounts.models import Organization, Scope
from longshore.accounts.roles import Role
from longshore.api.errors import ApiError
from longshore.resources.checks import check_resource
from longshore.resources.readers import check_person
from longshore.resources.registry import Registry, Resource, registry
from tests.conftest import KeyClient
from webhooks.models import Delivery, Subscription

pytestmark = pytest.mark.django_db


def replaced(registry: Registry, name: str, **changes: Any) -> Resource:
    found = registry.get(name)
    assert found is not None
    registry.unregister(name)
    registry.register(replace(found, **changes))
    return replace(found, **changes)


@pytest.fixture
def writers_only(restrict: Callable[[str], None]) -> None:
    """Contacts need the scope `write`."""
    restrict("contact")


def test_lists_need_a_scope_of_the_resource(
    writers_only: None, read_only: KeyClient, alice: KeyClient
) -> None:
    for address in ("/v1/contacts", "/v1/contacts/none"):
        response = read_only.get(address)
        assert response.status_code == 403
        assert response.json()["error"] == "forbidden"
        assert response.json()["details"] == {"required_scopes": ["write"], "scopes": ["read"]}
        assert alice.get(address).status_code in (200, 404)
    assert read_only.get("/v1/shipments").status_code == 200


def test_lists_need_a_scope_of_the_resources_that_they_test(
    writers_only: None, read_only: KeyClient, alice: KeyClient
) -> None:
    for address in ("/v1/groups", "/packagex/v1/groups"):
        query = {"filters[contacts_email_start]": "a"}
        assert read_only.get(address, query).status_code == 403
        assert alice.get(address, query).status_code == 200
        assert read_only.get(address).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"resource": "contact"}, 403),
        ({"resource": "group", "format": "json", "includes": ["contacts"]}, 403),
        ({"resource": "group", "filters": {"contacts_email_eq": "a"}}, 403),
        ({"resource": "group"}, 200),
    ],
    ids=str,
)
def test_previews_need_a_scope_of_all_resources(
    body: Mapping[str, Any], status: int, writers_only: None, read_only: KeyClient
) -> None:
    assert read_only.post("/v1/exports/preview", body).status_code == status


def test_exports_need_a_scope(
    own_registry: Registry, acme: Organization, alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = alice.post("/v1/exports", {"resource": "contact"})
    assert made.status_code == 201
    address = f"/v1/exports/{made.json()['id']}"
    alice.api_key.scopes = [Scope.WRITE]
    alice.api_key.save()
    replaced(own_registry, "contact", scopes=frozenset({Scope.READ.value}))
    assert alice.post("/v1/exports", {"resource": "contact"}).status_code == 403
    assert alice.post("/v1/exports", {"resource": "group"}).status_code == 201
    assert alice.delete(address).status_code == 404
    batch = {"resource": "contact", "data": [{"name": "Ann"}]}
    assert alice.post("/v1/batches", batch).status_code == 403


@pytest.mark.slow
def test_jobs_of_restricted_resources_are_not_found(
    restrict: Callable[[str], None], read_only: KeyClient, alice: KeyClient
) -> None:
    """Also those that only include or test such records, and their events."""
    bodies: list[dict[str, Any]] = [
        {"resource": "contact"},
        {"resource": "group", "format": "json", "includes": ["contacts"]},
        {"resource": "group", "filters": {"contacts_email_start": "a"}},
    ]
    exports = [alice.post("/v1/exports", body).json()["url"] for body in bodies]
    batch = alice.post("/v1/batches", {"resource": "contact", "data": [{"name": "Ann"}]})
    open_export = alice.post("/v1/exports", {"resource": "group"}).json()["id"]
    restrict("contact")
    for url in (*exports, batch.json()["url"]):
        assert alice.get(url).status_code == 200
        assert read_only.get(url).status_code == 404
    assert read_only.get("/v1/batches").json()["results"] == []
    assert [each["id"] for each in read_only.get("/v1/exports").json()["results"]] == [open_export]
    events = read_only.get("/v1/events").json()["results"]
    assert {each["data"]["id"] for each in events} == {open_export}
    assert len(alice.get("/v1/events").json()["results"]) > len(events)


def test_webhooks_get_events_of_a_restricted_resource_only_if_they_name_it(
    restrict: Callable[[str], None], acme: Organization, alice: KeyClient, read_only: KeyClient
) -> None:
    restrict("contact")
    targets = {
        "all": {},
        "named": {"resources": ["contact", "group"]},
        "related": {"resources": ["group"]},
    }
    made = {
        name: alice.post(
            "/v1/webhooks",
            {"target": f"https://receiver.example.com/{name}", "events": "*", **more},
        ).json()
        for name, more in targets.items()
    }
    Subscription.objects.update(challenge="")
    alice.post("/v1/exports", {"resource": "contact"})
    assert targets_of(Delivery.objects.all()) == {"named"}
    Delivery.objects.all().delete()
    body = {"resource": "group", "format": "json", "includes": ["contacts"]}
    alice.post("/v1/exports", body)
    assert targets_of(Delivery.objects.all()) == {"named"}
    Delivery.objects.all().delete()
    alice.post("/v1/exports", {"resource": "group"})
    assert targets_of(Delivery.objects.all()) == {"all", "named", "related"}

    alice.api_key.scopes = [Scope.WRITE]
    alice.api_key.save()
    restricted = made["named"]["url"]
    contact = registry.get("contact")
    object.__setattr__(contact, "scopes", frozenset({Scope.READ.value}))
    change = {"target": "https://receiver.example.com/other"}
    assert alice.patch(restricted, change).status_code == 403
    new = {"target": "https://receiver.example.com/new", "events": "*", "resources": ["contact"]}
    assert alice.post("/v1/webhooks", new).status_code == 403


def targets_of(deliveries: QuerySet[Delivery]) -> set[str]:
    """Return the last part of the targets of some deliveries."""
    targets = deliveries.values_list("subscription__target", flat=True)
    return {target.rpartition("/")[2] for target in targets}


def test_previews_of_batches_need_a_scope(
    writers_only: None, read_only: KeyClient, alice: KeyClient
) -> None:
    for client, status in ((read_only, 403), (alice, 200)):
        file = SimpleUploadedFile("people.csv", b"name\nAnn\n")
        body = {"request": '{"resource": "contact"}', "file": file}
        assert client.post("/v1/batches/preview", body, format="multipart").status_code == status


def test_only_keys_that_may_write_see_the_address_of_an_upload(
    alice: KeyClient, read_only: KeyClient
) -> None:
    made = alice.post("/v1/batches", {"resource": "contact", "upload": True})
    assert made.status_code == 201, made.json()
    assert made.json()["upload"]["url"]
    assert read_only.get(made.json()["url"]).json()["upload"] is None


def test_staff_need_a_role_of_the_resource(own_registry: Registry) -> None:
    replaced(own_registry, "contact", roles=frozenset({Role.OPERATOR.value}))
    resources = resources_of(parse_export({"resource": "contact"}))
    person = User.objects.create_user("ann")
    with pytest.raises(ApiError, match="contact needs the role Operator"):
        check_person(resources, person)
    person.groups.add(Group.objects.get_or_create(name=Role.OPERATOR.value)[0])
    check_person(resources, person)
    check_person(resources, User.objects.create_superuser("root"))
    with pytest.raises(ApiError, match="contact needs the role Operator"):
        check_person(resources, AnonymousUser())


@pytest.mark.parametrize("collection", [list, tuple, set])
def test_scopes_and_roles_may_be_any_collection(
    collection: type[Any], own_registry: Registry, acme: Organization, read_only: KeyClient
) -> None:
    names = {"scopes": collection(["write"]), "roles": collection(["Operator"])}
    contact = replaced(own_registry, "contact", **names)
    assert not [*check_resource(contact)]
    assert read_only.post("/v1/exports/preview", {"resource": "contact"}).status_code == 403
    with pytest.raises(ApiError, match="contact needs the role Operator"):
        check_person([contact], User.objects.create_user("ann"))


def test_check_reports_unknown_scopes_and_roles(own_registry: Registry) -> None:
    changes = {"scopes": frozenset({"admin"}), "roles": frozenset({"Boss"})}
    scope, role = check_resource(replaced(own_registry, "contact", **changes))
    assert scope.id == role.id == "longshore_resources.E027"
    assert "scopes: 'admin' is unknown" in scope.msg
    assert role.hint == "Choose from Viewer, Support, Operator, Administrator."
