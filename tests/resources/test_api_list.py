"""GET /v1/<plural>: the records of one organization, with the filters and orders of exports."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from rest_framework.test import APIClient

from longshore.accounts.models import Organization, Scope
from longshore.domains.logistics.models import Contact, Shipment
from longshore.resources import listing
from longshore.resources.registry import registry
from tests.conftest import KeyClient
from tests.factories import (
    ArticleFactory,
    ContactFactory,
    FulfillmentFactory,
    GroupFactory,
    LocationFactory,
    ShipmentFactory,
)
from tests.records import a_record, copies

pytestmark = pytest.mark.django_db
START = datetime(2024, 1, 1, 5, tzinfo=UTC)


@pytest.fixture
def shipments(acme: Organization, globex: Organization) -> list[Shipment]:
    """Thirty shipments of acme, one per hour, oldest first; and one of globex."""
    dock = LocationFactory(organization=acme, name="Dock 1")
    ShipmentFactory(organization=globex, tracking_number="SECRET")
    return [
        ShipmentFactory.create(
            organization=acme,
            created_at=START + timedelta(hours=hour),
            status="delivered" if hour % 2 else "created",
            location=dock if hour % 3 else None,
            tags=["fragile", "cold"],
            metadata={"level": {"of": hour}},
        )
        for hour in range(30)
    ]


def ids(body: dict[str, Any]) -> list[str]:
    return [record["id"] for record in body["results"]]


def test_the_default_page_has_the_newest_25_records(
    alice: KeyClient, shipments: list[Shipment]
) -> None:
    newest_first = [shipment.pk for shipment in reversed(shipments)]
    first = alice.get("/v1/shipments").json()
    assert list(first) == ["next", "previous", "results"]
    assert (ids(first), first["previous"]) == (newest_first[:25], None)
    second = alice.get(first["next"]).json()
    assert (ids(second), second["next"]) == (newest_first[25:], None)
    back = alice.get(second["previous"]).json()
    assert (back["results"], back["previous"]) == (first["results"], None)
    # Encryption makes every cursor differ, also of the same position.
    assert ids(alice.get(back["next"]).json()) == ids(second)


def test_ancient_and_infinite_datetimes_are_shown_ordered_and_filtered(
    alice: KeyClient, acme: Organization
) -> None:
    stored = {
        "-infinity": "-infinity",
        "0044-03-15 12:00:00+00 BC": "-0043-03-15T12:00:00.000000+00:00",
        "0001-06-01 12:00:00+00 BC": "0000-06-01T12:00:00.000000+00:00",
        "10000-01-01 00:00:00+00": "10000-01-01T00:00:00.000000+00:00",
        "infinity": "infinity",
    }
    for value in stored:
        shipment = ShipmentFactory.create(organization=acme)
        with connection.cursor() as cursor:
            update = "UPDATE longshore_logistics_shipment SET created_at = %s WHERE id = %s"
            cursor.execute(update, [value, shipment.pk])
    path = "/v1/shipments?fields=created_at&order_by=created_at&direction=asc"
    shown = []
    following = f"{path}&limit=1"
    while following:
        page = alice.get(following).json()
        shown += [record["created_at"] for record in page["results"]]
        following = page["next"]
    assert shown == list(stored.values())
    for value, count in (("infinity", 1), ("-infinity", 1), ("lt:0001-01-01", 3)):
        assert len(alice.get(f"{path}&created_at={value}").json()["results"]) == count


def test_filters_fields_order_and_timezone_are_combined(
    alice: KeyClient, shipments: list[Shipment]
) -> None:
    response = alice.get(
        "/v1/shipments?status=delivered&created_at=gte:2024-01-01T09:00&order_by=created_at"
        "&direction=asc&limit=2&timezone=America/New_York"
        "&fields=id,created_at,status,location.name,location,tags,metadata"
    )
    assert response["Content-Type"] == "application/json"
    one, two = response.json()["results"]
    assert one == {
        "id": shipments[9].pk,
        "created_at": "2024-01-01T09:00:00.000000-05:00",
        "status": "delivered",
        "location.name": None,
        "location": None,
        "tags": ["fragile", "cold"],
        "metadata": {"level": {"of": 9}},
    }
    assert two["location"] == {"id": shipments[11].location_id, "name": "Dock 1"}
    assert two["location.name"] == "Dock 1"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"metadata": '{"level": {"of": 7}}'}, 1),
        ({"metadata": '{"level": 7}'}, 0),
        ({"metadata": "null"}, 0),
        ({"metadata": 'equals:{"level": {"of": 7}}'}, 1),
        ({"metadata": 'not_equals:{"level": {}}'}, 0),
        ({"metadata": "equals:no JSON"}, 0),
        ({"metadata": "is_not_null"}, 25),
        ({"metadata": "[" * 5000}, 0),
        ({"metadata": "Infinity"}, 0),
        ({"metadata": "[1e999, NaN]"}, 0),
        ({"filters[metadata_jcont]": "Infinity"}, 0),
        ({"metadata.level.of": "gte:28"}, 2),
        ({"created_at": "lte:9999-12-31"}, 25),
        ({"created_at": "gt:9999-12-31"}, 0),
    ],
)
@pytest.mark.slow
def test_a_json_column_is_filtered_by_json(
    alice: KeyClient, shipments: list[Shipment], query: dict[str, str], found: int
) -> None:
    response = alice.get(f"/v1/shipments?{urlencode(query)}")
    assert response.status_code == 200, response.content
    assert len(response.json()["results"]) == found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"filters[status_in]": "delivered,lost"}, 15),
        ({"filters[status_eq]": "delivered", "created_at": "gte:2024-01-02"}, 6),
        ({"filters[location_name_start]": "dock"}, 20),
        ({"filters[location_name_null]": "true"}, 10),
        ({"filters[metadata_jcont]": '{"level": {"of": 7}}'}, 1),
        ({"filters[tags_in]": "cold", "filters[created_at_lt]": "2024-01-01"}, 0),
        # 1 January in New York has 24 hours and begins with the first shipment.
        ({"filters[created_at_eq]": "2024-01-01", "timezone": "America/New_York"}, 24),
    ],
)
def test_predicates_are_combined_with_other_filters(
    alice: KeyClient,
    charlie: KeyClient,
    shipments: list[Shipment],
    query: dict[str, str],
    found: int,
) -> None:
    address = f"/v1/shipments?limit=100&fields=id&{urlencode(query)}"
    acmes = {shipment.pk for shipment in shipments}
    assert len(acmes.intersection(ids(alice.get(address).json()))) == found
    assert acmes.isdisjoint(ids(charlie.get(address).json()))


def test_to_many_relations_are_lists(alice: KeyClient, acme: Organization) -> None:
    groups = [GroupFactory(organization=acme, name=name) for name in ("B", "A")]
    ContactFactory(organization=acme, groups=groups)
    [record] = alice.get("/v1/contacts?fields=groups,groups.name").json()["results"]
    assert [group["name"] for group in record["groups"]] == ["A", "B"]
    assert record["groups.name"] == ["A", "B"]


@pytest.mark.parametrize("resource", list(registry), ids=lambda resource: resource.name)
@pytest.mark.slow
def test_every_resource_has_the_columns_of_its_exports(
    alice: KeyClient, acme: Organization, resource: Any
) -> None:
    record = a_record(resource.model, acme)
    for slash in ("", "/"):
        [shown] = alice.get(f"/v1/{resource.plural}{slash}").json()["results"]
        assert shown["id"] == record.pk
        assert list(shown) == list(resource.names)


@pytest.mark.parametrize("resource", list(registry), ids=lambda resource: resource.name)
@pytest.mark.slow
def test_records_of_another_organization_are_not_listed(
    charlie: KeyClient, acme: Organization, resource: Any
) -> None:
    record = a_record(resource.model, acme)
    for query in ("", f"?id={record.pk}", "?order_by=id"):
        assert charlie.get(f"/v1/{resource.plural}{query}").json() == {
            "next": None,
            "previous": None,
            "results": [],
        }


def test_a_cursor_of_another_organization_is_rejected(
    alice: KeyClient, charlie: KeyClient, shipments: list[Shipment]
) -> None:
    following = alice.get("/v1/shipments?limit=1").json()["next"]
    response = charlie.get(following)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_cursor")


def test_a_list_requires_a_key_with_the_scope_read(acme: Organization) -> None:
    assert APIClient().get("/v1/shipments").status_code == 401
    write_only = KeyClient(acme, "write only", Scope.WRITE)
    assert write_only.get("/v1/shipments").status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_list_is_read_only(alice: KeyClient, method: str) -> None:
    response = getattr(alice, method)("/v1/shipments", {})
    assert (response.status_code, response.json()["error"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("limit=0", "invalid_limit", "limit"),
        ("limit=101", "invalid_limit", "limit"),
        ("limit=all", "invalid_limit", "limit"),
        ("cursor=nonsense", "invalid_cursor", "cursor"),
        ("cursor=", "invalid_cursor", "cursor"),
        ("stauts=delivered", "invalid_filter", "stauts"),
        ("created_at=since:2024-01-01", "invalid_filter", "created_at"),
        ("order_by=nope", "invalid_ordering", "order_by"),
        ("direction=up", "invalid_ordering", "direction"),
        ("fields=id,nope", "invalid_column", "fields"),
        ("fields=id,id", "invalid_column", "fields"),
        ("fields=", "invalid_column", "fields"),
        ("fields=location.secret", "invalid_column", "fields"),
        ("timezone=Mars/Olympus", "invalid_timezone", "timezone"),
        ("filters[status_eq]=nope", "invalid_filter", "filters.status_eq"),
        ("filters[stauts_eq]=lost", "invalid_filter", "filters.stauts_eq"),
        ("filters[]=lost", "invalid_filter", "filters."),
        ("filters=lost", "invalid_filter", "filters"),
        ("status=created&status=delivered", "invalid_request", "status"),
        ("limit=1&limit=2", "invalid_request", "limit"),
    ],
)
def test_an_invalid_parameter_is_reported(
    alice: KeyClient, query: str, code: str, field: str
) -> None:
    response = alice.get(f"/v1/shipments?{query}")
    assert response.status_code == 400
    [problem] = response.json()["details"]["problems"]
    assert (problem["error"], problem["field"]) == (code, field)
    assert problem["accepted"]


def test_all_problems_are_reported_at_once(alice: KeyClient) -> None:
    response = alice.get("/v1/shipments?limit=0&nope=1&fields=x&timezone=y&order_by=z")
    problems = response.json()["details"]["problems"]
    assert {problem["field"] for problem in problems} == {
        *("limit", "nope", "fields", "timezone", "order_by")
    }


def test_an_invalid_limit_is_the_last_problem(alice: KeyClient) -> None:
    response = alice.get("/v1/contacts?limit=0&color=red").json()
    assert response["error"] == "invalid_filter"
    fields = [problem["field"] for problem in response["details"]["problems"]]
    assert fields == ["color", "limit"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "other", ["status=created", "filters[status_eq]=created", "order_by=status", "direction=asc"]
)
def test_a_cursor_is_valid_for_its_filters_and_its_order_only(
    alice: KeyClient, shipments: list[Shipment], other: str
) -> None:
    following = alice.get("/v1/shipments?limit=1").json()["next"]
    response = alice.get(f"{following}&{other}")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_cursor")
    assert alice.get(f"{following}&fields=id").json()["results"] == [{"id": shipments[28].pk}]


def test_a_forged_cursor_is_rejected(alice: KeyClient, shipments: list[Shipment]) -> None:
    following = alice.get("/v1/shipments?limit=1").json()["next"]
    response = alice.get(following.replace("cursor=", "cursor=x"))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_cursor")


TEXTS = ("notes", "invoice_number", "purchase_order", "reference_number", "layout_id")


def test_an_order_of_too_many_texts_is_rejected_on_the_first_page(
    alice: KeyClient, acme: Organization
) -> None:
    response = alice.get(f"/v1/shipments?order_by=status,{','.join(TEXTS[:4])}")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_ordering")
    assert alice.get(f"/v1/shipments?order_by=status,{','.join(TEXTS[:3])}").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "last"), [(1, 0x7F), (0x4E00, 0x9FFF), (0x3300, 0x3357), (0x1F300, 0x1FFFF)]
)
def test_the_longest_order_can_be_paged_with_any_texts(
    first: int, last: int, alice: KeyClient, acme: Organization
) -> None:
    resource = registry.get("shipment")
    assert resource is not None
    others = [
        name
        for name, column in resource.columns_by_name.items()
        if column.kind.sortable and not column.by_sort_key and name != "id"
    ]
    pick = random.Random(first)  # noqa: S311  (no secret)
    for _ in range(3):
        texts = {
            name: "".join(chr(pick.randint(first, last)) for _ in range(300)) for name in TEXTS[:3]
        }
        ShipmentFactory(organization=acme, **texts)
    order = ",".join([*TEXTS[:3], *others])
    whole = ids(alice.get(f"/v1/shipments?order_by={order}").json())
    seen, url = [], f"/v1/shipments?order_by={order}&limit=1"
    while url:
        page = alice.get(url)
        assert page.status_code == 200, page.json()
        seen += ids(page.json())
        url = page.json()["next"]
    assert seen == whole
    assert len(whole) == 3


def test_a_list_that_reaches_its_time_limit_is_a_timeout(
    alice: KeyClient, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MAX_MILLISECONDS", 1)
    copies(Contact.objects.create(organization=acme), 2999)
    response = alice.get("/v1/contacts?order_by=_outbound_trackers")
    assert (response.status_code, response.json()["error"]) == (504, "timeout")


@pytest.mark.parametrize(
    "query",
    [
        {"metadata": '"\\ud800"'},
        {"metadata": '{"a": ["\\udfff"]}'},
        {"metadata": '{"\\ud800": 1}'},
        {"metadata": 'not_equals:"\\ud800"'},
        {"filters[metadata_jcont]": '"\\ud800"'},
    ],
)
def test_half_a_surrogate_pair_in_json_is_reported(alice: KeyClient, query: dict[str, str]) -> None:
    response = alice.get("/v1/shipments", query)
    assert response.status_code == 400, response.content
    [problem] = response.json()["details"]["problems"]
    assert problem["error"] == "invalid_filter"
    assert problem["value"] == next(iter(query.values()))


def test_fields_select_related_records_that_are_not_a_resource(
    alice: KeyClient, acme: Organization
) -> None:
    fulfillment = FulfillmentFactory(organization=acme)
    ArticleFactory(fulfillment=fulfillment, name="Bolt", sku="B-1")
    [whole] = alice.get("/v1/fulfillments").json()["results"]
    assert [article["sku"] for article in whole["articles"]] == ["B-1"]
    for fields in ("*", "articles.*", "articles", "id,articles.*"):
        [found] = alice.get("/v1/fulfillments", {"fields": fields}).json()["results"]
        assert found["articles"] == whole["articles"]
    [found] = alice.get("/v1/fulfillments?fields=*,location").json()["results"]
    assert list(found)[-2:] == ["articles", "location"]
    [found] = alice.get("/v1/fulfillments?fields=articles.sku").json()["results"]
    assert found == {"articles.sku": ["B-1"]}
    described = alice.get("/v1/resources/fulfillment").json()
    assert described["includes"] == ["location", "articles"]
    for fields in ("*,id", "articles,articles.*", "name.*"):
        assert alice.get(f"/v1/fulfillments?fields={fields}").status_code == 400


def test_the_default_timezone_is_that_of_the_organization(
    alice: KeyClient, acme: Organization
) -> None:
    acme.timezone = "America/New_York"
    acme.save()
    ShipmentFactory(organization=acme, created_at=datetime(2025, 6, 1, tzinfo=UTC))
    for query, shown in (
        ("created_at=2025-05-31", "2025-05-31T20:00:00.000000-04:00"),
        ("filters[created_at_eq]=2025-05-31", "2025-05-31T20:00:00.000000-04:00"),
        ("created_at=2025-06-01&timezone=UTC", "2025-06-01T00:00:00.000000+00:00"),
    ):
        [record] = alice.get(f"/v1/shipments?{query}&fields=created_at").json()["results"]
        assert record["created_at"] == shown


def test_a_json_key_with_a_dot_and_a_value_with_a_comma_are_accepted(
    alice: KeyClient, acme: Organization
) -> None:
    ShipmentFactory(organization=acme, id="match", metadata={"a.b": "x, y"})
    ShipmentFactory(organization=acme, metadata={"a": {"b": "x, y"}})
    query = {'metadata."a.b"': "x, y", "fields": "id"}
    assert alice.get("/v1/shipments", query).json()["results"] == [{"id": "match"}]
