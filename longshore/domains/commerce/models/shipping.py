"""Shipping methods."""

from django.db import models

from longshore.domains.commerce.models.base import (
    Record,
    cents,
    currency,
    moment,
    one_of,
    optional_cents,
    related,
)
from longshore.domains.commerce.models.catalog import Market, ShippingCategory
from longshore.domains.commerce.models.stock import StockLocation
from longshore.resources.fields import id_field, text


class ShippingScheme(models.TextChoices):
    """The pricing scheme of a shipping method."""

    FLAT = "flat"
    WEIGHT_TIERED = "weight_tiered"
    EXTERNAL = "external"


class ShippingMethod(Record):
    """A shipping method and its price."""

    id = id_field("smth")
    name = models.TextField()
    code = text("Code on orders: express, pickup…")
    scheme = one_of(ShippingScheme, ShippingScheme.FLAT)
    currency_code = currency()
    price_amount_cents = cents()
    free_over_amount_cents = optional_cents("Order amount from which shipping is free.")
    market = related(Market, "shipping_methods")
    shipping_category = related(ShippingCategory, "shipping_methods")
    stock_location = related(StockLocation, "shipping_methods")
    disabled_at = moment()

    def __str__(self) -> str:
        return self.name
