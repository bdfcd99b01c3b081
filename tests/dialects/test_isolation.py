"""A key finds nothing of another organization at any address of any dialect.

Addresses come from the URL patterns, and ids from the dialect's own lists: new ones are covered by
themselves.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.utils import timezone
from pytest_django import Settings

from dialects.base.apps import DialectConfig, installed_dialects
from exports.models import ExportFile
from longshore.accounts.models import Organization
from longshore.jobs.statuses import Status
from longshore.resources.registry import registry
from tests.conftest import KeyClient
from tests.dialects.addresses import Address, addresses
from tests.exports.conftest import export_of
from tests.factories import ContactFactory
from tests.records import a_record
from webhooks import envelopes, subscriptions
from webhooks.events import ALL_EVENTS

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# Each text of the other organization contains it.
HIDDEN = "Zanzibar"
MEDIA_TYPE = "application/vnd.api+json"
METHODS = ("get", "post", "put", "patch", "delete")
MAX_IDS = 10
dialects = pytest.mark.parametrize(
    "dialect", installed_dialects(), ids=lambda dialect: dialect.dialect_name
)


@pytest.fixture(autouse=True)
def no_rate_limits(settings: Settings) -> None:
    for name in dir(django_settings):
        if name.endswith("_RATE_LIMIT"):
            setattr(settings, name, "")


@pytest.fixture
def owner(alice: KeyClient, acme: Organization, dialect: DialectConfig) -> KeyClient:
    """A key of an organization with an object of each kind, each with a hidden text."""
    if dialect.dialect_envelope:
        known = envelopes.find(dialect.dialect_name).events
        values = {
            "name": HIDDEN,
            "target": "https://receiver.example.com/",
            "dialect": dialect.dialect_name,
            "events": [each for each in known if each != ALL_EVENTS],
        }
        subscriptions.create(acme.pk, values)
    for resource in registry:
        a_record(resource.model, acme)
    ContactFactory.create(organization=acme, name=f"{HIDDEN} Trading")
    body = {"resource": "contact", "metadata": {"text": HIDDEN}}
    states: list[dict[str, Any]] = [
        {"status": Status.QUEUED},
        {
            "status": Status.FAILED,
            "error": {"error": "internal_error", "message": HIDDEN},
            "completed_at": timezone.now(),
        },
        {"status": Status.COMPLETED, "records_count": 1, "completed_at": timezone.now()},
    ]
    for number, state in enumerate(states, 101):
        export = export_of(acme, body, organization_number=number, **state)
    ExportFile.objects.create(
        export=export, name=f"{HIDDEN}.csv", storage_key=HIDDEN, rows=1, bytes=1, sha256="0"
    )
    alice.post("/v1/exports", body)
    alice.post("/v1/batches", {"resource": "contact", "data": [{"name": HIDDEN}]})
    return alice


def ids_in(value: Any) -> Iterator[str]:
    """Yield each member `id` of a response, at any depth."""
    if isinstance(value, dict):
        if isinstance(value.get("id"), str | int):
            yield str(value["id"])
        for each in value.values():
            yield from ids_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from ids_in(each)


def send(client: KeyClient, address: Address, id: str, method: str) -> HttpResponse:
    """Send a request that the owner of an object could send."""
    path = address.path(id)
    if method == "get":
        response: HttpResponse = client.get(path)
    else:
        type = address.collection.rpartition("/")[2]
        is_document = address.media_type == MEDIA_TYPE
        body = json.dumps({"data": {"type": type, "id": id}} if is_document else {}).encode()
        response = client.generic(method.upper(), path, body, content_type=address.media_type)  # type: ignore[arg-type]
    return response


def has_method(address: Address, method: str) -> bool:
    """Return whether an address has a method: views and viewsets state it in different ways."""
    actions = getattr(address.view, "actions", None)
    return method in actions if actions else hasattr(address.view.cls, method)


def ids_by_collection(client: KeyClient, dialect: DialectConfig) -> dict[str, list[str]]:
    """Return the ids that each list of a dialect shows, by the address of the list."""
    found: dict[str, list[str]] = {}
    for address in addresses(dialect):
        if not address.has_parameters:
            response = client.get(address.template)
            if response.status_code == 200 and "json" in response["Content-Type"]:
                ids = dict.fromkeys(ids_in(json.loads(response.content)))
                found[address.collection] = list(ids)[:MAX_IDS]
    return found


def objects(owner: KeyClient, dialect: DialectConfig) -> Iterator[tuple[Address, list[str]]]:
    """Yield each address of an object, with ids of objects of the owner.

    These are the ids of the list of such objects, or all ids if they have no list.
    """
    found = ids_by_collection(owner, dialect)
    every = [each for ids in found.values() for each in ids]
    for address in addresses(dialect):
        if address.has_parameters and address.needs_key:
            yield address, found.get(address.collection, every)


@dialects
def test_the_owner_finds_an_object_in_each_collection(
    dialect: DialectConfig, owner: KeyClient
) -> None:
    """The other tests would prove nothing with ids that belong to no object."""
    reached = {
        address.collection: any(owner.get(address.path(each)).status_code == 200 for each in ids)
        for address, ids in objects(owner, dialect)
        if address.template.count("{") == 1 and address.template.endswith("}")
    }
    assert reached
    assert all(reached.values()), reached


@dialects
def test_an_object_of_another_organization_is_not_found(
    dialect: DialectConfig, owner: KeyClient, charlie: KeyClient
) -> None:
    for address, ids in objects(owner, dialect):
        for method in METHODS:
            for each in ids:
                response = send(charlie, address, each, method)
                content = response.content.decode()
                where = (address.template, method, each, content[:300])
                # An id of another kind does not fit the address, whatever the method.
                expected = (404,) if has_method(address, method) else (404, 405)
                assert response.status_code in expected, where
                assert HIDDEN not in content, where


@dialects
def test_lists_show_nothing_of_another_organization(
    dialect: DialectConfig, owner: KeyClient, charlie: KeyClient
) -> None:
    own = ids_by_collection(owner, dialect)
    seen = ids_by_collection(charlie, dialect)
    assert own
    shared = {name: {*ids} & {*own[name]} for name, ids in seen.items()}
    assert not any(shared.values()), shared
    lists = [address.template for address in addresses(dialect) if not address.has_parameters]
    assert any(HIDDEN in owner.get(path).content.decode() for path in lists)
    assert [path for path in lists if HIDDEN in charlie.get(path).content.decode()] == []


@dialects
def test_a_key_without_the_scope_of_a_resource_finds_none_of_its_objects(
    dialect: DialectConfig,
    owner: KeyClient,
    read_only: KeyClient,
    restrict: Callable[[str], None],
) -> None:
    """Both keys belong to one organization, whose jobs and events are all of contacts."""
    own = {
        name: ids
        for name, ids in ids_by_collection(owner, dialect).items()
        if name.endswith(("contacts", "exports", "imports", "batches", "events", "callbacks"))
    }
    assert any(own.values())
    restrict("contact")
    seen = ids_by_collection(read_only, dialect)
    assert [name for name in own if seen.get(name)] == []
    for address in addresses(dialect):
        if address.has_parameters and address.needs_key and has_method(address, "get"):
            for each in own.get(address.collection, ()):
                assert read_only.get(address.path(each)).status_code in (403, 404), address
