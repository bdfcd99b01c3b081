"""A resource declares which keys and staff may read it: lists, exports, includes and filters."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User

from exports.request.parser import parse_export
from exports.sql.declared_names import resources_of
from longshore.accounts.models import Organization, Scope
from longshore.accounts.roles import Role
from longshore.api.errors import ApiError
from longshore.resources.checks import check_resource
from longshore.resources.readers import check_person
from longshore.resources.registry import Registry, Resource
from tests.conftest import KeyClient

pytestmark = pytest.mark.django_db


def restrict(registry: Registry, name: str, **changes: Any) -> Resource:
    found = registry.get(name)
    assert found is not None
    registry.unregister(name)
    registry.register(replace(found, **changes))
    return replace(found, **changes)


@pytest.fixture
def writers_only(own_registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Contacts need the scope `write`."""
    contact = restrict(own_registry, "contact", scopes=frozenset({Scope.WRITE.value}))
    from longshore.resources.api.views import RecordListViewSet

    original = RecordListViewSet.initial

    def initial(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.resource.name == contact.name:
            self.resource = contact
        original(self, *args, **kwargs)

    monkeypatch.setattr(RecordListViewSet, "initial", initial)
    return own_registry


def test_lists_need_a_scope_of_the_resource(
    writers_only: Registry, read_only: KeyClient, alice: KeyClient
) -> None:
    for address in ("/v1/contacts", "/v1/contacts/none"):
        response = read_only.get(address)
        assert response.status_code == 403
        assert response.json()["error"] == "forbidden"
        assert response.json()["details"] == {"required_scopes": ["write"], "scopes": ["read"]}
        assert alice.get(address).status_code in (200, 404)
    assert read_only.get("/v1/shipments").status_code == 200


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
    body: Mapping[str, Any], status: int, writers_only: Registry, read_only: KeyClient
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
    restrict(own_registry, "contact", scopes=frozenset({Scope.READ.value}))
    assert alice.post("/v1/exports", {"resource": "contact"}).status_code == 403
    assert alice.post("/v1/exports", {"resource": "group"}).status_code == 201
    assert alice.delete(address).status_code == 404
    batch = {"resource": "contact", "data": [{"name": "Ann"}]}
    assert alice.post("/v1/batches", batch).status_code == 403


def test_staff_need_a_role_of_the_resource(own_registry: Registry) -> None:
    restrict(own_registry, "contact", roles=frozenset({Role.OPERATOR.value}))
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
    contact = restrict(own_registry, "contact", **names)
    assert not [*check_resource(contact)]
    assert read_only.post("/v1/exports/preview", {"resource": "contact"}).status_code == 403
    with pytest.raises(ApiError, match="contact needs the role Operator"):
        check_person([contact], User.objects.create_user("ann"))


def test_check_reports_unknown_scopes_and_roles(own_registry: Registry) -> None:
    changes = {"scopes": frozenset({"admin"}), "roles": frozenset({"Boss"})}
    scope, role = check_resource(restrict(own_registry, "contact", **changes))
    assert scope.id == role.id == "longshore_resources.E027"
    assert "scopes: 'admin' is unknown" in scope.msg
    assert role.hint == "Choose from Viewer, Support, Operator, Administrator."
