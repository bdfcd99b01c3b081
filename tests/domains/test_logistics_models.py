"""The logistics models: columns, ids, indexes and constraints."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Article, Asset, Item, Level
from longshore.resources.registry import registry
from tests.factories import (
    ArticleFactory,
    ContactFactory,
    FulfillmentFactory,
    GroupFactory,
    ItemFactory,
    LevelFactory,
    LocationFactory,
    ManifestFactory,
    ShipmentFactory,
    TrackerFactory,
)

pytestmark = pytest.mark.django_db

REQUESTS = sorted((Path(__file__).parents[1] / "exports" / "requests").glob("*.json"))
PREFIXES = {
    "contact": "ctct",
    "group": "grp",
    "location": "loc",
    "shipment": "ship",
    "tracker": "track",
    "shipping_label_inference": "inf_sl",
    "manifest": "man",
    "fulfillment": "ful",
    "item": "item",
    "asset": "ast",
}


@pytest.mark.parametrize("request_file", REQUESTS, ids=lambda path: path.stem)
def test_columns_of_documented_requests_exist(request_file: Path) -> None:
    body: dict[str, Any] = json.loads(request_file.read_text())
    resource = registry.get(body["resource"])
    assert resource is not None
    assert set(body["csv_field_options"]["columns"]) <= set(resource.names)


def test_all_documented_requests_are_tested() -> None:
    assert len(REQUESTS) == 7


@pytest.mark.parametrize(("name", "prefix"), PREFIXES.items())
def test_ids_have_the_prefix_of_their_model(name: str, prefix: str, acme: Organization) -> None:
    resource = registry.get(name)
    assert resource is not None
    record = resource.model(organization=acme)
    assert str(record.pk).startswith(f"{prefix}_")
    assert len(record.pk) <= 40


def test_search_text_joins_non_empty_fields(acme: Organization) -> None:
    contact = ContactFactory.create(
        organization=acme, name="Zoë", nickname="", email=None, phone="+1", id_number="E-7"
    )
    contact.refresh_from_db()
    assert contact.search_text == "Zoë +1 E-7"


def test_search_text_contains_names_on_the_label(acme: Organization) -> None:
    shipment = ShipmentFactory.create(
        organization=acme, tracking_number="7", recipient={"name": "Ελένη"}, sender={"name": None}
    )
    shipment.refresh_from_db()
    assert shipment.search_text == "7 Ελένη"


def test_search_text_is_updated(acme: Organization) -> None:
    location = LocationFactory.create(organization=acme, name="North")
    location.address = {"city": "Łódź"}
    location.save()
    location.refresh_from_db()
    assert location.search_text == "North Łódź"


def test_group_cannot_be_its_own_parent(acme: Organization) -> None:
    group = GroupFactory.create(organization=acme)
    group.parent = group
    with pytest.raises(IntegrityError, match="group_is_not_its_own_parent"):
        group.save()


def test_contact_is_in_a_group_only_once(acme: Organization) -> None:
    group = GroupFactory.create(organization=acme)
    contact = ContactFactory.create(organization=acme, groups=[group])
    with pytest.raises(IntegrityError, match="contact_is_in_a_group_only_once"):
        contact.groups.through.objects.create(contact=contact, group=group)


def test_item_has_one_level_at_a_place(acme: Organization) -> None:
    level = LevelFactory.create(item=ItemFactory.create(organization=acme))
    with pytest.raises(IntegrityError, match="item_has_one_level_at_a_place"):
        Level.objects.create(item=level.item, location=level.location)


def test_article_belongs_to_a_fulfillment_or_a_manifest(acme: Organization) -> None:
    fulfillment = FulfillmentFactory.create(organization=acme)
    manifest = ManifestFactory.create(organization=acme)
    ArticleFactory.create(fulfillment=fulfillment)
    ArticleFactory.create(fulfillment=None, manifest=manifest)
    for wrong in ({}, {"fulfillment": fulfillment, "manifest": manifest}):
        with (
            transaction.atomic(),
            pytest.raises(IntegrityError, match="article_is_on_a_fulfillment_or_a_manifest"),
        ):
            Article.objects.create(**wrong)


def test_deleting_a_related_record_sets_the_reference_to_null(acme: Organization) -> None:
    contact, location = (
        ContactFactory.create(organization=acme),
        LocationFactory.create(organization=acme),
    )
    tracker = TrackerFactory.create(
        organization=acme, destination_contact=contact, destination_location=location
    )
    shipment = ShipmentFactory.create(
        organization=acme, tracker=tracker, destination_contact=contact
    )
    contact.delete()
    location.delete()
    tracker.refresh_from_db()
    assert (tracker.destination_contact, tracker.destination_location) == (None, None)
    tracker.delete()
    shipment.refresh_from_db()
    assert (shipment.tracker, shipment.destination_contact) == (None, None)


def test_null_and_empty_texts_differ(acme: Organization) -> None:
    ContactFactory.create(organization=acme, email=None)
    empty = ContactFactory.create(organization=acme, email="")
    assert list(type(empty).objects.filter(email="")) == [empty]


@pytest.mark.parametrize("model", [Item, Asset])
def test_string_of_items_and_assets_is_their_name(model: type[models.Model]) -> None:
    assert str(model(name="Forklift")) == "Forklift"
