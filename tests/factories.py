"""Factories of records. Related records belong to the same organization.

`ContactFactory(organization=acme)` creates one contact, `ContactFactory.create_batch(5, …)` five.
`ContactFactory.create(…)` creates one, too, with a type that the type checker knows.
"""

# mypy: allow-untyped-decorators
from typing import Any

from factory.declarations import (
    LazyFunction,
    SelfAttribute,
    Sequence,
    SubFactory,
)
from factory.django import DjangoModelFactory
from factory.helpers import post_generation

from longshore.accounts.models import Organization
from longshore.accounts.sealing import seal
from longshore.domains.logistics.models import (
    Article,
    Asset,
    Contact,
    Fulfillment,
    Group,
    Item,
    Level,
    Location,
    Manifest,
    Shipment,
    ShippingLabelInference,
    Tracker,
)
from webhooks import signing_secrets
from webhooks.events import EventType
from webhooks.models import Delivery, Event, Subscription


class OrganizationFactory(DjangoModelFactory[Organization]):
    class Meta:
        model = Organization

    name = Sequence(lambda number: f"Organization {number}")
    slug = Sequence(lambda number: f"organization-{number}")


class LocationFactory(DjangoModelFactory[Location]):
    class Meta:
        model = Location

    organization = SubFactory(OrganizationFactory)
    name = Sequence(lambda number: f"Warehouse {number}")


class GroupFactory(DjangoModelFactory[Group]):
    class Meta:
        model = Group

    organization = SubFactory(OrganizationFactory)
    name = Sequence(lambda number: f"Group {number}")


class ContactFactory(DjangoModelFactory[Contact]):
    """`groups=[…]` and `locations=[…]` add the contact to them."""

    class Meta:
        model = Contact
        skip_postgeneration_save = True

    organization = SubFactory(OrganizationFactory)
    name = Sequence(lambda number: f"Contact {number}")

    @post_generation
    def groups(self: Contact, create: bool, extracted: list[Group] | None, **_: Any) -> None:
        self.groups.add(*(extracted or ()))

    @post_generation
    def locations(self: Contact, create: bool, extracted: list[Location] | None, **_: Any) -> None:
        self.locations.add(*(extracted or ()))


class ItemFactory(DjangoModelFactory[Item]):
    class Meta:
        model = Item

    organization = SubFactory(OrganizationFactory)
    name = Sequence(lambda number: f"Item {number}")


class LevelFactory(DjangoModelFactory[Level]):
    class Meta:
        model = Level

    item = SubFactory(ItemFactory)
    location = SubFactory(LocationFactory, organization=SelfAttribute("..item.organization"))


class AssetFactory(DjangoModelFactory[Asset]):
    class Meta:
        model = Asset

    organization = SubFactory(OrganizationFactory)
    name = Sequence(lambda number: f"Asset {number}")


class FulfillmentFactory(DjangoModelFactory[Fulfillment]):
    class Meta:
        model = Fulfillment

    organization = SubFactory(OrganizationFactory)
    order_number = Sequence(lambda number: f"SO-{number}")


class ManifestFactory(DjangoModelFactory[Manifest]):
    class Meta:
        model = Manifest

    organization = SubFactory(OrganizationFactory)
    reference_number = Sequence(lambda number: f"M-{number}")


class ArticleFactory(DjangoModelFactory[Article]):
    """An article of a fulfillment; pass `fulfillment=None, manifest=…` for one of a manifest."""

    class Meta:
        model = Article

    fulfillment = SubFactory(FulfillmentFactory)
    name = Sequence(lambda number: f"Article {number}")


class ShipmentFactory(DjangoModelFactory[Shipment]):
    class Meta:
        model = Shipment

    organization = SubFactory(OrganizationFactory)
    tracking_number = Sequence(lambda number: f"1Z{number:06}")


class TrackerFactory(DjangoModelFactory[Tracker]):
    class Meta:
        model = Tracker

    organization = SubFactory(OrganizationFactory)
    tracking_number = Sequence(lambda number: f"1Z{number:06}")


class ShippingLabelInferenceFactory(DjangoModelFactory[ShippingLabelInference]):
    class Meta:
        model = ShippingLabelInference

    organization = SubFactory(OrganizationFactory)
    tracking_number = Sequence(lambda number: f"1Z{number:06}")


class SubscriptionFactory(DjangoModelFactory[Subscription]):
    """A subscription to all events with a secret of its own, marked as quick."""

    class Meta:
        model = Subscription

    organization = SubFactory(OrganizationFactory)
    target = Sequence(lambda number: f"https://receiver.example.com/{number}")
    events = LazyFunction(lambda: ["*"])
    secret = LazyFunction(lambda: seal(signing_secrets.generate()))
    is_quick = True


class EventFactory(DjangoModelFactory[Event]):
    class Meta:
        model = Event

    organization = SubFactory(OrganizationFactory)
    type = EventType.EXPORT_CREATED
    data = LazyFunction(lambda: {"object": "thing"})


class DeliveryFactory(DjangoModelFactory[Delivery]):
    """A pending delivery that is due."""

    class Meta:
        model = Delivery

    subscription = SubFactory(SubscriptionFactory)
    event = SubFactory(EventFactory, organization=SelfAttribute("..subscription.organization"))
