"""The lists of records of PackageX: envelope, pages, documented filters and defaults."""

import json

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries

from dialects.packagex.records.lists import LISTS, RecordList
from longshore.accounts.models import Organization
from longshore.resources.registry import registry
from tests.conftest import KeyClient
from tests.dialects.packagex.conformance import CONVENTIONS, RECORDS, rows
from tests.factories import ContactFactory

pytestmark = pytest.mark.django_db
ROOT = "/packagex/v1"


@pytest.mark.slow
@pytest.mark.parametrize("record_list", LISTS, ids=lambda each: each.resource)
@rows.same(
    RECORDS,
    "`/contacts`",
    "`/groups`",
    "`/fulfillments`",
    "`/items`",
    "`/locations`",
    "`/manifests`",
    "`/shipments`",
    "`/trackers`",
    "`/assets`",
    "`/inferences/shipping_labels`, `/inferences/images/shipping_labels`",
    "default `limit` and order of each",
    "one record by its id",
    "times in seconds since 1970",
)
@rows.same(
    CONVENTIONS,
    "`message`, `data`, `status`, `errors`, `code`, `pagination`, `endpoint`",
    "`pagination`: `limit`, `page`, `has_more`, `total_count`",
)
def test_a_list_has_the_documented_default_limit_and_order(
    alice: KeyClient, charlie: KeyClient, acme: Organization, record_list: RecordList
) -> None:
    call_command("demo_data", rows=1500, organization="acme")
    resource = registry.get(record_list.resource)
    assert resource is not None
    total = resource.model._default_manager.filter(organization=acme).count()
    for path in record_list.paths:
        shown = alice.get(f"{ROOT}/{path}").json()
        assert len(shown["data"]) == min(record_list.limit, total)
        assert shown["pagination"] == {
            "limit": record_list.limit,
            "page": 1,
            "has_more": total > record_list.limit,
            "total_count": total,
        }
        assert (shown["message"], shown["status"], shown["code"]) == ("Success", 200, None)
        assert shown["endpoint"] == f"/v1/{path}"
        order = record_list.order["order_by"]
        native = {"fields": "id", "limit": str(record_list.limit), **record_list.order}
        expected = alice.get(f"/v1/{resource.plural}", native).json()["results"]
        assert [each["id"] for each in shown["data"]] == [each["id"] for each in expected], order
        first = shown["data"][0]
        assert isinstance(first["created_at"], int)
        one = alice.get(f"{ROOT}/{path}/{first['id']}/").json()
        assert one["data"] == first
        assert one["pagination"] is None
        assert charlie.get(f"{ROOT}/{path}/{first['id']}").status_code == 404
        assert charlie.get(f"{ROOT}/{path}").json()["data"] == []


@rows.same(RECORDS, "`page` and `limit`, up to 100")
def test_pages_hold_every_record_once(alice: KeyClient, acme: Organization) -> None:
    ContactFactory.create_batch(7, organization=acme)
    pages = [alice.get(f"{ROOT}/contacts?limit=3&page={page}").json() for page in (1, 2, 3, 4)]
    assert [len(page["data"]) for page in pages] == [3, 3, 1, 0]
    assert [page["pagination"]["has_more"] for page in pages] == [True, True, False, False]
    found = [each["name"] for page in pages for each in page["data"]]
    assert sorted(set(found)) == sorted(found)
    assert len(found) == 7


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("page=x", "page"),
        ("page=5000&limit=100", "page"),
        ("cursor=abc", "cursor"),
        ("color=red", "color"),
        ("created_at=gte:soon", "created_at"),
        ("order_by=address", "order_by"),
        ("direction=up", "direction"),
    ],
)
@rows.same(CONVENTIONS, "errors with `code` and the names of fields in `errors`; `data` is empty")
def test_an_error_comes_in_the_envelope(alice: KeyClient, query: str, field: str) -> None:
    response = alice.get(f"{ROOT}/contacts?{query}")
    shown = response.json()
    assert response.status_code == shown["status"] == 400
    assert shown["errors"] == [field]
    assert field in shown["details"]
    assert shown["code"] == shown["error"]
    assert (shown["data"], shown["pagination"]) == ({}, None)
    assert shown["endpoint"] == "/v1/contacts"


@rows.same(CONVENTIONS, "404 in the envelope")
def test_an_unknown_path_is_an_error_in_the_envelope(alice: KeyClient) -> None:
    shown = alice.get(f"{ROOT}/spaceships").json()
    assert (shown["status"], shown["code"], shown["data"]) == (404, "not_found", {})


def test_a_list_takes_a_constant_number_of_queries(
    alice: KeyClient, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    alice.get(f"{ROOT}/contacts")
    for count in (1, 30):
        ContactFactory.create_batch(count, organization=acme)
        # The key; two transactions with a page and the number of all records.
        with django_assert_num_queries(11):
            alice.get(f"{ROOT}/contacts?limit=100")


def test_texts_of_records_cannot_change_the_envelope(alice: KeyClient, acme: Organization) -> None:
    name = '"}],"status":500,"\\u0000'
    ContactFactory.create(organization=acme, name=name)
    shown = json.loads(alice.get(f"{ROOT}/contacts").content)
    assert (shown["status"], shown["data"][0]["name"]) == (200, name)
