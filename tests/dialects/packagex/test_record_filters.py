"""The documented filters and orders of the lists of records of PackageX."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, Shipment
from tests.conftest import KeyClient
from tests.dialects.packagex.conformance import FILTERS, rows
from tests.factories import (
    AssetFactory,
    ContactFactory,
    GroupFactory,
    ItemFactory,
    LevelFactory,
    LocationFactory,
    ShippingLabelInferenceFactory,
    TrackerFactory,
)

pytestmark = pytest.mark.django_db
ROOT = "/packagex/v1"


def ids(client: KeyClient, path: str, **query: Any) -> set[str]:
    response = client.get(f"{ROOT}/{path}", query)
    assert response.status_code == 200, response.content
    return {each["id"] for each in response.json()["data"]}


def names(client: KeyClient, path: str, **query: Any) -> list[str]:
    response = client.get(f"{ROOT}/{path}", query)
    assert response.status_code == 200, response.content
    return [each["name"] for each in response.json()["data"]]


@pytest.mark.slow
@rows.same(
    FILTERS,
    "contacts: `location_id`, `group_id`, `metadata`, `created_at`, `updated_at`",
    "contacts: `order_by` `name`, `email`, `created_at`, `updated_at`",
    "`search`",
)
def test_contacts_are_filtered_by_group_location_and_metadata(
    alice: KeyClient, acme: Organization
) -> None:
    one, two = GroupFactory.create_batch(2, organization=acme)
    dock = LocationFactory.create(organization=acme)
    ContactFactory.create(organization=acme, name="Ada", groups=[one], locations=[dock])
    ContactFactory.create(organization=acme, name="Bea", groups=[two], metadata={"tier": "gold"})
    ContactFactory.create(organization=acme, name="Cy")
    assert names(alice, "contacts") == ["Ada", "Bea", "Cy"]
    assert names(alice, "contacts", direction="desc") == ["Cy", "Bea", "Ada"]
    assert names(alice, "contacts", group_id=f"{one.pk},{two.pk}") == ["Ada", "Bea"]
    assert names(alice, "contacts", location_id=dock.pk) == ["Ada"]
    assert names(alice, "contacts", **{"metadata.tier": "gold"}) == ["Bea"]
    assert names(alice, "contacts", created_at="lt:2020-01-01") == []
    assert names(alice, "contacts", search="be") == ["Bea"]
    assert names(alice, "contacts", updated_at="gte:2020-01-01") == ["Ada", "Bea", "Cy"]
    for order in ("name", "email", "created_at", "updated_at"):
        shown = names(alice, "contacts", order_by=order, direction="desc")
        assert shown == names(alice, "contacts", order_by=order)[::-1]


@rows.same(
    FILTERS,
    "items: `location_id`, `layout_id`, `sku`, `upc`, `harmonized_code`, `external_id`, "
    "`is_asset`, `include_zero_inventory`",
)
def test_items_are_filtered_by_inventory(alice: KeyClient, acme: Organization) -> None:
    dock = LocationFactory.create(organization=acme)
    codes = {"sku": "P-1", "upc": "036", "harmonized_code": "4415.20", "external_id": "E1"}
    stocked = ItemFactory.create(organization=acme, name="Pallet", **codes)
    LevelFactory.create(item=stocked, location=dock, layout_id="lay_1", verified_qty=3)
    ItemFactory.create(organization=acme, name="Crate", is_asset=True)
    assert names(alice, "items", location_id=dock.pk) == ["Pallet"]
    assert names(alice, "items", layout_id="lay_1") == ["Pallet"]
    for name, text in codes.items():
        assert names(alice, "items", **{name: text}) == ["Pallet"]
    assert names(alice, "items", is_asset="true") == ["Crate"]
    assert names(alice, "items", include_zero_inventory="false") == ["Pallet"]


@pytest.mark.slow
@rows.same(FILTERS, "shipments: `status`, `statuses`, `type`, `provider`")
def test_shipments_are_filtered_by_statuses_and_providers(
    alice: KeyClient, acme: Organization
) -> None:
    call_command("demo_data", rows=1500, organization="acme")
    chosen = {"statuses": "delivered,completed", "provider": "fedex,ups", "limit": "100"}
    shown = alice.get(f"{ROOT}/shipments", chosen).json()
    expected = Shipment.objects.filter(
        organization=acme, status__in=["delivered", "completed"], provider__in=["fedex", "ups"]
    )
    assert shown["pagination"]["total_count"] == expected.count() > 0
    assert {each["status"] for each in shown["data"]} <= {"delivered", "completed"}
    shipment = expected.first()
    assert shipment is not None
    one = {"status": shipment.status, "type": shipment.type, "order_by": "updated_at"}
    shown = alice.get(f"{ROOT}/shipments", one).json()
    same = Shipment.objects.filter(organization=acme, status=shipment.status, type=shipment.type)
    assert shown["pagination"]["total_count"] == same.count()


@rows.same(
    FILTERS,
    "groups: `resource`, `location_id`, `metadata`",
    "locations: `group_id`, `user_id`, `metadata`",
)
def test_groups_and_locations_are_filtered(alice: KeyClient, acme: Organization) -> None:
    dock = LocationFactory.create(
        organization=acme, users=[{"id": "user_1"}], metadata={"region": "north"}
    )
    LocationFactory.create(organization=acme)
    crew = GroupFactory.create(organization=acme, location=dock, metadata={"shift": "night"})
    dock.groups.add(crew)
    GroupFactory.create(organization=acme, resource="location")
    assert ids(alice, "groups", location_id=dock.pk) == {crew.pk}
    assert ids(alice, "groups", resource="contact") == {crew.pk}
    assert ids(alice, "groups", **{"metadata.shift": "night"}) == {crew.pk}
    assert ids(alice, "locations", group_id=crew.pk) == {dock.pk}
    assert ids(alice, "locations", user_id="user_1") == {dock.pk}
    assert ids(alice, "locations", **{"metadata.region": "north"}) == {dock.pk}


@rows.same(
    FILTERS,
    "assets: `location_id`, `item_id`, `layout_id`, `assignee`, `statuses`, `list_archived`, "
    "`is_warranty_valid`, `next_maintenance_date`, `warranty_valid_until`",
)
def test_assets_are_filtered_by_their_documented_parameters(
    alice: KeyClient, acme: Organization
) -> None:
    now = timezone.now()
    item, dock = ItemFactory.create(organization=acme), LocationFactory.create(organization=acme)
    scanner = AssetFactory.create(
        organization=acme,
        item=item,
        location=dock,
        layout_id="lay_1",
        assignee="Zoë",
        status="in_use",
        next_maintenance_date=now + timedelta(days=3),
        warranty_valid_until=now + timedelta(days=9),
    )
    AssetFactory.create(organization=acme, status="sold")
    for name, text in {
        "location_id": dock.pk,
        "item_id": item.pk,
        "layout_id": "lay_1",
        "assignee": "Zoë",
        "statuses": "in_use,on_loan",
        "list_archived": "false",
        "is_warranty_valid": "true",
        "next_maintenance_date": f"lte:{(now + timedelta(days=4)).isoformat()}",
        "warranty_valid_until": f"gt:{(now + timedelta(days=8)).isoformat()}",
    }.items():
        assert ids(alice, "assets", **{name: text}) == {scanner.pk}, name


@rows.same(
    FILTERS,
    "trackers: `location`, `status`, `statuses`, `provider`, `contacts`",
    "shipping labels: `location_id`, `provider_name`, `service_level_name`, `status`, dates",
)
def test_trackers_and_labels_are_filtered_by_their_documented_parameters(
    alice: KeyClient, acme: Organization
) -> None:
    dock = LocationFactory.create(organization=acme)
    sender, recipient = ContactFactory.create_batch(2, organization=acme)
    tracker = TrackerFactory.create(
        organization=acme,
        destination_location=dock,
        destination_contact=recipient,
        sender_contact=sender,
        status="delivered",
        provider="ups",
    )
    TrackerFactory.create(organization=acme, provider="fedex")
    for name, text in {
        "location": dock.pk,
        "status": "delivered",
        "statuses": "delivered,completed",
        "provider": "ups,usps",
        "contacts": sender.pk,
    }.items():
        assert ids(alice, "trackers", **{name: text}) == {tracker.pk}, name
    assert ids(alice, "trackers", contacts=recipient.pk) == {tracker.pk}

    label = ShippingLabelInferenceFactory.create(
        organization=acme,
        location=dock,
        provider_name="usps",
        service_level_name="Ground",
        status="needs_review",
    )
    other = ShippingLabelInferenceFactory.create(organization=acme, provider_name="ups")
    for name, text in {
        "location_id": dock.pk,
        "provider_name": "usps",
        "service_level_name": "Ground",
        "status": "needs_review",
    }.items():
        assert ids(alice, "inferences/shipping_labels", **{name: text}) == {label.pk}, name
    found = ids(alice, "inferences/images/shipping_labels", created_at="gt:2020-01-01")
    assert found == {label.pk, other.pk}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("equals:2025-01-02", {2}),
        ("not_equals:2025-01-02", {1, 3}),
        ("gt:2025-01-02", {3}),
        ("lt:2025-01-02", {1}),
        ("gte:2025-01-02", {2, 3}),
        ("lte:2025-01-02", {1, 2}),
        ("bwi:2025-01-01,2025-01-02", {1, 2}),
        ("bwe:2025-01-01,2025-01-03", {2}),
        ("in:2025-01-01,2025-01-03", {1, 3}),
        ("not_in:2025-01-01,2025-01-03", {2}),
        ("gte:1735776000000", {2, 3}),
        ("bwi:1735689600000,1735776000000", {1}),
    ],
)
@rows.same(
    FILTERS,
    "`equals:`",
    "`not_equals:`",
    "`gt:`",
    "`lt:`",
    "`gte:`",
    "`lte:`",
    "`bwi:`",
    "`bwe:`",
    "`in:`",
    "`not_in:`",
    "dates as ISO strings or epoch milliseconds",
)
def test_dates_are_filtered_by_every_documented_condition(
    alice: KeyClient, acme: Organization, condition: str, expected: set[int]
) -> None:
    for day in (1, 2, 3):
        contact = ContactFactory.create(organization=acme, name=str(day))
        noon = datetime(2025, 1, day, 12, tzinfo=UTC)
        Contact.objects.filter(pk=contact.pk).update(created_at=noon)
    shown = names(alice, "contacts", created_at=condition)
    assert {int(name) for name in shown} == expected


@pytest.mark.parametrize("condition", ["bwi:2025-01-01", "bwe:2025-01-03,2025-01-01"])
def test_a_range_takes_two_dates_the_smaller_first(alice: KeyClient, condition: str) -> None:
    response = alice.get(f"{ROOT}/contacts", {"created_at": condition})
    assert (response.status_code, response.json()["errors"]) == (400, ["created_at"])


@rows.differs(
    FILTERS,
    "`order_by`: `_relevance`, `_similarity`",
    "Refused with the accepted columns. Searches have no ranks.",
)
def test_sorting_by_relevance_is_refused(alice: KeyClient) -> None:
    for order in ("_relevance", "_similarity"):
        shown = alice.get(f"{ROOT}/contacts", {"search": "zoë", "order_by": order}).json()
        assert (shown["code"], shown["errors"]) == ("invalid_ordering", ["order_by"])
