"""A marketplace: lines of baskets that refer to shared records and to another tenant's products."""

from django.db import models

from longshore.accounts.models import Organization
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation
from tests.awkward.models import Awkward, Country, Team


class Basket(Awkward):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")


class Product(Awkward):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)


class BasketLine(Awkward):
    """It belongs to the organization of its basket."""

    basket = models.ForeignKey(Basket, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, null=True, on_delete=models.SET_NULL, related_name="lines")
    country = models.ForeignKey(Country, on_delete=models.CASCADE, related_name="lines")
    name = models.CharField(max_length=40)


class Parcel(Awkward):
    """Its labels are a part of it."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")


class Label(Awkward):
    parcel = models.ForeignKey(Parcel, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=40)


class Scan(Awkward):
    """It refers to a label, but does not own it."""

    label = models.OneToOneField(Label, on_delete=models.CASCADE, related_name="scan")
    parcel = models.ForeignKey(Parcel, on_delete=models.CASCADE, related_name="+")


_LINES = (Relation("lines"),)
SHARED = Resource(
    "country", "countries", Country, organization=None, date_field=None, relations=_LINES
)
PRODUCT = Resource("product", "products", Product, date_field=None, relations=_LINES)
BASKET = Resource(
    "basket", "baskets", Basket, date_field=None, relations=(*_LINES, Relation("team"))
)
PARCEL = Resource("crate", "crates", Parcel, date_field=None, relations=(Relation("labels"),))
MODELS = (Basket, Product, BasketLine, Parcel, Label, Scan)
RESOURCES = (SHARED, PRODUCT, BASKET, PARCEL)
