"""Every list accepts its own `next` and `previous` links, with all filters in any order."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.models import Export
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.accounts.sealing import seal
from longshore.resources.columns import ColumnType
from longshore.resources.filters import operators
from longshore.resources.registry import Resource, registry
from tests.conftest import KeyClient
from tests.factories import DeliveryFactory, ShipmentFactory, SubscriptionFactory
from tests.records import a_record
from webhooks.models import Subscription

pytestmark = pytest.mark.django_db
ROWS = 3
DOCS = Path(__file__).resolve().parent.parent / "docs"
# Function-scoped fixtures: all examples of a test share their rows.
few_examples = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Parameters = list[tuple[str, str]]


def walk(client: KeyClient, path: str, parameters: Parameters) -> None:
    """Follow `next` to the end of a list, and `previous` back to its beginning."""
    page = client.get(f"{path}?{urlencode([*parameters, ('limit', '1')])}")
    pages = [read(page)]
    while url := pages[-1]["next"]:
        pages.append(read(client.get(url)))
    seen = [record["id"] for page in pages for record in page["results"]]
    assert len(seen) == len(set(seen)) == ROWS, parameters
    for earlier in reversed(pages[:-1]):
        page = read(client.get(pages[-1]["previous"]))
        assert page["results"] == earlier["results"]
        pages.append(page)
    assert pages[-1]["previous"] is None


def read(response: Any) -> Any:
    assert response.status_code == 200, response.content
    return response.json()


def matching_filters(resource: Resource, record: Any) -> Parameters:
    """Return filters of both languages that match a record and every record made like it."""
    filters = [
        ("id", "not_in:nobody,nothing"),
        (resource.date_field or "", "gte:2000-01-01"),
        (resource.date_field or "", "bwi:2000-01-01,2100-01-01"),
        (f"filters[{resource.date_field}_lt]", "2100-01-01"),
        ("filters[id_not_eq]", "nobody"),
        ("filters[id_not_start]", "no"),
    ]
    for name, column in resource.columns_by_name.items():
        if column.field is None or column.kind is ColumnType.JSON or not operators(column.kind):
            continue
        field: Any = resource.model._meta.get_field(column.field)
        missing = getattr(record, field.attname) is None
        filters += [(name, "is_null" if missing else "is_not_null")]
        filters += [(f"filters[{name}_null]", "true" if missing else "false")]
    return filters


@pytest.mark.parametrize("resource", list(registry), ids=lambda resource: resource.plural)
@pytest.mark.slow
def test_every_list_of_records_can_be_paged_to_its_end_and_back(
    alice: KeyClient, acme: Organization, resource: Resource
) -> None:
    records = [a_record(resource.model, acme) for _ in range(ROWS)]
    filters = matching_filters(resource, resource.model._default_manager.get(pk=records[0].pk))

    @few_examples
    @given(
        two=st.lists(
            st.sampled_from(filters), min_size=2, max_size=2, unique_by=lambda each: each[0]
        ),
        orders=st.permutations(["order_by", "direction", "fields", "filter", "filter"]),
        order=st.sampled_from([resource.date_field, "id", f"-{resource.date_field},id"]),
    )
    def check(two: Parameters, orders: list[str], order: str) -> None:
        others = {"order_by": order, "direction": "desc", "fields": "id"}
        left = iter(two)
        walk(
            alice,
            f"/v1/{resource.plural}",
            [next(left) if name == "filter" else (name, others[name]) for name in orders],
        )

    check()


@pytest.fixture
def exports(acme: Organization) -> None:
    spec = parse_export({"resource": "contact"})
    Export.objects.bulk_create(
        Export(organization=acme, resource="contact", format="csv", compression="none",
               request={}, spec=spec.to_json(), expires_at=timezone.now())
        for _ in range(ROWS)
    )  # fmt: skip


@pytest.fixture
def subscription(acme: Organization) -> Subscription:
    """One of three subscriptions, with deliveries of three events."""
    first, *_ = SubscriptionFactory.create_batch(ROWS, organization=acme)
    assert isinstance(first, Subscription)
    DeliveryFactory.create_batch(ROWS, subscription=first, event__organization=acme)
    return first


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        (
            "/v1/exports",
            [
                ("status", "queued"),
                ("resource", "contact,item"),
                ("created_at", "gte:2000-01-01"),
                ("created_before", "2100-01-01"),
            ],
        ),
        ("/v1/webhooks", []),
        (
            "/v1/webhooks/{id}/deliveries",
            [
                ("status", "pending"),
                ("type", "export.created,export.failed"),
                ("created_after", "2000-01-01"),
            ],
        ),
        (
            "/v1/events",
            [("type", "export.created,export.failed"), ("created_at", "not_equals:2000-01-01")],
        ),
    ],
)
@pytest.mark.usefixtures("exports")
@pytest.mark.slow
def test_every_other_list_can_be_paged_to_its_end_and_back(
    alice: KeyClient, subscription: Subscription, path: str, filters: Parameters
) -> None:
    for one in filters or [("limit", "1")]:
        for other in filters:
            two = [one, other] if one[0] != other[0] else [one]
            walk(alice, path.format(id=subscription.public_id), two)


def test_the_documented_list_can_be_paged_to_its_end_and_back(
    alice: KeyClient, acme: Organization
) -> None:
    ShipmentFactory.create_batch(ROWS, organization=acme, status="delivered")
    [example] = re.findall(r"^curl --get .*?/v1/shipments.*?```", text("api.md"), re.M | re.S)
    parameters = [
        tuple(given.split("=", 1)) for given in re.findall(r'--data-urlencode "(.*?)"', example)
    ]
    assert len(parameters) == 5
    walk(alice, "/v1/shipments", parameters)


def text(page: str) -> str:
    return (DOCS / page).read_text()


def test_a_cursor_of_other_filters_is_rejected(alice: KeyClient, acme: Organization) -> None:
    ShipmentFactory.create_batch(ROWS, organization=acme, status="delivered", provider="ups")
    page = read(alice.get("/v1/shipments?status=delivered&provider=ups&limit=1"))
    cursor = dict(parse_qsl(urlsplit(page["next"]).query))["cursor"]
    for other in ("status=delivered", "status=delivered&provider=fedex", "provider=ups"):
        response = alice.get(f"/v1/shipments?{other}&limit=1&cursor={cursor}")
        assert (response.status_code, response.json()["error"]) == (400, "invalid_cursor")


def test_a_cursor_of_another_list_is_rejected(alice: KeyClient, subscription: Subscription) -> None:
    deliveries = f"/v1/webhooks/{subscription.public_id}/deliveries"
    page = read(alice.get(f"{deliveries}?limit=1"))
    cursor = dict(parse_qsl(urlsplit(page["next"]).query))["cursor"]
    assert read(alice.get(f"{deliveries}?cursor={cursor}"))["results"]
    # Encrypted with the salt of stored secrets.
    stored = seal(json.dumps([0, False, "2024-12-25T14:30:00Z"]))
    named = seal(json.dumps(["webhooks.deliveries", 0, False, "2024-12-25T14:30:00Z"]))
    for path, token in (
        (deliveries, stored),
        (deliveries, named),
        ("/v1/events", cursor),
        ("/v1/exports", cursor),
    ):
        response = alice.get(f"{path}?cursor={token}")
        assert (response.status_code, response.json()["error"]) == (400, "invalid_cursor")
